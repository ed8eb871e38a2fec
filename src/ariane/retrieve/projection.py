"""Vectors of the reader's width → short ones that keep their dot products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ariane.types import Vector

ENOUGH = 2_000
"""Vectors from which directions can be fitted; with fewer, random ones are as good."""

SAMPLE = 20_000
"""Vectors that are looked at for a fit: more no longer change it."""


class Projection(Protocol):
    """A learned projection; `digest` (at most 32 letters) changes whenever its results do."""

    @property
    def digest(self) -> str:
        """Names the weights."""

    @property
    def wide(self) -> int:
        """The width of what goes in."""

    @property
    def width(self) -> int:
        """The width of what comes out, at most 128."""

    def __call__(self, vectors: Vector, authors: Sequence[str]) -> Vector:
        """Float32 (posts, self.wide) and the posts' authors → (posts, self.width)."""


def fit(vectors: Vector, width: int) -> Vector:
    """An orthonormal matrix (reader's width, width) that keeps most of these vectors' length.

    The first right singular vectors of a sample; with fewer than ENOUGH vectors, fixed random
    directions (Johnson and Lindenstrauss 1984). Nothing is lost where the width suffices.
    """
    wide = vectors.shape[1]
    if wide <= width:
        return np.eye(wide, width, dtype=np.float32)
    if len(vectors) < ENOUGH:
        random = np.random.default_rng(0).standard_normal((wide, width))
        return np.linalg.qr(random)[0].astype(np.float32)
    sample = vectors[:SAMPLE].astype(np.float64)
    values, directions = np.linalg.eigh(sample.T @ sample)
    largest = np.argsort(values)[::-1][:width]
    return np.ascontiguousarray(directions[:, largest], dtype=np.float32)
