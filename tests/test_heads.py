"""Heads: fitted in closed form, calibrated out of fold, and the same after a round trip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ariane.heads import FOLDS, fit, load, save
from ariane.types import ArianeError, Vector


def clusters(classes: int, each: int, noise: float, seed: int = 0) -> tuple[Vector, list[str]]:
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((classes, 16))
    points = np.concatenate([c + noise * rng.standard_normal((each, 16)) for c in centres])
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points.astype(np.float32), [f"c{k}" for k in range(classes) for _ in range(each)]


def test_separate_classes_are_told_apart() -> None:
    vectors, names = clusters(4, 30, noise=0.2)
    head = fit(vectors, names, ["en"] * len(names))
    best = head.probabilities(vectors).argmax(axis=1)
    assert [head.classes[k] for k in best] == names
    assert (head.probabilities(vectors).max(axis=1) >= head.sure).all()


def test_probabilities_are_calibrated_on_examples_that_were_not_seen() -> None:
    vectors, names = clusters(3, 400, noise=2.0)
    half = np.arange(len(names)) % 2 == 0
    head = fit(vectors[half], list(np.array(names)[half]), ["en"] * int(half.sum()))
    probabilities = head.probabilities(vectors[~half])
    truth = [head.classes.index(name) for name in np.array(names)[~half]]
    right = probabilities.argmax(axis=1) == truth
    assert 0.45 < right.mean() < 0.95  # hard enough to be over-sure of
    assert abs(probabilities.max(axis=1).mean() - right.mean()) < 0.06


def test_where_nothing_can_be_told_no_answer_is_sure() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((200, 16)).astype(np.float32)
    head = fit(vectors, ["a", "b"] * 100, ["en"] * 200, precision=0.99)
    assert head.sure > head.probabilities(vectors).max(axis=1).mean()


def test_the_same_examples_give_the_same_head() -> None:
    vectors, names = clusters(3, 20, noise=1.0)
    first, second = (fit(vectors, names, ["en", "fr"] * 30) for _ in range(2))
    assert np.array_equal(first.weights, second.weights)
    assert first.sure == second.sure


def test_translations_are_held_out_together() -> None:
    """Copies in another stratum would otherwise sit in the other folds and flatter the head."""
    rng = np.random.default_rng(0)
    one = rng.standard_normal((104, 512)).astype(np.float32)
    names = ["a"] * 52 + ["b"] * 52
    twice, labels = np.concatenate([one, one]), names + names
    apart = fit(twice, labels, ["en"] * 208)
    together = fit(twice, labels, ["en"] * 104 + ["fr"] * 104)
    assert np.abs(together.weights).max() < np.abs(apart.weights).max()


@given(st.integers(0, FOLDS - 1), st.integers(1, 2))
def test_too_few_examples_are_refused(each: int, classes: int) -> None:
    vectors = np.ones((each * classes, 4), dtype=np.float32)
    names = [f"c{k}" for k in range(classes) for _ in range(each)]
    with pytest.raises(ArianeError, match="add prototypes"):
        fit(vectors, names, ["en"] * len(names))


def test_a_file_gives_back_what_was_saved(tmp_path: Path) -> None:
    vectors, names = clusters(3, 20, noise=1.0)
    head = fit(vectors, names, ["en"] * 60)
    save(tmp_path / "heads.safetensors", {"topic": head}, {"encoder": "e@1"})
    heads, about = load(tmp_path / "heads.safetensors")
    assert about == {"encoder": "e@1"}
    kept = heads["topic"]
    assert (kept.classes, kept.sure) == (head.classes, head.sure)
    assert np.array_equal(kept.probabilities(vectors), head.probabilities(vectors))


def test_a_damaged_or_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "heads.safetensors"
    with pytest.raises(ArianeError, match=r"heads\.safetensors"):
        load(path)
    path.write_bytes(b"not at all")
    with pytest.raises(ArianeError, match=r"ariane\.train\.reader"):
        load(path)
