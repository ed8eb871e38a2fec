from __future__ import annotations

import itertools
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, ndcg_score, roc_auc_score

from ariane.metrics import auc, ece, macro_f1, ndcg, paired_bootstrap

TIES = st.integers(0, 4).map(float)
RATED = st.lists(st.tuples(st.booleans(), TIES), min_size=2, max_size=30)


@given(RATED)
def test_auc_is_the_peers(rated: list[tuple[bool, float]]) -> None:
    labels, scores = zip(*rated, strict=True)
    if len(set(labels)) == 1:
        assert math.isnan(auc(labels, scores))
    else:
        assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))


@given(RATED, st.floats(0.1, 10.0), st.floats(-5.0, 5.0))
def test_auc_looks_at_order_alone(rated: list[tuple[bool, float]], by: float, more: float) -> None:
    labels, scores = zip(*rated, strict=True)
    moved = [math.tanh(0.1 * score) * by + more for score in scores]
    assert auc(labels, moved) == pytest.approx(auc(labels, scores), nan_ok=True)


@given(st.lists(st.tuples(st.integers(0, 3), TIES), min_size=2, max_size=30), st.integers(1, 12))
def test_ndcg_is_the_peers_with_ties_shared(rated: list[tuple[int, float]], k: int) -> None:
    gains, scores = zip(*rated, strict=True)
    if not any(gains):
        assert math.isnan(ndcg(gains, scores, k))
    else:
        assert ndcg(gains, scores, k) == pytest.approx(ndcg_score([gains], [scores], k=k))


def test_ndcg_of_ties_is_the_mean_over_their_orders() -> None:
    gains, scores = [1.0, 0.0, 1.0, 0.0], [1.0, 1.0, 1.0, 0.0]
    orders = [ndcg(gains, [*order, -9.0], 2) for order in itertools.permutations([1.0, 2.0, 3.0])]
    assert ndcg(gains, scores, 2) == pytest.approx(np.mean(orders))


def test_ndcg_of_the_best_order_is_one_and_of_the_worst_less() -> None:
    gains = [1.0, 1.0, 0.0, 0.0]
    assert ndcg(gains, [4, 3, 2, 1], 2) == 1.0
    assert ndcg(gains, [1, 2, 3, 4], 2) == 0.0


def test_ece_of_true_probabilities_is_small_and_of_false_ones_their_error() -> None:
    rng = np.random.default_rng(0)
    told = rng.random(50_000)
    happened = rng.random(50_000) < told
    assert ece(happened, told) < 0.01
    assert ece(np.ones(100), np.full(100, 0.25)) == pytest.approx(0.75)
    assert math.isnan(ece([], []))


@given(st.lists(st.tuples(st.booleans(), st.floats(0.0, 1.0)), min_size=1, max_size=40))
def test_ece_lies_between_0_and_1(rated: list[tuple[bool, float]]) -> None:
    labels, told = zip(*rated, strict=True)
    assert 0.0 <= ece(labels, told) <= 1.0


def test_interval_holds_the_true_difference_about_95_times_of_100() -> None:
    rng, held = np.random.default_rng(0), 0
    for trial in range(200):
        first, second = rng.normal(0.1, 1.0, 80), rng.normal(0.0, 1.0, 80)
        interval = paired_bootstrap(first, second, draws=400, seed=trial)
        held += interval.low <= 0.1 <= interval.high
    assert 180 <= held <= 199


def test_mid_is_the_weighted_difference_itself() -> None:
    interval = paired_bootstrap([1.0, 0.0], [0.0, 0.0], [3.0, 1.0])
    assert interval.mid == 0.75
    assert interval.low == 0.0
    assert interval.high == 1.0
    assert interval.rounded(2) == [0.0, 0.75, 1.0]


def test_same_seed_gives_the_same_interval() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.random(30), rng.random(30)
    assert paired_bootstrap(first, second, seed=3) == paired_bootstrap(first, second, seed=3)
    assert paired_bootstrap(first, second, seed=3) != paired_bootstrap(first, second, seed=4)


def test_bootstrap_draws_in_lots_and_is_the_same_whatever_their_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    first, second, weights = rng.random((3, 500))
    whole = paired_bootstrap(first, second, weights, draws=1000)
    for cells in (7 * 500, 1):
        monkeypatch.setattr("ariane.metrics.CELLS", cells)
        tracemalloc.start()
        assert paired_bootstrap(first, second, weights, draws=1000) == whole
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 500_000


def test_no_pairs_have_no_interval() -> None:
    interval = paired_bootstrap([], [])
    assert all(math.isnan(value) for value in (interval.low, interval.mid, interval.high))


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["a", "b", "c", ""])), min_size=1)
)
def test_macro_f1_is_the_peers(pairs: list[tuple[str, str]]) -> None:
    meant, told = zip(*pairs, strict=True)
    peer = f1_score(meant, told, labels=sorted(set(meant)), average="macro", zero_division=0.0)
    assert macro_f1(meant, told) == pytest.approx(peer)


def test_macro_f1_of_nothing_is_not_a_number() -> None:
    assert math.isnan(macro_f1([], []))
