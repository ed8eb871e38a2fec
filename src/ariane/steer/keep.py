"""Keep: wishes written for a viewer, each in the place of the one on its target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Final

from ariane.types import CallError, Store, Wish

MOST: Final = 200
"""The most wishes that a viewer may have in force."""


class TooManyWishesError(CallError):
    """More wishes than there may be."""


def keep(store: Store, viewer: str, made: Sequence[Wish], at: int) -> list[Wish]:
    """Write wishes as of `at` (UTC milliseconds), each in the place of the one on its target.

    Raises TooManyWishesError where they would be more than MOST; then none is written.
    """
    held = store.wishes(viewer, at)
    ids = {one.target: one.id for one in held}
    kept = [replace(one, id=ids.get(one.target) or _id(one.target)) for one in made]
    check_room(held, kept)
    for one in kept:
        store.write_wish(viewer, one)
    return kept


def _id(target: str) -> str:
    """One id a target, so that two doors at once write one wish, not two."""
    return f"w-{blake2b(target.encode(), digest_size=8).hexdigest()}"


def check_room(held: Sequence[Wish], more: Sequence[Wish]) -> None:
    """Raise TooManyWishesError where these and more would be more than MOST."""
    if len({one.id for one in (*held, *more)}) > max(MOST, len(held)):
        raise TooManyWishesError(
            f"There are {len(held)} wishes already, and {MOST} is the most; delete some."
        )
