"""Importances: what truly decides has the largest, and what says nothing has none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.train.planted import BEGIN, HIDE, LIKE, MINUTE, action, planted, post, reading

from ariane.evaluate.importance import GROUPS, deprived, drawn, importances
from ariane.rank.model import RankerConfig, RankerModel
from ariane.store.sqlite import SqliteStore
from ariane.train.examples import Examples, load_examples
from ariane.train.ranker import Recipe, fit
from ariane.types import PREDICTED

HEAD = PREDICTED.index(LIKE)
RECIPE = Recipe(passes=1, steps=80, tokens=1024)


def learned(examples: Examples) -> RankerModel:
    model, _ = fit(examples, RankerConfig.sized("nano"), RECIPE)
    return model


def everywhere(examples: Examples) -> np.ndarray:
    return np.ones(len(examples), np.bool_)


@pytest.fixture(scope="module")
def camps(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    """What is liked follows from the viewer's camp, which the history tells, and the topic."""
    store = planted(tmp_path_factory.mktemp("camps") / "store.db", viewers=80, posts=60, each=40)
    return load_examples(store)


def by_author(path: Path) -> SqliteStore:
    """Everyone likes four authors of eight, nothing else decides, and no post is shown twice."""
    rng = np.random.default_rng(0)
    store = SqliteStore(path)
    made = [
        replace(post(index, at=BEGIN - MINUTE * index), author=f"a{rng.integers(0, 8)}")
        for index in range(1600)
    ]
    acts = [
        action(i, f"v{i % 40}", LIKE if one.author < "a4" else HIDE, BEGIN + i, post=one.id)
        for i, one in enumerate(made)
    ]
    store.write([*made, *acts])
    store.write_readings([reading(one, int(rng.integers(0, 4)), rng) for one in made], [])
    return store


@pytest.mark.slow
def test_history_and_reading_which_together_decide_matter_most(camps: Examples) -> None:
    told = importances(learned(camps), camps, everywhere(camps), HEAD, draws=200)
    loss = told["loss"]
    assert tuple(loss) == GROUPS
    others = max(loss[group][2] for group in set(GROUPS) - {"history", "reading", "vectors"})
    assert min(loss["history"][0], loss["reading"][0]) > max(0.2, others)
    for silent in ("ages", "context"):
        assert abs(loss[silent][1]) < 0.05
    assert told["auc"] > 0.8
    assert json.loads(json.dumps(told)) == told


@pytest.mark.slow
def test_an_author_who_alone_decides_matters_most(tmp_path: Path) -> None:
    store = by_author(tmp_path / "store.db")
    model = learned(load_examples(store, until=BEGIN + 1199))
    examples = load_examples(store)
    told = importances(model, examples, examples.at > BEGIN + 1199, HEAD, draws=200)
    loss = told["loss"]
    assert max(loss, key=lambda group: loss[group][1]) == "authors"
    assert loss["authors"][0] > 0.2
    assert told["exposures"] == 400
    for silent in set(GROUPS) - {"authors"}:
        assert abs(loss[silent][1]) < 0.1


def test_a_sample_is_of_whole_viewers_and_bounded(camps: Examples) -> None:
    some = drawn(camps, everywhere(camps), 1000, seed=0)
    taken = np.bincount(camps.viewer[some], minlength=len(camps.viewers))
    whole = np.bincount(camps.viewer, minlength=len(camps.viewers))
    assert set(np.unique(taken)) == {0, 40}
    assert (whole[taken > 0] == taken[taken > 0]).all()
    assert taken.sum() == 1000
    assert not np.array_equal(some, drawn(camps, everywhere(camps), 1000, seed=1))
    assert drawn(camps, everywhere(camps), 10**9, seed=0).all()


@pytest.mark.parametrize("group", GROUPS)
def test_one_group_loses_its_say_and_no_other_changes(camps: Examples, group: str) -> None:
    some = np.arange(len(camps)) % 2 == 0
    without = deprived(camps, group, some, seed=0)
    parts = {
        "history": [(camps.visible, without.visible)],
        "vectors": [(camps.post, without.post)],
        "aspects": [(camps.candidates.names[:, 2:], without.candidates.names[:, 2:])],
        "authors": [(camps.candidates.author, without.candidates.author)],
        "posts": [(camps.candidates.post, without.candidates.post)],
        "ages": [(camps.candidates.names[:, :2], without.candidates.names[:, :2])],
        "context": [(camps.context.names, without.context.names)],
    }
    parts["reading"] = [*parts["vectors"], *parts["aspects"]]
    changed = {id(pair[0]) for pair in parts[group]}
    for before, after in (pair for name in GROUPS if name != "reading" for pair in parts[name]):
        same = np.array_equal(before, after)
        assert same is (id(before) not in changed)
        assert np.array_equal(before[~some], after[~some])
        if group != "history":
            assert np.array_equal(np.sort(before, axis=0), np.sort(after, axis=0))


def test_without_anyone_to_tell_it_from_nothing_is_told(camps: Examples) -> None:
    model = RankerModel(replace(RankerConfig.sized("nano"), width=camps.vectors.shape[1]))
    told = importances(model, camps, ~everywhere(camps), HEAD)
    assert told == {"exposures": 0, "viewers": 0, "auc": None, "loss": dict.fromkeys(GROUPS)}
