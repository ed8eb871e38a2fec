"""The log of actions: rows sealed with their person's key, read by person or by time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeAlias

from ariane.store.connection import Connections
from ariane.store.keys import Key, Person, as_list
from ariane.types import Action, ActionKind

STREAM_ROWS = 20_000
BEGINNING, END = -(2**63), 2**63 - 1
"""The first and the last time that a store can hold."""

Row: TypeAlias = tuple[str, int, bytes]
"""The digest, time and sealed bytes of an action."""

_KINDS = {str(kind): kind for kind in ActionKind}


@dataclass(frozen=True, slots=True)
class Stored:
    """An action with the digest that its row is found by, and the person it belongs to."""

    digest: str
    person: Person
    action: Action


def insert(connection: sqlite3.Connection, rows: Iterable[Stored]) -> None:
    """Keep new actions."""
    connection.executemany(
        "INSERT INTO actions (digest, person, at, sealed) VALUES (?, ?, ?, ?)",
        (
            (row.digest, row.person.number, row.action.at, _seal(row.person.key, row))
            for row in rows
        ),
    )


def held(connection: sqlite3.Connection, digests: Iterable[str]) -> set[str]:
    """The digests among these whose actions are held."""
    rows = connection.execute(
        "SELECT digest FROM actions WHERE digest IN (SELECT value FROM json_each(?))",
        (as_list(digests),),
    )
    return {digest for (digest,) in rows}


def find(connection: sqlite3.Connection, digests: Iterable[str]) -> list[Stored]:
    """The held actions among these, of any person."""
    rows = connection.execute(
        "SELECT digest, a.at, sealed, k.person, viewer, key FROM actions a"
        " JOIN keys k ON k.person = a.person WHERE digest IN (SELECT value FROM json_each(?))",
        (as_list(digests),),
    )
    people: dict[int, Person] = {}
    found = []
    for digest, at, sealed, number, viewer, secret in rows:
        if number not in people:
            people[number] = Person(number, Key(secret))
        person = people[number]
        found.append(Stored(digest, person, _open(person.key, viewer, (digest, at, sealed))))
    return found


def remove(connection: sqlite3.Connection, digests: Iterable[str]) -> None:
    """Delete the rows of these actions."""
    connection.execute(
        "DELETE FROM actions WHERE digest IN (SELECT value FROM json_each(?))",
        (as_list(digests),),
    )


def newest(connection: sqlite3.Connection, person: Person, at: int, limit: int) -> list[Row]:
    """A person's last rows up to `at`, by time; all of the oldest time, also beyond `limit`."""
    rows = connection.execute(
        "SELECT digest, at, sealed FROM actions WHERE person = :person AND at <= :at AND at >="
        " ifnull((SELECT at FROM actions WHERE person = :person AND at <= :at"
        " ORDER BY at DESC LIMIT 1 OFFSET :limit - 1), :beginning) ORDER BY at",
        {"person": person.number, "at": at, "limit": limit, "beginning": BEGINNING},
    )
    return rows.fetchall()


def count(connection: sqlite3.Connection, person: Person, at: int) -> int:
    """How many actions of a person are held up to `at`."""
    row = connection.execute(
        "SELECT count(*) FROM actions WHERE person = ? AND at <= ?", (person.number, at)
    ).fetchone()
    return int(row[0])


def opened(person: Person, viewer: str, rows: Iterable[Row]) -> list[Action]:
    """The actions of a person's rows, ordered by (at, id)."""
    found = [_open(person.key, viewer, row) for row in rows]
    found.sort(key=attrgetter("at", "id"))
    return found


def acted_on(person: Person, rows: Iterable[Row]) -> set[str]:
    """The posts of a person's rows, several times as fast as their actions."""
    parts = (_plain(person.key, row).split(b"\0", 3)[2] for row in rows)
    return {part[1:].decode() for part in parts if part}


def stream(connections: Connections, until: int | None) -> Iterator[Action]:
    """Every action up to `until` in order of time, ties by id and viewer, whose ids are their own.

    A few thousand are in memory at once.
    """
    tied: list[Action] = []
    for action in _opened(connections, until):
        if tied and tied[0].at != action.at:
            yield from sorted(tied, key=attrgetter("id", "viewer"))
            tied.clear()
        tied.append(action)
    yield from sorted(tied, key=attrgetter("id", "viewer"))


def _opened(connections: Connections, until: int | None) -> Iterator[Action]:
    # Short transactions one after the other: a long one would keep the log from being emptied.
    held: dict[int, tuple[Key, str]] = {}
    at, sequence = BEGINNING, -1
    while True:
        with connections.reading() as connection:
            rows = connection.execute(
                "SELECT at, sequence, person, digest, sealed FROM actions"
                " WHERE (at, sequence) > (?, ?) AND at <= ? ORDER BY at, sequence LIMIT ?",
                (at, sequence, END if until is None else until, STREAM_ROWS),
            ).fetchall()
            held |= keys(connection, {row[2] for row in rows}.difference(held))
        for at, _, person, digest, sealed in rows:
            yield _open(*held[person], (digest, at, sealed))
        if len(rows) < STREAM_ROWS:
            return
        at, sequence = rows[-1][:2]


def keys(connection: sqlite3.Connection, numbers: set[int]) -> dict[int, tuple[Key, str]]:
    """The key and the viewer of each of these people."""
    rows = connection.execute(
        "SELECT person, key, viewer FROM keys WHERE person IN (SELECT value FROM json_each(?))",
        (json.dumps(list(numbers)),),
    )
    return {number: (Key(secret), viewer) for number, secret, viewer in rows}


def _identity(digest: str, at: int) -> str:
    return f"action/{digest}/{at}"


def _seal(key: Key, row: Stored) -> bytes:
    # Fields parted by NUL, which no name may hold: several times as fast as JSON, a million times.
    action = row.action
    optional = (action.post, action.account, action.seconds, action.request)
    parts = (action.id, action.kind, *("" if part is None else f"={part}" for part in optional))
    return key.seal(_identity(row.digest, action.at), "\0".join(parts).encode())


def _plain(key: Key, row: Row) -> bytes:
    digest, at, sealed = row
    return key.open(_identity(digest, at), sealed)


def _open(key: Key, viewer: str, row: Row) -> Action:
    name, kind, post, account, seconds, request = _plain(key, row).decode().split("\0")
    return Action(
        name,
        viewer,
        _KINDS[kind],
        row[1],
        post[1:] if post else None,
        account[1:] if account else None,
        float(seconds[1:]) if seconds else None,
        request[1:] if request else None,
    )
