"""Candidates to Ranked: the ranker's forecast, priced by the operator's values."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ariane.types import PREDICTED, ArianeError, Ask, Candidate, Ranked, Ranker, Term, Value, Viewer

__all__ = ["rank"]


def rank(
    ranker: Ranker, value: Value, ask: Ask, viewer: Viewer, candidates: Sequence[Candidate]
) -> list[Ranked]:
    """Score = Σ value(kind) · P(kind) + the named terms; best first, ties by post id.

    Raises ArianeError where a score is not a number.
    """
    if not candidates:
        return []
    forecast = ranker.forecast(ask, viewer, candidates)
    columns = [index for index, kind in enumerate(PREDICTED) if value.kinds.get(kind)]
    names = [PREDICTED[index].value for index in columns]
    worth = np.array([value.kinds[PREDICTED[index]] for index in columns], dtype=np.float64)
    amounts: NDArray[np.float64] = forecast.probabilities[:, columns] * worth
    ranked = []
    for candidate, odds, priced in zip(
        candidates, forecast.probabilities.tolist(), amounts.tolist(), strict=True
    ):
        named = (rule(ask, viewer, candidate) for rule in value.terms)
        terms = (*map(Term, names, priced), *(term for term in named if term))
        score = math.fsum(term.amount for term in terms)
        if not math.isfinite(score):
            raise ArianeError(
                f"The score of post {candidate.post.id!r} by {forecast.model!r} is {score}: put a "
                "rung below this ranker, or set finite values."
            )
        ranked.append(Ranked(candidate, tuple(odds), score, terms, model=forecast.model))
    return sorted(ranked, key=lambda one: (-one.score, one.candidate.post.id))
