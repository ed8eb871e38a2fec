"""With the real ranker, every claim replays, also by another process's copy of the model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.rank.world import ask, candidate, model, viewer

from ariane.compose import Mix, compose
from ariane.rank import rank
from ariane.rank.session import SessionRanker
from ariane.types import ActionKind, Feed, Page, Value, Viewer
from ariane.why import replay_claims, why, why_post

VALUE = Value({kind: kind.value_by_default for kind in ActionKind})


def arranging() -> Callable[[Viewer], Page]:
    ranker, asked = SessionRanker(model()), ask(size=10)
    candidates = [candidate(index) for index in range(60)]

    def arrange(who: Viewer) -> Page:
        ranked = rank(ranker, VALUE, asked, who, candidates)
        return compose(Mix(), asked, ranked, [])

    return arrange


@pytest.mark.parametrize("actions", [1, 30, 200])
def test_claims_of_the_real_ranker_replay(actions: int) -> None:
    arrange, who = arranging(), viewer(actions)
    page = arrange(who)
    feed = Feed(ask(size=10), who, page, why(arrange, who, page), page.model)
    found = replay_claims(arranging(), feed)
    assert found.same_page
    assert found.failures == ()
    assert found.claims > 0


def test_a_closer_look_with_the_real_ranker_replays() -> None:
    arrange, who = arranging(), viewer(40)
    page = arrange(who)
    post = page.items[0].candidate.post.id
    reasons = why_post(arrange, who, page, post, budget=30)
    feed = Feed(ask(size=10), who, page, reasons, page.model)
    assert replay_claims(arranging(), feed).failures == ()
