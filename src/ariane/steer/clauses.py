"""What one part of a sentence asks: a direction as it is being said, and what it is about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ariane.steer.phrases import PLAIN, STRONG, WHOLE, Push


@dataclass
class Said:
    """What has been said of a direction so far, before what it is about."""

    start: int
    push: Push | None = None
    degree: float | None = None
    negated: int = 0
    ne: bool = False
    pointing: bool = False  # "more of this": nothing that can be told
    earlier: bool = False  # said in a part before this one

    def settled(self) -> tuple[Literal[-1, 1], float] | None:
        """Direction and strength, or None where only fillers were said."""
        if self.push is None and not self.negated:
            return None if self.degree is None else (1, self.degree)
        push = self.push or Push(1, STRONG)
        sign, strength = push.sign, push.strength
        if self.negated % 2:
            sign = 1 if sign < 0 else -1
            strength = PLAIN if self.push and not push.verb else STRONG
        if self.degree is not None and strength < WHOLE:
            strength = self.degree
        return sign, strength


@dataclass
class Clause:
    """One direction and all that it is about."""

    start: int
    end: int
    direction: tuple[Literal[-1, 1], float] | None
    about: list[list[str]] = field(default_factory=list)
    until: int | None = None
    softly: bool = False
    negation: bool = False
    verbal: bool = False
