"""Resting: posts that could not be read, each tried again after a pause that doubles."""

from __future__ import annotations

import time
from collections.abc import Callable, Set
from dataclasses import dataclass

FIRST_PAUSE = 60.0
LONGEST_PAUSE = 3600.0
"""Seconds until a post that could not be read is tried again, at first and at last."""


@dataclass(frozen=True, slots=True)
class _Failed:
    pause: float
    until: float


class Resting:
    """The posts that could not be read."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: dict[str, _Failed] = {}

    def __len__(self) -> int:
        return len(self._failed)

    def now(self) -> set[str]:
        """Those that are not to be tried now."""
        now = self._clock()
        return {post for post, failed in self._failed.items() if now < failed.until}

    def settle(self, rested: Set[str], aside: Set[str]) -> None:
        """After a turn in which `rested` were not tried, and `aside` are they and what failed."""
        now, before = self._clock(), self._failed
        self._failed = {post: before[post] for post in rested}
        for post in aside - rested:
            known = before.get(post)
            pause = FIRST_PAUSE if known is None else min(2 * known.pause, LONGEST_PAUSE)
            self._failed[post] = _Failed(pause, now + pause)
