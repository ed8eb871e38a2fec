"""A small world for reasons: posts of two dozen kinds, a ranker by likeness to the history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ariane.compose import Mix, compose
from ariane.rank import rank
from ariane.steer.apply import wish_term
from ariane.types import (
    PREDICTED,
    Action,
    ActionKind,
    Ask,
    Candidate,
    Feed,
    Forecast,
    Page,
    Past,
    Post,
    Reading,
    Value,
    Viewer,
)
from ariane.why import why

TOPICS = ("energy", "music", "city", "food")
TONES = ("angry", "funny", "warm")
AUTHORS = ("ann", "ben", "cy", "dee", "eli")
ASK = Ask("request", "viewer", 10**9, size=8)
LIKE = PREDICTED.index(ActionKind.LIKE)


def vector(*names: str) -> np.ndarray:
    """A unit vector that only these names decide."""
    seed = sum(ord(letter) * 31**place for place, letter in enumerate("|".join(names))) % 2**32
    found = np.random.default_rng(seed).standard_normal(32).astype(np.float32)
    return found / np.linalg.norm(found)


def candidate(name: str, topic: str, tone: str, author: str, **more: object) -> Candidate:
    mixed = vector(topic) + 0.5 * vector(tone) + 0.3 * vector(name)
    mixed /= np.linalg.norm(mixed)
    reading = Reading(name, 1, mixed, ((topic, 0.9),), tone, "inform", "note", "en", "test")
    post = Post(name, author, f"{name} on {topic}, {tone}", at=int(name[1:]))
    return replace(Candidate(post, reading, (), ("nearest",)), **more)


def past(name: str, one: Candidate, kind: ActionKind = ActionKind.LIKE, at: int = 0) -> Past:
    action = Action(name, "viewer", kind, at, post=one.post.id)
    return Past(action, replace(one.post, id=f"old {one.post.id}"), one.reading)


def town(count: int = 60, seed: int = 0) -> tuple[Candidate, ...]:
    draw = np.random.default_rng(seed)
    return tuple(
        candidate(f"p{n}", *(str(draw.choice(names)) for names in (TOPICS, TONES, AUTHORS)))
        for n in range(count)
    )


def history(count: int, seed: int = 1) -> tuple[Past, ...]:
    draw = np.random.default_rng(seed)
    kinds = (ActionKind.LIKE, ActionKind.LIKE, ActionKind.REPLY, ActionKind.NOT_INTERESTED)
    posts = town(count, seed + 1000)
    return tuple(
        past(f"a{n}", one, kinds[draw.integers(len(kinds))], n) for n, one in enumerate(posts)
    )


class Similar:
    """Likes what reads like what was liked, each action counted less than the one before it."""

    name = "similar"

    def forecast(self, ask: Ask, viewer: Viewer, candidates: Sequence[Candidate]) -> Forecast:
        probabilities = np.zeros((len(candidates), len(PREDICTED)), np.float32)
        for row, one in enumerate(candidates):
            near = sorted(
                past.action.kind.sign * max(0.0, float(past.reading.vector @ one.reading.vector))
                for past in viewer.history
                if past.reading is not None and one.reading is not None
            )
            best = sum(value * 0.6**place for place, value in enumerate(reversed(near)))
            odds = best + (near[0] if near else 0.0)
            prior = (hash64(one.post.id) % 100) / 1000
            probabilities[row, LIKE] = 1 / (1 + np.exp(-odds - prior))
        return Forecast(self.name, probabilities, np.zeros(len(candidates), np.float32))


def hash64(text: str) -> int:
    return sum(ord(letter) * 37**place for place, letter in enumerate(text))


@dataclass
class World:
    """`arrange` over fixed candidates, and how often it was called."""

    candidates: tuple[Candidate, ...] = field(default_factory=town)
    ask: Ask = ASK
    mix: Mix = field(default_factory=Mix)
    calls: int = 0

    def arrange(self, viewer: Viewer) -> Page:
        self.calls += 1
        value = Value({ActionKind.LIKE: 1.0}, (wish_term,))
        ranked = rank(Similar(), value, self.ask, viewer, self.candidates)
        return compose(self.mix, self.ask, ranked, [])

    def feed(self, viewer: Viewer, explain: Callable[..., object] = why) -> Feed:
        page = self.arrange(viewer)
        return Feed(self.ask, viewer, page, explain(self.arrange, viewer, page), page.model)
