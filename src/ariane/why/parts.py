"""A history cut into a few parts that each hold together, so that few runs say where to look."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

MOST: Final = 6
"""The most parts."""

SIZE: Final = 5
"""Actions of a part, on average, as long as there are few enough of them."""

ROUNDS: Final = 3


def parts(sign: NDArray[np.int64], vectors: NDArray[np.float32]) -> list[list[int]]:
    """Rows of each part: likes that read alike together, dislikes that do, by spherical k-means.

    `sign` is (actions,), `vectors` (actions, width). It begins at the newest action and those
    farthest from each one before, so that the same history gives the same parts.
    """
    signed = vectors * sign[:, None]
    count = min(MOST, -(-len(signed) // SIZE))
    if count < 2:
        return [list(range(len(signed)))] if count else []
    chosen = [len(signed) - 1]
    near = signed @ signed[-1]
    while len(chosen) < count:
        chosen.append(int(near.argmin()))
        near = np.maximum(near, signed @ signed[chosen[-1]])
    centres = signed[chosen]
    for _ in range(ROUNDS):
        member = np.round(signed @ centres.T, 4).argmax(axis=1)
        sums = (member[:, None] == np.arange(count)).astype(np.float32).T @ signed
        length = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(length > 0, sums / np.maximum(length, 1e-12), centres)
    found = [np.flatnonzero(member == part).tolist() for part in range(count)]
    return [rows for rows in found if rows]
