"""A history → the few directions it points to, each with how much of the viewer it holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ariane.types import Past, Vector

RECENT = 128
"""Actions that are looked at, the newest."""

FADES = 0.98
"""What an action weighs beside the one after it."""

ROUNDS = 5


def liked(history: Sequence[Past], sign: int, wide: int) -> tuple[Vector, Vector]:
    """Vectors (posts, wide) of the newest actions of this sign, and their weights (posts,)."""
    vectors: list[Vector] = []
    weights: list[float] = []
    for age, past in enumerate(reversed(history[-RECENT:])):
        reading = past.reading
        if past.action.kind.sign == sign and reading is not None and reading.vector.size == wide:
            vectors.append(reading.vector)
            weights.append(FADES**age)
    if not vectors:
        return np.zeros((0, wide), np.float32), np.zeros(0, np.float32)
    return np.stack(vectors), np.array(weights, np.float32)


def interests(vectors: Vector, weights: Vector, most: int) -> tuple[Vector, Vector]:
    """Unit centroids (k, wide), heaviest first, and their shares (k,): spherical k-means.

    k grows with the root of the number of posts up to `most`. It begins at the newest post and
    those farthest from each one before, so that the same history gives the same interests.
    """
    count = min(most, int(np.ceil(np.sqrt(len(vectors)))))
    if not count:
        return vectors[:0], weights[:0]
    chosen = [0]
    near = vectors @ vectors[0]
    while len(chosen) < count:
        chosen.append(int(np.argmin(near)))
        near = np.maximum(near, vectors @ vectors[chosen[-1]])
    centroids = vectors[chosen]
    shares = np.zeros(count, np.float32)
    for _ in range(ROUNDS):
        member = np.argmax(vectors @ centroids.T, axis=1)
        belongs = (member[:, None] == np.arange(count)) * weights[:, None]
        shares = belongs.sum(axis=0)
        sums = belongs.T @ vectors
        length = np.linalg.norm(sums, axis=1, keepdims=True)
        centroids = np.where(length > 0, sums / np.maximum(length, 1e-12), centroids)
    order = np.argsort(-shares, kind="stable")
    order = order[shares[order] > 0]
    return centroids[order].astype(np.float32), (shares[order] / shares.sum()).astype(np.float32)
