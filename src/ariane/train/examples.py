"""What is in the store as examples: each viewer's history, and what each exposure led to.

An *exposure* is a viewer's first action on a post. Its labels are the kinds of that viewer's
actions on the post from then on; a follow, mute, block or report of an account counts for the last
exposure to one of that account's posts, within ATTRIBUTED of it. Exposures that share a request
were ranked at once, so that none of them knows what came of another. A source that tells only what
was liked has negatives sampled: posts of that source that were there and that the viewer passed by.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from ariane.rank.batch import (
    CONTEXT_NAMES,
    POST_NAMES,
    Arrays,
    CandidateTokens,
    ContextTokens,
    HistoryTokens,
    Tokens,
    candidate_tokens,
    context_tokens,
    history_tokens,
)
from ariane.types import (
    PREDICTED,
    ActionKind,
    ArianeError,
    Ask,
    Candidate,
    Past,
    Post,
    Reading,
    Store,
    Vector,
)

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ATTRIBUTED = 3_600_000
"""Milliseconds within which an action on an account counts for an exposure to its post."""

NEGATIVES = 4
"""Posts sampled beside each exposure of a source that tells only what was liked."""

SILENT = 0.02
"""A source with a smaller share of exposures that led to nothing liked tells only that."""

LIVE = 1000
"""Negatives are drawn among this many of the source's newest posts at that time."""

WIDTH = 512
"""Width of the vectors where no post was read."""

T = TypeVar("T")
Some = TypeVar("Some", bound=Arrays)
Tokened = TypeVar("Tokened", bound=Tokens)
Until: TypeAlias = Mapping[str, int] | int | None
"""The last time that counts: one for all, or one for each Post.source; None is no end.

Under one for each, a source without one counts for nothing, and what is of no source (an action on
an account, or on a post that is gone) counts up to the earliest of them.
"""


@dataclass(frozen=True, eq=False)
class Examples:
    """A actions viewer by viewer in order of time, and E exposures in the same order.

    `history` (A,) and `candidates` (E,) hold no vectors: those of an action or exposure are the row
    `action_post` or `post` of `vectors` (P + 1, W), whose last row is zeros and stands for no post.
    """

    viewers: tuple[str, ...]
    """V viewers in order of their first action."""
    posts: tuple[str, ...]
    """P posts, in order of their ids."""
    sources: tuple[str, ...]
    """The source of each post."""
    published: Ints
    """When each post was published (P,)."""
    vectors: Vector
    starts: Ints
    """Where each viewer's actions begin, and the end of all (V + 1,)."""
    action_at: Ints
    action_post: Ints
    history: HistoryTokens
    viewer: Ints
    """The viewer of each exposure (E,), as a row of `viewers`; ascending."""
    visible: Ints
    """How many of the viewer's actions came before (E,); ascending within a viewer."""
    post: Ints
    at: Ints
    candidates: CandidateTokens
    context: ContextTokens
    labels: Bools
    """What was done (E, len(PREDICTED))."""
    seconds: NDArray[np.float32]
    """Seconds of dwell (E,), NaN where none were told."""
    sampled: Bools
    """Whether an exposure is a sampled negative (E,)."""
    own: Bools
    """Whether the viewer wrote the post (E,), which no feed would show."""
    readers: tuple[str, ...]
    """Who made the readings, the one of most posts first."""

    def __len__(self) -> int:
        return len(self.viewer)


@dataclass(slots=True)
class _Exposure:
    """One exposure while the actions are walked through."""

    visible: int
    post: Post
    at: int
    own: bool = False
    kinds: set[ActionKind] = field(default_factory=set)
    seconds: float | None = None
    sampled: bool = False


def load_examples(
    store: Store,
    *,
    until: Until = None,
    reading: bool = True,
    withhold: frozenset[str] = frozenset(),
    negatives: int = NEGATIVES,
    own: bool = False,
    seed: int = 0,
) -> Examples:
    """The actions up to `until` as examples.

    Posts in `withhold` are left out, from histories too; without `reading` no post was read. The
    sampled negatives depend on `seed`. Without `own` viewers' own posts are in histories alone.
    Raises ArianeError where there is no action on a post.
    """
    pasts = _pasts(store, until, withhold)
    exposures = {viewer: _exposures(viewer, history) for viewer, history in pasts.items()}
    if negatives:
        _sample(exposures, negatives, np.random.default_rng(seed))
    if not own:
        exposures = {
            viewer: [one for one in each if not one.own] for viewer, each in exposures.items()
        }
    if not any(exposures.values()):
        held = "" if until is None else " before those held out to evaluate on"
        raise ArianeError(f"No action on a post was found to learn from{held}: ingest some first.")
    examples = _arrays(pasts, exposures)
    return examples if reading else without_reading(examples)


def without_reading(examples: Examples) -> Examples:
    """The same examples as if no post had been read: without vectors and aspects."""
    history, candidates = examples.history.names.copy(), examples.candidates.names.copy()
    for names in (history, candidates):
        names[:, -2 * len(POST_NAMES) :] = 0
    return replace(
        examples,
        vectors=np.zeros_like(examples.vectors),
        history=replace(examples.history, names=history),
        candidates=replace(examples.candidates, names=candidates),
    )


def _ends(until: Until) -> Callable[[Post | None], float]:
    """The last time that counts for what was done to a post, or to none that is held."""
    if not isinstance(until, Mapping):
        end = math.inf if until is None else until
        return lambda _: end
    earliest = min(until.values(), default=-math.inf)
    return lambda post: until.get(post.source, -math.inf) if post else earliest


def lots(every: Sequence[T], size: int = 1000) -> Iterator[Sequence[T]]:
    """Parts of a sequence, of this size at most."""
    return (every[start : start + size] for start in range(0, len(every), size))


def _pasts(store: Store, until: Until, withhold: frozenset[str]) -> dict[str, list[Past]]:
    """Every viewer's history, oldest first, with the posts that are still held."""
    last = until if isinstance(until, int) else None
    actions = [action for action in store.actions(last) if action.post not in withhold]
    posts: dict[str, Post] = {}
    readings: dict[str, Reading] = {}
    for some in lots(sorted({action.post for action in actions if action.post is not None})):
        posts |= store.posts(some)
        readings |= store.readings(some)
    end = _ends(until)
    pasts: defaultdict[str, list[Past]] = defaultdict(list)
    for action in actions:
        post = posts.get(action.post or "")
        if action.at <= end(post):
            pasts[action.viewer].append(Past(action, post, readings.get(action.post or "")))
    return pasts


def _exposures(viewer: str, history: Sequence[Past]) -> list[_Exposure]:
    """A viewer's exposures in order of what was known before each, with what each led to."""
    found: dict[str, _Exposure] = {}
    latest: dict[str, _Exposure] = {}
    ranked: dict[str, int] = {}
    for index, past in enumerate(history):
        action, post = past.action, past.post
        visible = ranked.setdefault(action.request, index) if action.request else index
        if post is not None:
            if post.id not in found:
                found[post.id] = _Exposure(visible, post, action.at, post.author == viewer)
            exposure = found[post.id]
            latest[post.author] = exposure
        elif action.post is None and action.account in latest:
            exposure = latest[action.account]
            if action.at - exposure.at > ATTRIBUTED:
                continue
        else:
            continue
        exposure.kinds.add(action.kind)
        if action.seconds is not None:
            exposure.seconds = (exposure.seconds or 0.0) + max(0.0, action.seconds)
    return sorted(found.values(), key=lambda one: one.visible)


def _sample(
    exposures: Mapping[str, list[_Exposure]], negatives: int, draw: np.random.Generator
) -> None:
    """Add sampled negatives beside the exposures of sources that tell only what was liked."""
    pools = _silent_sources([one for each in exposures.values() for one in each])
    for viewer, each in exposures.items():
        acted = {one.post.id for one in each}
        added: list[_Exposure] = []
        for one in (one for one in each if not one.own):
            posts, times = pools.get(one.post.source, ([], []))
            stop = int(np.searchsorted(times, one.at, side="right"))
            if not stop:
                continue
            for row in draw.integers(max(0, stop - LIVE), stop, negatives).tolist():
                if posts[row].id not in acted and posts[row].author != viewer:
                    added.append(_Exposure(one.visible, posts[row], one.at, sampled=True))
        each.extend(added)
        each.sort(key=lambda one: one.visible)


def _silent_sources(exposures: Sequence[_Exposure]) -> dict[str, tuple[list[Post], list[int]]]:
    """The sources that tell only what was liked: their posts in order of time, and the times."""
    shown: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    posts: defaultdict[str, dict[str, Post]] = defaultdict(dict)
    for one in exposures:
        shown[one.post.source] += not one.own
        passed[one.post.source] += not (one.own or any(kind.sign > 0 for kind in one.kinds))
        posts[one.post.source][one.post.id] = one.post
    pools = {}
    for source, held in posts.items():
        if passed[source] < SILENT * shown[source]:
            ordered = sorted(held.values(), key=lambda post: (post.at, post.id))
            pools[source] = ordered, [post.at for post in ordered]
    return pools


def _arrays(pasts: Mapping[str, list[Past]], exposures: Mapping[str, list[_Exposure]]) -> Examples:
    """Everything as arrays, viewer by viewer."""
    flat = [past for history in pasts.values() for past in history]
    shown = [one for each in exposures.values() for one in each]
    held = {past.post.id: past for past in flat if past.post}
    posts = {one: held[one] for one in sorted(held)}
    rows = {post: row for row, post in enumerate(posts)}
    vectors = _vectors([past.reading for past in posts.values()])
    width = vectors.shape[1]
    labels = np.zeros((len(shown), len(PREDICTED)), np.bool_)
    for row, one in enumerate(shown):
        labels[row] = [kind in one.kinds for kind in PREDICTED]
    return Examples(
        viewers=tuple(pasts),
        posts=tuple(posts),
        sources=tuple(past.post.source for past in posts.values() if past.post),
        published=np.array([past.post.at for past in posts.values() if past.post], np.int64),
        vectors=vectors,
        starts=np.cumsum([0, *(len(history) for history in pasts.values())], dtype=np.int64),
        action_at=np.array([past.action.at for past in flat], np.int64),
        action_post=np.array(
            [rows[past.post.id] if past.post else len(rows) for past in flat], np.int64
        ),
        history=joined([_bare(history_tokens(each, width)) for each in pasts.values()]),
        viewer=np.repeat(np.arange(len(pasts)), [len(each) for each in exposures.values()]),
        visible=np.array([one.visible for one in shown], np.int64),
        post=np.array([rows[one.post.id] for one in shown], np.int64),
        at=np.array([one.at for one in shown], np.int64),
        candidates=joined([_candidates(some, posts, width) for some in lots(shown)]),
        context=_contexts(shown),
        labels=labels,
        seconds=np.array(
            [np.nan if one.seconds is None else one.seconds for one in shown], np.float32
        ),
        sampled=np.array([one.sampled for one in shown], np.bool_),
        own=np.array([one.own for one in shown], np.bool_),
        readers=_readers([past.reading for past in posts.values()]),
    )


def joined(parts: Sequence[Some]) -> Some:
    """Token arrays one after another along their first dimension."""
    held = [part.arrays() for part in parts]
    whole = {name: np.concatenate([arrays[name] for arrays in held]) for name in held[0]}
    return replace(parts[0], **whole)


def _candidates(
    shown: Sequence[_Exposure], posts: Mapping[str, Past], width: int
) -> CandidateTokens:
    candidates = [Candidate(one.post, posts[one.post.id].reading) for one in shown]
    return _bare(candidate_tokens(candidates, [one.at for one in shown], width))


def _bare(tokens: Tokened) -> Tokened:
    """The same tokens without their vectors, which are kept once for each post."""
    return replace(tokens, vectors=tokens.vectors[:, :0].copy())


def _contexts(shown: Sequence[_Exposure]) -> ContextTokens:
    """The hour is known of every exposure; the language asked in and the surface are not."""
    told = context_tokens([Ask("", None, one.at) for one in shown])
    hour = 2 * CONTEXT_NAMES.index("hour")
    names = np.zeros_like(told.names)
    names[:, hour : hour + 2] = told.names[:, hour : hour + 2]
    return ContextTokens(names)


def _vectors(readings: Sequence[Reading | None]) -> Vector:
    """The vector of each post, and a row of zeros."""
    width = next((reading.vector.size for reading in readings if reading), WIDTH)
    vectors = np.zeros((len(readings) + 1, width), np.float32)
    for row, reading in zip(vectors, readings, strict=False):
        if reading and reading.vector.size != width:
            raise ArianeError(
                f"The reading of post {reading.post!r} by {reading.by!r} is {reading.vector.size} "
                f"wide and others are {width}: read all posts with one reader, then train."
            )
        if reading:
            row[:] = reading.vector
    return vectors


def _readers(readings: Sequence[Reading | None]) -> tuple[str, ...]:
    made = Counter(reading.by for reading in readings if reading)
    return tuple(name for name, _ in made.most_common())
