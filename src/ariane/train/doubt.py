"""How far to doubt a language model's names, told by what it named alone, never by a truth.

Where a student tells best what the model will say, it would agree with one that is never wrong ever
more often, and with one that is wrong on a share of its posts no more often than on the rest. So a
rate of errors is told apart from the student's own lack of insight: the rate is looked for together
with the student's sharpness, by the likelihood of what was said to a student that had not seen it
(a layer of noise over a model's own probabilities, as in Goldberger and Ben-Reuven 2017, "Training
deep neural-networks using a noise adaptation layer", here with one rate for all names). The least
rate is taken that what was said bears, since a correction that is none costs a true name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ariane.heads import FOLDS, out_of_fold, softmax
from ariane.read.opinion import Doubt
from ariane.types import Vector

SHARPNESS: Final = np.geomspace(0.5, 4.0, 22)
ERRORS: Final = np.linspace(0.0, 0.5, 51)
"""Among which the pair is looked for."""

WITHIN: Final = 1.92
"""How far below the greatest log-likelihood an error may lie: half the 95 % point of χ² with one
degree of freedom. What is taken is the lower end of the error's interval by profile likelihood."""

FEWEST: Final = 500
"""Posts of which an aspect was named: with fewer a wide student learns their errors by heart."""

TINY: Final = 1e-12


def doubt(vectors: Vector, said: Sequence[str], languages: Sequence[str]) -> Doubt | None:
    """From vectors (n, width), and the name and language of each; None where that is too little.

    Names that are met less often than there are folds are left out.
    """
    counts = Counter(said)
    classes = sorted(name for name in counts if counts[name] >= FOLDS)
    rows = [row for row, name in enumerate(said) if name in classes]
    if len(classes) < 2 or len(rows) < FEWEST:
        return None
    truth = np.array([classes.index(said[row]) for row in rows])
    strata = [languages[row] for row in rows]
    logits, temperature = out_of_fold(vectors[rows], truth, strata, len(classes))
    logits = logits / temperature + np.log(np.bincount(truth) + 1.0)
    return _least(logits, truth)


def _least(logits: NDArray[np.float64], truth: NDArray[np.int64]) -> Doubt:
    """The least error, and its likeliest sharpness, that is about as likely as the likeliest."""
    others = logits.shape[1] - 1
    found: list[tuple[float, Doubt]] = []
    rights = [
        (sharpness, softmax(sharpness * logits)[np.arange(len(truth)), truth])
        for sharpness in SHARPNESS
    ]
    for error in ERRORS:
        told = [
            (float(np.log((1.0 - error) * right + error * (1.0 - right) / others + TINY).sum()), s)
            for s, right in rights
        ]
        likelihood, sharpness = max(told)
        found.append((likelihood, Doubt(float(error), float(sharpness))))
    enough = max(likelihood for likelihood, _ in found) - WITHIN
    return next(one for likelihood, one in found if likelihood >= enough)
