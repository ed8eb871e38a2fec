"""Sight: the posts that a viewer may see now, wherever they stand beside a feed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from ariane.engine import Engine
from ariane.guard import guard
from ariane.guard.rules import BY_NAME, hides
from ariane.types import Ask, Decision, Feed, Past, Ranked, Reason, Verdict, Viewer

OF_MEDIA: Final = "minors@"
"""The policy whose warning is about media that no classifier has seen, not about the text."""


QUOTABLE: Final = 20
"""Posts behind a reason that are looked at: some are quoted, the others are counted."""


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

    Only texts go, of those too that are too many to be quoted; what was done to the posts, which
    the reasons replay from, stays.
    """
    history = {past.action.id: past for past in feed.viewer.history}
    behind = {action for reason in feed.reasons for action in _quotable(reason, history)}
    ids = [past.post.id for name in behind if (past := history[name]).post is not None]
    if not ids:
        return feed
    asking = engine.ask(feed.ask.viewer, at=at, profiled=False)
    seen = {
        one.candidate.post.id for one in seen_by(engine, asking, engine.store.viewer(asking), ids)
    }
    told = tuple(
        past
        if past.action.id in behind and past.post is not None and past.post.id in seen
        else replace(past, post=None)
        for past in feed.viewer.history
    )
    return replace(feed, viewer=replace(feed.viewer, history=told))


def _quotable(reason: Reason, history: Mapping[str, Past]) -> set[str]:
    """The actions behind a reason whose posts may be quoted: the first, and the first signed."""
    pasts = [history[name] for name in reason.evidence if name in history]
    pasts = [past for past in pasts if past.post is not None and past.post.text.strip()]
    signed = sorted(pasts, key=lambda past: not past.action.kind.sign)
    return {past.action.id for past in (*pasts[:QUOTABLE], *signed[:QUOTABLE])}


def worded(engine: Engine, feed: Feed) -> dict[str, dict[str, str]]:
    """What each post of a page says, as `text`; a repost without words says what it reposts.

    Then `written_by` is who wrote that; where that is not shown, the repost is left out. In place
    of a text that is covered stands the policy that covers it, as `warning`.
    """
    items = {item.candidate.post.id: item for item in feed.page.items}
    posts = [item.candidate.post for item in items.values()]
    bare = {post.id: post.repost_of for post in posts if post.repost_of and not post.words}
    found = seen_by(engine, feed.ask, feed.viewer, bare.values(), covered=True)
    originals = {item.candidate.post.id: item for item in found}
    return {
        name: _worded(item, originals[bare[name]] if name in bare else item)
        for name, item in items.items()
        if name not in bare or bare[name] in originals
    }


def _worded(item: Ranked, original: Ranked) -> dict[str, str]:
    post = original.candidate.post
    by = {} if original is item else {"written_by": post.author}
    covering = [one.policy for one in (*item.verdicts, *original.verdicts) if covers(one)]
    if covering:
        return {"text": "", "warning": covering[0], **by}
    return {"text": post.words, **by}
