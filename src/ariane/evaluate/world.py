"""A simulated world: people whose reasons are planted, what they see and what they do about it.

Everything that is measured against it knows why each action was done, which no log of real people
tells. A person's log-odds of liking a post are BASE plus the weights of their tastes that are true
of the post, as its author meant it; what a reader makes of the post plays no part.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from ariane.types import Account, Action, ActionKind, ArianeError, Post

FILE: Final = "world.json"
DAY: Final = 86_400_000
SECOND: Final = 1000

BASE: Final = -2.5
"""Log-odds of a like where nothing of a post matters to the person: 8 in 100."""

FOREIGN: Final = -3.0
"""What a post weighs that is not in a person's language."""

OFFSETS: Final[Mapping[ActionKind, float]] = {
    ActionKind.LIKE: 0.0,
    ActionKind.BOOKMARK: -2.2,
    ActionKind.REPOST: -2.6,
    ActionKind.REPLY: -2.8,
}
"""Log-odds of what one likes to do with a post, beside those of liking it."""

DISLIKE: Final = -6.0
"""Log-odds of turning a post away, where liking it is even."""

SESSION: Final = 12
"""Posts that are looked at in one go."""

RECENT: Final = 36 * 3_600_000
"""How old a post may be to come up."""


@dataclass(frozen=True, slots=True)
class Taste:
    """What a person likes or dislikes: a target as of a wish, and its weight in log-odds."""

    target: str
    weight: float


@dataclass(frozen=True, slots=True)
class Person:
    """Someone simulated; `lang` is "both" for who reads French and English."""

    id: str
    name: str
    lang: str
    bio: str
    tastes: tuple[Taste, ...]
    birth_year: int | None = None


@dataclass(frozen=True, slots=True)
class Truth:
    """What a post is, as its author meant it."""

    author: str
    language: str
    topic: str
    tone: str
    intent: str
    format: str
    claim: str | None = None
    policy: str | None = None

    def holds(self, target: str) -> bool:
        """Whether a target as of a wish is true of the post."""
        kind, _, name = target.partition(":")
        return getattr(self, kind, None) == name


@dataclass(frozen=True, slots=True)
class World:
    """The people, what each post truly is, and the sentence that says it is all simulated."""

    notice: Mapping[str, str]
    people: tuple[Person, ...]
    truths: Mapping[str, Truth]

    def person(self, viewer: str | None) -> Person | None:
        """The simulated person behind a viewer, if it is one."""
        return next((person for person in self.people if person.id == viewer), None)


_FORM = TypeAdapter(World)


def save_world(home: Path, world: World) -> None:
    """Keep the planted truth beside the store that it made."""
    (home / FILE).write_bytes(_FORM.dump_json(world, indent=1))


def load_world(home: Path) -> World | None:
    """The planted truth of a home; None where its people are real."""
    try:
        return _FORM.validate_json((home / FILE).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise ArianeError(
            f"{home / FILE} holds no world ({error.error_count()} faults); make it again with "
            "`ariane demo`."
        ) from None


def liking(person: Person, truth: Truth) -> float:
    """The log-odds that this person likes this post."""
    known = person.lang in ("both", truth.language)
    return BASE + (0.0 if known else FOREIGN) + sum(taste.weight for taste in true(person, truth))


def true(person: Person, truth: Truth) -> tuple[Taste, ...]:
    """The person's tastes that this post meets: why they do what they do about it."""
    return tuple(taste for taste in person.tastes if truth.holds(taste.target))


def odds(logit: float) -> float:
    """A probability from log-odds."""
    return 1.0 / (1.0 + math.exp(-logit))


def simulate(
    world: World, posts: Sequence[Post], follows: Mapping[str, Sequence[str]], seed: int = 0
) -> Iterator[Action]:
    """What everyone does over the days of these posts, person by person, in order of time.

    A person looks, most days, at a dozen recent posts in a row, more often at those of accounts
    they follow, and at none twice.
    """
    shown = sorted(posts, key=lambda post: (post.at, post.id))
    times = np.array([post.at for post in shown], np.int64)
    first, days = int(times[0]), 1 + int((times[-1] - times[0]) // DAY)
    for number, person in enumerate(world.people):
        rng = np.random.default_rng((seed, number))
        followed = frozenset(follows.get(person.id, ()))
        yield from _followed(person, followed, first)
        waking = rng.beta(5.0, 1.5) * 1.2
        near = np.array([4.0 if post.author in followed else 1.0 for post in shown])
        near[[post.author == person.id for post in shown]] = 0.0
        for day in range(days):
            for _ in range(int(rng.poisson(waking))):
                start = first + day * DAY + int(rng.integers(6 * 3600, 24 * 3600)) * SECOND
                for post, at in _session(rng, shown, times, near, start):
                    yield from _acts(rng, world, person, post, at)


def _followed(person: Person, followed: Iterable[str], at: int) -> Iterator[Action]:
    for account in sorted(followed):
        name = f"{person.id}/follow/{account}"
        yield Action(name, person.id, ActionKind.FOLLOW, at, account=account)


def _session(
    rng: np.random.Generator,
    posts: Sequence[Post],
    times: NDArray[np.int64],
    near: NDArray[np.float64],
    start: int,
) -> Iterator[tuple[Post, int]]:
    """Some recent posts and when each is looked at; what was looked at is near no more."""
    low, high = np.searchsorted(times, (start - RECENT, start))
    weights = near[low:high]
    count = min(SESSION, int((weights > 0).sum()))
    if not count:
        return
    drawn = low + rng.choice(high - low, count, replace=False, p=weights / weights.sum())
    near[drawn] = 0.0
    at = start
    for index in drawn:
        at += int(rng.integers(4, 40)) * SECOND
        yield posts[index], at


def _acts(
    rng: np.random.Generator, world: World, person: Person, post: Post, at: int
) -> Iterator[Action]:
    """A look at a post, and what comes of it within the next seconds."""
    logit = liking(person, world.truths[post.id])
    seconds = round(float(np.exp(rng.normal(1.3 + 0.25 * max(logit, -4.0), 0.5))), 1)
    kinds = [kind for kind, offset in OFFSETS.items() if rng.random() < odds(logit + offset)]
    if not kinds and rng.random() < odds(DISLIKE - logit):
        kinds = [ActionKind.NOT_INTERESTED]
    seen = f"{person.id}/{post.id}"
    yield Action(f"{seen}/seen", person.id, ActionKind.IMPRESSION, at, post.id, seconds=seconds)
    for later, kind in enumerate(kinds, start=1):
        yield Action(f"{seen}/{kind}", person.id, kind, at + later * SECOND, post.id)


def accounts(people: Iterable[Person]) -> Iterator[Account]:
    """The accounts that these people hold."""
    for person in people:
        yield Account(person.id, person.name, birth_year=person.birth_year)
