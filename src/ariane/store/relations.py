"""Follows, mutes and blocks: whole and sealed beside the log, since a history ends and they do not.

They stand until their action is undone, also when the log before a time was forgotten.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import IntEnum

from ariane.store.actions import Stored
from ariane.store.keys import Names, Person, as_list
from ariane.types import Action, ActionKind


class Part(IntEnum):
    """What is read apart: one who is not profiled has only AVOIDS read."""

    FOLLOWS = 0
    AVOIDS = 1


PART_OF = {
    ActionKind.FOLLOW: Part.FOLLOWS,
    ActionKind.MUTE: Part.AVOIDS,
    ActionKind.BLOCK: Part.AVOIDS,
}


@dataclass(frozen=True, slots=True)
class Relation:
    """One standing follow, mute or block: to an account, or to the author of a post."""

    action: str
    kind: str
    at: int
    account: str | None
    post: str | None


def add(connection: sqlite3.Connection, names: Names, rows: Iterable[Stored]) -> None:
    """Keep the relations among these new actions."""
    chosen = [row for row in rows if row.action.kind in PART_OF]
    authors = _authors(connection, names, {_unnamed(row.action) for row in chosen} - {None})
    for (part, _), group in _by_part(chosen).items():
        person = group[0].person
        relations = {relation.action: relation for relation in load(connection, person, part)}
        for action in (row.action for row in group):
            account = action.account or authors.get(action.post or "")
            relations[action.id] = Relation(
                action.id, str(action.kind), action.at, account, action.post
            )
        _save(connection, person, part, relations.values())


def remove(connection: sqlite3.Connection, person: Person, undone: Collection[str]) -> None:
    """Let a person's relations go that these actions made, be they in the log or not."""
    for part in Part:
        held = load(connection, person, part)
        kept = [item for item in held if item.action not in undone]
        if len(kept) < len(held):
            _save(connection, person, part, kept)


def load(connection: sqlite3.Connection, person: Person, part: Part) -> list[Relation]:
    """A person's relations of one part."""
    row = connection.execute(
        "SELECT sealed FROM relations WHERE person = ? AND part = ?", (person.number, part)
    ).fetchone()
    if row is None:
        return []
    plain = person.key.open(_identity(person.number, part), row[0])
    return [Relation(*item) for item in json.loads(plain)]


def accounts(
    connection: sqlite3.Connection, names: Names, relations: Iterable[Relation], at: int
) -> dict[str, frozenset[str]]:
    """The accounts of each kind that stood at `at`."""
    stood = [item for item in relations if item.at <= at]
    found: defaultdict[str, set[str]] = defaultdict(set)
    for item, account in _to_whom(connection, names, stood):
        if account is not None:
            found[item.kind].add(account)
    return {str(kind): frozenset(found[kind]) for kind in PART_OF}


def standing(
    connection: sqlite3.Connection, names: Names, person: Person, kind: ActionKind, account: str
) -> list[str]:
    """The ids of the actions by which a person follows, mutes or blocks an account."""
    held = [item for item in load(connection, person, PART_OF[kind]) if item.kind == kind]
    found = _to_whom(connection, names, held)
    return [item.action for item, whom in found if whom == account]


def _to_whom(
    connection: sqlite3.Connection, names: Names, relations: Collection[Relation]
) -> list[tuple[Relation, str | None]]:
    """Relations, each with its account; None where the post that named it was never held."""
    unnamed = {item.post for item in relations if item.account is None}
    authors = _authors(connection, names, unnamed - {None})
    return [(item, item.account or authors.get(item.post or "")) for item in relations]


def _by_part(rows: Iterable[Stored]) -> dict[tuple[Part, int], list[Stored]]:
    groups: defaultdict[tuple[Part, int], list[Stored]] = defaultdict(list)
    for row in rows:
        groups[PART_OF[row.action.kind], row.person.number].append(row)
    return groups


def _save(
    connection: sqlite3.Connection, person: Person, part: Part, relations: Iterable[Relation]
) -> None:
    items = [
        (item.action, item.kind, item.at, item.account, item.post)
        for item in sorted(relations, key=lambda item: (item.at, item.action))
    ]
    connection.execute(
        "INSERT INTO relations VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET sealed = excluded.sealed",
        (
            person.number,
            part,
            person.key.seal(_identity(person.number, part), json.dumps(items).encode()),
        ),
    )


def _identity(number: int, part: Part) -> str:
    return f"relations/{number}/{int(part)}"


def _unnamed(action: Action) -> str | None:
    return action.post if action.account is None else None


def _authors(
    connection: sqlite3.Connection, names: Names, posts: Iterable[str | None]
) -> dict[str, str]:
    """The author of each post that is or was held."""
    wanted = [post for post in posts if post is not None]
    if not wanted:
        return {}
    rows = connection.execute(
        "SELECT id, author FROM posts WHERE id IN (SELECT value FROM json_each(?))",
        (as_list(wanted),),
    )
    found: dict[str, str] = dict(rows.fetchall())
    lost = {names.digest("post", post): post for post in wanted if post not in found}
    gone = connection.execute(
        "SELECT digest, author FROM gone WHERE digest IN (SELECT value FROM json_each(?))"
        " AND author IS NOT NULL",
        (as_list(lost),),
    )
    return found | {lost[digest]: author for digest, author in gone}
