"""Viewer, ask and candidates as arrays: every shape that the ranker sees.

A *token* is one history action or one candidate. N is the number of tokens, W the width of the
reader's vectors; a leading batch dimension is added by `stack`. Everything categorical enters as
two 31-bit hashes of a string (BLAKE2b, the same on every machine); 0 means "nothing here". The
model reduces a hash to a row of its table, so a new topic, language or action changes no shape.

    HistoryTokens    what cannot change any more, oldest first
        vectors      float32 (N, W)    the reading's vector; zeros where the post was not read
        names        int32 (N, 26)     two hashes for each of HISTORY_NAMES, in that order
        author       int32 (N, 2)      hashes of the post's author, or of the account acted on
        post         int32 (N, 2)      hashes of the post's id
        sign         int8 (N,)         of the action's kind: liked 1, disliked −1, neither 0
    CandidateTokens  the same, as of the request
        names        int32 (N, 20)     two hashes for each of CANDIDATE_NAMES
    ContextTokens    the request alone
        names        int32 (N, 6)      two hashes for each of CONTEXT_NAMES

Times are bucketed by octave: bucket b holds 2^b − 1 to 2^(b+1) − 2 whole seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ariane.types import (
    ActionKind,
    ArianeError,
    Ask,
    Candidate,
    Past,
    Post,
    Reading,
    Vector,
    window_start,
)

Hashes = NDArray[np.int32]
Pair = tuple[int, int]

POST_NAMES = ("topic", "second", "tone", "intent", "format", "language", "claim", "entity", "other")
"""Aspects of a post: its most probable topic, the next one, what the reader calls the rest, and the
first two entities. What nobody read adds nothing."""

ROLES = (*POST_NAMES[:-1], "entity")
"""What each of POST_NAMES is hashed as: an entity is the same in either place."""

HISTORY_NAMES = ("kind", "dwell", "gap", "age", *POST_NAMES)
"""An action: its kind, seconds of dwell, time since the action before, the post's age then."""

CANDIDATE_NAMES = ("age", *POST_NAMES)
"""A candidate: its age at the request, and its aspects."""

CONTEXT_NAMES = ("asked", "surface", "hour")
"""A request: the viewer's language, where the feed is shown, the hour of day (UTC)."""

NOTHING: Pair = (0, 0)


@dataclass(frozen=True, eq=False)
class Arrays:
    """Arrays that share their leading dimensions; see the module's docstring for every shape."""

    def arrays(self) -> dict[str, Any]:
        """The arrays by name."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    def take(self, rows: slice | NDArray[np.intp] | Sequence[int]) -> Self:
        """The tokens at these rows of the first dimension."""
        return replace(self, **{name: array[rows] for name, array in self.arrays().items()})

    def batch(self) -> Self:
        """The same arrays as a batch of one."""
        return self.stack([self], len(next(iter(self.arrays().values()))))

    @classmethod
    def stack(cls, parts: Sequence[Self], length: int) -> Self:
        """Sequences of at most `length` tokens as one batch (B, length, …), zeros at each end."""
        held = [part.arrays() for part in parts]
        whole: dict[str, Any] = {
            name: np.zeros((len(parts), length, *array.shape[1:]), array.dtype)
            for name, array in held[0].items()
        }
        for index, arrays in enumerate(held):
            for name, array in arrays.items():
                whole[name][index, : len(array)] = array
        return cls(**whole)


@dataclass(frozen=True, eq=False)
class Tokens(Arrays):
    """What history and candidates share."""

    vectors: Vector
    names: Hashes
    author: Hashes
    post: Hashes


@dataclass(frozen=True, eq=False)
class HistoryTokens(Tokens):
    """One token an action, oldest first."""

    sign: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class CandidateTokens(Tokens):
    """One token a candidate, as of the request."""


@dataclass(frozen=True, eq=False)
class ContextTokens(Arrays):
    """One row a request."""

    names: Hashes


@lru_cache(maxsize=1 << 17)
def hashes(name: str) -> Pair:
    """Two hashes of a string, each from 1 to 2^31 − 1."""
    digest = blake2b(name.encode("utf8", "surrogatepass"), digest_size=8).digest()
    first, second = (int.from_bytes(half, "little") for half in (digest[:4], digest[4:]))
    return 1 + first % (2**31 - 1), 1 + second % (2**31 - 1)


@lru_cache(maxsize=1 << 10)
def bucket(name: str, octave: int) -> Pair:
    """Hashes of one octave of a duration."""
    return hashes(f"{name}:{octave}")


def octave(seconds: int) -> int:
    """The bucket of a duration; a negative one, of a clock that disagrees, counts as none."""
    return (1 + max(0, seconds)).bit_length() - 1


def history_tokens(history: Sequence[Past], width: int, window: int | None = None) -> HistoryTokens:
    """The actions of a history that lie inside the window (all of them without one)."""
    start = 0 if window is None else window_start(len(history), window)
    names, authors, posts = [], [], []
    for index in range(start, len(history)):
        past = history[index]
        before = history[index - 1].action.at if index else None
        names.append(_action_names(past, before))
        author = past.post.author if past.post else past.action.account
        authors.append(hashes(author) if author else NOTHING)
        posts.append(hashes(past.action.post) if past.action.post else NOTHING)
    vectors = _vectors([past.reading for past in history[start:]], width)
    return HistoryTokens(
        vectors,
        _array(names, len(HISTORY_NAMES)),
        _array(authors),
        _array(posts),
        np.array([past.action.kind.sign for past in history[start:]], np.int8),
    )


def candidate_tokens(
    candidates: Sequence[Candidate], at: int | Sequence[int], width: int
) -> CandidateTokens:
    """Candidates as of `at`: one time for all, or one for each."""
    times = [at] * len(candidates) if isinstance(at, int) else at
    names = [
        (*_age(one.post, time), *_post_names(one.post, one.reading))
        for one, time in zip(candidates, times, strict=True)
    ]
    return CandidateTokens(
        _vectors([one.reading for one in candidates], width),
        _array(names, len(CANDIDATE_NAMES)),
        _array([hashes(one.post.author) for one in candidates]),
        _array([hashes(one.post.id) for one in candidates]),
    )


def context_tokens(asks: Sequence[Ask]) -> ContextTokens:
    """One row a request."""
    names = [
        (
            *hashes(f"asked:{ask.language}"),
            *hashes(f"surface:{ask.surface}"),
            *hashes(f"hour:{ask.at // 3_600_000 % 24}"),
        )
        for ask in asks
    ]
    return ContextTokens(_array(names, len(CONTEXT_NAMES)))


def _action_names(past: Past, before: int | None) -> tuple[int, ...]:
    """Hashes for HISTORY_NAMES; `before` is when the action before was done."""
    action, seconds = past.action, past.action.seconds
    told = seconds is not None and math.isfinite(seconds)
    dwell = bucket("dwell", octave(int(seconds or 0))) if told else NOTHING
    gap = NOTHING if before is None else bucket("gap", octave((action.at - before) // 1000))
    age = _age(past.post, action.at)
    return (*_kind(action.kind), *dwell, *gap, *age, *_post_names(past.post, past.reading))


@lru_cache
def _kind(kind: ActionKind) -> Pair:
    """Hashes of what was done."""
    return hashes(f"kind:{kind.value}")


def _age(post: Post | None, at: int) -> Pair:
    """A post's age at a time."""
    return NOTHING if post is None else bucket("age", octave((at - post.at) // 1000))


def _post_names(post: Post | None, reading: Reading | None) -> tuple[int, ...]:
    """Hashes for POST_NAMES, as far as the post was read."""
    language = (reading.language if reading else None) or (post.lang if post else None) or ""
    if reading is None:
        return _aspects("", "", "", "", "", language, "", "", "")
    topics = (*(topic for topic, _ in reading.topics[:2]), "", "")[:2]
    named = (reading.tone, reading.intent, reading.format)
    entities = (*(entity.casefold() for entity in reading.entities[:2]), "", "")[:2]
    return _aspects(*topics, *named, language, reading.claim, *entities)


@lru_cache(maxsize=1 << 16)
def _aspects(*aspects: str) -> tuple[int, ...]:
    """Hashes of one value for each of POST_NAMES; "" is nothing."""
    return tuple(
        part
        for role, aspect in zip(ROLES, aspects, strict=True)
        for part in (hashes(f"{role}:{aspect}") if aspect else NOTHING)
    )


def _array(rows: Sequence[Sequence[int]], pairs: int = 1) -> Hashes:
    """Rows of hashes as (N, 2 × pairs), also where there are none."""
    return np.array(rows, np.int32).reshape(len(rows), 2 * pairs)


def _vectors(readings: Sequence[Reading | None], width: int) -> Vector:
    """The readings' vectors (N, width)."""
    vectors = np.zeros((len(readings), width), np.float32)
    for row, reading in zip(vectors, readings, strict=True):
        if reading is None:
            continue
        if reading.vector.shape != (width,):
            raise ArianeError(
                f"The reading of post {reading.post!r} by {reading.by!r} has a vector of shape "
                f"{reading.vector.shape} where this ranker expects ({width},): "
                "train the ranker again on the readings now in the store."
            )
        row[:] = reading.vector
    return vectors
