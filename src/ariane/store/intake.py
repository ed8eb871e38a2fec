"""Taking events in: idempotent, and the same state whatever the order they came in."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any

from ariane.store import actions, gone, posts, relations, removal
from ariane.store.actions import BEGINNING, Stored
from ariane.store.codec import to_json
from ariane.store.keys import Names, as_list, names, person, persons
from ariane.types import (
    Account,
    Action,
    CallError,
    Cursor,
    Delete,
    Event,
    Label,
    Post,
    Written,
)

_NAMES: dict[type[Any], Callable[[Any], tuple[str | None, ...]]] = {
    Delete: attrgetter("id", "viewer"),
    Account: attrgetter("id", "id"),
    Post: attrgetter("id", "author"),
    Label: attrgetter("subject", "value", "source"),
    Action: attrgetter("id", "viewer", "post", "account", "request"),
}
"""The fields that are names: NUL ends a text in SQLite's JSON, and parts fields in sealed rows."""


def write(
    connection: sqlite3.Connection, events: Sequence[Event], cursor: Cursor | None
) -> Written:
    """Take events in, in the transaction that is open.

    Deletes go first: a delete holds whether it came before or after what it deletes. Accounts go
    last: that of an erased person comes in again once something newer of theirs has.
    """
    of, by_noun = names(connection), _by_noun(events)
    new = removal.delete(connection, of, by_noun[Delete])
    new += _write_posts(connection, of, by_noun[Post])
    new += write_labels(connection, by_noun[Label])
    new += _write_actions(connection, of, by_noun[Action])
    new += _write_accounts(connection, of, by_noun[Account])
    if cursor is not None:
        connection.execute(
            "INSERT INTO cursors VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            (cursor.source, cursor.value),
        )
    return Written(new=new, same=len(events) - new)


def write_labels(connection: sqlite3.Connection, labels: Sequence[Label]) -> int:
    """Keep labels; of one label with two confidences or ends, the higher and the later hold."""
    before = connection.total_changes
    connection.executemany(
        "INSERT INTO labels (subject, value, source, at, negates, confidence, until)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " confidence = max(confidence, excluded.confidence),"
        " until = CASE WHEN until IS NULL OR excluded.until IS NULL THEN NULL"
        " ELSE max(until, excluded.until) END"
        " WHERE excluded.confidence > confidence"
        " OR until IS NOT NULL AND (excluded.until IS NULL OR excluded.until > until)",
        [
            (one.subject, one.value, one.source, one.at, one.negates, one.confidence, one.until)
            for one in labels
        ],
    )
    return connection.total_changes - before


def supersede_labels(connection: sqlite3.Connection, labels: Sequence[Label]) -> None:
    """Drop what other versions of these labels' sources ("NAME@VERSION") said of their subjects."""
    connection.executemany(
        "DELETE FROM labels WHERE subject = ? AND source <> ?"
        " AND substr(source, 1, instr(source, '@')) = ?",
        {
            (one.subject, one.source, "".join(one.source.partition("@")[:2]))
            for one in labels
            if "@" in one.source
        },
    )


def account(connection: sqlite3.Connection, name: str) -> Account | None:
    """One account."""
    return _accounts(connection, [name]).get(name)


def _by_noun(events: Sequence[Event]) -> dict[type[Any], list[Any]]:
    """The events of each noun; CallError for a name that holds NUL."""
    found: dict[type[Any], list[Any]] = {noun: [] for noun in _NAMES}
    for event in events:
        found[type(event)].append(event)
    for noun, names_of in _NAMES.items():
        for event in found[noun]:
            for name in names_of(event):
                if name is not None and "\0" in name:
                    raise CallError(f"the name {name!r} holds a NUL character; take it out.")
    return found


# --- accounts ----------------------------------------------------------------------------------


def _write_accounts(connection: sqlite3.Connection, of: Names, accounts: Sequence[Account]) -> int:
    if not accounts:
        return 0
    digests = {one.id: of.digest("account", one.id) for one in accounts}
    deleted = gone.deleted(connection, digests.values())
    erased = gone.erased(connection, of, digests)
    held = _accounts(connection, digests)
    new = 0
    for one in accounts:
        known = held.get(one.id)
        late = one.at is not None and one.at > erased.get(one.id, BEGINNING - 1)
        back = late or known is not None or one.id not in erased
        if digests[one.id] in deleted or not (back or person(connection, one.id)):
            continue
        merged = replace(one, at=None) if known is None else _merged(known, one)
        new += merged != known
        held[one.id] = merged
    connection.executemany(
        "INSERT OR REPLACE INTO accounts (id, name, birth_year, country, hides)"
        " VALUES (?, ?, ?, ?, ?)",
        [
            (one.id, one.name, one.birth_year, one.country, one.hides_from_algorithms)
            for one in held.values()
        ],
    )
    return new


def _accounts(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, Account]:
    rows = connection.execute(
        "SELECT id, name, birth_year, country, hides FROM accounts"
        " WHERE id IN (SELECT value FROM json_each(?))",
        (as_list(ids),),
    )
    return {
        name: Account(name, title, birth_year, country, bool(hides))
        for name, title, birth_year, country, hides in rows
    }


def _merged(known: Account, account: Account) -> Account:
    # None says that a source does not know, which takes nothing away: a birth year protects.
    return Account(
        account.id,
        known.name if account.name is None else account.name,
        known.birth_year if account.birth_year is None else account.birth_year,
        known.country if account.country is None else account.country,
        account.hides_from_algorithms,
    )


# --- posts -------------------------------------------------------------------------------------


def _write_posts(connection: sqlite3.Connection, of: Names, items: Sequence[Post]) -> int:
    if not items:
        return 0
    best: dict[str, Post] = {}
    for post in _kept(connection, of, items):
        if post.id not in best or _supersedes(post, best[post.id]):
            best[post.id] = post
    held = posts.posts(connection, best)
    changed = [
        post for post in best.values() if post.id in held and _supersedes(post, held[post.id])
    ]
    fresh = [post for post in best.values() if post.id not in held]
    removal.drop_readings(connection, [post.id for post in changed])
    connection.executemany(
        "INSERT INTO posts (id, author, text, at, rev, lang, url, media, reply_to, root,"
        " repost_of, source, language) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET author = excluded.author, text = excluded.text,"
        " at = excluded.at, rev = excluded.rev, lang = excluded.lang, url = excluded.url,"
        " media = excluded.media, reply_to = excluded.reply_to, root = excluded.root,"
        " repost_of = excluded.repost_of, source = excluded.source, language = excluded.language,"
        " reader = 0, reading = NULL",
        [
            (
                *(post.id, post.author, post.text, post.at, post.rev, post.lang, post.url),
                json.dumps(to_json(post.media)) if post.media else None,
                *(post.reply_to, post.root, post.repost_of, post.source, post.lang),
            )
            for post in [*changed, *fresh]
        ],
    )
    return len(changed) + len(fresh)


def _kept(connection: sqlite3.Connection, of: Names, items: Sequence[Post]) -> list[Post]:
    """The posts that may come in: neither deleted, nor their author, nor of someone erased."""
    ids = {post.id: of.digest("post", post.id) for post in items}
    authors = {post.author: of.digest("account", post.author) for post in items}
    deleted = gone.deleted(connection, [*ids.values(), *authors.values()])
    erased = gone.erased(connection, of, authors)
    welcome = [post for post in items if post.at > erased.get(post.author, BEGINNING - 1)]
    out = [post for post in welcome if deleted & {ids[post.id], authors[post.author]}]
    gone.add_posts(connection, of, out)
    return [post for post in welcome if not deleted & {ids[post.id], authors[post.author]}]


def _supersedes(post: Post, held: Post) -> bool:
    if post.rev != held.rev or post == held:
        return post.rev > held.rev
    return _precedence(post) > _precedence(held)


def _precedence(post: Post) -> tuple[int, list[str], str]:
    # Two contents of one revision: any fixed order makes the order of arrival not matter. The
    # later one wins, and one that states more.
    values = to_json(post)
    return post.at, [str(value or "") for value in values.values()], json.dumps(values)


# --- actions -----------------------------------------------------------------------------------


def _write_actions(connection: sqlite3.Connection, of: Names, items: Sequence[Action]) -> int:
    if not items:
        return 0
    digests: dict[str, Action] = {}
    for action in items:
        digests.setdefault(of.action(action.viewer, action.id), action)
    undone = gone.deleted(connection, digests)
    connection.executemany(
        "UPDATE gone SET person = (SELECT person FROM keys WHERE viewer = ?)"
        " WHERE digest = ? AND person IS NULL",
        [(digests[digest].viewer, digest) for digest in undone],
    )
    known = undone | actions.held(connection, digests)
    fresh = {digest: action for digest, action in digests.items() if digest not in known}
    kept = _remembered(connection, of, fresh)
    people = persons(connection, {action.viewer for action in kept.values()})
    rows = [Stored(digest, people[action.viewer], action) for digest, action in kept.items()]
    actions.insert(connection, rows)
    relations.add(connection, of, rows)
    return len(rows)


def _remembered(
    connection: sqlite3.Connection, of: Names, fresh: dict[str, Action]
) -> dict[str, Action]:
    """Without the actions of erased people and those that retention has forgotten."""
    erased = gone.erased(connection, of, {action.viewer for action in fresh.values()})
    before = gone.forgotten_before(connection)
    return {
        digest: action
        for digest, action in fresh.items()
        if action.at > erased.get(action.viewer, BEGINNING - 1)
        and (before is None or action.at >= before or action.kind in relations.PART_OF)
    }
