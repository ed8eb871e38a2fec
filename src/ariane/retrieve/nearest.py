"""Posts that read like what the viewer liked, and unlike what they turned away from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ariane.retrieve.interests import interests, liked
from ariane.retrieve.merge import merge
from ariane.retrieve.search import best, within
from ariane.retrieve.sources import RetrieveSettings
from ariane.retrieve.vectors import VectorFile
from ariane.types import Ask, Viewer

REPELS = 0.5
"""What nearness to a disliked centroid costs, beside what nearness to a liked one gives."""

DISLIKES = 3
"""The most centroids of what the viewer turned away from."""


@dataclass(frozen=True)
class Nearest:
    """The nearest to each of several interests in turn; nothing for one without a history."""

    vectors: VectorFile
    interests: int = RetrieveSettings.interests
    limit: int = RetrieveSettings.each
    name: str = "nearest"

    def find(self, ask: Ask, viewer: Viewer) -> list[str]:
        """Ids of posts, best first, of every age, without those already acted on."""
        rows = self.vectors.rows()
        if rows.matrix is None or not len(rows):
            return []
        wide = len(rows.matrix)
        towards, _ = interests(*liked(viewer.history, 1, wide), self.interests)
        if not len(towards):
            return []
        away, _ = interests(*liked(viewer.history, -1, wide), DISLIKES)
        scores = rows.vectors @ (np.concatenate([towards, away]) @ rows.matrix).T
        near, far = scores[:, : len(towards)], scores[:, len(towards) :]
        if len(away):
            near = near - REPELS * np.maximum(far.max(axis=1), 0.0)[:, None]
        without = viewer.seen | {past.action.post for past in viewer.history if past.action.post}
        among = within(rows, ask)
        each = self.limit if len(towards) == 1 else 2 * self.limit // len(towards)
        found = {
            str(place): best(rows, near[:, place], each, among=among, without=without)
            for place in range(len(towards))
        }
        return list(merge(found, self.limit))
