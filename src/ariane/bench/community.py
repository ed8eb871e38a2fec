"""A synthetic community of a given size, written straight into a home's store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ariane.engine import open_store
from ariane.home import init
from ariane.types import Account, Action, ActionKind, Event, Post, Reading, Store

ENCODER = "synthetic@1"
"""What the vectors are of."""

DAY = 86_400_000
BATCH = 5_000
INTERESTS = 200
KINDS = (
    ActionKind.IMPRESSION,
    ActionKind.LIKE,
    ActionKind.CLICK,
    ActionKind.REPLY,
    ActionKind.NOT_INTERESTED,
)
SHARES = (0.55, 0.25, 0.12, 0.04, 0.04)


@dataclass(frozen=True, slots=True)
class Community:
    """How many of each there are."""

    posts: int = 100_000
    viewers: int = 10_000
    actions: int = 1_000_000


def build(home: Path, size: Community) -> list[str]:
    """Fill a new home; posts lie in the last two days, each viewer likes a few interests.

    Gives the ids of the viewers.
    """
    init(home)
    store = open_store(home)
    rng = np.random.default_rng(0)
    now = time.time_ns() // 1_000_000
    authors = max(size.viewers // 5, 1)
    topic = rng.integers(INTERESTS, size=size.posts)
    at = np.sort(now - rng.integers(2 * DAY, size=size.posts))
    accounts = [Account(f"v{number}") for number in range(size.viewers)]
    _write(store, iter(accounts))
    _write(
        store,
        (
            Post(f"p{n}", f"v{n % authors}", f"post {n} about interest {topic[n]}", int(at[n]))
            for n in range(size.posts)
        ),
    )
    _write_readings(store, topic, rng)
    _write(store, _actions(size, topic, at, rng))
    store.close()
    return [account.id for account in accounts]


def _write(store: Store, events: Iterator[Event]) -> None:
    batch: list[Event] = []
    for event in events:
        batch.append(event)
        if len(batch) == BATCH:
            store.write(batch)
            batch = []
    store.write(batch)


def _write_readings(store: Store, topic: NDArray[np.int64], rng: np.random.Generator) -> None:
    centres = rng.standard_normal((INTERESTS, 512)).astype(np.float32)
    for start in range(0, len(topic), BATCH):
        part = topic[start : start + BATCH]
        vectors = centres[part] + rng.standard_normal((len(part), 512)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        store.write_readings(
            [
                Reading(
                    post=f"p{start + place}",
                    rev=1,
                    vector=vectors[place],
                    topics=((f"interest {part[place]}", 0.9),),
                    tone="neutral",
                    intent="inform",
                    format="text",
                    language="en",
                    by=f"{ENCODER}+heads@1",
                )
                for place in range(len(part))
            ],
            [],
        )


def _actions(
    size: Community, topic: NDArray[np.int64], at: NDArray[np.int64], rng: np.random.Generator
) -> Iterator[Event]:
    posts_of = [np.flatnonzero(topic == interest) for interest in range(INTERESTS)]
    likes = rng.integers(INTERESTS, size=(size.viewers, 3))
    for number in range(size.actions):
        viewer = number % size.viewers
        pool = posts_of[likes[viewer, number % 3]] if rng.random() < 0.7 else None
        post = (
            int(rng.choice(pool))
            if pool is not None and len(pool)
            else int(rng.integers(size.posts))
        )
        kind = KINDS[int(rng.choice(len(KINDS), p=SHARES))]
        delay = int(rng.integers(1, 3_600_000))
        yield Action(f"a{number}", f"v{viewer}", kind, int(at[post]) + delay, post=f"p{post}")
