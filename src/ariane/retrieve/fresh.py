"""The newest posts, and a sample of new ones in which every author weighs the same."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, zip_longest

import numpy as np

from ariane.retrieve.layout import hash64
from ariane.retrieve.sources import RetrieveSettings
from ariane.retrieve.vectors import Rows, VectorFile
from ariane.types import Ask, Store, Viewer

HOUR = 3_600_000
EXPLORED = 0.33
"""The part of the limit that is a sample."""


@dataclass(frozen=True)
class Fresh:
    """Needs no history: what everyone gets, and all that one without a history gets.

    Where nothing is younger than `hours`, the newest posts of any age are given.
    """

    store: Store
    vectors: VectorFile
    limit: int = RetrieveSettings.each
    hours: float = RetrieveSettings.fresh_hours
    name: str = "fresh"

    def find(self, ask: Ask, viewer: Viewer) -> list[str]:
        """Ids of posts: two of the newest, then one of the sample, and so on."""
        since = ask.at - int(self.hours * HOUR)
        wanted = self.limit + len(viewer.seen)
        newest = self.store.recent(ask.at, wanted, languages=ask.feed.languages)
        count = int(self.limit * EXPLORED)
        sampled = sample(self.vectors.rows(), hash64(ask.id), count, since, ask.at)
        turns = zip_longest(newest[::2], newest[1::2], sampled)
        return list(dict.fromkeys(post for post in chain.from_iterable(turns) if post))


def sample(rows: Rows, seed: int, count: int, since: int, until: int) -> list[str]:
    """Newest posts in (since, until] of `count` authors; the same seed draws the same authors."""
    within = np.flatnonzero(rows.between(since, until))
    if not len(within) or count <= 0:
        return []
    order = within[np.argsort(-rows.records["at"][within], kind="stable")]
    authors, newest = np.unique(rows.records["author"][order], return_index=True)
    drawn = np.argsort(_mixed(authors, seed), kind="stable")[:count]
    return [rows.id(int(order[newest[author]])) for author in drawn]


def _mixed(
    values: np.ndarray[tuple[int, ...], np.dtype[np.uint64]], seed: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    """SplitMix64's finalizer (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        mixed = values ^ np.uint64(seed)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))
