"""What was served: receipts, the pages before a page, and the verdicts of policies."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator
from typing import Any

from ariane.store import actions, gone, posts, receipts
from ariane.store.codec import to_json
from ariane.store.keys import Key, Names, Person, names, person, persons
from ariane.types import ArianeError, Ask, CallError, Feed, NotFoundError, Verdict, WithdrawnError

COMPRESSION = 1  # of 9: a receipt is written for every page, and read for few


def compress(feed: Feed) -> bytes:
    """The receipt of a feed as bytes, made before the transaction that keeps it."""
    text = json.dumps(receipts.pack(feed), separators=(",", ":"))
    return zlib.compress(text.encode(), COMPRESSION)


def record(connection: sqlite3.Connection, feed: Feed, compressed: bytes) -> None:
    """Keep the receipt and the verdicts of policies in it.

    A feed that was asked for before its viewer was erased leaves the viewer no new rows.
    """
    _record_verdicts(connection, feed)
    ask = feed.ask
    owner = _owner(connection, ask)
    if owner is None:
        return
    posts_shown = [item.candidate.post for item in feed.page.items]
    originals = [post.repost_of for post in posts_shown if post.repost_of]
    shown = json.dumps([*(post.id for post in posts_shown), *originals]).encode()
    kept = connection.execute(
        "INSERT INTO receipts (request, person, at, after, shown, sealed)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at,"
        " after = excluded.after, shown = excluded.shown, sealed = excluded.sealed"
        " WHERE person = excluded.person",
        (
            ask.id,
            owner.number,
            ask.at,
            ask.after,
            owner.key.seal(f"shown/{ask.id}", shown),
            owner.key.seal(f"receipt/{ask.id}", compressed),
        ),
    ).rowcount
    if not kept:
        raise CallError(
            f"request {ask.id!r} was already served to another viewer; give each Ask its own id."
        )


def shown_before(connection: sqlite3.Connection, ask: Ask, owner: Person) -> set[str]:
    """The posts on the pages that this one continues, as far as they were this viewer's."""
    rows = connection.execute(
        "WITH RECURSIVE chain (request, after, shown) AS ("
        " SELECT request, after, shown FROM receipts WHERE request = :after AND person = :person"
        " UNION SELECT r.request, r.after, r.shown FROM chain"
        " JOIN receipts r ON r.request = chain.after AND r.person = :person"
        ") SELECT request, shown FROM chain",
        {"after": ask.after, "person": owner.number},
    )
    return {
        post
        for request, shown in rows
        for post in json.loads(owner.key.open(f"shown/{request}", shown))
    }


def receipt(connection: sqlite3.Connection, request: str) -> Feed:
    """A feed as it was served."""
    of = names(connection)
    row = connection.execute(
        "SELECT person, key, viewer, sealed FROM receipts JOIN keys USING (person)"
        " WHERE request = ?",
        (request,),
    ).fetchone()
    if row is None:
        raise _absent(connection, of, request)
    number, secret, viewer, sealed = row
    packed = _open(Person(number, Key(secret)), request, sealed)
    wanted = [of.action(viewer, name) for name in receipts.action_ids(packed)]
    held = {found.action.id: found.action for found in actions.find(connection, wanted)}
    read = posts.posts_as_read(connection, receipts.pairs(packed, held))
    return receipts.unpack(packed, held, read)


def served_to(connection: sqlite3.Connection, request: str) -> str | None:
    """Whom a request was served to, None for nobody."""
    row = connection.execute(
        "SELECT viewer FROM receipts JOIN keys USING (person) WHERE request = ?", (request,)
    ).fetchone()
    if row is None:
        raise _absent(connection, names(connection), request)
    viewer: str | None = row[0]
    return viewer


def receipts_of(connection: sqlite3.Connection, owner: Person) -> list[receipts.Receipt]:
    """Every receipt of a person, oldest first, as JSON values."""
    rows = connection.execute(
        "SELECT request, sealed FROM receipts WHERE person = ? ORDER BY at, request",
        (owner.number,),
    )
    return [_open(owner, request, sealed) for request, sealed in rows]


def _open(owner: Person, request: str, sealed: bytes) -> receipts.Receipt:
    packed: dict[str, Any] = json.loads(
        zlib.decompress(owner.key.open(f"receipt/{request}", sealed))
    )
    return packed


def _absent(connection: sqlite3.Connection, of: Names, request: str) -> ArianeError:
    if gone.deleted(connection, [of.digest("request", request)]):
        return WithdrawnError(f"Request {request!r} cannot be replayed: its viewer was erased.")
    return NotFoundError(f"No feed was served for request {request!r}; check the id.")


def _owner(connection: sqlite3.Connection, ask: Ask) -> Person | None:
    if ask.viewer is None:
        return person(connection, None)
    of = names(connection)
    erased = gone.erased(connection, of, [ask.viewer])
    if ask.at <= erased.get(ask.viewer, actions.BEGINNING - 1):
        gone.add(connection, [of.digest("request", ask.id)])
        return None
    return persons(connection, [ask.viewer])[ask.viewer]


def _record_verdicts(connection: sqlite3.Connection, feed: Feed) -> None:
    connection.executemany(
        "INSERT INTO verdicts (post, rev, policy, decision, statement, at)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            (
                post,
                rev,
                verdict.policy,
                str(verdict.decision),
                json.dumps(to_json(verdict.statement), ensure_ascii=False, sort_keys=True),
                feed.ask.at,
            )
            for post, rev, verdict in _verdicts(feed)
        ],
    )


def _verdicts(feed: Feed) -> Iterator[tuple[str, int, Verdict]]:
    for one in feed.page.removed:
        if one.verdict.statement:
            yield one.candidate.post.id, one.candidate.post.rev, one.verdict
    for ranked in (*feed.page.items, *feed.page.ranked):
        for verdict in ranked.verdicts:
            if verdict.statement:
                yield ranked.candidate.post.id, ranked.candidate.post.rev, verdict
