from __future__ import annotations

import numpy as np
from tests.rank.world import ask, candidate, viewer

from ariane.rank import rank
from ariane.rank.recent import RecentRanker
from ariane.types import PREDICTED, ActionKind, Value

FOUND = [candidate(index) for index in range(6)]


def test_the_younger_a_post_the_more_of_everything_liked_and_nothing_disliked() -> None:
    told = RecentRanker().forecast(ask(), viewer(0), FOUND)
    assert told.model == "recent"
    assert told.probabilities.shape == (6, len(PREDICTED))
    for column, kind in enumerate(PREDICTED):
        expected = np.diff(told.probabilities[:, column])
        assert (expected < 0).all() if kind.sign > 0 else not told.probabilities[:, column].any()
    assert ((told.probabilities >= 0) & (told.probabilities <= 1)).all()
    assert not told.seconds.any()


def test_the_newest_ranks_first_whoever_asks() -> None:
    value = Value({kind: kind.value_by_default for kind in ActionKind})
    for actions in (0, 80):
        ranked = rank(RecentRanker(), value, ask(), viewer(actions), FOUND[::-1])
        assert [one.candidate for one in ranked] == FOUND


def test_a_post_of_the_future_counts_as_new() -> None:
    told = RecentRanker().forecast(ask(at=FOUND[0].post.at - 9_000), viewer(0), FOUND[:1])
    assert told.probabilities.max() == 1.0
