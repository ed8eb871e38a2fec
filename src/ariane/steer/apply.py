"""Wishes in force → the term "wish" of a candidate's score."""

from __future__ import annotations

from typing import Final

from ariane.targets import matched
from ariane.types import Ask, Candidate, Term, Viewer

SCALE: Final = 1.0
"""What a wish of strength 0.5 is worth: as much as a certain like under the default values."""

MOST: Final = 1000.0
"""What a wish of strength 1 is worth: beyond every forecast, so that it decides alone."""


def wish_term(ask: Ask, viewer: Viewer, candidate: Candidate) -> Term | None:
    """The sum of the viewer's and the feed's wishes that this post matches, or None.

    One wish is worth direction × match × SCALE × s / (1 − s) for its strength s, at most MOST:
    0.5 moves a post as a certain like would, 1 decides alone.
    """
    amount = 0.0
    for wish in (*viewer.wishes, *ask.feed.wishes):
        if wish.until is None or ask.at < wish.until:
            match = matched(wish.target, candidate)
            if match > 0.0:
                amount += wish.direction * match * _worth(wish.strength)
    return Term("wish", amount) if amount else None


def _worth(strength: float) -> float:
    left = 1.0 - min(max(strength, 0.0), 1.0)
    return min(SCALE * (1.0 - left) / left, MOST) if left else MOST
