"""One post looked at closely: every cause that moves it, and the fewest actions that do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.why.small_world import World, candidate, history, past, town

from ariane.compose import Mix
from ariane.types import Feed, NotFoundError, Page, Viewer
from ariane.why import replay_claims, why_post
from ariane.why.counterfactual import places


@settings(max_examples=15)
@given(st.integers(0, 30), st.integers(0, 20), st.integers(0, 59), st.integers(0, 60))
def test_every_claim_on_one_post_replays_and_the_budget_holds(
    seed: int, actions: int, turn: int, budget: int
) -> None:
    world = World(town(60, seed))
    viewer = Viewer("viewer", history(actions, seed))
    page = world.arrange(viewer)
    post = page.ranked[turn].candidate.post.id
    world.calls = 0
    reasons = why_post(world.arrange, viewer, page, post, budget=budget)
    assert world.calls <= 1 + max(1, budget)
    assert reasons
    assert {reason.post for reason in reasons} == {post}
    feed = Feed(world.ask, viewer, page, reasons)
    assert replay_claims(world.arrange, feed).failures == ()
    if reasons[0].cause == "everyone:":
        assert places(world.arrange(replace(viewer, history=()))).of(post) <= reasons[0].rank


@settings(max_examples=15)
@given(st.integers(0, 30), st.integers(1, 20))
def test_reasons_come_strongest_first_and_are_different(seed: int, actions: int) -> None:
    world = World(town(60, seed))
    viewer = Viewer("viewer", history(actions, seed))
    page = world.arrange(viewer)
    reasons = why_post(world.arrange, viewer, page, page.items[0].candidate.post.id, budget=80)
    drops = [reason.rank_without or 0 for reason in reasons]
    assert drops == sorted(drops, reverse=True)
    assert len({frozenset(reason.evidence) for reason in reasons}) == len(reasons)


def test_likes_that_replace_one_another_are_found_together() -> None:
    target = candidate("p0", "energy", "funny", "ann")
    likes = [candidate(f"p{n + 90}", "energy", "funny", f"by {n}") for n in range(3)]
    kinds = ("city", "music")
    noise = [candidate(f"p{n + 70}", kinds[n % 2], "angry", f"in {n}") for n in range(6)]
    acted = [past(f"a{n}", one) for n, one in enumerate((*likes, *noise))]
    others = [candidate(f"p{n + 10}", "food", "warm", f"of {n}") for n in range(30)]
    world = World((target, *others), mix=Mix(variety=0.0, exploration=0.0))
    viewer = Viewer("viewer", tuple(acted))
    page = world.arrange(viewer)
    assert page.items[0].candidate.post.id == "p0"
    found = why_post(world.arrange, viewer, page, "p0", budget=80)
    assert any(set(reason.evidence) == {"a0", "a1", "a2"} for reason in found)


def test_a_set_keeps_only_what_it_needs() -> None:
    posts = town(20)
    world = World(posts)
    page = world.arrange(Viewer(None))
    last = page.ranked[-1].candidate.post.id

    def arrange(viewer: Viewer) -> Page:
        """The last post is first as long as a1 or a3 is left, and scores more for both."""
        held = {past.action.id for past in viewer.history}
        lifts = held & {"a1", "a3"}
        mine = [i for i in page.ranked if i.candidate.post.id == last]
        other = [i for i in page.ranked if i.candidate.post.id != last]
        place = 0 if lifts else 19
        lifted = [replace(i, score=i.score + len(lifts)) for i in mine]
        ranked = tuple(other[:place] + lifted + other[place:])
        return replace(page, items=ranked[:8], ranked=ranked, terms=())

    likes = [past(f"a{n}", candidate(f"p{n + 50}", "x", f"t{n}", f"b{n}")) for n in range(6)]
    viewer = Viewer("viewer", tuple(likes))
    reasons = why_post(arrange, viewer, arrange(viewer), last, budget=80)
    assert min(len(r.evidence) for r in reasons) == 2
    assert any(set(r.evidence) == {"a1", "a3"} for r in reasons)


def test_a_post_off_the_page_has_reasons_and_one_out_of_reach_is_named() -> None:
    world = World()
    viewer = Viewer("viewer", history(10))
    page = world.arrange(viewer)
    off = page.ranked[-1].candidate.post.id
    assert why_post(world.arrange, viewer, page, off)[0].rank > len(page.items)
    with pytest.raises(NotFoundError, match="nowhere"):
        why_post(world.arrange, viewer, page, "nowhere")
    held = World(world.candidates[:-1])
    gone = world.candidates[-1].post.id
    with pytest.raises(NotFoundError, match=gone):
        why_post(held.arrange, viewer, page, gone)


def test_one_without_a_history_gets_a_reason_that_is_not_personal() -> None:
    world = World()
    viewer = Viewer(None)
    page = world.arrange(viewer)
    post = page.items[0].candidate.post.id
    (reason,) = why_post(world.arrange, viewer, page, post)
    assert (reason.cause, reason.rank, reason.rank_without) == ("everyone:", 1, None)
