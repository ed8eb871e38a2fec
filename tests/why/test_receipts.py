"""Reasons are exact, replay, stay within a budget, and say where they are not personal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.why.small_world import ASK, LIKE, World, candidate, history, past, town, vector

from ariane.compose import Mix
from ariane.types import (
    FOLLOWING,
    Action,
    ActionKind,
    Moved,
    Page,
    Past,
    Reason,
    Viewer,
    Wish,
)
from ariane.why import WhySettings, replay_claims, why
from ariane.why.counterfactual import Runs, places, without

worlds = st.builds(
    lambda count, actions, seed: (
        World(town(count, seed)),
        Viewer("viewer", history(actions, seed)),
    ),
    st.integers(1, 40),
    st.integers(0, 25),
    st.integers(0, 50),
)


@settings(max_examples=30)
@given(worlds)
def test_every_claim_replays_exactly(made: tuple[World, Viewer]) -> None:
    world, viewer = made
    feed = world.feed(viewer)
    found = replay_claims(world.arrange, feed)
    assert found.same_page
    assert found.failures == ()
    assert found.held == found.claims == sum(r.rank_without is not None for r in feed.reasons)


@settings(max_examples=30)
@given(worlds)
def test_every_item_has_one_reason_in_order_and_every_claim_a_drop(
    made: tuple[World, Viewer],
) -> None:
    world, viewer = made
    feed = world.feed(viewer)
    assert [r.post for r in feed.reasons] == [i.candidate.post.id for i in feed.page.items]
    assert [r.rank for r in feed.reasons] == list(range(1, len(feed.page.items) + 1))
    held = {past.action.id for past in viewer.history}
    for reason in feed.reasons:
        assert set(reason.evidence) <= held
        if reason.rank_without is not None:
            assert reason.rank_without > reason.rank
            assert reason.evidence


@settings(max_examples=20)
@given(worlds)
def test_claims_that_are_not_personal_stand_without_the_history(
    made: tuple[World, Viewer],
) -> None:
    world, viewer = made
    feed = world.feed(viewer)
    bare = places(world.arrange(replace(viewer, history=())))
    for reason in feed.reasons:
        if reason.cause == "everyone:":
            assert bare.of(reason.post) <= reason.rank


def test_what_was_liked_on_a_topic_is_why_its_posts_are_first() -> None:
    energy = [candidate(f"p{n}", "energy", "funny", "ann") for n in range(3)]
    others = [candidate(f"p{n + 10}", "food", "warm", "ben") for n in range(30)]
    liked = tuple(past(f"a{n}", candidate(f"p{n + 90}", "energy", "angry", "cy")) for n in range(3))
    world = World((*energy, *others), mix=Mix(variety=0.0, exploration=0.0, run=0))
    feed = world.feed(Viewer("viewer", liked))
    first = feed.reasons[0]
    assert first.post in {one.post.id for one in energy}
    assert set(first.evidence) == {"a0", "a1", "a2"}
    assert first.rank_without is not None
    assert first.rank_without > 3
    assert first.cause == "topic:energy"


@pytest.mark.parametrize("runs", [0, 1, 2, 5, 12])
def test_no_more_pages_are_arranged_than_the_budget(runs: int) -> None:
    world = World()
    viewer = Viewer("viewer", history(20))
    page = world.arrange(viewer)
    world.calls = 0
    reasons = why(world.arrange, viewer, page, WhySettings(runs=runs))
    assert world.calls <= max(1, runs)
    assert len(reasons) == len(page.items)
    bare = places(world.arrange(replace(viewer, history=())))
    for reason in reasons:
        if reason.cause == "everyone:":
            assert bare.of(reason.post) <= reason.rank


def test_without_history_and_wishes_nothing_is_run() -> None:
    world = World()
    viewer = Viewer(None)
    page = world.arrange(viewer)
    world.calls = 0
    assert {r.rank_without for r in why(world.arrange, viewer, page)} == {None}
    assert world.calls == 0


def test_a_wish_is_why_what_it_lifts_stands_there() -> None:
    wish = Wish("w", "topic:food", 1, 0.9, said="more food")
    world = World()
    feed = world.feed(Viewer("viewer", wishes=(wish,)))
    lifted = [r for r in feed.reasons if r.cause == "wish:topic:food"]
    assert lifted
    assert {r.evidence for r in lifted} == {("w",)}
    assert replay_claims(world.arrange, feed).failures == ()


def test_a_whole_history_is_named_where_no_part_of_it_is_the_cause() -> None:
    """Ten likes of different kinds, each of which alone would hold the post where it is."""
    target = candidate("p0", "energy", "funny", "ann")
    near = [
        replace(target, post=replace(target.post, id=f"p{n}", author=f"by {n}"))
        for n in range(1, 11)
    ]
    liked = []
    for n, one in enumerate(near):
        reading = replace(
            target.reading,
            vector=vector(f"reading {n}"),
            topics=((f"kind {n}", 0.9),),
            tone=f"tone {n}",
            format=f"format {n}",
        )
        liked.append(past(f"a{n}", replace(one, reading=reading)))
    others = [candidate(f"p{n + 50}", "food", "warm", f"b{n}") for n in range(20)]
    world = World((target, *others), mix=Mix(variety=0.0, exploration=0.0))

    def arrange(viewer: Viewer) -> Page:
        """First as long as a single action is left."""
        page = world.arrange(viewer)
        other = [i for i in page.ranked if i.candidate.post.id != "p0"]
        mine = [i for i in page.ranked if i.candidate.post.id == "p0"]
        ranked = tuple(mine + other if viewer.history else other + mine)
        return replace(page, ranked=ranked, items=ranked[:8])

    viewer = Viewer("viewer", tuple(liked))
    reasons = why(arrange, viewer, arrange(viewer))
    assert reasons[0].cause == "history:"
    assert len(reasons[0].evidence) == 10
    assert reasons[0].rank_without == 21


def test_posts_of_the_followed_the_fresh_and_the_explored_say_so() -> None:
    followed, fresh, other, both = town(4)
    followed = replace(followed, sources=("following",))
    fresh = replace(fresh, sources=("fresh",))
    both = replace(both, sources=("following", "nearest"))
    world = World((followed, fresh, other, both))
    viewer = Viewer("viewer", follows=frozenset({followed.post.author, both.post.author}))
    page = world.arrange(viewer)
    reasons = {r.post: r for r in why(world.arrange, viewer, page)}
    assert reasons[followed.post.id].cause == f"follow:{followed.post.author}"
    assert reasons[followed.post.id].stage == "retrieve"
    assert reasons[fresh.post.id].cause == "fresh:"
    assert reasons[other.post.id].cause == "everyone:"
    assert reasons[both.post.id].cause == "everyone:"
    moved = replace(page, terms=(Moved(other.post.id, "exploration", 9),))
    explored = {r.post: r for r in why(world.arrange, viewer, moved)}[other.post.id]
    assert (explored.stage, explored.cause) == ("compose", "exploration:")


def test_the_following_feed_by_time_is_not_explained_by_likes() -> None:
    world = World(ask=replace(ASK, feed=FOLLOWING))
    feed = world.feed(Viewer("viewer", history(15)))
    assert {r.cause for r in feed.reasons} == {"everyone:"}


def test_following_an_author_is_a_cause_where_it_moves_a_post() -> None:
    posts = town(30)
    author = posts[0].post.author
    follow = Past(Action("f", "viewer", ActionKind.FOLLOW, 0, account=author))
    world = World(posts)

    def arrange(viewer: Viewer) -> Page:
        page = world.arrange(viewer)
        mine = [i for i in page.ranked if i.candidate.post.author == author]
        other = [i for i in page.ranked if i.candidate.post.author != author]
        ranked = tuple(mine + other if viewer.history else other + mine)
        return replace(page, ranked=ranked, items=ranked[:8], terms=())

    viewer = Viewer("viewer", (follow,))
    reasons = why(arrange, viewer, arrange(viewer))
    assert reasons[0].cause == f"follow:{author}"
    assert reasons[0].evidence == ("f",)
    assert reasons[0].rank_without is not None


def test_what_was_turned_away_from_can_be_the_cause() -> None:
    bad = candidate("p1", "food", "warm", "ben")
    good = candidate("p2", "city", "funny", "ann")
    dislikes = tuple(past(f"a{n}", bad, ActionKind.NOT_INTERESTED) for n in range(3))
    filler = [candidate(f"p{n + 3}", "food", "warm", "ben") for n in range(10)]
    world = World((bad, good, *filler), mix=Mix(variety=0.0, exploration=0.0, run=0))
    feed = world.feed(Viewer("viewer", dislikes))
    reason = next(r for r in feed.reasons if r.post == "p2")
    assert reason.rank == 1
    assert reason.cause in ("action:not_interested", "everyone:")
    assert all(r.cause.startswith(("action:not_interested", "everyone:")) for r in feed.reasons)


def test_a_replay_names_what_does_not_hold() -> None:
    world = World()
    feed = world.feed(Viewer("viewer", history(15)))
    claim = next(r for r in feed.reasons if r.rank_without is not None)
    wrong = replace(claim, rank_without=(claim.rank_without or 0) + 1)
    found = replay_claims(world.arrange, replace(feed, reasons=(wrong,)))
    assert (found.same_page, found.claims, found.held) == (True, 1, 0)
    assert claim.post in found.failures[0]
    assert str(wrong.rank_without) in found.failures[0]


def test_a_replay_sees_another_order_and_another_last_bit() -> None:
    world = World()
    feed = world.feed(Viewer("viewer", history(15)))
    turned = replace(feed, page=replace(feed.page, items=feed.page.items[::-1]))
    assert not replay_claims(world.arrange, turned).same_page
    first = feed.page.items[0]
    bit = replace(first, score=first.score * (1 + 2**-52))
    near = replace(feed, page=replace(feed.page, items=(bit, *feed.page.items[1:])))
    assert not replay_claims(world.arrange, near).same_page


def test_places_count_the_page_first_and_then_the_rest() -> None:
    world = World(town(20), mix=Mix(variety=1.0))
    page = world.arrange(Viewer("viewer", history(10)))
    found = places(page)
    assert [found.of(i.candidate.post.id) for i in page.items] == list(range(1, 9))
    rest = [i.candidate.post.id for i in page.ranked if found.of(i.candidate.post.id) > 8]
    assert [found.of(post) for post in rest] == list(range(9, 21))
    assert found.of("elsewhere") == 21


def test_the_same_evidence_is_arranged_once() -> None:
    world = World()
    viewer = Viewer("viewer", history(5), wishes=(Wish("a0", "topic:food", 1),))
    runs = Runs(world.arrange, viewer)
    assert runs.without("topic:x", ("a0", "a1")) is runs.without("author:y", ["a1", "a0"])
    runs.without("wish:topic:food", ("a0",))
    runs.without("action:like", ("a0",))
    assert (world.calls, runs.count) == (3, 3)
    assert without(viewer, "wish:topic:food", ("a0",)).wishes == ()
    assert without(viewer, "wish:topic:food", ("a0",)).history == viewer.history


def test_topics_about_the_person_are_never_named() -> None:
    liked = tuple(past(f"a{n}", candidate(f"p{n}", "health", "sad", "cy")) for n in range(6))
    posts = [candidate(f"p{n + 20}", "health", "sad", f"d{n}") for n in range(4)]
    others = [candidate(f"p{n + 50}", "food", "warm", "ben") for n in range(30)]
    feed = World((*posts, *others)).feed(Viewer("viewer", liked))
    assert any(r.rank_without for r in feed.reasons)
    assert not any("health" in r.cause for r in feed.reasons)


def test_actions_and_candidates_that_were_not_read_are_no_obstacle() -> None:
    posts = tuple(replace(one, reading=None) for one in town(10))
    unread = Past(Action("u", "viewer", ActionKind.LIKE, 0, post="gone"))
    feed = World(posts).feed(Viewer("viewer", (*history(5), unread)))
    assert len(feed.reasons) == 8
    assert replay_claims(World(posts).arrange, feed).failures == ()


def test_the_world_is_what_the_tests_take_it_for() -> None:
    assert vector("a") @ vector("a") == pytest.approx(1.0, abs=1e-6)
    page = World().arrange(Viewer(None))
    assert page.items[0].forecast[LIKE] > 0.5
    assert isinstance(World().feed(Viewer(None)).reasons[0], Reason)
