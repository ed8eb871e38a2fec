"""Why a page holds nothing: one sentence, from its receipt and how much the store holds."""

from __future__ import annotations

from collections import Counter

from ariane.types import Counts, Feed
from ariane.why.words import EMPTY, REMOVED


def why_empty(feed: Feed, counts: Counts, language: str) -> str:
    """What the engine knows of why nothing is on a page; French for "fr", English for any other."""
    tongue = "fr" if language.partition("-")[0] == "fr" else "en"
    say, viewer, spec = EMPTY[tongue], feed.viewer, feed.ask.feed
    found = Counter(one.verdict.policy for one in feed.page.removed)
    if not counts.posts:
        return say["no posts"]
    if spec.sources == ("following",) and not viewer.follows:
        known = viewer.id is not None and feed.ask.profiled
        return say["follows nobody" if known else "follows unknown"].format(viewer=viewer.id)
    if found:
        return _removed(found, counts, tongue)
    if feed.ask.after is not None:
        return say["end"]
    if spec.languages or spec.max_age_hours is not None:
        return say["unfit"].format(count=counts.posts, feed=spec.name)
    return say["unread" if counts.unread == counts.posts else "unfound"].format(count=counts.posts)


def _removed(found: Counter[str], counts: Counts, tongue: str) -> str:
    """Everything that was found was taken out, each by a rule or a policy."""
    say, count = EMPTY[tongue], found.total()
    if set(found) == {"seen@1"}:
        return say["seen"].format(count=count)
    if counts.unread == counts.posts and all(name.startswith("minors@") for name in found):
        return say["minors"]
    parts = [
        REMOVED[tongue]
        .get(name.partition("@")[0], REMOVED[tongue]["policy"])
        .format(count=number, policy=name)
        for name, number in found.most_common()
    ]
    return say["removed"].format(count=count, parts=", ".join(parts))
