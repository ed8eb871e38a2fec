"""How far to doubt a language model's names, told by what it named alone, never by a truth.

Where a student tells best what the model will say, it would agree with one that is never wrong ever
more often, and with one that is wrong on a share of its posts no more often than on the rest. So a
rate of errors is told apart from the student's own lack of insight: both the rate and the student's
sharpness are those under which what was said is likeliest, by a student that had not seen it (a
layer of noise over a model's own probabilities, as in Goldberger and Ben-Reuven 2017, "Training
deep neural-networks using a noise adaptation layer", here with one rate for all names).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from ariane.heads import FOLDS, out_of_fold
from ariane.read.opinion import Doubt
from ariane.types import Vector

SHARPNESS: Final = np.geomspace(0.5, 4.0, 22)
ERRORS: Final = np.linspace(0.0, 0.5, 51)
"""Among which the likeliest pair is looked for."""


def doubt(vectors: Vector, said: Sequence[str], languages: Sequence[str]) -> Doubt | None:
    """From vectors (n, width), and the name and language of each; None where one name is too few.

    Names that are met less often than there are folds are left out.
    """
    counts = Counter(said)
    classes = sorted(name for name in counts if counts[name] >= FOLDS)
    if len(classes) < 2:
        return None
    rows = [row for row, name in enumerate(said) if name in classes]
    truth = np.array([classes.index(said[row]) for row in rows])
    strata = [languages[row] for row in rows]
    logits, temperature = out_of_fold(vectors[rows], truth, strata, len(classes))
    logits = logits / temperature + np.log(np.bincount(truth) + 1.0)
    logits -= logits.max(axis=1, keepdims=True)
    best, found = -np.inf, Doubt(0.0, 1.0)
    for sharpness in SHARPNESS:
        raised = np.exp(sharpness * logits)
        right = raised[np.arange(len(rows)), truth] / raised.sum(axis=1)
        for error in ERRORS:
            told = (1.0 - error) * right + error * (1.0 - right) / (len(classes) - 1)
            likelihood = float(np.log(told + 1e-12).sum())
            if likelihood > best:
                best, found = likelihood, Doubt(float(error), float(sharpness))
    return found
