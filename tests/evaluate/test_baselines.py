"""Baselines know what they may know: nothing later, and frozen ones nothing after the cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from tests.train.planted import BEGIN, HIDE, LIKE, MINUTE, planted

from ariane.evaluate.baselines import OWN_PRIOR, PRIOR, SHRINKAGE, baselines
from ariane.metrics import auc
from ariane.train.examples import Bools, Examples, load_examples
from ariane.types import PREDICTED, ActionKind

LIKES = PREDICTED.index(LIKE)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    path = tmp_path_factory.mktemp("baselines") / "store.db"
    store = planted(path, viewers=50, posts=25, each=18)
    planted(path, viewers=20, posts=25, each=18, source="other", seed=4)
    return load_examples(store)


@pytest.fixture(scope="module")
def train(examples: Examples) -> Bools:
    return examples.at <= BEGIN + 600 * MINUTE


def source(examples: Examples) -> np.ndarray:
    return np.array(examples.sources)[examples.post]


def test_popularity_is_the_smoothed_rate_so_far(examples: Examples, train: Bools) -> None:
    found = baselines(examples, train, LIKE).popularity
    order = np.lexsort((np.arange(len(examples)), examples.at))
    liked, group = examples.labels[:, LIKES], source(examples)
    for row in order[::97].tolist():
        before = order[: int(np.flatnonzero(order == row)[0])]
        near = before[group[before] == group[row]]
        base = (liked[near].sum() + 1) / (len(near) + 2)
        shown = near[examples.post[near] == examples.post[row]]
        rate = (liked[shown].sum() + PRIOR * base) / (len(shown) + PRIOR)
        assert found[row] == pytest.approx(rate)


def slow_knn(examples: Examples, row: int, known: np.ndarray) -> float:
    """The definition: votes on other posts, weighted by how alike the posts were voted on."""
    liked = examples.labels[:, LIKES]
    vote = np.where(liked, 1.0, np.where(examples.labels[:, PREDICTED.index(HIDE)], -1.0, 0.0))
    table: dict[tuple[int, int], float] = {}
    for other in known.tolist():
        if vote[other]:
            table[int(examples.viewer[other]), int(examples.post[other])] = vote[other]
    above, below = 0.0, 0.5
    mine = (examples.viewer == examples.viewer[row]) & (examples.visible < examples.visible[row])
    for past in np.flatnonzero(mine & (vote != 0)).tolist():
        agreed, common = 0.0, 0
        for (viewer, post), cast in table.items():
            if post == examples.post[row] and (viewer, int(examples.post[past])) in table:
                agreed += cast * table[viewer, int(examples.post[past])]
                common += 1
        near = agreed / (common + SHRINKAGE)
        above += near * vote[past]
        below += abs(near)
    return above / below


def test_knn_is_its_definition_live_and_frozen(examples: Examples, train: Bools) -> None:
    found = baselines(examples, train, LIKE)
    order = np.lexsort((np.arange(len(examples)), examples.at))
    later = order[~train[order]]
    for row in later[::60].tolist():
        before = order[: int(np.flatnonzero(order == row)[0])]
        assert found.knn_live[row] == pytest.approx(slow_knn(examples, row, before), abs=1e-9)
        frozen = np.flatnonzero(train)
        assert found.knn[row] == pytest.approx(slow_knn(examples, row, frozen), abs=1e-9)


def test_what_comes_later_changes_nothing(examples: Examples, train: Bools) -> None:
    middle = int(np.median(examples.at))
    labels = examples.labels.copy()
    labels[examples.at > middle] = ~labels[examples.at > middle]
    first = baselines(examples, train, LIKE).scores()
    other = baselines(replace(examples, labels=labels), train, LIKE).scores()
    early = examples.at <= middle
    for name in ("popularity", "knn_live", "recency", "random"):
        assert np.array_equal(first[name][early], other[name][early]), name


def test_frozen_weights_know_nothing_after_the_cut(examples: Examples, train: Bools) -> None:
    labels = examples.labels.copy()
    last = examples.at > np.quantile(examples.at, 0.97)
    assert not (last & train).any()
    viewers = np.isin(examples.viewer, examples.viewer[last])
    labels[last] = ~labels[last]
    first = baselines(examples, train, LIKE)
    other = baselines(replace(examples, labels=labels), train, LIKE)
    apart = ~viewers
    assert apart.any()
    assert np.array_equal(first.knn[apart], other.knn[apart])


def test_logistic_is_the_peers(examples: Examples, train: Bools) -> None:
    found = baselines(examples, train, LIKE)
    liked = examples.labels[:, LIKES]
    own = np.zeros(len(examples))
    order = np.lexsort((np.arange(len(examples)), examples.at))
    group = source(examples)
    for row in order.tolist():
        before = order[: int(np.flatnonzero(order == row)[0])]
        near = before[group[before] == group[row]]
        base = (liked[near].sum() + 1) / (len(near) + 2)
        mine = near[examples.viewer[near] == examples.viewer[row]]
        own[row] = (liked[mine].sum() + OWN_PRIOR * base) / (len(mine) + OWN_PRIOR)
    features = np.stack(
        [
            np.log(found.popularity / (1 - found.popularity)),
            found.knn_live,
            np.log(own / (1 - own)),
        ],
        axis=1,
    )
    scaled = (features - features[train].mean(0)) / features[train].std(0)
    peer = LogisticRegression(tol=1e-8).fit(scaled[train], liked[train])
    assert np.allclose(peer.predict_proba(scaled)[:, 1], found.logistic_live, atol=1e-4)


def test_knn_finds_planted_camps_and_popularity_does_not(examples: Examples, train: Bools) -> None:
    found = baselines(examples, train, LIKE)
    later = ~train & (examples.visible >= 6)
    liked = examples.labels[later, LIKES]
    assert auc(liked, found.knn_live[later]) > 0.75
    assert auc(liked, found.logistic[later]) > 0.7
    assert auc(liked, found.popularity[later]) < 0.65


def test_kind_never_done_gives_finite_scores(examples: Examples, train: Bools) -> None:
    for score in baselines(examples, train, ActionKind.SHARE).scores().values():
        assert np.isfinite(score).all()


def test_posts_beyond_the_neighbours_have_no_similarity(
    examples: Examples, train: Bools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ariane.evaluate.baselines.NEIGHBOURS", 5)
    found = baselines(examples, train, LIKE)
    assert len(np.unique(examples.post[found.knn_live != 0])) == 2 * 5
