"""Linear heads on unit vectors: fitted in closed form, calibrated out of fold, kept as safetensors.

A head is linear discriminant analysis with a shrunk shared covariance (Friedman 1989, "Regularized
discriminant analysis") under equal priors: with a few dozen examples a class it does as well as a
logistic regression, has no iterations and no seed. Its logits are divided by one temperature
(Guo et al. 2017, "On calibration of modern neural networks") that is chosen out of fold.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ariane.types import ArianeError, Vector

Real = TypeVar("Real", np.float32, np.float64)

SHRINKAGE = 0.7
"""How far the covariance is drawn towards a round one; the best of .1 to .9 on the prototypes."""

FOLDS = 5
_TEMPERATURES = np.geomspace(0.25, 32.0, 57)


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """One question about a text: `weights` (classes, width) and `bias` (classes,), float32.

    `sure` is the probability from which its best class is right often enough out of fold; above 1
    where none is.
    """

    classes: tuple[str, ...]
    weights: Vector
    bias: Vector
    sure: float

    def probabilities(self, vectors: Vector) -> Vector:
        """Softmax over the classes: (n, width) → float32 (n, classes)."""
        return softmax(vectors @ self.weights.T + self.bias)


def fit(
    vectors: Vector,
    names: Sequence[str],
    strata: Sequence[str],
    *,
    precision: float = 0.8,
    shares: Mapping[str, float] | None = None,
) -> Head:
    """A calibrated head from examples: `vectors` (n, width), the class and the stratum of each.

    Examples of one class and stratum (a language) are dealt round the folds in their order, so that
    an example and its translation, written at the same place, are held out together. `shares` is
    how often each class is met, where that is known; else all are equally likely.

    Raises ArianeError where there are fewer than two classes, or a class has fewer examples than
    there are folds.
    """
    classes = tuple(sorted(set(names)))
    truth = np.array([classes.index(name) for name in names], dtype=np.int64)
    fewest = min((list(names).count(name) for name in classes), default=0)
    if len(classes) < 2 or fewest < FOLDS:
        raise ArianeError(
            f"a head needs two classes and {FOLDS} examples of each, not {len(classes)} classes "
            f"with {fewest} examples of the rarest: add prototypes."
        )
    logits, temperature = out_of_fold(vectors, truth, strata, len(classes))
    weights, bias = _discriminant(vectors, truth, len(classes))
    prior = np.log([shares[name] for name in classes]) if shares else np.zeros(len(classes))
    sure = _sure_from(softmax(logits / temperature + prior), truth, precision)
    return Head(
        classes,
        (weights / temperature).astype(np.float32),
        (bias / temperature + prior).astype(np.float32),
        sure,
    )


def out_of_fold(
    vectors: Vector, truth: NDArray[np.int64], strata: Sequence[str], classes: int
) -> tuple[NDArray[np.float64], float]:
    """Logits of each example from a fit that never saw its fold, and the temperature for them."""
    fold = _folds(truth, strata)
    logits = np.empty((len(truth), classes))
    for held in range(FOLDS):
        weights, bias = _discriminant(vectors[fold != held], truth[fold != held], classes)
        logits[fold == held] = vectors[fold == held] @ weights.T + bias
    rows = np.arange(len(truth))
    balance = 1.0 / np.bincount(truth, minlength=classes)[truth]
    losses = [
        -float((balance * np.log(softmax(logits / t)[rows, truth] + 1e-12)).sum())
        for t in _TEMPERATURES
    ]
    return logits, float(_TEMPERATURES[int(np.argmin(losses))])


def save(path: Path, heads: Mapping[str, Head], about: Mapping[str, str]) -> None:
    """Write heads and what is to be known about them (encoder, version) to one safetensors file."""
    tensors: dict[str, NDArray[np.float32]] = {}
    for name, head in heads.items():
        tensors[f"{name}.weights"] = np.ascontiguousarray(head.weights)  # else saved transposed
        tensors[f"{name}.bias"] = head.bias
    described = {name: {"classes": head.classes, "sure": head.sure} for name, head in heads.items()}
    save_file(tensors, path, {"heads": json.dumps(described), "about": json.dumps(dict(about))})


def load(path: Path) -> tuple[dict[str, Head], dict[str, str]]:
    """Read what `save` wrote; raises ArianeError where the file is missing or damaged."""
    try:
        with safe_open(path, "numpy") as file:
            kept = file.metadata()
            described: dict[str, Any] = json.loads(kept["heads"])
            about: dict[str, str] = json.loads(kept["about"])
            heads = {
                name: Head(
                    tuple(what["classes"]),
                    file.get_tensor(f"{name}.weights"),
                    file.get_tensor(f"{name}.bias"),
                    float(what["sure"]),
                )
                for name, what in described.items()
            }
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ArianeError(
            f"{path} holds no heads ({error}): reinstall ariane, or write it again with "
            "python -m ariane.train.reader."
        ) from error
    return heads, about


def _discriminant(
    vectors: Vector, truth: NDArray[np.int64], classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (classes, width) and bias (classes,) of the shrunk linear discriminant."""
    points = vectors.astype(np.float64)
    means = np.stack([points[truth == k].mean(axis=0) for k in range(classes)])
    spread = points - means[truth]
    covariance = spread.T @ spread / max(1, len(points) - classes)
    width = covariance.shape[0]
    round_part = SHRINKAGE * np.trace(covariance) / width
    covariance *= 1.0 - SHRINKAGE
    covariance[np.diag_indices(width)] += round_part
    weights: NDArray[np.float64] = np.linalg.solve(covariance, means.T).T
    return weights, -0.5 * (weights * means).sum(axis=1)


def _folds(truth: NDArray[np.int64], strata: Sequence[str]) -> NDArray[np.int64]:
    dealt: Counter[tuple[int, str]] = Counter()
    fold = np.empty(len(truth), dtype=np.int64)
    for row, of in enumerate(zip(truth.tolist(), strata, strict=True)):
        fold[row] = dealt[of] % FOLDS
        dealt[of] += 1
    return fold


def _sure_from(
    probabilities: NDArray[np.float64], truth: NDArray[np.int64], precision: float
) -> float:
    """The lowest probability from which on at least `precision` of the best classes are right."""
    best = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    order = np.argsort(-best, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(share >= precision)
    return min(float(best[order][good[-1]]), 0.99) if len(good) else 2.0


def softmax(logits: NDArray[Real]) -> NDArray[Real]:
    """Probabilities of each row's classes, from log-odds (n, classes)."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: NDArray[Real] = raised / raised.sum(axis=1, keepdims=True)
    return shares
