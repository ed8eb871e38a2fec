"""The retriever learns who likes what, the same for the same seed, and measures itself honestly."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ariane.retrieve.towers import load_towers
from ariane.store.sqlite import SqliteStore
from ariane.train import retriever
from ariane.train.retriever import FOUND, train_retriever
from ariane.types import Action, ActionKind, ArianeError, Post, Reading

WIDE = 16


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SqliteStore:
    """Sixty viewers like one of two kinds of post; which kind shows in one number of a vector."""
    draw = np.random.default_rng(0)
    store = SqliteStore(tmp_path_factory.mktemp("store") / "ariane.db")
    posts = [Post(f"p{n}", f"a{n % 40}", f"text {n}", 0) for n in range(400)]
    vectors = draw.standard_normal((400, WIDE)).astype(np.float32)
    vectors[:, 0] = np.where(np.arange(400) % 2, 0.5, -0.5)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    store.write(posts)
    store.write_readings(
        [
            Reading(post.id, 1, vector, (), "", "", "", "en", "test@1")
            for post, vector in zip(posts[:390], vectors, strict=False)
        ],
        [],
    )
    actions = []
    for turn in range(60 * 40):
        who, post = int(draw.integers(60)), int(draw.integers(400))
        kind = ActionKind.LIKE if post % 2 == who % 2 else ActionKind.NOT_INTERESTED
        actions.append(Action(f"x{turn}", f"v{who}", kind, 1000 + turn, post=f"p{post}"))
    follows = [Action("f", "v1", ActionKind.FOLLOW, 5, account="a1")]
    store.write([*actions, *follows])
    return store


def test_what_is_learned_finds_more_than_the_baselines(store: SqliteStore, tmp_path: Path) -> None:
    said: list[str] = []
    out = train_retriever(store, tmp_path / "run", progress=said.append)
    kept = json.loads((out / "config.json").read_text())["trained"]
    recall = kept[f"recall@{FOUND}"]
    assert recall["towers"] > recall["random"] + 0.1
    assert recall["towers"] > recall["popular"] + 0.1
    assert recall["towers"] > recall["nearest"]
    assert recall["random"] == pytest.approx(100 / 390, abs=0.05)
    assert any("recall@100" in line for line in said)
    assert load_towers(out).wide == WIDE


def test_every_place_of_a_history_that_is_served_is_trained(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The longest histories here hold more than 40 actions, a served one up to 64."""
    monkeypatch.setattr(retriever, "STEPS", 3)
    model = load_towers(train_retriever(store, tmp_path / "run")).model
    assert model.config.history == 64
    assert (model.recency[:, :40] != 0).all()


def test_the_same_seed_gives_the_same_weights(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retriever, "STEPS", 3)
    one = load_towers(train_retriever(store, tmp_path / "one", seed=1)).digest
    same = load_towers(train_retriever(store, tmp_path / "same", seed=1)).digest
    other = load_towers(train_retriever(store, tmp_path / "other", seed=2)).digest
    assert one == same != other


def test_later_actions_are_not_looked_at(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retriever, "STEPS", 1)
    out = train_retriever(store, tmp_path / "run", until=1000 + 1199)
    assert 1100 < json.loads((out / "config.json").read_text())["trained"]["actions"] <= 1200


def test_a_run_again_replaces_the_one_before(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retriever, "STEPS", 1)
    train_retriever(store, tmp_path / "run", seed=1)
    first = load_towers(tmp_path / "run").digest
    train_retriever(store, tmp_path / "run", seed=2)
    assert load_towers(tmp_path / "run").digest != first
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "config.json",
        "model.safetensors",
    ]


@pytest.mark.parametrize("actions", [0, 20])
def test_too_little_to_learn_from_is_said(tmp_path: Path, actions: int) -> None:
    store = SqliteStore(tmp_path / "ariane.db")
    store.write([Post("p", "a", "text", 0)])
    store.write([Action(f"x{n}", "v", ActionKind.LIKE, n, post="p") for n in range(actions)])
    with pytest.raises(ArianeError, match="The store holds 0 positive actions"):
        train_retriever(store, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_viewers_who_disliked_nothing_are_trained_on_too(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "ariane.db")
    store.write([Post(f"p{n}", "a", f"text {n}", 0) for n in range(30)])
    draw = np.random.default_rng(0)
    vectors = draw.standard_normal((30, WIDE)).astype(np.float32)
    store.write_readings(
        [Reading(f"p{n}", 1, vectors[n], (), "", "", "", None, "t") for n in range(30)], []
    )
    likes = [
        Action(f"x{n}", f"v{n % 5}", ActionKind.LIKE, n, post=f"p{n % 30}") for n in range(120)
    ]
    store.write(likes)
    assert load_towers(train_retriever(store, tmp_path / "run")).width == 64
