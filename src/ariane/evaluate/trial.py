"""A trial: what scores reach on chosen exposures, and how far one method is ahead of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ariane.evaluate.importance import areas
from ariane.metrics import ece, ndcg, paired_bootstrap
from ariane.rank.model import RankerModel
from ariane.train.examples import Bools, Examples, without_reading
from ariane.train.packed import predict
from ariane.types import PREDICTED, ActionKind

Reals = NDArray[np.float64]

K = 10
"""Places that NDCG looks at."""
LIST = 11
"""Exposures after the cut from which on a viewer counts for NDCG: more than places."""
METRICS = ("auc", f"ndcg@{K}")


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """What one method reached, viewer by viewer: AUC with its weights, and NDCG."""

    auc: Reals
    weights: Reals
    ndcg: Reals

    def means(self) -> dict[str, float | None]:
        """AUC and NDCG over viewers; None where there is no viewer to tell it from."""
        area = float(np.average(self.auc, weights=self.weights)) if len(self.auc) else None
        gain = float(self.ndcg.mean()) if len(self.ndcg) else None
        return {
            name: None if value is None else round(value, 4)
            for name, value in zip(METRICS, (area, gain), strict=True)
        }


class Trial:
    """The exposures that everything is measured on, and how."""

    def __init__(self, examples: Examples, kind: ActionKind, draws: int, seed: int) -> None:
        self.examples, self.kind = examples, kind
        self.draws, self.seed = draws, seed
        self.head = PREDICTED.index(kind)
        self.liked = examples.labels[:, self.head]

    def forecast(self, model: RankerModel, chosen: Bools) -> Reals:
        """The kind's probability for the chosen exposures."""
        return predict(model, self.examples, chosen)[:, self.head].astype(np.float64)

    def entry(self, scores: Reals, chosen: Bools) -> Entry:
        """What these scores of the chosen exposures reach."""
        liked, viewers = self.liked[chosen], self.examples.viewer[chosen]
        groups = np.split(np.arange(len(liked)), np.flatnonzero(np.diff(viewers)) + 1)
        long = [some for some in groups if len(some) >= LIST and liked[some].any()]
        return Entry(
            *areas(liked, scores, viewers),
            np.array([ndcg(liked[some], scores[some], K) for some in long]),
        )

    def difference(self, first: Entry, second: Entry) -> dict[str, list[float] | None]:
        """How far the first is ahead, with intervals over viewers; None where there are none."""
        pairs = (first.auc, second.auc, first.weights), (first.ndcg, second.ndcg, None)
        return {
            name: paired_bootstrap(*pair, draws=self.draws, seed=self.seed).rounded()
            if len(pair[0])
            else None
            for name, pair in zip(METRICS, pairs, strict=True)
        }

    def calibration(self, scores: Reals, chosen: Bools) -> float:
        """How far these probabilities are from what happened."""
        return round(ece(self.liked[chosen], scores), 4)

    def reading(self, chosen: Bools, model: RankerModel, blind: RankerModel) -> dict[str, Any]:
        """A model beside its twin that reads nothing."""
        unread = Trial(without_reading(self.examples), self.kind, self.draws, self.seed)
        return self.beside(chosen, model, unread, blind)

    def beside(
        self, chosen: Bools, model: RankerModel, other: Trial, twin: RankerModel
    ) -> dict[str, Any]:
        """A model beside its twin, to whom the same exposures are shown as another reader read."""
        read = self.entry(self.forecast(model, chosen), chosen)
        unread = other.entry(other.forecast(twin, chosen), chosen)
        return {
            "exposures": int(chosen.sum()),
            "viewers": {"auc": len(read.auc), f"ndcg@{K}": len(read.ndcg)},
            "with": read.means(),
            "without": unread.means(),
            "difference": self.difference(read, unread),
        }

    def protocol(self, until: Mapping[str, int], before: Bools, later: Bools) -> dict[str, Any]:
        """What was measured, on how much."""
        own = self.examples.own
        after = later & ~own
        entry = self.entry(np.zeros(int(after.sum())), after)
        return {
            "kind": self.kind.value,
            "until": dict(until),
            "exposures": {"train": int((before & ~own).sum()), "test": int(after.sum())},
            "sampled": int(self.examples.sampled[after].sum()),
            "own": int((later & own).sum()),
            "viewers": {"auc": len(entry.auc), f"ndcg@{K}": len(entry.ndcg)},
            "draws": self.draws,
        }
