"""What stays out when it comes again: names that were deleted or undone, people who were erased.

Only keyed digests of the names are kept. A deletion is for ever; an erasure holds for all that is
not newer than it, so that the same person may come back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable

from ariane.store.keys import Names, as_list
from ariane.types import Post


def deleted(connection: sqlite3.Connection, digests: Iterable[str]) -> set[str]:
    """Those of these digests that were deleted."""
    rows = connection.execute(
        "SELECT digest FROM gone WHERE digest IN (SELECT value FROM json_each(?))",
        (as_list(digests),),
    )
    return {digest for (digest,) in rows}


def add(connection: sqlite3.Connection, digests: Iterable[str]) -> None:
    """Keep out what these digests name, for ever."""
    connection.executemany(
        "INSERT INTO gone (digest) VALUES (?) ON CONFLICT DO NOTHING",
        [(digest,) for digest in digests],
    )


def add_posts(connection: sqlite3.Connection, names: Names, posts: Iterable[Post]) -> None:
    """Keep out these posts, and remember their authors: who muted one by a post still does."""
    connection.executemany(
        "INSERT INTO gone (digest, author) VALUES (?, ?)"
        " ON CONFLICT DO UPDATE SET author = excluded.author",
        [(names.digest("post", post.id), post.author) for post in posts],
    )


def erased(connection: sqlite3.Connection, names: Names, people: Collection[str]) -> dict[str, int]:
    """Those of these people who were erased, and the time up to which their rows stay out."""
    by_digest = {names.digest("person", name): name for name in people}
    rows = connection.execute(
        "SELECT digest, at FROM gone WHERE digest IN (SELECT value FROM json_each(?))",
        (as_list(by_digest),),
    )
    return {by_digest[digest]: at for digest, at in rows}


def was_minor(connection: sqlite3.Connection, names: Names, person: str) -> bool:
    """Whether this person was a minor when they were erased."""
    row = connection.execute(
        "SELECT minor FROM gone WHERE digest = ?", (names.digest("person", person),)
    ).fetchone()
    return row is not None and bool(row[0])


def forgotten_before(connection: sqlite3.Connection) -> int | None:
    """The time before which raw actions were forgotten."""
    row = connection.execute("SELECT before FROM retention").fetchone()
    return None if row is None else row[0]
