"""Trains the retriever's two towers on what is in the store, and measures them on later actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ariane.retrieve.interests import FADES, interests
from ariane.retrieve.towers import KINDS, TowersConfig, TowersModel, author_rows, save_towers
from ariane.train.pace import EVERY, Pace
from ariane.types import ArianeError, Store, Vector

Ints = NDArray[np.int64]

BATCH: Final = 256
STEPS: Final = 800
"""The most steps; fewer where EPOCHS over the positive actions are fewer."""
EPOCHS: Final = 30
RATE: Final = 2e-3
HELD_OUT: Final = 0.1
"""The last part of the positive actions, by time, on which recall is measured."""
MEASURED: Final = 1_000
"""The most actions that recall is measured on."""
FOUND: Final = 100
KNOWN: Final = 0.5
"""How often a post's author is told in training, so that new authors are found too."""
DROPPED: Final = 0.9
"""The most that is left out of a history; half of them stay whole."""
LEAST: Final = 50
"""Positive actions with a history below which nothing can be learned."""


@dataclass(frozen=True)
class Actions:
    """The actions on posts that were read, viewer by viewer in order of time.

    `post` indexes `vectors` (posts, wide), `authors` (posts,) and `published` (posts,); `first` is
    where an action's viewer begins; `kind` indexes KINDS.
    """

    post: Ints
    kind: Ints
    sign: Ints
    at: Ints
    first: Ints
    vectors: Vector
    authors: Tensor
    published: Ints


def train_retriever(
    store: Store,
    out: Path,
    *,
    until: int | None = None,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
    every: float = EVERY,
) -> Path:
    """Train on actions up to `until` and save the towers to `out`; recall is said and kept there.

    In-batch sampled softmax with logQ correction (Yi et al. 2019): a positive action is to be
    found from the actions before it, among those of the batch and one that the same viewer turned
    away from. The last tenth by time is held out, and half of the histories lose a part. Raises
    ArianeError where there is too little to learn from.
    """
    say = progress or _quiet
    say("retriever: reading the store")
    config = TowersConfig()
    actions = _load(store, until, config)
    config = TowersConfig(wide=actions.vectors.shape[1])
    train, test = _split(actions)
    if len(train) < LEAST:
        raise ArianeError(
            f"The store holds {len(train)} positive actions with a history and a reading and a "
            f"retriever needs {LEAST}; ingest and read more, or go on without one."
        )
    torch.manual_seed(seed)
    model = TowersModel(config)
    _fit(
        model,
        actions,
        train,
        np.random.default_rng(seed),
        partial(Pace, "retriever", say=say, every=every),
    )
    say("retriever: measuring")
    recall = measure(model.eval(), actions, test)
    line = ", ".join(f"{name} {value:.3f}" for name, value in recall.items())
    say(f"recall@{FOUND} on {min(len(test), MEASURED)} later actions: {line}")
    kept = {f"recall@{FOUND}": recall, "actions": len(actions.post), "seed": seed, "until": until}
    save_towers(model, out, kept)
    return out


def _load(store: Store, until: int | None, config: TowersConfig) -> Actions:
    posts: dict[str, int] = {}
    viewers: dict[str, int] = {}
    rows = [
        (
            viewers.setdefault(action.viewer, len(viewers)),
            posts.setdefault(action.post, len(posts)),
            KINDS.index(action.kind),
            action.at,
        )
        for action in store.actions(until)
        if action.post is not None
    ]
    table = np.array(rows, np.int64).reshape(-1, 4)
    vectors, authors, published = _posts(store, list(posts), config)
    table = table[published[table[:, 1]] >= 0]
    table = table[np.argsort(table[:, 0], kind="stable")]
    starts = np.flatnonzero(np.diff(table[:, 0], prepend=-1))
    first = np.repeat(starts, np.diff(starts, append=len(table)))
    sign = np.array([kind.sign for kind in KINDS], np.int64)[table[:, 2]]
    return Actions(table[:, 1], table[:, 2], sign, table[:, 3], first, vectors, authors, published)


def _posts(store: Store, ids: list[str], config: TowersConfig) -> tuple[Vector, Tensor, Ints]:
    """Vectors, authors' rows and times of posts; the time is −1 where a post was not read."""
    vectors: Vector | None = None
    authors, published = [""] * len(ids), np.full(len(ids), -1, np.int64)
    for start in range(0, len(ids), 1000):
        some = ids[start : start + 1000]
        readings, posts = store.readings(some), store.posts(some)
        for row, post in enumerate(some, start=start):
            if post in readings and post in posts:
                vector = readings[post].vector
                if vectors is None:
                    vectors = np.zeros((len(ids), vector.size), np.float32)
                if vector.size == vectors.shape[1]:
                    vectors[row] = vector
                    authors[row], published[row] = posts[post].author, posts[post].at
    found = np.zeros((len(ids), config.wide), np.float32) if vectors is None else vectors
    return found, author_rows(authors, config.authors), published


def _split(actions: Actions) -> tuple[Ints, Ints]:
    """Positive actions with something before them: to train on, and later ones to measure on."""
    places = np.arange(len(actions.post))
    positive = places[(actions.sign > 0) & (places > actions.first)]
    if not len(positive):
        return positive, positive
    cut = np.quantile(actions.at[positive], 1 - HELD_OUT)
    later = actions.at[positive] > cut
    return positive[~later], positive[later]


def _fit(
    model: TowersModel,
    actions: Actions,
    train: Ints,
    draw: np.random.Generator,
    pace: Callable[[int], Pace],
) -> None:
    task = _Task(model, actions, train, draw)
    steps = max(1, min(STEPS, EPOCHS * len(train) // BATCH))
    learn = torch.optim.AdamW([*model.parameters(), task.scale], lr=RATE, weight_decay=0.01)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(learn, steps)
    told = pace(steps)
    for rows in _batches(train, steps, draw):
        loss = task.loss(rows)
        learn.zero_grad()
        torch.autograd.backward(loss)
        learn.step()
        falling.step()
        told.step(loss.item())


def _batches(train: Ints, steps: int, draw: np.random.Generator) -> Iterator[Ints]:
    order = draw.permutation(train)
    start = 0
    for _ in range(steps):
        if start + BATCH > len(order) and start:
            order, start = draw.permutation(train), 0
        yield order[start : start + BATCH]
        start += BATCH


class _Task:
    """To find a positive action's post from the actions before it."""

    def __init__(
        self, model: TowersModel, actions: Actions, train: Ints, draw: np.random.Generator
    ) -> None:
        self.scale = nn.Parameter(torch.tensor(14.0).log())
        self._model, self._actions, self._draw = model, actions, draw
        often = np.bincount(actions.post[train], minlength=len(actions.vectors)).clip(1)
        self._log_q = torch.from_numpy(np.log(often / len(train)).astype(np.float32))
        until = actions.at[train].max()
        self._negative = np.flatnonzero((actions.sign < 0) & (actions.at <= until))
        self._owner = actions.first[self._negative]

    def loss(self, rows: Ints) -> Tensor:
        """Cross-entropy of each row's post among those of all rows and one disliked post."""
        past, kinds, held = _histories(self._actions, rows, self._model.config.history)
        share = np.where(self._draw.random(len(rows)) < 0.5, self._draw.random(len(rows)), 0.0)
        held &= self._draw.random(held.shape) >= DROPPED * share[:, None]
        target, against = self._actions.post[rows], self._against(rows)
        posts = self._posts(np.concatenate([past.ravel(), target, np.maximum(against, 0)]))
        viewers = self._model.viewer(
            posts[: past.size].reshape(*past.shape, -1),
            torch.from_numpy(kinds),
            torch.from_numpy(held),
        )
        right, wrong = posts[past.size : past.size + len(rows)], posts[past.size + len(rows) :]
        scale, log_q = self.scale.exp(), self._log_q[target]
        same = torch.from_numpy((target[:, None] == target) & ~np.eye(len(rows), dtype=bool))
        logits = (scale * (viewers @ right.T) - log_q).masked_fill(same, -1e4)
        none = torch.from_numpy((against < 0) | (against == target))
        hard = (scale * (viewers * wrong).sum(1) - log_q).masked_fill(none, -1e4)
        return cross_entropy(torch.cat([logits, hard[:, None]], 1), torch.arange(len(rows)))

    def _posts(self, wanted: Ints) -> Tensor:
        """Tower vectors of posts, each computed once."""
        unique, inverse = np.unique(wanted, return_inverse=True)
        known = torch.from_numpy(self._draw.random(len(unique)) < KNOWN)
        authors = torch.where(known, self._actions.authors[unique], 0)
        found = self._model.post(torch.from_numpy(self._actions.vectors[unique]), authors)
        return found[torch.from_numpy(inverse)]

    def _against(self, rows: Ints) -> Ints:
        """For each row one post that its viewer turned away from, −1 where there is none."""
        first = self._actions.first[rows]
        start = np.searchsorted(self._owner, first, "left")
        count = np.searchsorted(self._owner, first, "right") - start
        if not len(self._negative):
            return np.full(len(rows), -1, np.int64)
        drawn = start + (self._draw.random(len(rows)) * count).astype(np.int64)
        posts = self._actions.post[self._negative[np.minimum(drawn, len(self._negative) - 1)]]
        return np.where(count > 0, posts, -1)


def _histories(actions: Actions, rows: Ints, length: int) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """Posts and kinds (rows, length) of the actions before each, newest first; which there are."""
    before = rows[:, None] - 1 - np.arange(length)
    held = before >= actions.first[rows][:, None]
    before = np.maximum(before, 0)
    return actions.post[before], actions.kind[before], held


def measure(model: TowersModel, actions: Actions, test: Ints) -> dict[str, float]:
    """Share of later positive actions whose post is among the FOUND best, by way of finding it.

    Among the posts that had been published and that the viewer had not acted on.
    """
    rows = test[np.linspace(0, len(test) - 1, min(len(test), MEASURED)).astype(np.int64)]
    if not len(test):
        return {}
    with torch.inference_mode():
        posts = model.post(torch.from_numpy(actions.vectors), actions.authors)
        past, kinds, held = _histories(actions, rows, model.config.history)
        viewers = model.viewer(
            posts[torch.from_numpy(past)], torch.from_numpy(kinds), torch.from_numpy(held)
        )
    hits = {"towers": 0.0, "nearest": 0.0, "popular": 0.0, "random": 0.0}
    popular = _Popular(actions)
    for turn in np.argsort(actions.at[rows], kind="stable"):
        row = int(rows[turn])
        there = (actions.published >= 0) & (actions.published <= actions.at[row])
        there[actions.post[actions.first[row] : row]] = False
        target = int(actions.post[row])
        there[target] = True
        hits["towers"] += _hit(posts.numpy() @ viewers[turn].numpy(), there, target)
        hits["nearest"] += _hit(_nearest(actions, row), there, target)
        hits["popular"] += _hit(popular.before(int(actions.at[row])), there, target)
        hits["random"] += min(1.0, FOUND / int(there.sum()))
    return {name: count / len(rows) for name, count in hits.items()}


class _Popular:
    """How many positive actions each post had before a time, for times that grow."""

    def __init__(self, actions: Actions) -> None:
        positive = np.flatnonzero(actions.sign > 0)
        order = positive[np.argsort(actions.at[positive], kind="stable")]
        self._post, self._at, self._next = actions.post[order], actions.at[order], 0
        self._counts = np.zeros(len(actions.vectors), np.float32)

    def before(self, at: int) -> Vector:
        """Counts (posts,)."""
        end = int(np.searchsorted(self._at, at, "left"))
        np.add.at(self._counts, self._post[self._next : end], 1.0)
        self._next = end
        return self._counts


def _hit(scores: Vector, there: NDArray[np.bool_], target: int) -> float:
    """Whether the target is among the FOUND best; ties count for the share of them that is."""
    above = int((there & (scores > scores[target])).sum())
    level = int((there & (scores == scores[target])).sum())
    return min(1.0, max(0.0, (FOUND - above) / level))


def _nearest(actions: Actions, row: int) -> Vector:
    """Scores of every post by its nearest interest, as `retrieve.nearest` sees a viewer."""
    before = np.arange(actions.first[row], row)[::-1][:128]
    before = before[actions.sign[before] > 0]
    if not len(before):
        return np.zeros(len(actions.vectors), np.float32)
    weights = (FADES ** np.arange(len(before))).astype(np.float32)
    centroids, _ = interests(actions.vectors[actions.post[before]], weights, 6)
    scores: Vector = (actions.vectors @ centroids.T).max(axis=1)
    return scores


def _quiet(line: str) -> None:
    """Say nothing."""
