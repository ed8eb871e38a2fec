"""Why one post, looked at closely: every cause that moves it, and the fewest actions that do."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Final

from ariane.types import Action, NotFoundError, Page, Ranked, Reason, Viewer
from ariane.why.causes import acted
from ariane.why.counterfactual import Arrange, places
from ariane.why.receipts import Inquiry, WhySettings

MOST: Final = 5
"""The most actions in a set that is put together one by one."""

SINGLES: Final = 12
"""The most actions that are tried alone."""

KEPT: Final = 3
"""How many of the strongest are tried as the next of the set."""


def why_post(
    arrange: Arrange,
    viewer: Viewer,
    page: Page,
    post: str,
    budget: int = WhySettings.runs_one_post,
) -> tuple[Reason, ...]:
    """The reasons for one post, those that move it the most first; at least one.

    Beside the causes of `why`, a set of at most 5 actions is put together greedily from the parts
    of the history that matter most, each time the one whose deletion moves the post down most,
    until it has left the page; then those that it can do without are left out. At most `budget`
    pages are arranged without something, or one.
    Raises NotFoundError where the post is not among those that could reach the page.
    """
    item = _item(page, post)
    if item is None or places(arrange(viewer)).of_post.get(post) is None:
        raise NotFoundError(
            f"{post} is not among the posts that could reach this page; name one that is on it."
        )
    inquiry = Inquiry(arrange, viewer, page)
    parts = inquiry.parts if inquiry.fall(post) > 0 else []
    for key in dict.fromkeys([*parts, *(cause.key for cause in inquiry.causes(item))]):
        if inquiry.runs.count < budget // 2:
            inquiry.try_set(key)
    reasons = inquiry.moving(item)
    fewest = _fewest(inquiry, item, budget) if parts else []
    ids = tuple(action.id for action in fewest)
    if ids and frozenset(ids) not in {frozenset(reason.evidence) for reason in reasons}:
        reasons.append(inquiry.claim(post, acted(fewest), ids))
    if not reasons:
        return (inquiry.reason(item),)
    return tuple(sorted(reasons, key=lambda r: (-(r.rank_without or 0), len(r.evidence))))


def _item(page: Page, post: str) -> Ranked | None:
    every = (*page.items, *page.ranked)
    return next((item for item in every if item.candidate.post.id == post), None)


def _fewest(inquiry: Inquiry, item: Ranked, budget: int) -> list[Action]:
    """At most MOST actions that move the post down together, in the order they were chosen."""
    post = item.candidate.post.id

    def harm(actions: Sequence[Action]) -> tuple[int, float]:
        without = inquiry.runs.without("", [action.id for action in actions])
        return without.of(post), -without.score.get(post, -inf)

    start = reached = (inquiry.now.of(post), -item.score)
    alone = []
    for action in inquiry.history.singles(item, _matters(inquiry, post), SINGLES):
        if inquiry.runs.count < budget:
            alone.append((harm([action]), action))
    alone.sort(key=_first, reverse=True)
    chosen: list[Action] = []
    while len(chosen) < MOST and inquiry.runs.count + KEPT <= budget:
        left = [action for _, action in alone if action not in chosen][:KEPT]
        tried = [(harm([*chosen, action]), action) for action in left]
        if not tried or max(tried, key=_first)[0] <= reached:
            break
        reached, action = max(tried, key=_first)
        chosen.append(action)
        if reached[0] > len(inquiry.page.items):
            break
    for action in list(chosen):
        rest = [other for other in chosen if other is not action]
        if rest and inquiry.runs.count < budget and harm(rest)[0] >= reached[0]:
            chosen = rest
    return chosen if reached[0] > start[0] else []


def _matters(inquiry: Inquiry, post: str) -> dict[str, float]:
    """Action id → how much score the post loses without the part of the history that it is in."""
    before = inquiry.now.score[post]
    return {
        action: before - then.score.get(post, before)
        for key, then in inquiry.tried.items()
        if key in inquiry.parts
        for action in key[1]
    }


def _first(pair: tuple[tuple[int, float], Action]) -> tuple[int, float]:
    return pair[0]
