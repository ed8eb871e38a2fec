"""Serving: a viewer's history is encoded once, and candidates are scored against it in tiles.

Every matrix that is multiplied has a shape fixed by the model and by how many blocks the history
fills, and every token a fixed place in it. So the same history and candidate give the same bits
whether the cache was empty, full or extended, and whatever else is scored along.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy

import numpy as np
import torch

from ariane.rank.batch import (
    CandidateTokens,
    HistoryTokens,
    candidate_tokens,
    context_tokens,
    history_tokens,
)
from ariane.rank.blocks import Blocks, digests
from ariane.rank.model import Keys, RankerModel
from ariane.types import HISTORY_BLOCK, PREDICTED, Ask, Candidate, Forecast, Viewer

TILE = 192
"""Candidates that are scored together; a tile that is not full is padded.

A multiple of every number of rows that a processor's matrix kernels take at once (4, 6, 8, 12, 16,
24, 32, 48): with rows left over, those would be rounded otherwise (at 128, the last two by AVX2).
"""


class SessionRanker:
    """The trained ranker as a `Ranker`, with the histories of the last viewers kept encoded."""

    def __init__(self, model: RankerModel, *, sessions: int = 256, threads: int = 1) -> None:
        self.model = model.eval()
        self.name = model.config.name
        self.threads = threads
        self._blocks = Blocks(sessions * -(-model.config.window // HISTORY_BLOCK))
        self._keeps = True

    def passing(self) -> SessionRanker:
        """The same ranker over the same cache, to which it adds nothing.

        For histories that never were: those of counterfactuals would push out the real ones.
        """
        view = copy(self)
        view._keeps = False
        return view

    def forecast(self, ask: Ask, viewer: Viewer, candidates: Sequence[Candidate]) -> Forecast:
        """What the viewer would do with each candidate, to the bit the same in any company."""
        config = self.model.config
        history = history_tokens(viewer.history, config.width, config.window)
        tokens = candidate_tokens(candidates, ask.at, config.width)
        probabilities = np.empty((len(candidates), len(PREDICTED)), np.float32)
        seconds = np.empty(len(candidates), np.float32)
        with _threads(self.threads), torch.inference_mode():
            context = context_tokens([ask]).batch()
            before = self._encoded(viewer.id, history)
            for start in range(0, len(candidates), TILE):
                tile = slice(start, start + TILE)
                padded = CandidateTokens.stack([tokens.take(tile)], TILE)
                told = self.model.score(context, padded, before, len(history.names))
                count = len(seconds[tile])
                probabilities[tile] = told.logits.sigmoid()[0, :count].cpu().numpy()
                seconds[tile] = told.seconds[0, :count].cpu().numpy()
        return Forecast(self.name, probabilities, seconds)

    def forget(self, viewer: str | None) -> None:
        """Drop all that is kept of a viewer."""
        self._blocks.forget(viewer)

    def _encoded(self, viewer: str | None, history: HistoryTokens) -> Keys:
        """Keys and values of a history (N, …), its last block padded; new blocks are kept."""
        blocks: list[Keys] = []
        for index, digest in enumerate(digests(history)):
            keys = self._blocks.get(viewer, digest)
            if keys is None:
                start = index * HISTORY_BLOCK
                part = history.take(slice(start, start + HISTORY_BLOCK))
                padded = HistoryTokens.stack([part], HISTORY_BLOCK)
                keys = self.model.encode(padded, start, _joined(blocks))
                if self._keeps:
                    self._blocks.put(viewer, digest, keys)
            blocks.append(keys)
        return _joined(blocks)


def _joined(blocks: Sequence[Keys]) -> Keys:
    """Runs of history, one after another, as one."""
    return tuple(
        (torch.cat([keys for keys, _ in layer], 2), torch.cat([values for _, values in layer], 2))
        for layer in zip(*blocks, strict=True)
    )


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Compute on this many threads, whose number can change how sums are rounded."""
    before = torch.get_num_threads()
    if before == count:
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
