"""Counted: how much the store holds, as of a few seconds ago; routes open to all may ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ariane.types import Counts, Store

SECONDS = 5.0


class Counted:
    """Counts at most once in `SECONDS`, one caller at a time; the others get what is known."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[float, Counts] | None = None

    def __call__(self, store: Store) -> Counts:
        """How much the store holds, or held a moment ago."""
        known = self._known
        if known is not None and self._clock() - known[0] < SECONDS:
            return known[1]
        if not self._lock.acquire(blocking=known is None) and known is not None:
            return known[1]
        try:
            if self._known is not known and self._known is not None:  # counted while this waited
                return self._known[1]
            counts = store.counts()
            self._known = (self._clock(), counts)
            return counts
        finally:
            self._lock.release()
