"""Sight: the posts that a viewer may see now, wherever they stand beside a feed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from ariane.engine import Engine
from ariane.guard import guard
from ariane.guard.rules import BY_NAME, hides
from ariane.types import Ask, Decision, Feed, Ranked, Verdict, Viewer

OF_MEDIA: Final = "minors@"
"""The policy whose warning is about media that no classifier has seen, not about the text."""


def covers(verdict: Verdict) -> bool:
    """Whether a verdict lays a warning over the text, not over its media alone."""
    warns = verdict.decision is Decision.INTERSTITIAL
    return warns and not verdict.policy.startswith(OF_MEDIA)


def seen_by(
    engine: Engine,
    ask: Ask,
    viewer: Viewer,
    ids: Iterable[str],
    *,
    covered: bool = False,
    chosen: bool = False,
) -> list[Ranked]:
    """Those of these posts that the viewer may see, in their order.

    Posts whose text is behind a warning are among them only where `covered` is asked for. Authors
    who hide from algorithms are not where an algorithm has `chosen` the posts.
    """
    order = {post: place for place, post in enumerate(dict.fromkeys(ids))}
    held = engine.store.candidates(list(order), ask.at)
    items = [Ranked(held[post], (), 0.0) for post in order if post in held]
    rules = (*BY_NAME, hides) if chosen else BY_NAME
    allowed, _ = guard((*rules, *engine.after), viewer, items)
    shown = [item for item in allowed if covered or not any(map(covers, item.verdicts))]
    return sorted(shown, key=lambda item: order[item.candidate.post.id])


def as_seen(engine: Engine, feed: Feed, at: int) -> Feed:
    """A served feed to put into words: its reasons quote no post that its viewer may not see now.

    Only the texts go; what was done to these posts, which the reasons replay from, stays.
    """
    behind = {action for reason in feed.reasons for action in reason.evidence}
    history = feed.viewer.history
    ids = [past.post.id for past in history if past.post is not None and past.action.id in behind]
    if not ids:
        return feed
    asking = engine.ask(feed.ask.viewer, at=at, profiled=False)
    seen = {
        one.candidate.post.id for one in seen_by(engine, asking, engine.store.viewer(asking), ids)
    }
    told = tuple(
        past if past.post is not None and past.post.id in seen else replace(past, post=None)
        for past in history
    )
    return replace(feed, viewer=replace(feed.viewer, history=told))


def worded(engine: Engine, feed: Feed) -> list[dict[str, str]]:
    """What each post of a page says, as `text`; a repost without words says what it reposts.

    Then `written_by` is who wrote that. In place of a text that is covered stands the policy that
    covers it, as `warning`.
    """
    bare = {
        post.id: post.repost_of
        for post in (item.candidate.post for item in feed.page.items)
        if post.repost_of and not post.words
    }
    items = seen_by(engine, feed.ask, feed.viewer, bare.values(), covered=True)
    originals = {item.candidate.post.id: item for item in items}
    return [
        _worded(item, originals.get(bare.get(item.candidate.post.id, ""), item))
        for item in feed.page.items
    ]


def _worded(item: Ranked, original: Ranked) -> dict[str, str]:
    post = original.candidate.post
    by = {} if original is item else {"written_by": post.author}
    covering = [one.policy for one in (*item.verdicts, *original.verdicts) if covers(one)]
    if covering:
        return {"text": "", "warning": covering[0], **by}
    return {"text": post.words, **by}
