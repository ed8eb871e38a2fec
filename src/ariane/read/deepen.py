"""Deepen: a language model reads first what needs it most, beside the way of posts.

No request waits for it. What it has read is written as it comes, so that a crash or an outage loses
what is under way, and the encoder's readings stand for the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from ariane.llm import answer_all
from ariane.read.llm import Given, LanguageReader
from ariane.types import BudgetError, Post, Reading, Store

WEIGHED: Final = 2_000
"""The newest posts, unread by this model, among which those are looked for that need it most."""

HALF_LIFE: Final = 24 * 3_600_000
"""Milliseconds in which a post's turn to be seen is half over."""

CERTAIN: Final = 0.25
"""What a post needs of which the encoder is certain, beside 1 for one that it cannot tell."""

ENOUGH: Final = 5
"""Failures one after another from which on the model is taken to be out of order."""


@dataclass(frozen=True, slots=True)
class Deepened:
    """How many posts were read, which failed and why, and what ended it early, if anything.

    `row` is how many failed one after another at its end.
    """

    read: int
    failed: dict[str, str]
    stopped: str = ""
    row: int = 0


def deepen(
    store: Store,
    reader: LanguageReader,
    *,
    at: int,
    most: int,
    together: int = 4,
    aside: Collection[str] = (),
    row: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Deepened:
    """Read at most `most` posts, `together` at once; those in `aside` are not tried.

    Each reading is written as it comes. It ends early where the budget is spent, or where the model
    fails again and again, `row` times already before. `progress` gets how many were tried so far.
    Posts without words are read by nobody and counted nowhere.
    """
    asked = _given(store, _neediest(store, reader, at, most, aside))
    failed: dict[str, str] = {}
    questions = (reader.question(given) for given in asked)
    for tried, (place, told) in enumerate(answer_all(reader.model, questions, together), start=1):
        if isinstance(told, str):
            reading, labels = reader.reading(asked[place], told)
            store.write_readings(reader.heard(reading), labels)
            row = 0
        else:
            failed[asked[place].post.id], row = str(told), row + 1
            if isinstance(told, BudgetError) or row >= ENOUGH:
                return Deepened(tried - len(failed), failed, str(told), row)
        if progress:
            progress(tried)
    return Deepened(len(asked) - len(failed), failed, row=row)


def need(reading: Reading, post: Post, at: int) -> float:
    """How much a post needs to be read: as little as is certain of it, as much as it is new."""
    named = [reading.tone, reading.intent, reading.format]
    topic = reading.topics[0][1] if reading.topics else 0.0
    unsure = (1.0 - topic + sum(not name for name in named)) / (1 + len(named))
    age = max(0, at - post.at)
    return float((CERTAIN + (1.0 - CERTAIN) * unsure) * 0.5 ** (age / HALF_LIFE))


def _neediest(
    store: Store, reader: LanguageReader, at: int, most: int, aside: Collection[str]
) -> list[tuple[Post, Reading]]:
    """Posts with their reading, those that need a deeper one most first."""
    ready = _ready(store, reader, aside)
    while empty := [reader.same(reading) for post, reading in ready if not post.words]:
        store.write_readings(empty, [])
        ready = [pair for pair in ready if pair[0].words] or _ready(store, reader, aside)
    return sorted(ready, key=lambda pair: (-need(pair[1], pair[0], at), pair[0].id))[:most]


def _ready(
    store: Store, reader: LanguageReader, aside: Collection[str]
) -> list[tuple[Post, Reading]]:
    """The newest posts that this encoder has read and this model has not."""
    posts = [post for post in store.unread(reader.name, WEIGHED) if post.id not in aside]
    readings = store.readings([post.id for post in posts])
    pairs = [(post, readings[post.id]) for post in posts if post.id in readings]
    return [pair for pair in pairs if pair[1].by.startswith(f"{reader.encoder}+")]


def _given(store: Store, pairs: Sequence[tuple[Post, Reading]]) -> list[Given]:
    beside = store.posts(
        [name for post, _ in pairs for name in (post.reply_to, post.repost_of) if name]
    )
    return [
        Given(post, reading, beside.get(post.reply_to or ""), beside.get(post.repost_of or ""))
        for post, reading in pairs
    ]
