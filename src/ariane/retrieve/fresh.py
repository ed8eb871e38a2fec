"""The newest posts, and a sample of new ones in which every author weighs the same."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, zip_longest

import numpy as np
from numpy.typing import NDArray

from ariane.retrieve.layout import hash64
from ariane.retrieve.search import within
from ariane.retrieve.sources import HOUR, RetrieveSettings, since
from ariane.retrieve.vectors import Rows, VectorFile
from ariane.types import Ask, Store, Viewer

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
        wanted = self.limit + len(viewer.seen)
        newest = self.store.recent(ask.at, wanted, since=since(ask), languages=ask.feed.languages)
        rows = self.vectors.rows()
        among = within(rows, ask)
        among = among[rows.at[among] > ask.at - int(self.hours * HOUR)]
        sampled = sample(rows, among, hash64(ask.id), int(self.limit * EXPLORED))
        turns = zip_longest(newest[::2], newest[1::2], sampled)
        return list(dict.fromkeys(post for post in chain.from_iterable(turns) if post))[:wanted]


def sample(rows: Rows, among: NDArray[np.intp], seed: int, count: int) -> list[str]:
    """The newest of these rows of each of `count` authors, whom the seed draws.

    Authors are drawn by the smallest of their hashes mixed with the seed; only as many rows are
    sorted as hold enough authors.
    """
    keys, size = _mixed(rows.author[among], seed), 8 * count
    while True:
        few = np.arange(len(keys))
        if size < len(keys):
            few = np.argpartition(keys, size)[: size + 1]
            few = few[keys[few] < keys[few[-1]]]  # the last author may not be whole
        authors = len(np.unique(keys[few]))
        if authors >= count or size >= len(keys):
            break
        size *= 8
    order = few[np.lexsort((among[few], -rows.at[among[few]], keys[few]))]
    _, newest = np.unique(keys[order], return_index=True)
    return rows.ids(among[order[newest[: max(count, 0)]]])


def _mixed(values: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """SplitMix64's finalizer (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        mixed = values ^ np.uint64(seed)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))
