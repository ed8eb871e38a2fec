"""Wishes move what they are about, by as much as they are strong, as long as they last."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ariane.steer import wish_term
from ariane.types import Ask, Candidate, FeedSpec, Post, Reading, Viewer, Wish

READING = Reading(
    "p",
    1,
    np.ones(4, np.float32) / 2,
    (("science", 0.7), ("city", 0.25), ("food", 0.1)),
    "funny",
    "inform",
    "news",
    "fr",
    "test",
)
POST = Post("p", "Ann", "Le café crypto-libre, c++ 気候変動について", 0, lang="en")
CANDIDATE = Candidate(POST, READING)
ASK = Ask("r", "v", 1000)


def amount(
    target: str,
    direction: Literal[-1, 1] = 1,
    strength: float = 0.5,
    until: int | None = None,
    candidate: Candidate = CANDIDATE,
) -> float:
    wish = Wish("w", target, direction, strength, until)
    term = wish_term(ASK, Viewer("v", wishes=(wish,)), candidate)
    return term.amount if term else 0.0


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("topic:science", 0.7),
        ("topic:Science", 0.7),
        ("topic:city", 0.25),
        ("topic:food", 0.0),
        ("topic:music", 0.0),
        ("tone:funny", 1.0),
        ("tone:sad", 0.0),
        ("intent:inform", 1.0),
        ("intent:ask", 0.0),
        ("format:news", 1.0),
        ("format:list", 0.0),
        ("language:fr", 1.0),
        ("language:en", 0.0),
        ("author:Ann", 1.0),
        ("author:ann", 0.0),
        ("word:café", 1.0),
        ("word:CAFÉ", 1.0),
        ("word:caf", 0.0),
        ("word:c++", 1.0),
        ("word:crypto", 1.0),
        ("word:le  café", 1.0),
        ("word:変動", 1.0),
        ("word:libre c", 0.0),
        ("colour:red", 0.0),
        ("word:", 0.0),
        ("nonsense", 0.0),
    ],
)
def test_a_wish_moves_what_it_is_about(target: str, expected: float) -> None:
    assert amount(target) == pytest.approx(expected)
    assert amount(target, -1) == pytest.approx(-expected)


@given(st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_a_stronger_wish_moves_more(one: float, other: float) -> None:
    weak, strong = sorted((one, other))
    assert amount("tone:funny", 1, weak) <= amount("tone:funny", 1, strong)
    assert amount("tone:funny", -1, weak) >= amount("tone:funny", -1, strong)


def test_none_of_it_at_all_is_beyond_every_forecast() -> None:
    assert amount("tone:funny", -1, 1.0) == -1000.0
    assert amount("topic:city", -1, 1.0) == -250.0


def test_a_wish_ends() -> None:
    assert amount("tone:funny", until=1001) == 1.0
    assert amount("tone:funny", until=1000) == 0.0


def test_wishes_of_viewer_and_feed_add_up() -> None:
    mine, theirs = Wish("w", "tone:funny", 1), Wish("f", "language:fr", -1, 0.75)
    asked = replace(ASK, feed=FeedSpec("french", wishes=(theirs,)))
    term = wish_term(asked, Viewer("v", wishes=(mine,)), CANDIDATE)
    assert term is not None
    assert (term.name, term.amount) == ("wish", 1.0 - 3.0)
    assert wish_term(asked, Viewer(None), CANDIDATE) is not None
    assert wish_term(ASK, Viewer("v"), CANDIDATE) is None


def test_a_post_that_was_not_read_matches_what_it_states() -> None:
    bare = Candidate(POST)
    assert amount("language:en", candidate=bare) == 1.0
    assert amount("word:café", candidate=bare) == 1.0
    for kind in ("topic:science", "tone:funny", "intent:inform", "format:news"):
        assert amount(kind, candidate=bare) == 0.0
