"""People: the viewer of a request, wishes, and all that is held about one person."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import NonNegativeInt, PositiveInt

from ariane.store import actions, gone, intake, posts, relations, served
from ariane.store.actions import END
from ariane.store.codec import from_json, to_json
from ariane.store.keys import Person, names, person, persons
from ariane.store.relations import Part
from ariane.types import Action, ActionKind, Ask, Past, Viewer, Wish, window_start


@dataclass(frozen=True)
class ViewerSettings:
    """What a viewer is made of."""

    history: PositiveInt = 512
    """The most of a viewer's last actions that the ranker is given; the oldest leave 64 at a time,
    so that what is encoded of the others can be kept."""

    seen: NonNegativeInt = 2048
    """How many of a viewer's last actions keep their posts from being shown again."""

    adult_age: NonNegativeInt = 18
    """The age from which a viewer is no minor; only the year of birth is known, so it counts
    from the year's end."""

    unknown_age_is_minor: bool = False
    """Whether a viewer whose year of birth is not known is treated as a minor."""


def viewer(connection: sqlite3.Connection, ask: Ask, settings: ViewerSettings) -> Viewer:
    """The one who asks, as of `ask.at`."""
    known = known_minor(connection, ask.viewer, ask.at, settings.adult_age)
    minor = settings.unknown_age_is_minor if known is None else known
    owner = person(connection, ask.viewer)
    if owner is None:
        return Viewer(ask.viewer, minor=minor)
    shown = served.shown_before(connection, ask, owner) if ask.after is not None else set()
    if ask.viewer is None:
        return Viewer(None, seen=frozenset(shown), minor=minor)
    of = names(connection)
    avoids = relations.load(connection, owner, Part.AVOIDS)
    avoided = relations.accounts(connection, of, avoids, ask.at)
    mutes, blocks = avoided[ActionKind.MUTE], avoided[ActionKind.BLOCK]
    if not ask.profiled:
        return Viewer(ask.viewer, mutes=mutes, blocks=blocks, seen=frozenset(shown), minor=minor)
    follows = relations.load(connection, owner, Part.FOLLOWS)
    history, acted_on = _past(connection, owner, ask.viewer, ask.at, settings)
    originals = {past.post.repost_of for past in history if past.post and past.post.repost_of}
    return Viewer(
        ask.viewer,
        history,
        relations.accounts(connection, of, follows, ask.at)[ActionKind.FOLLOW],
        mutes,
        blocks,
        wishes(connection, ask.viewer, ask.at),
        frozenset(shown | acted_on | originals),
        minor,
    )


def known_minor(
    connection: sqlite3.Connection, name: str | None, at: int, adult_age: int
) -> bool | None:
    """Whether a viewer was a minor at `at`; None where that is not known.

    Who was one when they were erased stays one until a year of birth says otherwise.
    """
    if name is None:
        return None
    account = intake.account(connection, name)
    if account is None or account.birth_year is None:
        return gone.was_minor(connection, names(connection), name) or None
    year = 1970 + int(np.datetime64(at, "ms").astype("datetime64[Y]").astype(int))
    return year <= account.birth_year + adult_age


def standing(
    connection: sqlite3.Connection, name: str, kind: ActionKind, account: str
) -> list[str]:
    """The ids of the actions by which a viewer follows, mutes or blocks an account."""
    owner = person(connection, name)
    if owner is None:
        return []
    return relations.standing(connection, names(connection), owner, kind, account)


def wishes(connection: sqlite3.Connection, name: str, at: int) -> tuple[Wish, ...]:
    """A viewer's wishes in force at `at`, in the order in which they were first made."""
    return tuple(
        wish for wish in _wishes(connection, name) if wish.until is None or at < wish.until
    )


def write_wish(connection: sqlite3.Connection, name: str, wish: Wish) -> None:
    """Keep a wish; the same id again replaces it."""
    owner = persons(connection, [name])[name]
    digest = names(connection).digest("wish", wish.id)
    sealed = owner.key.seal(f"wish/{digest}", json.dumps(to_json(wish)).encode())
    connection.execute(
        "INSERT INTO wishes (person, digest, sealed) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET sealed = excluded.sealed",
        (owner.number, digest, sealed),
    )


def delete_wish(connection: sqlite3.Connection, name: str, wish: str) -> bool:
    """Forget a wish; False where there was none."""
    digest = names(connection).digest("wish", wish)
    done = connection.execute(
        "DELETE FROM wishes WHERE digest = ?"
        " AND person = (SELECT person FROM keys WHERE viewer = ?)",
        (digest, name),
    )
    return done.rowcount > 0


def export(connection: sqlite3.Connection, name: str) -> dict[str, Any]:
    """All that is held about a person, as JSON values; what erasing destroys, and no more."""
    owner = person(connection, name)
    published = posts.posts(connection, posts.published_by(connection, name))
    subjects = (name, *published)
    done: list[Action] = []
    served_to: list[dict[str, Any]] = []
    if owner is not None:
        done = actions.opened(owner, name, actions.newest(connection, owner, END, END))
        served_to = served.receipts_of(connection, owner)
    return {
        "viewer": name,
        "account": to_json(intake.account(connection, name)),
        "actions": to_json(done),
        "wishes": to_json(_wishes(connection, name)),
        "receipts": served_to,
        "posts": to_json(list(published.values())),
        "labels": to_json(
            [label for subject in subjects for label in posts.all_labels(connection, subject)]
        ),
    }


def everyone(connection: sqlite3.Connection) -> list[str]:
    """Ids of accounts, and of viewers who did or wished anything; a page served does not count."""
    rows = connection.execute(
        "SELECT id FROM accounts UNION SELECT viewer FROM keys WHERE viewer IS NOT NULL AND"
        " (person IN (SELECT person FROM actions) OR person IN (SELECT person FROM wishes)"
        " OR person IN (SELECT person FROM relations)) ORDER BY 1"
    )
    return [name for (name,) in rows]


def _wishes(connection: sqlite3.Connection, name: str) -> list[Wish]:
    owner = person(connection, name)
    if owner is None:
        return []
    rows = connection.execute(
        "SELECT digest, sealed FROM wishes WHERE person = ? ORDER BY number", (owner.number,)
    )
    return [
        from_json(Wish, json.loads(owner.key.open(f"wish/{digest}", sealed)))
        for digest, sealed in rows
    ]


def _past(
    connection: sqlite3.Connection, owner: Person, name: str, at: int, settings: ViewerSettings
) -> tuple[tuple[Past, ...], set[str]]:
    """A viewer's history, and the posts of a longer one."""
    rows = actions.newest(connection, owner, at, max(settings.history, settings.seen))
    if not rows:
        return (), set()
    held = actions.count(connection, owner, at)
    last = held - window_start(held, settings.history)
    since = rows[-last][1]
    done = actions.opened(owner, name, (row for row in rows if row[1] >= since))
    read = posts.read_posts(connection, {action.post for action in done if action.post})
    history = tuple(
        Past(action, *read.get(action.post or "", (None, None))) for action in done[-last:]
    )
    return history, actions.acted_on(owner, rows)
