"""Exact search: the best rows of a vector file under any scores."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from ariane.retrieve.vectors import Rows
from ariane.types import Vector


def best(
    rows: Rows,
    scores: Vector,
    limit: int,
    *,
    until: int,
    since: int | None = None,
    without: Collection[str] = (),
) -> list[str]:
    """Posts published in (since, until] with the highest of these scores (rows,), best first."""
    allowed = np.flatnonzero(rows.between(since, until))
    count = min(limit + len(without), len(allowed))
    if count <= 0:
        return []
    among = scores[allowed]
    top = np.argpartition(-among, count - 1)[:count]
    order = allowed[top[np.lexsort((top, -among[top]))]]
    ids = dict.fromkeys(rows.id(int(row)) for row in order)
    return [post for post in ids if post not in without][:limit]
