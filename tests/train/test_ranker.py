from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.train.planted import BEGIN, HIDE, LIKE, MINUTE, planted

from ariane.metrics import auc
from ariane.rank.model import RankerConfig, RankerModel
from ariane.store.sqlite import SqliteStore
from ariane.train.examples import Examples, load_examples
from ariane.train.packed import predict
from ariane.train.ranker import LEAST, Recipe, fit, fresh, train_ranker
from ariane.types import PREDICTED, ActionKind, ArianeError, CallError

QUICK = Recipe(passes=1, steps=4, tokens=512)
LEARNS = replace(QUICK, steps=100)
LIKES = PREDICTED.index(LIKE)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SqliteStore:
    return planted(tmp_path_factory.mktemp("ranker") / "store.db", viewers=40, posts=40, each=25)


def weights(run: Path) -> dict[str, torch.Tensor]:
    return RankerModel.load(run).state_dict()


def test_same_seed_gives_the_same_weights_and_another_seed_others(
    store: SqliteStore, tmp_path: Path
) -> None:
    before = torch.random.get_rng_state()
    runs = [
        train_ranker(store, tmp_path / name, size="nano", seed=seed, recipe=QUICK)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert torch.equal(before, torch.random.get_rng_state())
    first, again, other = map(weights, runs)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_run_says_what_it_was_trained_on(store: SqliteStore, tmp_path: Path) -> None:
    said: list[str] = []
    until, withheld = {"planted": BEGIN + 700 * MINUTE}, frozenset({"planted/p3", "planted/p1"})
    run = train_ranker(
        store,
        tmp_path / "ranker-7",
        size="nano",
        until=until,
        withhold=withheld,
        recipe=QUICK,
        progress=said.append,
    )
    model = RankerModel.load(run)
    assert (model.config.name, model.config.size) == ("ranker-7", "nano")
    assert model.config.reader == "planted@1"
    about = json.loads((run / "config.json").read_text())["training"]
    assert about["until"] == until
    assert about["withheld"] == ["planted/p1", "planted/p3"]
    assert about["reading"] is True
    assert 0 < about["exposures"] < 1000
    assert any("step 1 of " in line for line in said)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ranker-7"]


def test_run_that_exists_is_not_written_over(store: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(CallError, match="exists already"):
        train_ranker(store, tmp_path)


def test_unknown_size_is_refused(store: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(CallError, match="huge"):
        train_ranker(store, tmp_path / "run", size="huge")


def test_directory_that_cannot_be_written_is_one_sentence(
    store: SqliteStore, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArianeError, match="could not be written"):
        train_ranker(store, tmp_path / "file" / "run", size="nano", recipe=QUICK)


def test_kinds_never_done_are_predicted_at_their_rate_for_everyone(store: SqliteStore) -> None:
    examples = load_examples(store)
    model, _ = fit(examples, RankerConfig.sized("nano"), LEARNS)
    told = predict(model, examples, np.ones(len(examples), np.bool_))
    for column, kind in enumerate(PREDICTED):
        if kind in (LIKE, HIDE):
            assert told[:, column].std() > 0.05
        else:
            assert np.ptp(told[:, column]) == 0.0
            assert told[0, column] == pytest.approx(0.5 / (len(examples) + 1), rel=1e-3)


def test_names_that_the_data_never_uses_add_nothing(store: SqliteStore) -> None:
    examples = load_examples(store)
    model, _ = fit(examples, RankerConfig.sized("nano"), QUICK)
    silent = (model.names.table.weight == 0).all(dim=1)
    assert silent.float().mean() > 0.9
    used = model.names.rows_of(torch.from_numpy(np.unique(examples.candidates.names)))
    assert not silent[used[used > 0]].any()


def test_blind_run_is_the_same_whatever_the_readings_say(store: SqliteStore) -> None:
    examples = load_examples(store, reading=False)
    model, _ = fit(examples, RankerConfig.sized("nano"), QUICK)
    assert not model.vector.weight.any()


def test_seconds_of_dwell_are_learned_about_their_mean(store: SqliteStore) -> None:
    examples = load_examples(store)
    rng = np.random.default_rng(0)
    liked = examples.labels[:, LIKES]
    seconds = np.where(liked, 30.0, 3.0) * rng.gamma(5.0, 0.2, len(examples))
    seconds[::4] = np.nan
    examples = replace(examples, seconds=seconds.astype(np.float32))
    model, _ = fit(
        examples, RankerConfig.sized("nano"), replace(LEARNS, tokens=256, pairs=0.0, tables=0.03)
    )
    expected = seconds_of(model, examples)
    known = np.isfinite(seconds)
    assert expected[known & liked].mean() > 2 * expected[known & ~liked].mean()
    assert expected[known].mean() == pytest.approx(seconds[known].mean(), rel=0.25)


def seconds_of(model: RankerModel, examples: Examples) -> np.ndarray:
    from ariane.train.packed import lots_of, pack, spans

    told = np.zeros(len(examples))
    everything = np.ones(len(examples), np.bool_)
    with torch.inference_mode():
        for lot in lots_of(spans(examples, model.config.window, everything), 4096):
            batch = pack(examples, lot)
            said = model(batch.history, batch.context, batch.candidates, batch.visible)
            there = batch.rows >= 0
            told[batch.rows[there]] = said.seconds.numpy()[there]
    return told


def test_kind_with_too_few_examples_is_not_learned(store: SqliteStore) -> None:
    examples = load_examples(store)
    labels = examples.labels.copy()
    labels[: LEAST - 1, PREDICTED.index(ActionKind.SHARE)] = True
    model, _ = fit(replace(examples, labels=labels), RankerConfig.sized("nano"), QUICK)
    assert not model.action_head.weight[PREDICTED.index(ActionKind.SHARE)].any()


@pytest.mark.slow
def test_ranker_finds_planted_tastes_that_popularity_cannot(tmp_path: Path) -> None:
    store = planted(tmp_path / "store.db", viewers=150, posts=60, each=40)
    until = {"planted": BEGIN + 700 * MINUTE}
    run = train_ranker(
        store, tmp_path / "run", size="nano", until=until, recipe=Recipe(passes=6, tokens=1024)
    )
    examples = load_examples(store)
    later = (examples.at > until["planted"]) & (examples.visible >= 5)
    told = predict(RankerModel.load(run), examples, later)[:, LIKES]
    liked = examples.labels[later, LIKES]
    rate = np.array(
        [
            examples.labels[(examples.at < at) & (examples.post == post), LIKES].mean()
            for at, post in zip(examples.at[later], examples.post[later], strict=True)
        ]
    )
    assert auc(liked, told) > 0.85
    assert auc(liked, told) > auc(liked, np.nan_to_num(rate)) + 0.2


def test_a_feed_of_new_posts_is_told_from_one_whose_posts_stay(tmp_path: Path) -> None:
    stays = load_examples(planted(tmp_path / "stays.db"))
    assert fresh(stays) == 0.0
    newest = stays.at.argsort()[int(0.8 * len(stays)) :]
    posts = stays.post.copy()
    posts[newest[::2]] = np.arange(len(newest[::2])) + len(stays.posts)
    more = (*stays.posts, *(f"new{n}" for n in range(len(newest[::2]))))
    comes = replace(stays, post=posts, posts=more, sources=("planted",) * len(more))
    assert fresh(comes) == pytest.approx(0.5, abs=0.01)


@pytest.mark.slow
def test_killed_training_leaves_no_run_and_trains_again(tmp_path: Path) -> None:
    store = planted(tmp_path / "store.db", viewers=40, posts=40, each=25)
    store.close()
    code = (
        "import sys; from pathlib import Path; from ariane.store.sqlite import SqliteStore;"
        "from ariane.train.ranker import Recipe, train_ranker;"
        "home = Path(sys.argv[1]);"
        "train_ranker(SqliteStore(home / 'store.db'), home / 'models' / 'run', size='nano',"
        " recipe=Recipe(passes=1000), progress=lambda line: print(line, flush=True))"
    )
    (tmp_path / "models").mkdir()
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    for line in child.stdout:
        if "step 1 of" in line:
            break
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert not (tmp_path / "models" / "run").exists()
    store = SqliteStore(tmp_path / "store.db")
    run = train_ranker(store, tmp_path / "models" / "run", size="nano", recipe=QUICK)
    RankerModel.load(run)
