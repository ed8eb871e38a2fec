"""Pages that would have been: `arrange`, for the viewer without some actions or wishes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from ariane.types import Page, Ranked, Viewer

Arrange: TypeAlias = Callable[[Viewer], Page]

WISH: Final = "wish:"
"""Causes that begin so have wishes as evidence, all others actions."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where every candidate of one page stands, from 1.

    The posts shown come first, in their order on the page; behind them all other candidates in the
    order of their score. So a place on the page can be counted by eye, and the same candidates
    give the same places whether or not there were others that could not reach the page.
    """

    of_post: Mapping[str, int]
    score: Mapping[str, float]

    def of(self, post: str) -> int:
        """The post's place; one more than there are candidates where it is not among them."""
        return self.of_post.get(post, len(self.of_post) + 1)


def places(page: Page) -> Places:
    """Where every candidate of a page stands."""
    items: dict[str, Ranked] = {item.candidate.post.id: item for item in page.items}
    for item in page.ranked:
        items.setdefault(item.candidate.post.id, item)
    return Places(
        {post: place for place, post in enumerate(items, start=1)},
        {post: item.score for post, item in items.items()},
    )


def without(viewer: Viewer, cause: str, evidence: Collection[str]) -> Viewer:
    """The viewer had they never done, or wished, what a cause names as its evidence."""
    if cause.startswith(WISH):
        kept = tuple(wish for wish in viewer.wishes if wish.id not in evidence)
        return replace(viewer, wishes=kept)
    return viewer.without(frozenset(evidence))


class Runs:
    """Counterfactual pages of one request, each set of evidence arranged once."""

    def __init__(self, arrange: Arrange, viewer: Viewer) -> None:
        self._arrange, self._viewer = arrange, viewer
        self._done: dict[tuple[bool, frozenset[str]], Places] = {}

    @property
    def count(self) -> int:
        """How many pages were arranged."""
        return len(self._done)

    def without(self, cause: str, evidence: Collection[str]) -> Places:
        """Where every candidate stands without this evidence."""
        key = (cause.startswith(WISH), frozenset(evidence))
        if key not in self._done:
            self._done[key] = places(self._arrange(without(self._viewer, cause, evidence)))
        return self._done[key]
