"""How long work is followed: the shape of a call, which is that of Rich's `Progress.update`."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told what is being done, how much is done so far, and how much there is in all."""

    def __call__(self, *, description: str, completed: int, total: int) -> object:
        """Nothing is done with what it returns."""


def silent(*, description: str, completed: int, total: int) -> None:
    """Tell nobody."""


class Sum:
    """Adds up what is done, and tells it."""

    def __init__(self, total: int, progress: Progress) -> None:
        self.total, self.completed, self.progress = total, 0, progress

    def add(self, amount: int, description: str) -> None:
        """So much more is done."""
        self.completed += amount
        self.progress(description=description, completed=self.completed, total=self.total)
