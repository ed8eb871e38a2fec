"""The log of actions: rows sealed with their person's key, read by person or by time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter, itemgetter

from ariane.store.connection import Connections
from ariane.store.keys import Key, Person, as_list
from ariane.types import Action, ActionKind

STREAM_ROWS = 20_000
BEGINNING, END = -(2**63), 2**63 - 1
"""The first and the last time that a store can hold."""

_KINDS = {str(kind): kind for kind in ActionKind}
_decode = json.JSONDecoder().decode


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
    found = []
    for digest, at, sealed, number, viewer, secret in rows:
        key = Key(secret)
        action = _open(key, viewer, (digest, at, sealed))
        found.append(Stored(digest, Person(number, key), action))
    return found


def remove(connection: sqlite3.Connection, digests: Iterable[str]) -> None:
    """Delete the rows of these actions."""
    connection.execute(
        "DELETE FROM actions WHERE digest IN (SELECT value FROM json_each(?))",
        (as_list(digests),),
    )


def newest(
    connection: sqlite3.Connection, person: Person, viewer: str, at: int, limit: int
) -> list[Action]:
    """A viewer's last actions up to `at`, oldest first, ties by id."""
    rows = connection.execute(
        "SELECT digest, at, sealed FROM actions WHERE person = :person AND at <= :at AND at >="
        " ifnull((SELECT at FROM actions WHERE person = :person AND at <= :at"
        " ORDER BY at DESC LIMIT 1 OFFSET :limit - 1), :beginning)",
        {"person": person.number, "at": at, "limit": limit, "beginning": BEGINNING},
    )
    found = [_open(person.key, viewer, row) for row in rows.fetchall()]
    found.sort(key=attrgetter("at", "id"))
    return found[-limit:]


def stream(connections: Connections, until: int | None) -> Iterator[Action]:
    """Every action up to `until` in order of time, ties by id; a few thousand in memory at once."""
    keys: dict[int, tuple[str, Key] | None] = {}
    for _, tied in groupby(_rows(connections, until), key=itemgetter(0)):
        group = list(tied)
        _learn_keys(connections, {row[2] for row in group} - keys.keys(), keys)
        actions = []
        for at, _, number, digest, sealed in group:
            owner = keys[number]
            if owner is not None:
                actions.append(_open(owner[1], owner[0], (digest, at, sealed)))
        yield from sorted(actions, key=attrgetter("id")) if len(actions) > 1 else actions


def _rows(
    connections: Connections, until: int | None
) -> Iterator[tuple[int, int, int, str, bytes]]:
    # Short transactions one after the other: a long one would keep the log from being emptied.
    at, sequence = BEGINNING, -1
    while True:
        with connections.reading() as connection:
            rows = connection.execute(
                "SELECT at, sequence, person, digest, sealed FROM actions"
                " WHERE (at, sequence) > (?, ?) AND at <= ? ORDER BY at, sequence LIMIT ?",
                (at, sequence, END if until is None else until, STREAM_ROWS),
            ).fetchall()
        yield from rows
        if len(rows) < STREAM_ROWS:
            return
        at, sequence = rows[-1][:2]


def _learn_keys(
    connections: Connections, numbers: set[int], keys: dict[int, tuple[str, Key] | None]
) -> None:
    if not numbers:
        return
    with connections.reading() as connection:
        rows = connection.execute(
            "SELECT person, viewer, key FROM keys WHERE person IN (SELECT value FROM json_each(?))",
            (json.dumps(list(numbers)),),
        ).fetchall()
    keys |= dict.fromkeys(numbers)  # None: erased since the row was read
    keys |= {number: (viewer, Key(secret)) for number, viewer, secret in rows}


def _identity(digest: str, at: int) -> str:
    return f"action/{digest}/{at}"


def _seal(key: Key, row: Stored) -> bytes:
    action = row.action
    parts = (
        action.id, action.kind, action.post, action.account, action.seconds, action.request,
    )  # fmt: skip
    return key.seal(_identity(row.digest, action.at), json.dumps(parts).encode())


def _open(key: Key, viewer: str, row: tuple[str, int, bytes]) -> Action:
    digest, at, sealed = row
    name, kind, post, account, seconds, request = _decode(
        key.open(_identity(digest, at), sealed).decode()
    )
    return Action(name, viewer, _KINDS[kind], at, post, account, seconds, request)
