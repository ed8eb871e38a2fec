from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rank.world import NOW, WIDTH, ask, candidate, past, reading, viewer

from ariane.rank.batch import (
    CANDIDATE_NAMES,
    CONTEXT_NAMES,
    HISTORY_NAMES,
    CandidateTokens,
    HistoryTokens,
    candidate_tokens,
    context_tokens,
    hashes,
    history_tokens,
    octave,
)
from ariane.types import HISTORY_BLOCK, Action, ActionKind, ArianeError, Past, window_start


def named(tokens: HistoryTokens | CandidateTokens, row: int, name: str) -> tuple[int, ...]:
    names = HISTORY_NAMES if isinstance(tokens, HistoryTokens) else CANDIDATE_NAMES
    at = 2 * names.index(name)
    return tuple(tokens.names[row, at : at + 2].tolist())


def test_hashes_are_the_same_on_every_machine() -> None:
    assert hashes("topic:science") == (2026463771, 435452957)
    assert hashes("") != (0, 0)


@given(st.text())
def test_a_hash_is_never_nothing_and_fits_in_31_bits(name: str) -> None:
    assert all(1 <= value < 2**31 for value in hashes(name))


def test_shapes_are_those_of_the_docstring() -> None:
    history = history_tokens(viewer(70).history, WIDTH)
    assert history.vectors.shape == (70, WIDTH)
    assert history.names.shape == (70, 2 * len(HISTORY_NAMES)) == (70, 26)
    assert history.author.shape == history.post.shape == (70, 2)
    assert history.sign.shape == (70,)
    found = candidate_tokens([candidate(1), candidate(2)], NOW, WIDTH)
    assert found.names.shape == (2, 2 * len(CANDIDATE_NAMES)) == (2, 20)
    assert context_tokens([ask()] * 3).names.shape == (3, 2 * len(CONTEXT_NAMES)) == (3, 6)
    assert {array.dtype for array in found.arrays().values()} == {np.dtype("f4"), np.dtype("i4")}


def test_nothing_at_all_has_shapes_too() -> None:
    assert history_tokens((), WIDTH).names.shape == (0, 26)
    assert candidate_tokens([], NOW, WIDTH).vectors.shape == (0, WIDTH)


def test_an_action_is_told_by_kind_dwell_gap_age_and_post() -> None:
    tokens = history_tokens(viewer(3).history, WIDTH)
    second = past(1)
    assert named(tokens, 1, "kind") == hashes(f"kind:{second.action.kind.value}")
    assert named(tokens, 1, "dwell") == hashes("dwell:1")
    assert named(tokens, 1, "gap") == hashes(f"gap:{octave(7)}")
    age = (second.action.at - second.post.at) // 1000
    assert named(tokens, 1, "age") == hashes(f"age:{octave(age)}")
    assert named(tokens, 1, "topic") == hashes("topic:sport")
    assert named(tokens, 1, "second") == hashes("second:science")
    assert tuple(tokens.author[1]) == hashes(second.post.author)
    assert tuple(tokens.post[1]) == hashes(second.post.id)
    assert named(tokens, 0, "gap") == (0, 0)
    assert tokens.sign.tolist() == [past(index).action.kind.sign for index in range(3)]


def test_an_action_on_an_account_or_a_lost_post_is_still_a_token() -> None:
    follow = Past(Action("f", "v", ActionKind.FOLLOW, NOW, account="a3"))
    lost = Past(Action("l", "v", ActionKind.LIKE, NOW + 1000, post="gone"))
    tokens = history_tokens([follow, lost], WIDTH)
    assert tuple(tokens.author[0]) == hashes("a3")
    assert tuple(tokens.post[0]) == (0, 0)
    assert tuple(tokens.author[1]) == (0, 0)
    assert tuple(tokens.post[1]) == hashes("gone")
    assert named(tokens, 1, "age") == named(tokens, 1, "topic") == (0, 0)
    assert not tokens.vectors.any()


def test_an_unread_post_keeps_the_language_it_came_with() -> None:
    unread = replace(candidate(3), post=replace(candidate(3).post, lang="fr"))
    tokens = candidate_tokens([unread, candidate(1)], NOW, WIDTH)
    assert named(tokens, 0, "language") == hashes("language:fr")
    assert named(tokens, 0, "topic") == (0, 0)
    assert not tokens.vectors[0].any()
    assert np.array_equal(tokens.vectors[1], reading(1).vector)


def test_each_candidate_may_have_its_own_time() -> None:
    one = candidate(4)
    tokens = candidate_tokens([one, one], [one.post.at + 3_000, one.post.at - 5_000], WIDTH)
    assert named(tokens, 0, "age") == hashes("age:2")
    assert named(tokens, 1, "age") == hashes("age:0")


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), None])
def test_a_dwell_that_is_no_number_is_nothing(seconds: float | None) -> None:
    odd = replace(past(1), action=replace(past(1).action, seconds=seconds))
    assert named(history_tokens([odd], WIDTH), 0, "dwell") == (0, 0)


def test_context_is_language_surface_and_hour() -> None:
    base = context_tokens([ask()]).names[0]
    for changes, pair in (({"language": "fr"}, 0), ({"surface": "search"}, 2)):
        other = context_tokens([ask(**changes)]).names[0]
        assert (other != base).nonzero()[0].tolist() == [pair, pair + 1]
    later = context_tokens([ask(at=ask().at + 3_600_000)]).names[0]
    assert (later != base).nonzero()[0].tolist() == [4, 5]
    assert np.array_equal(context_tokens([ask(viewer="w", id="r")]).names[0], base)


def test_a_reading_of_another_width_is_refused_by_name() -> None:
    with pytest.raises(ArianeError, match=r"post 'p1' by 'test@1' has a vector of shape \(24,\)"):
        candidate_tokens([candidate(1)], NOW, WIDTH + 1)


@given(st.integers(0, 5_000), st.sampled_from([64, 128, 256]))
def test_the_window_holds_the_last_actions_and_slides_by_blocks(count: int, window: int) -> None:
    start = window_start(count, window)
    assert start % HISTORY_BLOCK == 0
    assert count - start <= window
    assert start == 0 or count - start > window - HISTORY_BLOCK


def test_a_windowed_history_is_the_end_of_the_whole() -> None:
    history = viewer(200).history
    whole = history_tokens(history, WIDTH)
    part = history_tokens(history, WIDTH, 128)
    for name, array in part.arrays().items():
        assert np.array_equal(array, whole.arrays()[name][128:]), name


@given(st.integers(0, 2**40))
def test_an_octave_holds_what_the_docstring_says(seconds: int) -> None:
    bucket = octave(seconds)
    assert 2**bucket - 1 <= seconds <= 2 ** (bucket + 1) - 2


def test_stacking_pads_at_the_end() -> None:
    parts = [history_tokens(viewer(count).history, WIDTH) for count in (3, 0, 5)]
    whole = HistoryTokens.stack(parts, 6)
    assert whole.names.shape == (3, 6, 26)
    for row, part in enumerate(parts):
        count = len(part.names)
        assert np.array_equal(whole.vectors[row, :count], part.vectors)
        assert not whole.names[row, count:].any()
    assert np.array_equal(parts[2].batch().names[0], parts[2].names)
    assert np.array_equal(parts[2].take([4, 0]).post, parts[2].post[[4, 0]])
