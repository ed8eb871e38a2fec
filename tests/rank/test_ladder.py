from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.rank.world import ask, candidate, model, viewer

from ariane.rank.ladder import Ladder
from ariane.rank.model import RankerConfig, RankerModel
from ariane.rank.recent import RecentRanker
from ariane.rank.session import SessionRanker
from ariane.types import (
    FOLLOWING,
    PREDICTED,
    ArianeError,
    Ask,
    CallError,
    Candidate,
    Forecast,
    Viewer,
)

FOUND = [candidate(index) for index in range(5)]


class Failing:
    name = "failing"

    def forecast(self, ask: Ask, viewer: Viewer, candidates: Sequence[Candidate]) -> Forecast:
        raise RuntimeError("out of luck")


class Short:
    name = "short"

    def forecast(self, ask: Ask, viewer: Viewer, candidates: Sequence[Candidate]) -> Forecast:
        return Forecast(
            self.name, np.zeros((1, len(PREDICTED)), np.float32), np.zeros(1, np.float32)
        )


def test_the_first_rung_that_answers_is_the_answer() -> None:
    ranker = SessionRanker(model(name="full"))
    ladder = Ladder([ranker, Failing()])
    told = ladder.forecast(ask(), viewer(9), FOUND)
    assert told.model == ladder.name == "full"
    alone = ranker.forecast(ask(), viewer(9), FOUND)
    assert np.array_equal(told.probabilities, alone.probabilities)


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
@pytest.mark.parametrize("head", ["action_head", "dwell_head"])
def test_a_forecast_that_is_not_finite_falls_to_the_next_rung(
    odd: float, head: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken = model(name="broken")
    with torch.no_grad():
        getattr(broken, head).bias.fill_(odd)
    if head == "action_head" and odd == float("inf"):
        broken.action_head.bias.data.fill_(float("nan"))  # an infinite logit is still a probability
    with caplog.at_level(logging.WARNING):
        told = Ladder([SessionRanker(broken), RecentRanker()]).forecast(ask(), viewer(9), FOUND)
    assert told.model == "recent"
    assert "broken: its forecast is not finite" in caplog.text


def test_a_feed_in_order_of_time_asks_no_model(caplog: pytest.LogCaptureFixture) -> None:
    ladder = Ladder([Failing(), RecentRanker()])
    assert ladder.forecast(replace(ask(), feed=FOLLOWING), viewer(9), FOUND).model == "recent"
    assert not caplog.records


def test_an_error_or_a_missing_row_falls_to_the_next_rung(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ladder = Ladder([Failing(), Short(), RecentRanker()])
    assert ladder.name == "failing"
    with caplog.at_level(logging.WARNING):
        assert ladder.forecast(ask(), viewer(9), FOUND).model == "recent"
    assert "failing: out of luck" in caplog.text
    assert "short: its forecast has shape (1, 15) instead of (5, 15)" in caplog.text


def test_a_ladder_with_no_rung_left_says_what_failed() -> None:
    with pytest.raises(
        ArianeError, match=r"Every ranker failed \(failing: out of luck; short: its"
    ):
        Ladder([Failing(), Short()]).forecast(ask(), viewer(9), FOUND)
    with pytest.raises(CallError, match="no rungs"):
        Ladder([])


def test_readings_of_another_width_cost_quality_and_not_the_feed() -> None:
    ladder = Ladder([SessionRanker(RankerModel(RankerConfig.sized("nano"))), RecentRanker()])
    assert ladder.forecast(ask(), viewer(9), FOUND).model == "recent"
