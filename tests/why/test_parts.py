"""Parts of a history cover it, hold together, and keep likes from dislikes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.why.small_world import vector

from ariane.why.parts import MOST, SIZE, parts


@given(st.integers(0, 80), st.integers(0, 99))
def test_every_action_is_in_one_part_and_parts_are_few(count: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    vectors = draw.standard_normal((count, 8)).astype(np.float32)
    vectors[draw.random(count) < 0.2] = 0.0
    sign = draw.choice([-1, 1], count).astype(np.int64)
    found = parts(sign, vectors)
    assert sorted(row for rows in found for row in rows) == list(range(count))
    assert len(found) <= min(MOST, -(-count // SIZE))
    assert all(found)
    assert found == parts(sign, vectors)


def test_what_reads_alike_is_together_and_dislikes_apart() -> None:
    names = ["energy"] * 6 + ["music"] * 6 + ["music"] * 3
    vectors = np.stack([vector(name) for name in names])
    sign = np.array([1] * 12 + [-1] * 3)
    found = sorted(parts(sign, vectors))
    assert found == [list(range(6)), list(range(6, 12)), [12, 13, 14]]


def test_a_few_actions_are_one_part() -> None:
    assert parts(np.array([1, -1, 1]), np.zeros((3, 4), np.float32)) == [[0, 1, 2]]
