"""Packed batches train and predict on what serving shows, one exposure at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.train.planted import WIDTH, planted

from ariane.rank.batch import HISTORY_NAMES, bucket, context_tokens, octave
from ariane.rank.model import RankerConfig, RankerModel
from ariane.rank.session import SessionRanker
from ariane.train.examples import Examples, load_examples
from ariane.train.packed import Span, long_spans, lots_of, pack, predict, spans
from ariane.types import Ask, Viewer, window_start

GAP = 2 * HISTORY_NAMES.index("gap")


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    """Histories of 150 actions, so that a window of 64 or 128 slides."""
    path = tmp_path_factory.mktemp("packed") / "store.db"
    return load_examples(planted(path, viewers=5, posts=160, each=150))


def everything(examples: Examples) -> np.ndarray:
    return np.ones(len(examples), np.bool_)


def model(window: int = 64) -> RankerModel:
    torch.manual_seed(0)
    made = RankerModel(replace(RankerConfig.sized("nano"), width=WIDTH, window=window))
    torch.nn.init.normal_(made.action_head.weight)
    torch.nn.init.normal_(made.post.table.weight)
    return made.eval()


def ask(viewer: str, at: int) -> Ask:
    return Ask("q", viewer, at)


@pytest.mark.parametrize("window", [64, 128, 256])
def test_every_exposure_is_in_one_span_and_sees_only_what_came_before(
    examples: Examples, window: int
) -> None:
    chosen = everything(examples)
    chosen[::3] = False
    for found in (spans(examples, window, chosen), long_spans(examples, window, chosen)):
        rows = np.concatenate([span.rows for span in found])
        assert np.array_equal(np.sort(rows), np.flatnonzero(chosen))
        for span in found:
            seen = span.first + examples.visible[span.rows] - span.start
            assert (seen >= 0).all()
            assert (seen <= window).all()
            assert span.stop - span.start == seen.max()


def test_spans_begin_where_serving_begins(examples: Examples) -> None:
    for span in spans(examples, 64, everything(examples)):
        for count in examples.visible[span.rows].tolist():
            assert span.start - span.first == window_start(count, 64)


def test_long_spans_show_half_a_window_at_least(examples: Examples) -> None:
    for span in long_spans(examples, 128, everything(examples)):
        if span.start > span.first:
            assert (span.first + examples.visible[span.rows] - span.start > 64).all()


def test_lots_hold_every_span_once_and_few_tokens(examples: Examples) -> None:
    found = spans(examples, 64, everything(examples))
    for draw in (None, np.random.default_rng(1)):
        lots = lots_of(found, 300, draw)
        assert sorted(id(span) for lot in lots for span in lot) == sorted(map(id, found))
        for lot in lots:
            longest = max(max(len(span.rows), span.stop - span.start) for span in lot)
            assert len(lot) == 1 or longest * len(lot) <= 300


def test_lots_are_the_same_for_the_same_draw(examples: Examples) -> None:
    found = spans(examples, 64, everything(examples))
    first, second = (lots_of(found, 300, np.random.default_rng(7)) for _ in range(2))
    assert [[span.start for span in lot] for lot in first] == [
        [span.start for span in lot] for lot in second
    ]


def test_history_dropout_keeps_what_is_seen_a_part_of_what_came_before(
    examples: Examples,
) -> None:
    found = spans(examples, 64, everything(examples))
    whole, draw, lost = pack(examples, found), np.random.default_rng(3), 0
    for _ in range(10):
        batch = pack(examples, found, draw)
        assert np.array_equal(batch.rows, whole.rows)
        assert (batch.visible <= whole.visible).all()
        lost += int((batch.visible < whole.visible).any(axis=1).sum())
    assert 0.3 < lost / (10 * len(found)) < 0.6


def test_gaps_are_those_of_the_actions_that_are_left(examples: Examples) -> None:
    span = Span(0, 0, 40, np.array([45]))
    draw = np.random.default_rng(0)
    for _ in range(20):
        batch = pack(examples, [span], draw)
        kept = [
            index
            for index in range(40)
            if (batch.history.post[0] == examples.history.post[index]).all(axis=1).any()
        ]
        count = int(batch.visible[0, 0])
        if count == 40 or count < 2:
            continue
        assert len(kept) == count
        times = examples.action_at[kept]
        for place in range(1, count):
            gap = bucket("gap", octave(int(times[place] - times[place - 1]) // 1000))
            assert tuple(batch.history.names[0, place, GAP : GAP + 2]) == gap
        if kept[0]:
            assert not batch.history.names[0, 0, GAP : GAP + 2].any()


def test_predict_says_what_serving_says(examples: Examples, tmp_path: Path) -> None:
    store = planted(tmp_path / "store.db", viewers=5, posts=160, each=150)
    ranker = model()
    rows = np.array([0, 1, 63, 64, 65, 149, 200, 299])
    chosen = np.isin(np.arange(len(examples)), rows)
    # Of an exposure only the hour is known; here its language and surface are told as well.
    asked = context_tokens([ask("", at) for at in examples.at.tolist()])
    said = predict(ranker, replace(examples, context=asked), chosen, tokens=100)
    served = SessionRanker(ranker)
    for row, forecast in zip(rows.tolist(), said, strict=True):
        name, at = examples.viewers[examples.viewer[row]], int(examples.at[row])
        post = examples.posts[examples.post[row]]
        viewer = Viewer(name, history=store.viewer(ask(name, at - 1)).history)
        serving = served.forecast(ask(name, at), viewer, [store.candidates([post], at)[post]])
        assert np.abs(serving.probabilities[0] - forecast).max() < 1e-5
    assert said.std(axis=0).max() > 0.01
