"""Exact search: the best rows of a vector file under any scores."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from ariane.retrieve.sources import since
from ariane.retrieve.vectors import Rows
from ariane.types import Ask, Vector


def within(rows: Rows, ask: Ask) -> NDArray[np.intp]:
    """The rows that this request's feed can show, by age and language."""
    return rows.between(since(ask), ask.at, ask.feed.languages)


def best(
    rows: Rows,
    scores: Vector,
    limit: int,
    *,
    among: NDArray[np.intp],
    without: Collection[str] = (),
) -> list[str]:
    """Posts with the highest of these scores (rows,) `among` some rows, best first."""
    count = min(limit + len(without), len(among))
    if count <= 0:
        return []
    cost = -scores[among]
    top = np.argpartition(cost, count - 1)[:count]
    order = among[top[np.lexsort((top, cost[top]))]]
    return [post for post in dict.fromkeys(rows.ids(order)) if post not in without][:limit]
