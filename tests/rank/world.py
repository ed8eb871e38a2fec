"""Posts, viewers and models of any size for the ranker's tests, the same for the same numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ariane.rank.model import RankerConfig, RankerModel
from ariane.types import Action, ActionKind, Ask, Candidate, Past, Post, Reading, Viewer

WIDTH = 24
NOW = 1_800_000_000_000
KINDS = tuple(ActionKind)
TOPICS = ("science", "sport", "music", "cities")


def reading(index: int) -> Reading:
    rng = np.random.default_rng(index)
    vector = rng.normal(size=WIDTH).astype(np.float32)
    return Reading(
        post=f"p{index}",
        rev=1,
        vector=vector / np.linalg.norm(vector),
        topics=((TOPICS[index % 4], 0.6), (TOPICS[index % 3], 0.2)),
        tone=("calm", "angry", "")[index % 3],
        intent="inform",
        format="news",
        language=("fr", "en")[index % 2],
        by="test@1",
    )


def candidate(index: int) -> Candidate:
    """A post that one in seven times nobody has read."""
    post = Post(f"p{index}", f"a{index % 9}", "", NOW - 977_000 * index)
    return Candidate(post, None if index % 7 == 3 else reading(index))


def past(index: int, kind: ActionKind | None = None) -> Past:
    one = candidate(1000 + index * 5)
    action = Action(
        id=f"x{index}",
        viewer="v",
        kind=kind or KINDS[index % len(KINDS)],
        at=NOW + 7_000 * index,
        post=one.post.id,
        seconds=float(index % 50) if index % 2 else None,
    )
    return Past(action, one.post, one.reading)


def viewer(actions: int, name: str | None = "v") -> Viewer:
    return Viewer(name, history=tuple(past(index) for index in range(actions)))


def ask(**changes: Any) -> Ask:
    return replace(Ask("q", "v", NOW + 10_000_000), **changes)


def model(**changes: Any) -> RankerModel:
    """An untrained model whose every part has a say, at the smallest size."""
    torch.manual_seed(1)
    made = RankerModel(replace(RankerConfig.sized("nano"), width=WIDTH, **changes))
    with torch.no_grad():
        for table in (made.author.table, made.post.table):
            table.weight.normal_(std=0.5)
            table.weight[0].zero_()
        made.action_head.weight.normal_(std=0.3)
        made.dwell_head.weight.normal_(std=0.3)
    return made.eval()
