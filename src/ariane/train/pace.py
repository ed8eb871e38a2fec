"""How far a training is: step, loss and the time that is left, every so many seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

EVERY: Final = 10.0
"""Seconds between two lines, where nobody asks for more."""


class Pace:
    """Tells of the first step, of the last, and in between whenever `every` seconds went by."""

    def __init__(
        self,
        what: str,
        steps: int,
        say: Callable[[str], None],
        every: float = EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what, self._steps, self._say = what, steps, say
        self._every, self._clock = every, clock
        self._begun = self._told = clock()
        self._done = 0
        self._losses: list[float] = []

    def expect(self, more: int) -> None:
        """So many steps are still to come, where that was not known from the start."""
        self._steps = self._done + more

    def step(self, loss: float) -> None:
        """One step was done; what is told is the mean of the losses since the last line."""
        self._done += 1
        self._losses.append(loss)
        now = self._clock()
        last = self._done == self._steps
        if not (last or self._done == 1 or now - self._told >= self._every):
            return
        mean = sum(self._losses) / len(self._losses)
        spent = now - self._begun
        left = spent / self._done * (self._steps - self._done)
        when = f"{duration(spent)} in all" if last else f"{duration(left)} left"
        self._say(f"{self._what}: step {self._done} of {self._steps}, loss {mean:.4f}, {when}")
        self._told, self._losses = now, []


def duration(seconds: float) -> str:
    """So many seconds, or from two minutes on so many minutes."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
