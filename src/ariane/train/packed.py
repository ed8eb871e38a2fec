"""Examples in packed batches: a stretch of one history, and every exposure that looked back on it.

One row of a batch is a `Span`: up to `window` history tokens, and the exposures that see a part of
them. Each exposure is scored as if it had been asked for alone (see `RankerModel.forward`), so one
pass over a viewer's history trains on all of that viewer's exposures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from ariane.rank.batch import (
    HISTORY_NAMES,
    NOTHING,
    CandidateTokens,
    ContextTokens,
    HistoryTokens,
    bucket,
)
from ariane.rank.model import RankerModel
from ariane.train.examples import Bools, Examples, Ints
from ariane.types import HISTORY_BLOCK, PREDICTED, Vector, window_start

_GAP = 2 * HISTORY_NAMES.index("gap")
_GAPS = np.array([bucket("gap", octave) for octave in range(64)], np.int32)


@dataclass(frozen=True, slots=True)
class Span:
    """Actions `start` to `stop` of one viewer's, and the exposures (rows) that look back on them.

    Every exposure sees the actions from `start` to the one before it; `first` is where all of the
    viewer's actions begin.
    """

    first: int
    start: int
    stop: int
    rows: Ints


@dataclass(frozen=True, eq=False)
class Batch:
    """B spans, of L actions and C exposures at most; `rows` (B, C) are −1 where there is none."""

    history: HistoryTokens
    context: ContextTokens
    candidates: CandidateTokens
    visible: Ints
    rows: Ints


def spans(examples: Examples, window: int, chosen: Bools) -> list[Span]:
    """The chosen exposures, each behind exactly the history that serving shows it."""
    found: list[Span] = []
    for viewer, rows in _by_viewer(examples, chosen):
        first = int(examples.starts[viewer])
        visible = examples.visible[rows]
        begins = np.array([window_start(int(count), window) for count in visible], np.int64)
        for begin in np.unique(begins):
            some = rows[begins == begin]
            stop = first + int(examples.visible[some].max(initial=0))
            found.append(Span(first, first + int(begin), stop, some))
    return found


def long_spans(examples: Examples, window: int, chosen: Bools) -> list[Span]:
    """The chosen exposures, behind half a window to a whole one where the history is as long.

    Half as many tokens are run as exposures see, where `spans` would run four times as many.
    """
    half = max(HISTORY_BLOCK, window // 2 // HISTORY_BLOCK * HISTORY_BLOCK)
    found: list[Span] = []
    for viewer, rows in _by_viewer(examples, chosen):
        first = int(examples.starts[viewer])
        visible = examples.visible[rows]
        steps = np.maximum(0, -(-(visible - window) // half))
        for step in np.unique(steps):
            some = rows[steps == step]
            stop = first + int(examples.visible[some].max())
            found.append(Span(first, first + int(step) * half, stop, some))
    return found


def _by_viewer(examples: Examples, chosen: Bools) -> Iterator[tuple[int, Ints]]:
    """Each viewer who has chosen exposures, and their rows."""
    rows = np.flatnonzero(chosen)
    ends = np.flatnonzero(np.diff(examples.viewer[rows])) + 1
    for some in np.split(rows, ends):
        if len(some):
            yield int(examples.viewer[some[0]]), some


def lots_of(
    found: Sequence[Span], tokens: int, draw: np.random.Generator | None = None
) -> list[list[Span]]:
    """Spans of like length together, at most `tokens` a batch with padding; shuffled by `draw`."""
    sizes = np.array([max(len(span.rows), span.stop - span.start, 1) for span in found])
    spread = np.ones(len(sizes)) if draw is None else np.exp(draw.normal(0.0, 0.15, len(sizes)))
    lots: list[list[Span]] = []
    longest = 0
    for index in np.argsort(sizes * spread, kind="stable").tolist():
        longest = max(longest, int(sizes[index]))
        if not lots or longest * (len(lots[-1]) + 1) > tokens:
            lots.append([])
            longest = int(sizes[index])
        lots[-1].append(found[index])
    if draw is not None:
        draw.shuffle(lots)
    return lots


def pack(
    examples: Examples, found: Sequence[Span], draw: np.random.Generator | None = None
) -> Batch:
    """One batch; with `draw`, half of its spans lose 0 to 90 % of their history."""
    kept = [_kept(span, draw) for span in found]
    histories = [_history(examples, span, some) for span, some in zip(found, kept, strict=True)]
    visible = [
        np.searchsorted(some, span.first + examples.visible[span.rows])
        for span, some in zip(found, kept, strict=True)
    ]
    length = max(1, *(len(some) for some in kept))
    count = max(len(span.rows) for span in found)
    rows = np.full((len(found), count), -1, np.int64)
    shown = np.zeros((len(found), count), np.int64)
    for index, span in enumerate(found):
        rows[index, : len(span.rows)] = span.rows
        shown[index, : len(span.rows)] = visible[index]
    candidates = replace(
        CandidateTokens.stack([examples.candidates.take(span.rows) for span in found], count),
        vectors=_vectors(examples, [examples.post[span.rows] for span in found], count),
    )
    history = replace(
        HistoryTokens.stack(histories, length),
        vectors=_vectors(examples, [examples.action_post[some] for some in kept], length),
    )
    context = ContextTokens.stack([examples.context.take(span.rows) for span in found], count)
    return Batch(history, context, candidates, shown, rows)


def _kept(span: Span, draw: np.random.Generator | None) -> Ints:
    """The actions of a span that are left."""
    actions = np.arange(span.start, span.stop)
    if draw is None or draw.random() < 0.5:
        return actions
    lost = 0.9 * draw.random()
    return actions[draw.random(len(actions)) >= lost]


def _history(examples: Examples, span: Span, kept: Ints) -> HistoryTokens:
    """The tokens of the actions that are left, the gaps as they are without the others."""
    tokens = examples.history.take(kept)
    if len(kept) == span.stop - span.start or not len(kept):
        return tokens
    names = tokens.names.copy()
    seconds = np.maximum(0, np.diff(examples.action_at[kept]) // 1000)
    octaves = np.frexp(1.0 + seconds)[1] - 1  # bit_length − 1, as batch.octave has it
    names[1:, _GAP : _GAP + 2] = _GAPS[octaves]
    if kept[0] != span.start and span.start == span.first:
        names[0, _GAP : _GAP + 2] = NOTHING
    return replace(tokens, names=names)


def _vectors(examples: Examples, posts: Sequence[Ints], length: int) -> Vector:
    nowhere = len(examples.vectors) - 1
    rows = np.full((len(posts), length), nowhere, np.int64)
    for row, some in zip(rows, posts, strict=True):
        row[: len(some)] = some
    return examples.vectors[rows]


def predict(
    model: RankerModel, examples: Examples, chosen: Bools, tokens: int = 8192
) -> NDArray[np.float32]:
    """What serving would forecast for the chosen exposures: probabilities (n, len(PREDICTED)).

    `tokens` are those of a batch, and change nothing but the speed.
    """
    told = np.full((len(examples), len(PREDICTED)), np.nan, np.float32)
    with torch.inference_mode():
        for lot in lots_of(spans(examples, model.config.window, chosen), tokens):
            batch = pack(examples, lot)
            said = model(batch.history, batch.context, batch.candidates, batch.visible)
            there = batch.rows >= 0
            told[batch.rows[there]] = said.logits.sigmoid().cpu().numpy()[there]
    return told[chosen]
