"""Towers: the same vector wherever it is computed, whole checkpoints only, and an honest search."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.retrieve.vector_store import ASK, WIDE, Rows, liked, near, unit, viewer

from ariane.retrieve.towers import (
    CONFIG,
    WEIGHTS,
    Towers,
    TowersConfig,
    TowersModel,
    author_rows,
    load_towers,
    save_towers,
    viewer_vector,
)
from ariane.types import ActionKind, ArianeError, Past

CONFIGURATION = TowersConfig(wide=WIDE, width=12, hidden=20, authors=50, history=6, heads=2)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_towers(TowersModel(CONFIGURATION), tmp_path / "run", {"seed": 0})
    return tmp_path / "run"


def test_a_checkpoint_comes_back_as_it_was_saved(checkpoint: Path) -> None:
    tower = load_towers(checkpoint)
    vectors = np.stack([unit(n) for n in range(5)])
    torch.manual_seed(0)
    model = TowersModel(CONFIGURATION)
    with torch.inference_mode():
        expected = model.post(torch.from_numpy(vectors), author_rows(["a", "b", "", "d", "e"], 50))
    found = tower(vectors, ["a", "b", "", "d", "e"])
    assert np.array_equal(found, expected.numpy())
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert (tower.wide, tower.width, len(tower.digest)) == (WIDE, 12, 32)
    assert json.loads((checkpoint / CONFIG).read_text())["trained"] == {"seed": 0}


def test_a_post_is_the_same_alone_and_in_a_batch(checkpoint: Path) -> None:
    tower = load_towers(checkpoint)
    vectors, authors = np.stack([unit(n) for n in range(9)]), [f"a{n}" for n in range(9)]
    together = tower(vectors, authors)
    for row in range(9):
        assert np.allclose(
            tower(vectors[row : row + 1], [authors[row]])[0], together[row], atol=1e-6
        )


def test_a_viewer_is_the_same_with_and_without_padding(checkpoint: Path) -> None:
    model = load_towers(checkpoint).model
    posts = torch.randn(1, 6, 12)
    kinds, held = torch.tensor([[1, 2, 3, 4, 0, 0]]), torch.tensor([[True] * 4 + [False] * 2])
    with torch.inference_mode():
        padded = model.viewer(posts, kinds, held)
        short = model.viewer(posts[:, :4], kinds[:, :4], held[:, :4])
        nothing = model.viewer(posts, kinds, torch.zeros_like(held))
    assert torch.allclose(padded, short, atol=1e-6)
    assert torch.isfinite(nothing).all()


def test_only_the_newest_actions_on_read_posts_count(checkpoint: Path) -> None:
    tower = load_towers(checkpoint)
    pasts = [liked(f"p{n}", unit(n)) for n in range(9)]
    unread = Past(pasts[0].action)
    whole, newest = viewer_vector(tower, pasts), viewer_vector(tower, [*pasts[-6:], unread])
    assert whole is not None
    assert newest is not None
    assert np.array_equal(whole, newest)
    assert viewer_vector(tower, [unread]) is None
    assert viewer_vector(tower, []) is None
    assert viewer_vector(tower, [liked("wide", unit(0, WIDE * 2))]) is None


def test_towers_find_what_fits_and_not_what_was_acted_on(checkpoint: Path, tmp_path: Path) -> None:
    """Untrained, a viewer is the mean of what they liked less what they disliked."""
    store, city, food = Rows(), unit(1), unit(2)
    for number in range(20):
        store.add(f"city{number}", near(city, number + 50), at=number)
        store.add(f"food{number}", near(food, number + 80), at=number)
    towers = Towers.open(checkpoint, tmp_path, 10)
    assert towers.vectors is not None
    assert towers.find(ASK, viewer(liked("city0", city))) == []
    assert towers.vectors.refresh(store) == 40
    who = viewer(
        *(liked(f"city{n}", near(city, n + 50)) for n in range(3)),
        liked("food0", food, ActionKind.NOT_INTERESTED),
    )
    found = towers.find(ASK, who)
    assert len(found) == 10
    assert sum(post.startswith("city") for post in found) >= 8
    assert not {"city0", "city1", "city2", "food0"} & set(found)
    assert towers.find(ASK, viewer()) == []
    assert towers.vectors.rows().vectors.shape == (40, 12)


def test_without_a_checkpoint_nothing_is_found(tmp_path: Path) -> None:
    towers = Towers.open(None, tmp_path, 10)
    assert towers.vectors is None
    assert towers.find(ASK, viewer(liked("x", unit(1)))) == []


@pytest.mark.parametrize("damage", ["no config", "no weights", "half", "json", "shape", "key"])
def test_a_checkpoint_that_is_not_whole_is_one_sentence_and_costs_only_its_source(
    checkpoint: Path, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    config = json.loads((checkpoint / CONFIG).read_text())
    if damage == "no config":
        (checkpoint / CONFIG).unlink()
    elif damage == "no weights":
        (checkpoint / WEIGHTS).unlink()
    elif damage == "half":
        (checkpoint / WEIGHTS).write_bytes((checkpoint / WEIGHTS).read_bytes()[:-9])
    elif damage == "json":
        (checkpoint / CONFIG).write_text("{")
    elif damage == "shape":
        (checkpoint / CONFIG).write_text(json.dumps({**config, "hidden": 21}))
    else:
        del config["heads"]
        (checkpoint / CONFIG).write_text(json.dumps(config))
    with pytest.raises(ArianeError, match="train") as raised:
        load_towers(checkpoint)
    assert "\n" not in str(raised.value)
    with caplog.at_level(logging.ERROR):
        assert Towers.open(checkpoint, tmp_path, 10).find(ASK, viewer(liked("x", unit(1)))) == []
    assert "retrieving without towers" in caplog.text


def test_authors_have_rows_of_their_own_and_the_unknown_has_row_0() -> None:
    rows = author_rows(["", *(f"author {n}" for n in range(500))], 50).tolist()
    assert rows[0] == 0
    assert set(rows[1:]) == set(range(1, 50))
