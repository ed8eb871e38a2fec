"""Five hundred candidates for one viewer: cached history beside encoding it for each candidate.

The peer is the same model without the cache: history and candidate in full, candidate by
candidate, as a plain decoder scores them. It is timed on a few of them and multiplied.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import numpy as np
import torch

from ariane.rank import rank
from ariane.rank.batch import candidate_tokens, context_tokens, history_tokens
from ariane.rank.model import RankerConfig, RankerModel
from ariane.rank.session import SessionRanker
from ariane.types import (
    PREDICTED,
    Action,
    ActionKind,
    Ask,
    Candidate,
    Past,
    Post,
    Reading,
    Value,
    Viewer,
)

NOW: Final = 1_800_000_000_000
KINDS: Final = tuple(ActionKind)
PEER_SHARE: Final = 20
"""One candidate in this many is scored the peer's way."""


def run(*, quick: bool = False) -> list[dict[str, float | str]]:
    """Rows of processor milliseconds a request (median), with the peer's and their ratio."""
    candidates, actions, size = (60, 100, "nano") if quick else (500, 256, "small")
    repeats = 3 if quick else 15
    torch.manual_seed(0)
    model = RankerModel(RankerConfig.sized(size))
    ask, viewer, found = _request(candidates, actions, model.config.width)
    value = Value({kind: kind.value_by_default for kind in PREDICTED})
    warm = SessionRanker(model)
    warm.forecast(ask, viewer, found)

    def cold() -> None:
        SessionRanker(model).forecast(ask, viewer, found)

    peer = candidates // PEER_SHARE
    naive = _median(lambda: _alone(model, ask, viewer, found[:peer]), 3) * candidates / peer
    measured = {
        "warm history": _median(lambda: warm.forecast(ask, viewer, found), repeats),
        "cold history": _median(cold, repeats),
        "warm history, as Ranked": _median(lambda: rank(warm, value, ask, viewer, found), repeats),
    }
    shape = f"{size}, {candidates} candidates, {actions} actions"
    return [
        {"what": what, "shape": shape, "ms": mine, "peer ms": naive, "ratio": naive / mine}
        for what, mine in measured.items()
    ]


def _median(function: Callable[[], object], repeats: int) -> float:
    """Milliseconds of processor time a call."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(1e3 * (time.process_time() - start))
    return float(np.median(times))


def _alone(model: RankerModel, ask: Ask, viewer: Viewer, found: list[Candidate]) -> None:
    """Each candidate with the whole history in one pass, nothing kept."""
    width = model.config.width
    context = context_tokens([ask]).batch()
    model.eval()
    history = history_tokens(viewer.history, width, model.config.window).batch()
    visible = np.array([[len(history.names[0])]])
    with torch.inference_mode():
        for one in found:
            model(history, context, candidate_tokens([one], ask.at, width).batch(), visible)


def _request(candidates: int, actions: int, width: int) -> tuple[Ask, Viewer, list[Candidate]]:
    """A request of random posts, the same in every run."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(candidates + actions, width)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    posts = [
        Candidate(
            Post(f"p{index}", f"a{index % 50}", "", NOW - 60_000 * index),
            Reading(
                f"p{index}", 1, vector, (("science", 1.0),), "calm", "inform", "news", "en", ""
            ),
        )
        for index, vector in enumerate(vectors)
    ]
    history = tuple(
        Past(
            Action(f"x{index}", "v", KINDS[index % len(KINDS)], NOW + index, post=one.post.id),
            one.post,
            one.reading,
        )
        for index, one in enumerate(posts[candidates:])
    )
    ask = Ask("q", "v", NOW + 1_000_000)
    return ask, Viewer("v", history=history), posts[:candidates]
