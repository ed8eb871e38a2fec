"""Stores with planted tastes: what each viewer does follows from two hidden camps and the topic."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ariane.store.sqlite import SqliteStore
from ariane.types import Action, ActionKind, Event, Post, Reading

WIDTH = 16
BEGIN = 1_700_000_000_000
MINUTE = 60_000
LIKE, HIDE, SEEN = ActionKind.LIKE, ActionKind.NOT_INTERESTED, ActionKind.IMPRESSION


def post(index: int, source: str = "planted", at: int = BEGIN) -> Post:
    return Post(f"{source}/p{index}", f"{source}/a{index % 7}", f"Post {index}", at, source=source)


def reading(one: Post, topic: int, rng: np.random.Generator) -> Reading:
    vector = 0.1 * rng.normal(size=WIDTH)
    vector[topic] += 1.0
    unit = (vector / np.linalg.norm(vector)).astype(np.float32)
    return Reading(one.id, one.rev, unit, ((f"t{topic}", 0.9),), "", "", "", "en", "planted@1")


def action(number: int | str, viewer: str, kind: ActionKind, at: int, **what: object) -> Action:
    return Action(f"x{number}", viewer, kind, at, **what)  # type: ignore[arg-type]


def planted(
    path: Path,
    *,
    viewers: int = 60,
    posts: int = 40,
    each: int = 30,
    noise: float = 0.05,
    source: str = "planted",
    seed: int = 0,
) -> SqliteStore:
    """Each viewer sees `each` posts; the first camp likes even topics and hides odd ones."""
    rng = np.random.default_rng(seed)
    store = SqliteStore(path)
    topics = rng.integers(0, 4, posts)
    made = [post(index, source, BEGIN - MINUTE * index) for index in range(posts)]
    events: list[Event] = [*made]
    number = 0
    for viewer in range(viewers):
        start = BEGIN + int(rng.integers(0, 1000)) * MINUTE
        for step, index in enumerate(rng.permutation(posts)[:each].tolist()):
            likes = (topics[index] % 2 == viewer % 2) != (rng.random() < noise)
            kind = LIKE if likes else (HIDE if rng.random() < 0.7 else SEEN)
            at = start + step * MINUTE
            events.append(
                action(f"{source}{number}", f"{source}/v{viewer}", kind, at, post=made[index].id)
            )
            number += 1
    store.write(events)
    store.write_readings(
        [reading(one, int(topics[index]), rng) for index, one in enumerate(made)], []
    )
    return store
