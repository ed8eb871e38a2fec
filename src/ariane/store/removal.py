"""Taking out: deletes, the erasure of a person, and the retention of raw actions and receipts."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence

from ariane.store import actions, gone, posts, relations
from ariane.store.connection import Connections
from ariane.store.keys import Names, Person, as_list, names, person
from ariane.store.relations import Part
from ariane.types import CallError, Delete

FORGET_ROWS = 10_000

_OLDEST = (
    "DELETE FROM receipts WHERE number IN"
    " (SELECT number FROM receipts WHERE at < ? ORDER BY at LIMIT ?)"
)
_OLDEST_OF_NOBODY = (
    "DELETE FROM receipts WHERE number IN"
    " (SELECT number FROM receipts WHERE person = 0 AND at < ? ORDER BY at LIMIT ?)"
)


def delete(connection: sqlite3.Connection, of: Names, deletes: Sequence[Delete]) -> int:
    """Delete posts, accounts with what they published, and undo actions; how many were new."""
    if not deletes:
        return 0
    digests = {_digest(of, item): item for item in deletes}
    new = digests.keys() - gone.deleted(connection, digests)
    gone.add(connection, new)
    ids: dict[str, list[str]] = {"post": [], "account": [], "action": []}
    for digest in new:
        item = digests[digest]
        ids[item.what].append(digest if item.what == "action" else item.id)
    published = _delete_accounts(connection, ids["account"])
    _delete_posts(connection, of, ids["post"] + published)
    _undo(connection, {digest: digests[digest] for digest in ids["action"]})
    return len(new)


def _digest(of: Names, item: Delete) -> str:
    if item.what != "action":
        return of.digest(item.what, item.id)
    if item.viewer is None:
        raise CallError(
            f"the delete of action {item.id!r} names no viewer; add the viewer whose action it was."
        )
    return of.action(item.viewer, item.id)


def drop_readings(connection: sqlite3.Connection, ids: Sequence[str]) -> None:
    """Delete all that was read in these posts."""
    connection.execute(
        "DELETE FROM readings WHERE post IN"
        " (SELECT number FROM posts WHERE id IN (SELECT value FROM json_each(?)))",
        (as_list(ids),),
    )


def erase(connection: sqlite3.Connection, viewer: str, now: int, *, minor: bool) -> bool:
    """Destroy a person's key and rows, their account and what they published.

    Their receipts are remembered as withdrawn, and rows of theirs up to `now` stay out, both by
    keyed digests; beside the latter, whether they are a minor.
    """
    of = names(connection)
    before = connection.total_changes
    owner = person(connection, viewer)
    if owner is not None:
        _erase_rows(connection, of, owner.number)
    published = _delete_accounts(connection, [viewer])
    _drop_posts(connection, published)
    connection.execute(
        "DELETE FROM labels WHERE subject IN (SELECT value FROM json_each(?))",
        (as_list([viewer, *published]),),
    )
    connection.execute("UPDATE gone SET author = NULL WHERE author = ?", (viewer,))
    if connection.total_changes == before:
        return False
    connection.execute(
        "INSERT INTO gone (digest, at, minor) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET at = excluded.at, minor = excluded.minor",
        (of.digest("person", viewer), now, minor),
    )
    return True


def forget_actions(connections: Connections, before: int) -> int:
    """Delete actions older than `before`, a few thousand at a time; how many.

    Follows, mutes and blocks stay: they stand until they are undone.
    """
    with connections.writing() as connection:
        connection.execute(
            "INSERT INTO retention VALUES (1, ?)"
            " ON CONFLICT DO UPDATE SET before = max(before, excluded.before)",
            (before,),
        )
    forgotten = 0
    at, sequence = actions.BEGINNING, -1
    while True:
        with connections.writing() as connection:
            rows = connection.execute(
                "SELECT at, sequence, digest, person FROM actions"
                " WHERE (at, sequence) > (?, ?) AND at < ? ORDER BY at, sequence LIMIT ?",
                (at, sequence, before, FORGET_ROWS),
            ).fetchall()
            standing = _standing(connection, {row[3] for row in rows})
            old = [row[2] for row in rows if row[2] not in standing]
            actions.remove(connection, old)
        forgotten += len(old)
        if len(rows) < FORGET_ROWS:
            return forgotten
        at, sequence = rows[-1][:2]


def forget_receipts(connections: Connections, before: int, *, anonymous: bool = False) -> int:
    """Delete receipts older than `before`, or those of them without a viewer; how many."""
    forgotten = 0
    while True:
        with connections.writing() as connection:
            gone_now = connection.execute(
                _OLDEST_OF_NOBODY if anonymous else _OLDEST, (before, FORGET_ROWS)
            ).rowcount
        forgotten += gone_now
        if gone_now < FORGET_ROWS:
            return forgotten


def _delete_accounts(connection: sqlite3.Connection, accounts: Sequence[str]) -> list[str]:
    """Delete accounts; the ids of the posts that they leave."""
    connection.execute(
        "DELETE FROM accounts WHERE id IN (SELECT value FROM json_each(?))", (as_list(accounts),)
    )
    return [name for account in accounts for name in posts.published_by(connection, account)]


def _delete_posts(connection: sqlite3.Connection, of: Names, ids: Sequence[str]) -> None:
    gone.add_posts(connection, of, posts.posts(connection, ids).values())
    _drop_posts(connection, ids)


def _drop_posts(connection: sqlite3.Connection, ids: Sequence[str]) -> None:
    drop_readings(connection, ids)
    connection.execute(
        "DELETE FROM posts WHERE id IN (SELECT value FROM json_each(?))", (as_list(ids),)
    )


def _undo(connection: sqlite3.Connection, undone: Mapping[str, Delete]) -> None:
    """Undo actions by their digests, and what they made stand though the log forgot them."""
    found = actions.find(connection, undone)
    made: defaultdict[str | None, set[str]] = defaultdict(set)
    for item in undone.values():
        made[item.viewer].add(item.id)
    for viewer, ids in made.items():
        if (owner := person(connection, viewer)) is not None:
            relations.remove(connection, owner, ids)
    actions.remove(connection, undone)
    connection.executemany(
        "UPDATE gone SET person = ? WHERE digest = ?",
        [(row.person.number, row.digest) for row in found],
    )


def _erase_rows(connection: sqlite3.Connection, of: Names, number: int) -> None:
    requests = connection.execute("SELECT request FROM receipts WHERE person = ?", (number,))
    gone.add(connection, [of.digest("request", request) for (request,) in requests.fetchall()])
    for statement in (
        "DELETE FROM actions WHERE person = ?",
        "DELETE FROM relations WHERE person = ?",
        "DELETE FROM wishes WHERE person = ?",
        "DELETE FROM receipts WHERE person = ?",
        "DELETE FROM gone WHERE person = ?",
        "DELETE FROM keys WHERE person = ?",
    ):
        connection.execute(statement, (number,))


def _standing(connection: sqlite3.Connection, people: set[int]) -> set[str]:
    """The digests of these people's follows, mutes and blocks."""
    of = names(connection)
    return {
        of.action(viewer, relation.action)
        for number, (key, viewer) in actions.keys(connection, people).items()
        for part in Part
        for relation in relations.load(connection, Person(number, key), part)
    }
