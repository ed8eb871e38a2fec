"""What rankings and forecasts are measured by: pure functions, each with its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Reals: TypeAlias = NDArray[np.float64]

CELLS = 1_000_000
"""Draws × pairs that a bootstrap holds at a time; results are the same whatever it is."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A measured value and its 95 % interval."""

    low: float
    mid: float
    high: float

    def rounded(self, digits: int = 4) -> list[float]:
        """Low, mid and high, as a report prints them."""
        return [round(value, digits) for value in (self.low, self.mid, self.high)]


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """The chance that a positive (n,) scores above a negative, ties half; NaN without both.

    Hanley and McNeil 1982, "The meaning and use of the area under a ROC curve".
    """
    positive = np.asarray(labels, dtype=np.bool_)
    ups, downs = int(positive.sum()), int((~positive).sum())
    if not ups or not downs:
        return float("nan")
    _, places, counts = np.unique(np.asarray(scores), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[places]
    return float((ranks[positive].sum() - ups * (ups + 1) / 2) / (ups * downs))


def ndcg(gains: ArrayLike, scores: ArrayLike, k: int = 10) -> float:
    """Discounted gain of the k best scored of (n,), as a share of the best possible one.

    Järvelin and Kekäläinen 2002, with gains as they are and a discount of 1 / log2(rank + 1); the
    mean over the orders of tied scores (McSherry and Najork 2008). NaN where there is no gain.
    """
    gained = np.asarray(gains, dtype=np.float64)
    discounts = np.zeros(len(gained))
    shown = min(k, len(gained))
    discounts[:shown] = 1.0 / np.log2(np.arange(2, shown + 2))
    best = float(np.sort(gained)[::-1] @ discounts)
    if best <= 0.0:
        return float("nan")
    _, places, counts = np.unique(
        -np.asarray(scores, dtype=np.float64), return_inverse=True, return_counts=True
    )
    starts = np.cumsum(counts) - counts
    shared = np.add.reduceat(discounts, starts) / counts
    return float(gained @ shared[places]) / best


def ece(labels: ArrayLike, probabilities: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error: |mean label − mean probability| over bins of equal counts.

    Naeini, Cooper and Hauskrecht 2015; bins of equal counts after Nguyen and O'Connor 2015. NaN
    where there is nothing.
    """
    told = np.asarray(probabilities, dtype=np.float64)
    if not len(told):
        return float("nan")
    order = np.argsort(told, kind="stable")
    happened = np.asarray(labels, dtype=np.float64)[order]
    parts = zip(np.array_split(happened, bins), np.array_split(told[order], bins), strict=True)
    off = [abs(float(was.sum() - said.sum())) for was, said in parts if len(was)]
    return sum(off) / len(told)


def macro_f1(meant: Sequence[str], told: Sequence[str]) -> float:
    """The mean F1 over the classes that were meant; "" in `told` names none. NaN without classes.

    Van Rijsbergen 1979, chapter 7, averaged over classes.
    """
    classes = sorted(set(meant))
    true, named = np.asarray(meant), np.asarray(told)
    hits = [float(((true == each) & (named == each)).sum()) for each in classes]
    sizes = [float((true == each).sum() + (named == each).sum()) for each in classes]
    return float(
        np.mean([2 * hit / size for hit, size in zip(hits, sizes, strict=True)] or [np.nan])
    )


def paired_bootstrap(
    first: ArrayLike,
    second: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    draws: int = 2000,
    seed: int = 0,
) -> Interval:
    """The weighted mean difference `first` − `second` of pairs (n,), and its 95 % interval.

    Pairs are drawn again with replacement, the interval is that of percentiles (Efron and
    Tibshirani 1993, chapter 13). All NaN where there are no pairs.
    """
    difference = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    count = len(difference)
    if not count:
        return Interval(float("nan"), float("nan"), float("nan"))
    weight = np.ones(count) if weights is None else np.asarray(weights, dtype=np.float64)
    draw = np.random.default_rng(seed)
    even, weighted = np.full(count, 1.0 / count), difference * weight
    means, lot = np.empty(draws), max(1, CELLS // count)
    for start in range(0, draws, lot):
        times = draw.multinomial(count, even, size=min(lot, draws - start))
        # Summed row by row: a matrix product's last bit depends on how many rows there are.
        means[start : start + lot] = (times * weighted).sum(axis=1) / (times * weight).sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(low), float(difference @ weight / weight.sum()), float(high))
