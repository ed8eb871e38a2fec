from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from tests.guard.things import checked, label, many, viewers

from ariane.guard import guard
from ariane.guard.rules import BEFORE
from ariane.types import Candidate, Decision, Viewer, Wish


@given(viewers, many())
def test_the_viewers_rules_hold_for_any_viewer(viewer: Viewer, found: list[Candidate]) -> None:
    kept, removed = guard(BEFORE, viewer, found)
    for candidate in kept:
        post, values = candidate.post, {one.value for one in candidate.labels}
        assert post.id not in viewer.seen
        assert post.repost_of not in viewer.seen
        assert post.author != viewer.id
        assert post.author not in viewer.mutes | viewer.blocks
        assert "hides-from-algorithms" not in values or post.author in viewer.follows
        assert "!no-unauthenticated" not in values or viewer.id is not None
    for gone in removed:
        assert gone.verdict.decision is Decision.DROP
        assert gone.verdict.statement == {}


def test_a_post_and_its_reposts_are_seen_together() -> None:
    """A store that showed the repost r of o holds both as seen."""
    viewer = Viewer("me", seen=frozenset({"r", "o"}))
    found = [checked("o"), checked("r", repost_of="o"), checked("s", repost_of="o")]
    assert guard(BEFORE, viewer, found)[0] == []


def test_each_rule_says_its_name() -> None:
    viewer = Viewer("me", seen=frozenset({"s"}), mutes=frozenset({"m"}), blocks=frozenset({"b"}))
    found = [
        checked("s"),
        checked("again", repost_of="s"),
        checked("mine", "me"),
        checked("1", "m"),
        checked("2", "b"),
        checked("3", "shy", label("shy", "hides-from-algorithms")),
        checked("4"),
    ]
    kept, removed = guard(BEFORE, viewer, found)
    assert [one.post.id for one in kept] == ["4"]
    assert [one.verdict.policy for one in removed] == [
        "seen@1",
        "seen@1",
        "own@1",
        "muted@1",
        "blocked@1",
        "hides-from-algorithms@1",
    ]


def test_who_hides_from_algorithms_reaches_followers() -> None:
    shy = checked("p", "shy", label("shy", "hides-from-algorithms"))
    assert guard(BEFORE, Viewer("me", follows=frozenset({"shy"})), [shy]) == ([shy], [])


def test_an_anonymous_reader_owns_nothing_and_sees_no_members_only_post() -> None:
    anonymous = Viewer(None)
    only = checked("p", "ann", label("ann", "!no-unauthenticated"))
    assert guard(BEFORE, anonymous, [checked("q")])[1] == []
    assert guard(BEFORE, anonymous, [only])[1][0].verdict.policy == "members-only@1"
    assert guard(BEFORE, Viewer("me"), [only])[1] == []


@pytest.mark.parametrize(
    ("direction", "strength", "kept"),
    [(-1, 1.0, ["q"]), (-1, 0.99, ["p", "q"]), (1, 1.0, ["p", "q"])],
)
def test_what_a_viewer_wants_none_of_is_dropped(
    direction: Literal[-1, 1], strength: float, kept: list[str]
) -> None:
    viewer = Viewer("me", wishes=(Wish("w", "author:ann", direction, strength),))
    passed, removed = guard(BEFORE, viewer, [checked("p"), checked("q", "ben")])
    assert [one.post.id for one in passed] == kept
    assert {one.verdict.policy for one in removed} <= {"unwished@1"}
