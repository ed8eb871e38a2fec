"""What the ranker has to beat, on the same exposures: each a score (E,) for every exposure.

Exposures are walked through in order of time, one source at a time. *Live* means that what other
viewers did before an exposure counts, also after the cut; *frozen* that only training exposures do.
The viewer's own history is live for all. What came of an exposure is known to the next one at once,
which is kinder to these baselines than serving is. What viewers did to their own posts counts as
known, and the regressions are not fitted on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ariane.train.examples import Bools, Examples, Ints
from ariane.types import PREDICTED, ActionKind

Reals = NDArray[np.float64]

PRIOR = 10.0
"""Impressions at the source's rate that a post's rate starts from."""
OWN_PRIOR = 5.0
"""The same for a viewer's own rate."""
SHRINKAGE = 10.0
"""Viewers in common that a similarity is shrunk by."""
FLOOR = 0.5
"""Similarity to nothing that a weighted mean of votes is drawn to 0 by."""
NEIGHBOURS = 4000
"""Posts of one source between which similarities are kept: those with the most exposures."""


@dataclass(frozen=True, eq=False)
class Baselines:
    """One score for each exposure (E,); `logistic` ones are probabilities too."""

    random: Reals
    popularity: Reals
    """The smoothed rate of the kind among a post's exposures so far: live."""
    recency: Reals
    knn: Reals
    """Signed item-kNN: the viewer's votes, weighted by similarities that are frozen at the cut."""
    knn_live: Reals
    logistic: Reals
    """Logistic regression on popularity, frozen kNN and the viewer's rate, fitted on training."""
    logistic_live: Reals

    def scores(self) -> dict[str, Reals]:
        """The scores by the names that a result gives them."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def baselines(examples: Examples, train: Bools, kind: ActionKind, seed: int = 0) -> Baselines:
    """All baselines for a kind of action; `train` (E,) marks the exposures before the cut."""
    liked = examples.labels[:, PREDICTED.index(kind)]
    votes = _votes(examples.labels, liked)
    walk = _Walk(examples, train, liked, votes)
    for rows in _by_source(examples):
        walk.source(rows)
    rate, own = _log_odds(walk.rate), _log_odds(walk.own)
    live = np.stack([rate, walk.live, own], axis=1)
    frozen = np.stack([rate, np.where(train, walk.live, walk.frozen), own], axis=1)
    fitted = train & ~examples.own
    return Baselines(
        random=np.random.default_rng(seed).random(len(examples)),
        popularity=walk.rate,
        recency=examples.published[examples.post].astype(np.float64),
        knn=walk.frozen,
        knn_live=walk.live,
        logistic=_logistic(frozen, liked, fitted),
        logistic_live=_logistic(live, liked, fitted),
    )


def _votes(labels: Bools, liked: Bools) -> Reals:
    """+1 where the kind was done, else −1 where something disliked was, else 0 (E,)."""
    disliked = labels[:, [kind.sign < 0 for kind in PREDICTED]].any(axis=1)
    return np.where(liked, 1.0, np.where(disliked, -1.0, 0.0))


def _by_source(examples: Examples) -> list[Ints]:
    """The exposures of each source, in order of time."""
    names, source = np.unique(np.array(examples.sources), return_inverse=True)
    of = source[examples.post]
    order = np.lexsort((np.arange(len(examples)), examples.at))
    return [order[of[order] == number] for number in range(len(names))]


class _Walk:
    """Walks through exposures in order of time and notes what was known before each."""

    def __init__(self, examples: Examples, train: Bools, liked: Bools, votes: Reals) -> None:
        self.examples, self.train, self.liked, self.votes = examples, train, liked, votes
        count = len(examples)
        self.rate, self.own = np.zeros(count), np.zeros(count)
        self.live, self.frozen = np.zeros(count), np.zeros(count)

    def source(self, rows: Ints) -> None:
        """One source's exposures, in order of time."""
        self._rates(rows)
        posts = self.examples.post[rows]
        shown, counts = np.unique(posts, return_counts=True)
        near = shown[np.sort(np.argsort(-counts, kind="stable")[:NEIGHBOURS])]
        place = np.full(len(self.examples.posts), -1)
        place[near] = np.arange(len(near))
        self._neighbours(rows, place[posts], len(near))

    def _rates(self, rows: Ints) -> None:
        """Rates so far: of the post and of the viewer, both smoothed by the source's."""
        posts, viewers = self.examples.post[rows], self.examples.viewer[rows]
        liked = self.liked[rows].astype(np.float64)
        seen = np.arange(len(rows))
        base = (_before(np.zeros(len(rows), np.int64), liked) + 1.0) / (seen + 2.0)
        ones = np.ones(len(rows))
        for groups, prior, into in ((posts, PRIOR, self.rate), (viewers, OWN_PRIOR, self.own)):
            likes, shows = _before(groups, liked), _before(groups, ones)
            into[rows] = (likes + prior * base) / (shows + prior)

    def _neighbours(self, rows: Ints, places: Ints, size: int) -> None:
        """Votes weighted by the similarity of posts: by all exposures so far, and by training's."""
        agreed, common = np.zeros((size, size)), np.zeros((size, size))
        pasts: dict[int, tuple[list[int], list[float]]] = {}
        kept: Reals | None = None
        for row, here in zip(rows.tolist(), places.tolist(), strict=True):
            if here < 0:
                continue
            if kept is None and not self.train[row]:
                kept = agreed / (common + SHRINKAGE)
            voted, votes = pasts.setdefault(int(self.examples.viewer[row]), ([], []))
            vote = float(self.votes[row])
            if voted:
                there, cast = np.array(voted), np.array(votes)
                near = agreed[here, there] / (common[here, there] + SHRINKAGE)
                self.live[row] = _weighted(near, cast)
                if kept is not None:
                    self.frozen[row] = _weighted(kept[here, there], cast)
                if vote:
                    agreed[here, there] += vote * cast
                    common[here, there] += 1.0
                    agreed[there, here] += vote * cast
                    common[there, here] += 1.0
            if vote:
                voted.append(here)
                votes.append(vote)


def _weighted(similarity: Reals, votes: Reals) -> float:
    """The mean of votes weighted by similarity, drawn to 0 where there is little of it."""
    return float(similarity @ votes) / (float(np.abs(similarity).sum()) + FLOOR)


def _before(groups: Ints, values: Reals) -> Reals:
    """For each row, the sum of `values` of earlier rows of the same group (n,)."""
    order = np.argsort(groups, kind="stable")
    sums = np.cumsum(values[order]) - values[order]
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    sizes = np.diff(np.append(starts, len(groups)))
    found = np.empty(len(groups))
    found[order] = sums - np.repeat(sums[starts], sizes)
    return found


def _log_odds(rates: Reals) -> Reals:
    clipped = np.clip(rates, 1e-4, 1 - 1e-4)
    odds: Reals = np.log(clipped / (1 - clipped))
    return odds


def _logistic(features: Reals, liked: Bools, train: Bools) -> Reals:
    """Probabilities (E,) by a logistic regression fitted on the rows of `train`.

    Newton's method on standardised features, with a penalty of 1 on squared weights as in
    scikit-learn's default.
    """
    mean, spread = features[train].mean(axis=0), features[train].std(axis=0)
    scaled = (features - mean) / np.where(spread > 0, spread, 1.0)
    design = np.column_stack([np.ones(len(scaled)), scaled])
    penalty = np.diag([0.0, *np.ones(features.shape[1])])
    rows, truth = design[train], liked[train].astype(np.float64)
    weights = np.zeros(design.shape[1])
    for _ in range(25):
        told = 1.0 / (1.0 + np.exp(-(rows @ weights)))
        slope = rows.T @ (told - truth) + penalty @ weights
        curve = (rows * (told * (1.0 - told))[:, None]).T @ rows + penalty
        step = np.linalg.solve(curve + 1e-9 * np.eye(len(weights)), slope)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    probabilities: Reals = 1.0 / (1.0 + np.exp(-(design @ weights)))
    return probabilities
