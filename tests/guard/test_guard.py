"""The front page: nothing is lost or doubled, nothing unchecked reaches a minor, all is stated."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.guard.things import SOURCE, checked, label, many, ranked, ranking, viewers

from ariane.guard import DEMOTION, guard
from ariane.guard.policies import CLASSIFIED, MEDIA_CLASSIFIED, load_policies, policy_rules
from ariane.types import Candidate, Decision, Ranked, Rule, Verdict, Viewer

AFTER = policy_rules(load_policies())
ME = Viewer("me")


def always(decision: Decision) -> Rule:
    return lambda viewer, candidate: Verdict(decision, f"{decision}@1", {"en": "e", "fr": "f"})


def broken(viewer: Viewer, candidate: Candidate) -> Verdict | None:
    raise ZeroDivisionError


@given(viewers, ranking())
def test_what_comes_in_is_kept_or_removed_once(viewer: Viewer, items: list[Ranked]) -> None:
    kept, removed = guard(AFTER, viewer, items)
    names = [one.candidate.post.id for one in (*kept, *removed)]
    assert sorted(names) == sorted(one.candidate.post.id for one in items)
    candidates = {item.candidate.post.id: item.candidate for item in items}
    assert all(one.candidate is candidates[one.candidate.post.id] for one in (*kept, *removed))


@given(viewers, many())
def test_candidates_are_partitioned_too(viewer: Viewer, items: list[Candidate]) -> None:
    kept, removed = guard(AFTER, viewer, items)
    dropped = {one.candidate.post.id for one in removed}
    assert kept == [item for item in items if item.post.id not in dropped]
    assert len(kept) + len(removed) == len(items)


@given(viewers, ranking())
def test_the_order_holds_after_demotion_and_the_terms_add_up(
    viewer: Viewer, items: list[Ranked]
) -> None:
    kept, _ = guard(AFTER, viewer, items)
    assert kept == sorted(kept, key=lambda one: (-one.score, one.candidate.post.id))
    before = {item.candidate.post.id: item.score for item in items}
    for one in kept:
        demoted = sum(verdict.decision is Decision.DEMOTE for verdict in one.verdicts)
        assert one.score == pytest.approx(before[one.candidate.post.id] - DEMOTION * demoted)
        assert one.score == pytest.approx(sum(term.amount for term in one.terms))
        assert [term.name for term in one.terms[1:]] == ["demote"] * demoted


@given(ranking())
def test_nothing_unchecked_reaches_a_minor(items: list[Ranked]) -> None:
    for one in guard(AFTER, Viewer("kid", minor=True), items)[0]:
        post, reading = one.candidate.post, one.candidate.reading
        marks = {
            mark.value
            for mark in one.candidate.labels
            if mark.subject == post.id and mark.source == SOURCE
        }
        assert reading is not None
        assert reading.rev == post.rev
        assert CLASSIFIED in marks
        assert MEDIA_CLASSIFIED in marks or all(media.kind == "link" for media in post.media)


@given(viewers, ranking())
def test_every_verdict_of_a_policy_is_stated_in_english_and_french(
    viewer: Viewer, items: list[Ranked]
) -> None:
    kept, removed = guard(AFTER, viewer, items)
    verdicts = [one.verdict for one in removed] + [v for one in kept for v in one.verdicts]
    for verdict in verdicts:
        assert "@" in verdict.policy
        assert all(len(verdict.statement[language]) > 40 for language in ("en", "fr"))


@given(ranking())
def test_a_minor_gets_nothing_that_an_adult_does_not(items: list[Ranked]) -> None:
    minors = {one.candidate.post.id for one in guard(AFTER, Viewer("v", minor=True), items)[0]}
    adults = {one.candidate.post.id for one in guard(AFTER, Viewer("v"), items)[0]}
    assert minors <= adults


@given(viewers, ranking())
def test_the_same_input_gives_the_same_answer(viewer: Viewer, items: list[Ranked]) -> None:
    assert guard(AFTER, viewer, items) == guard(AFTER, viewer, items)


@given(st.lists(st.sampled_from(Decision), max_size=6))
def test_the_first_drop_ends_it_and_milder_verdicts_are_kept(decisions: list[Decision]) -> None:
    item = ranked(checked())
    kept, removed = guard([always(decision) for decision in decisions], ME, [item])
    if Decision.DROP in decisions:
        assert kept == []
        assert removed[0].verdict.policy == "drop@1"
    else:
        mild = [decision for decision in decisions if decision is not Decision.ALLOW]
        assert [verdict.decision for verdict in kept[0].verdicts] == mild


def test_a_demoted_post_moves_below_what_now_scores_more() -> None:
    spam = checked("a", "ann", label("a", "spam", 0.9))
    kept, _ = guard(AFTER, ME, [ranked(spam, 1.5), ranked(checked("b"), 1.0)])
    assert [one.candidate.post.id for one in kept] == ["b", "a"]
    assert kept[1].verdicts[0].policy == "spam@1"


@pytest.mark.parametrize("viewer", [ME, Viewer("kid", minor=True)])
def test_a_rule_that_fails_withholds_the_post(
    viewer: Viewer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        kept, removed = guard([broken], viewer, [ranked(checked())])
    assert kept == []
    assert removed[0].verdict.policy == "failed-check@1"
    assert {"en", "fr"} == set(removed[0].verdict.statement)
    assert "withheld" in caplog.text


def test_without_rules_everything_passes_as_it_is() -> None:
    items = [ranked(checked("a")), ranked(checked("b"))]
    assert guard([], ME, items) == (items, [])
