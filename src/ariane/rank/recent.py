"""Recent-and-safe: the rung that needs no model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ariane.types import PREDICTED, RECENT, Ask, Candidate, Forecast, Viewer

HOUR = 3_600_000


class RecentRanker:
    """Expects the more of everything liked, and nothing disliked, the younger a post is."""

    name = RECENT

    def forecast(self, ask: Ask, viewer: Viewer, candidates: Sequence[Candidate]) -> Forecast:
        """1 / (1 + age in hours) for each liked kind; the viewer is not looked at."""
        ages = np.array([max(0, ask.at - one.post.at) / HOUR for one in candidates], np.float64)
        liked = np.array([kind.sign > 0 for kind in PREDICTED])
        fresh = (1.0 / (1.0 + ages)).astype(np.float32)
        return Forecast(self.name, fresh[:, None] * liked.astype(np.float32), np.zeros_like(fresh))
