"""A page: its length, its order, its variety, its share for fresh posts, and nothing twice."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ariane.compose import Mix, compose
from ariane.types import (
    FOLLOWING,
    FOR_YOU,
    Ask,
    Candidate,
    Decision,
    Post,
    Ranked,
    Reading,
    Removed,
    Term,
    Verdict,
)
from ariane.why.counterfactual import places

ASK = Ask("request", "viewer", 10**9, FOR_YOU, size=5)
BARE = Mix(variety=0.0, run=0, exploration=0.0)


def unit(*numbers: float) -> np.ndarray:
    vector = np.array(numbers, np.float32)
    return vector / np.linalg.norm(vector)


def item(
    name: str,
    score: float,
    *,
    author: str = "",
    text: str | None = None,
    vector: np.ndarray | None = None,
    topic: str = "",
    at: int = 0,
    repost_of: str | None = None,
    fresh: bool = False,
    terms: tuple[Term, ...] = (),
) -> Ranked:
    post = Post(
        name, author or f"by {name}", name if text is None else text, at, repost_of=repost_of
    )
    reading = (
        None
        if vector is None
        else Reading(name, 1, vector, ((topic, 0.9),) if topic else (), "", "", "", "en", "test")
    )
    sources = ("fresh",) if fresh else ("nearest",)
    return Ranked(Candidate(post, reading, (), sources), (), score, terms, model="tested")


def ids(items: tuple[Ranked, ...]) -> list[str]:
    return [one.candidate.post.id for one in items]


def descending(count: int, **more: object) -> list[Ranked]:
    return [item(f"p{place:03}", float(count - place), **more) for place in range(count)]


posts = st.builds(
    item,
    name=st.from_regex(r"[a-z]{1,2}", fullmatch=True),
    score=st.floats(-1000, 10),
    author=st.sampled_from(["ann", "ben", "cy"]),
    text=st.sampled_from(["", "same", "Same  ", "other", "third", "fourth"]),
    vector=st.one_of(
        st.none(), st.sampled_from([unit(1, 0), unit(0, 1), unit(1, 1), unit(1, 0, 0)])
    ),
    topic=st.sampled_from(["", "city", "music"]),
    at=st.integers(0, 5),
    repost_of=st.one_of(st.none(), st.from_regex(r"[a-z]", fullmatch=True)),
    fresh=st.booleans(),
)
rankings = st.lists(posts, max_size=40, unique_by=lambda one: one.candidate.post.id).map(
    lambda found: sorted(found, key=lambda one: (-one.score, one.candidate.post.id))
)
mixes = st.builds(
    Mix,
    variety=st.floats(0, 1),
    pool=st.integers(1, 30),
    run=st.integers(0, 3),
    exploration=st.sampled_from([0.0, 0.1, 0.5]),
)


@given(rankings, mixes, st.integers(1, 20), st.booleans())
def test_a_page_never_repeats_and_only_the_pool_reaches_it(
    ranked: list[Ranked], mix: Mix, size: int, latest: bool
) -> None:
    ask = replace(ASK, size=size, feed=FOLLOWING if latest else FOR_YOU)
    page = compose(mix, ask, ranked, [])
    shown = [one.candidate.post for one in page.items]
    originals = [post.repost_of or post.id for post in shown]
    texts = [" ".join(post.text.split()).casefold() for post in shown if post.text.strip()]
    assert len(set(originals)) == len(originals)
    assert len({post.id for post in shown} | set(originals)) >= len(shown)
    assert len(set(texts)) == len(texts)
    assert set(ids(page.items)) <= set(ids(page.ranked[: mix.pool]))
    assert sorted(ids(page.ranked)) == sorted(ids(tuple(ranked)))
    assert len(shown) <= size


@given(rankings, mixes, st.integers(1, 20))
def test_a_page_is_the_same_from_the_pool_alone(ranked: list[Ranked], mix: Mix, size: int) -> None:
    ask = replace(ASK, size=size)
    page = compose(mix, ask, ranked, [])
    again = compose(mix, ask, page.ranked[: mix.pool], [])
    assert (page.items, page.terms) == (again.items, again.terms)


@given(rankings, mixes, st.integers(1, 20))
def test_places_gained_and_lost_lead_from_the_ranking_to_the_page(
    ranked: list[Ranked], mix: Mix, size: int
) -> None:
    """Also of posts that left the page, and counted as reasons count them."""
    page = compose(mix, replace(ASK, size=size), ranked, [])
    plain = compose(replace(BARE, pool=mix.pool), replace(ASK, size=size), ranked, [])
    before, after = places(plain), places(page)
    for post in {*ids(plain.items), *ids(page.items)}:
        gained = sum(t.places for t in page.terms if t.post == post)
        assert before.of(post) - gained == after.of(post)


def test_an_explored_post_gains_places_and_the_one_it_pushes_off_loses_them() -> None:
    """Also where the post stands in the ranking above others that variety put on the page."""
    near, far = unit(1, 0), unit(0, 1)
    ranked = [
        item("a", 1.0, vector=near, author="ann"),
        item("new", 0.99, vector=near, author="new", fresh=True),
        item("b", 0.985, vector=far, author="ben"),
    ]
    mix = Mix(variety=1.0, exploration=0.5)
    page = compose(mix, replace(ASK, size=2), ranked, [])
    assert ids(page.items) == ["a", "new"]
    terms = {(t.post, t.term): t.places for t in page.terms}
    assert terms == {
        ("b", "variety"): 1,
        ("new", "variety"): -1,
        ("new", "exploration"): 1,
        ("b", "exploration"): -1,
    }


@pytest.mark.parametrize("size", [1, 5, 20, 50])
def test_without_variety_and_exploration_the_page_is_the_ranking(size: int) -> None:
    ranked = descending(60, vector=unit(1, 0))
    page = compose(BARE, replace(ASK, size=size), ranked, [])
    assert ids(page.items) == ids(tuple(ranked[:size]))
    assert page.terms == ()


def test_variety_brings_another_reading_forward() -> None:
    ranked = [
        item("a", 1.0, vector=unit(1, 0)),
        item("b", 0.99, vector=unit(1, 0)),
        item("c", 0.5, vector=unit(0, 1)),
        item("d", 0.4, vector=unit(1, 0.01)),
    ]
    page = compose(Mix(variety=1.0, exploration=0.0), replace(ASK, size=4), ranked, [])
    assert ids(page.items)[:2] == ["a", "c"]
    assert {(t.post, t.term, t.places) for t in page.terms} >= {("c", "variety", 1)}


@pytest.mark.parametrize("what", ["author", "topic"])
def test_variety_counts_authors_and_topics(what: str) -> None:
    vectors = [unit(1, 0, 0), unit(0, 1, 0), unit(0, 0, 1)]
    same = {what: "one"}
    ranked = [
        item("a", 1.0, vector=vectors[0], **same),
        item("b", 0.9, vector=vectors[1], **same),
        item("c", 0.85, vector=vectors[2], **{what: "two"}),
    ]
    page = compose(Mix(variety=1.0, topics=1.0, exploration=0.0), replace(ASK, size=3), ranked, [])
    assert ids(page.items) == ["a", "c", "b"]


def test_no_author_runs_on_while_there_are_others() -> None:
    ranked = [item(f"x{n}", 100.0 - n, author="loud") for n in range(6)]
    ranked += [item(f"y{n}", 1.0 - n, author=f"quiet {n}") for n in range(4)]
    mix = Mix(variety=0.0, run=2, exploration=0.0)
    page = compose(mix, replace(ASK, size=10), ranked, [])
    authors = [one.candidate.post.author for one in page.items]
    runs = [len(list(run)) for name, run in groupby(authors) if name == "loud"]
    assert max(runs) == 2
    assert len(page.items) == 10


def test_one_author_alone_fills_the_page() -> None:
    page = compose(Mix(), ASK, descending(9, author="only"), [])
    assert len(page.items) == 5


def test_a_repost_and_an_equal_text_are_shown_once() -> None:
    ranked = [
        item("r", 5.0, text="", repost_of="o"),
        item("o", 4.0, text="The original"),
        item("s", 3.0, text=" the  ORIGINAL"),
        item("r2", 2.0, text="", repost_of="o"),
        item("m1", 1.0, text=""),
        item("m2", 0.0, text=""),
    ]
    assert ids(compose(BARE, ASK, ranked, []).items) == ["r", "m1", "m2"]


def test_latest_is_by_time_alone_and_then_so_is_the_ranking() -> None:
    ranked = [
        item("a", 9.0, at=1),
        item("b", 1.0, at=3),
        item("c", 2.0, at=3),
        item("d", 0.0, at=2),
    ]
    page = compose(Mix(variety=1.0, exploration=1.0), replace(ASK, feed=FOLLOWING), ranked, [])
    assert ids(page.items) == ids(page.ranked) == ["b", "c", "d", "a"]
    assert page.terms == ()


def test_exploration_keeps_its_share_for_fresh_posts_of_other_authors() -> None:
    ranked = descending(80)
    ranked[40:] = [
        replace(one, candidate=replace(one.candidate, sources=("fresh",))) for one in ranked[40:]
    ]
    mix = Mix(variety=0.0, exploration=0.05)
    fresh = 0
    for number in range(400):
        page = compose(mix, replace(ASK, id=f"request {number}", size=10), ranked, [])
        fresh += sum(one.candidate.sources == ("fresh",) for one in page.items)
        assert len(page.items) == 10
    assert 0.04 < fresh / 4000 < 0.06


def test_exploration_is_the_same_for_the_same_request_and_says_what_it_moved() -> None:
    ranked = descending(30)
    ranked[20] = item("new", ranked[20].score, fresh=True)
    mix = Mix(variety=0.0, exploration=0.2)
    page = compose(mix, ASK, ranked, [])
    assert page == compose(mix, ASK, ranked, [])
    place = ids(page.items).index("new")
    assert {(t.post, t.term): t.places for t in page.terms}["new", "exploration"] == 20 - place


@pytest.mark.parametrize("term", ["wish", "demote"])
def test_exploration_brings_back_nothing_demoted_or_wished_away(term: str) -> None:
    ranked = descending(20)
    ranked += [item("off", -1000.0, fresh=True, terms=(Term(term, -1000.0),))]
    for number in range(50):
        page = compose(Mix(exploration=0.5), replace(ASK, id=str(number)), ranked, [])
        assert "off" not in ids(page.items)


def test_a_post_far_below_does_not_flatten_what_is_above_it() -> None:
    ranked = descending(10, vector=unit(1, 0))
    far = [*ranked, item("off", -1e6, vector=unit(0, 1))]
    mix = Mix(exploration=0.0)
    assert compose(mix, ASK, ranked, []).items == compose(mix, ASK, far, []).items


@pytest.mark.parametrize("amount", [-1000.0, 1000.0])
def test_a_wish_does_not_change_what_variety_costs_others(amount: float) -> None:
    wish = (Term("wish", amount),)
    vectors = [unit(1, 0), unit(1, 0.1), unit(0.2, 1), unit(1, 0.3)]
    plain = [item(f"p{n}", 1.0 - n / 10, vector=vectors[n]) for n in range(4)]
    other = unit(-1, -1)
    moved = item("w", 0.65 + amount, vector=other, terms=wish)
    mix = Mix(exploration=0.0)
    ranked = sorted([*plain, moved], key=lambda one: -one.score)
    page = compose(mix, ASK, ranked, [])
    rest = [post for post in ids(page.items) if post != "w"]
    assert rest == ids(compose(mix, ASK, plain, []).items)
    assert ids(page.items)[0 if amount > 0 else -1] == "w"


def test_posts_that_were_not_read_and_readings_of_two_widths_are_composed() -> None:
    ranked = [
        item("a", 3.0),
        item("b", 2.0, vector=unit(1, 0)),
        item("c", 1.0, vector=unit(1, 0, 0)),
    ]
    assert set(ids(compose(Mix(), ASK, ranked, []).items)) == {"a", "b", "c"}


def test_what_was_removed_and_the_model_are_on_the_page() -> None:
    out = Removed(item("x", 0.0).candidate, Verdict(Decision.DROP, "rule@1"))
    page = compose(Mix(), ASK, descending(3), [out])
    assert page.removed == (out,)
    assert page.model == "tested"
    empty = compose(Mix(), ASK, [], [out])
    assert (empty.items, empty.ranked, empty.removed, empty.model) == ((), (), (out,), "")


def test_equal_scores_stay_in_their_order_until_variety_parts_them() -> None:
    ranked = [item(name, 1.0, vector=unit(1, 0)) for name in "abc"] + [
        item("z", 1.0, vector=unit(0, 1))
    ]
    page = compose(Mix(exploration=0.0), replace(ASK, size=4), ranked, [])
    assert ids(page.items) == ["a", "z", "b", "c"]
    assert all(a.score >= b.score for a, b in pairwise(page.ranked))
