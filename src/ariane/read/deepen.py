"""Deepen: a language model reads first what needs it most, beside the way of posts.

No request waits for it. What it has read is written group by group, so that a crash or an outage
loses one group and the encoder's readings stand for the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from ariane.read.llm import Given, LanguageReader
from ariane.types import BudgetError, Label, LanguageModelError, Post, Reading, Store

WEIGHED: Final = 2_000
"""The newest posts among which those are looked for that need it most."""

HALF_LIFE: Final = 24 * 3_600_000
"""Milliseconds in which a post's turn to be seen is half over."""

CERTAIN: Final = 0.25
"""What a post needs of which the encoder is certain, beside 1 for one that it cannot tell."""

ENOUGH: Final = 5
"""Failures one after another from which on the model is taken to be out of order."""

Told = tuple[Reading, tuple[Label, ...]] | LanguageModelError


@dataclass(frozen=True, slots=True)
class Deepened:
    """How many posts were read, which failed and why, and what ended it early, if anything."""

    read: int
    failed: dict[str, str]
    stopped: str = ""


def deepen(
    store: Store,
    reader: LanguageReader,
    *,
    at: int,
    most: int,
    together: int = 4,
    aside: Collection[str] = (),
    progress: Callable[[int], None] | None = None,
) -> Deepened:
    """Read at most `most` posts, `together` at once; those in `aside` are not tried.

    It ends early where the budget is spent, or where the model fails again and again. `progress`
    gets how many were tried so far.
    """
    needy = _given(store, _neediest(store, reader, at, most, aside))
    done, failed, row = 0, dict[str, str](), 0
    with ThreadPoolExecutor(together) as pool:
        for start in range(0, len(needy), together):
            group = needy[start : start + together]
            told = list(pool.map(lambda given: _try(reader, given), group))
            read = [one for one in told if not isinstance(one, LanguageModelError)]
            store.write_readings(
                [reading for reading, _ in read], [label for _, labels in read for label in labels]
            )
            done += len(read)
            for given, one in zip(group, told, strict=True):
                if not isinstance(one, LanguageModelError):
                    row = 0
                    continue
                failed[given.post.id], row = str(one), row + 1
                if isinstance(one, BudgetError) or row >= ENOUGH:
                    return Deepened(done, failed, str(one))
            if progress:
                progress(start + len(group))
    return Deepened(done, failed)


def need(reading: Reading, post: Post, at: int) -> float:
    """How much a post needs to be read: as little as is certain of it, as much as it is new."""
    named = [reading.tone, reading.intent, reading.format]
    topic = reading.topics[0][1] if reading.topics else 0.0
    unsure = (1.0 - topic + sum(not name for name in named)) / (1 + len(named))
    age = max(0, at - post.at)
    return float((CERTAIN + (1.0 - CERTAIN) * unsure) * 0.5 ** (age / HALF_LIFE))


def _try(reader: LanguageReader, given: Given) -> Told:
    try:
        return reader.read(given)
    except LanguageModelError as error:
        return error


def _neediest(
    store: Store, reader: LanguageReader, at: int, most: int, aside: Collection[str]
) -> list[tuple[Post, Reading]]:
    """Posts with their reading, those that need a deeper one most first."""
    posts = [post for post in store.unread(reader.name, WEIGHED) if post.id not in aside]
    readings = store.readings([post.id for post in posts])
    pairs = [(post, readings[post.id]) for post in posts if post.id in readings]
    ready = [pair for pair in pairs if pair[1].by.startswith(f"{reader.encoder}+")]
    return sorted(ready, key=lambda pair: (-need(pair[1], pair[0], at), pair[0].id))[:most]


def _given(store: Store, pairs: Sequence[tuple[Post, Reading]]) -> list[Given]:
    beside = store.posts(
        [name for post, _ in pairs for name in (post.reply_to, post.repost_of) if name]
    )
    return [
        Given(post, reading, beside.get(post.reply_to or ""), beside.get(post.repost_of or ""))
        for post, reading in pairs
    ]
