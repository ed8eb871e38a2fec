"""Homes to test in: a small synthetic community, with a ranker whose weights are random."""

from dataclasses import replace
from pathlib import Path

import torch

from ariane.bench.community import Community, build
from ariane.engine import open_store
from ariane.home import runs
from ariane.rank.model import RankerConfig, RankerModel

SMALL = Community(posts=300, viewers=12, actions=1_500)


def community(home: Path, size: Community = SMALL) -> list[str]:
    """A home with posts, readings and actions, and no model; the ids of its viewers."""
    return build(home, size)


def with_ranker(home: Path, name: str = "ranker-1", seed: int = 0) -> None:
    """A random ranker, saved and live: its scores mean nothing and differ from post to post."""
    torch.manual_seed(seed)
    model = RankerModel(replace(RankerConfig.sized("nano"), name=name, reader="synthetic@1"))
    with torch.no_grad():
        model.action_head.weight.mul_(20.0)
    model.save(runs(home) / name)
    store = open_store(home)
    store.promote("ranker", name)
    store.close()
