from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from tests.rank.world import ask, candidate, model, viewer

from ariane.rank import rank
from ariane.rank.session import SessionRanker
from ariane.types import (
    PREDICTED,
    ActionKind,
    ArianeError,
    Ask,
    Candidate,
    Forecast,
    Term,
    Value,
    Viewer,
)

FOUND = [candidate(index) for index in (4, 1, 3, 2, 0)]
DEFAULTS = Value({kind: kind.value_by_default for kind in ActionKind})


class Told:
    """A ranker that says the same of every post, or what it is given."""

    name = "told"

    def __init__(self, probability: float = 0.5) -> None:
        self.probability = probability

    def forecast(self, ask: Ask, viewer: Viewer, candidates: Sequence[Candidate]) -> Forecast:
        shape = (len(candidates), len(PREDICTED))
        return Forecast(
            self.name,
            np.full(shape, self.probability, np.float32),
            np.zeros(len(candidates), np.float32),
        )


def ids(ranked: Sequence[object]) -> list[str]:
    return [one.candidate.post.id for one in ranked]


def test_a_score_is_the_sum_of_value_times_probability() -> None:
    ranked = rank(SessionRanker(model()), DEFAULTS, ask(), viewer(20), FOUND)
    for one in ranked:
        expected = sum(
            kind.value_by_default * odds for kind, odds in zip(PREDICTED, one.forecast, strict=True)
        )
        assert one.score == pytest.approx(expected)
        assert one.score == pytest.approx(sum(term.amount for term in one.terms))
        assert [term.name for term in one.terms] == [kind.value for kind in PREDICTED]
        assert one.model == "ranker"


def test_the_best_comes_first_and_order_of_arrival_says_nothing() -> None:
    ranker = SessionRanker(model())
    ranked = rank(ranker, DEFAULTS, ask(), viewer(20), FOUND)
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)
    assert rank(ranker, DEFAULTS, ask(), viewer(20), FOUND[::-1]) == ranked


def test_ties_go_by_post_id() -> None:
    assert ids(rank(Told(), DEFAULTS, ask(), viewer(0), FOUND)) == ["p0", "p1", "p2", "p3", "p4"]


def test_a_kind_of_no_value_is_no_term() -> None:
    value = Value({ActionKind.LIKE: 2.0, ActionKind.CLICK: 0.0, ActionKind.IMPRESSION: 9.0})
    (one,) = rank(Told(), value, ask(), viewer(0), FOUND[:1])
    assert one.terms == (Term("like", 1.0),)
    assert one.score == 1.0
    assert len(one.forecast) == len(PREDICTED)


def test_named_terms_move_a_post_and_are_told() -> None:
    def wish(_: Ask, who: Viewer, one: Candidate) -> Term | None:
        return Term("wish", 3.0) if (one.post.id, who.id) == ("p3", "v") else None

    value = Value({ActionKind.LIKE: 1.0}, (wish,))
    ranked = rank(Told(), value, ask(), viewer(0), FOUND)
    assert ids(ranked) == ["p3", "p0", "p1", "p2", "p4"]
    assert ranked[0].terms == (Term("like", 0.5), Term("wish", 3.0))
    assert ranked[0].score == 3.5


def test_nothing_to_rank_asks_no_ranker() -> None:
    assert rank(Told(float("nan")), DEFAULTS, ask(), viewer(0), []) == []


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_refused_by_name(odd: float) -> None:
    with pytest.raises(ArianeError, match=f"The score of post 'p4' by 'told' is {odd}"):
        rank(Told(odd), Value({ActionKind.LIKE: 1.0}), ask(), viewer(0), FOUND)
