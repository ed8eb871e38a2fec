"""What might be why a post is on a page: sets of the viewer's actions that share something with it.

These are proposals. Only a counterfactual run makes one of them a reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ariane.types import Action, Ranked, Reading, Viewer
from ariane.why.parts import parts

SURE: Final = 0.2
"""A topic less probable than this is not what a post is about."""

NEAR: Final = 4
"""How many of the nearest actions are proposed together."""

SENSITIVE: Final = frozenset({"health", "politics", "religion", "sexuality", "identity"})
"""Topics that would say something about the person: causes and sentences never name them."""

Key: TypeAlias = tuple[bool, frozenset[str]]
"""What a counterfactual deletes: whether wishes, and their ids or those of actions."""

WEIGHT: Final[Mapping[str, float]] = {
    "wish": 3.0,
    "topic+tone": 1.2,
    "author": 1.2,
    "follow": 1.3,
    "entity": 1.1,
    "topic": 1.0,
    "action": 0.9,
    "tone": 0.6,
    "format": 0.5,
}
"""The kinds of cause: the heavier is tried first, and names a set that several could name."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A proposal: "KIND:NAME", and behind it actions, nearest to the post first, or a wish."""

    cause: str
    evidence: tuple[str, ...]

    @property
    def kind(self) -> str:
        """What the post and the evidence share."""
        return self.cause.partition(":")[0]

    @property
    def key(self) -> Key:
        """What is deleted."""
        return self.kind == "wish", frozenset(self.evidence)


class History:
    """A viewer's signed actions by what their posts share, made once a request."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        pasts = [past for past in viewer.history if past.action.kind.sign]
        self._actions = [past.action for past in pasts]
        self._sign = np.array([action.kind.sign for action in self._actions], np.int64)
        self._vectors = _stacked([past.reading for past in pasts])
        self._row = {action.id: row for row, action in enumerate(self._actions)}
        self._shared: dict[str, list[int]] = defaultdict(list)
        for row, past in enumerate(pasts):
            if past.action.kind.sign > 0:
                author = past.post.author if past.post else past.action.account
                for key in _keys(past.reading, author):
                    self._shared[key].append(row)
                if past.action.kind == "follow" and past.action.account:
                    self._shared[f"follow:{past.action.account}"].append(row)

    def causes(self, item: Ranked) -> list[Cause]:
        """Every proposal for one post, the heaviest first, each set of evidence once."""
        reading, author = item.candidate.reading, item.candidate.post.author
        near = self.nearness(item)
        found = [
            self._cause(_named(key), self._shared[key], near)
            for key in (*_keys(reading, author), f"follow:{author}")
            if key in self._shared
        ]
        liked = [row for row in self._nearest(near) if self._sign[row] > 0][:NEAR]
        found += [self._cause("", liked, near)] if liked else []
        disliked = np.flatnonzero(self._sign < 0).tolist()
        found += [self._cause("", disliked, near)] if disliked else []
        if any(term.name == "wish" and term.amount > 0 for term in item.terms):
            wishes = (wish for wish in self.viewer.wishes if wish.direction > 0)
            found += [Cause(f"wish:{wish.target}", (wish.id,)) for wish in wishes]
        found.sort(key=lambda cause: -WEIGHT[cause.kind])
        return list({cause.key: cause for cause in reversed(found)}.values())[::-1]

    def parts(self) -> list[frozenset[str]]:
        """All signed actions in a few sets that hold together, whatever they share with a post."""
        found = parts(self._sign, self._vectors)
        return [frozenset(self._actions[row].id for row in rows) for rows in found]

    def unnamed(self, actions: frozenset[str], item: Ranked) -> Cause:
        """A set of actions as a cause that says what was done, not what it shares with a post."""
        return self._cause("", [self._row[action] for action in actions], self.nearness(item))

    def singles(self, item: Ranked, matters: Mapping[str, float], most: int) -> list[Action]:
        """Single actions: those that matter most (by id), then those that read nearest."""
        nearest = [self._actions[row] for row in self._nearest(self.nearness(item))]
        return sorted(nearest, key=lambda action: -matters.get(action.id, 0.0))[:most]

    def nearness(self, item: Ranked) -> NDArray[np.float32]:
        """How near the post of each signed action reads to this one; 0 where either is unread."""
        reading = item.candidate.reading
        if reading is None or reading.vector.size != self._vectors.shape[1]:
            return np.zeros(len(self._actions), np.float32)
        near: NDArray[np.float32] = np.round(self._vectors @ reading.vector, 4)
        return near

    def _nearest(self, near: NDArray[np.float32]) -> list[int]:
        """Rows, nearest first; the newer first among equals."""
        newest = np.arange(len(near), 0, -1)
        order: list[int] = np.lexsort((newest, -near)).tolist()
        return order

    def _cause(self, name: str, rows: Iterable[int], near: NDArray[np.float32]) -> Cause:
        ordered = sorted(rows, key=lambda row: (-near[row], -row))
        actions = [self._actions[row] for row in ordered]
        return Cause(name or acted(actions), tuple(action.id for action in actions))


def acted(actions: Iterable[Action]) -> str:
    """The cause of a set that shares nothing else: what was done, if always the same."""
    kinds = {action.kind for action in actions}
    return f"action:{kinds.pop() if len(kinds) == 1 else 'several'}"


def _keys(reading: Reading | None, author: str | None) -> Iterator[str]:
    """What a post can share with others."""
    if author:
        yield f"author:{author}"
    if reading is None:
        return
    topic = next((name for name, share in reading.topics[:1] if share >= SURE), "")
    if topic:
        yield f"topic:{topic}"
    if reading.tone:
        yield f"tone:{reading.tone}"
    if reading.format:
        yield f"format:{reading.format}"
    if not SENSITIVE.intersection(name for name, _ in reading.topics):
        yield from (f"entity:{entity}" for entity in reading.entities)
    if topic and reading.tone:
        yield f"topic+tone:{topic}+{reading.tone}"


def _named(key: str) -> str:
    """A key as the name of a cause; none for what would say something about the person."""
    kind, _, name = key.partition(":")
    return "" if kind in ("topic", "topic+tone") and name.split("+")[0] in SENSITIVE else key


def _stacked(readings: list[Reading | None]) -> NDArray[np.float32]:
    """One row a reading, of the newest one's width; 0 where there is none of that width."""
    wide = next((r.vector.size for r in reversed(readings) if r is not None), 0)
    vectors = np.zeros((len(readings), wide), np.float32)
    for row, reading in zip(vectors, readings, strict=True):
        if reading is not None and reading.vector.size == wide:
            row[:] = reading.vector
    return vectors
