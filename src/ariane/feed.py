"""The main path: one request, from the one who asks to a feed whose reasons can be replayed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from ariane.compose import compose
from ariane.engine import Engine
from ariane.guard import guard
from ariane.rank import rank
from ariane.retrieve import retrieve
from ariane.types import Ask, Feed, Page, Reason, Viewer
from ariane.why import Replay, replay_claims, why, why_post

log = logging.getLogger(__name__)


def arrange(engine: Engine, ask: Ask, viewer: Viewer) -> Page:
    """Pure: same engine, ask and viewer, same page. `why` and replay call it again."""
    found = retrieve(engine.sources, ask, viewer)  # the store's posts → hundreds of candidates
    allowed, unfit = guard(engine.before, viewer, found)  # seen, own, muted, blocked: no model
    ranked = rank(engine.ranker, engine.value, ask, viewer, allowed)
    safe, unsafe = guard(engine.after, viewer, ranked)  # policies, labels; never dropped under load
    return compose(engine.mix, ask, safe, unfit + unsafe)  # nothing is removed after this line


def for_you(engine: Engine, ask: Ask) -> Feed:
    """One request, start to end. The order is the product."""
    viewer = engine.store.viewer(ask)  # not profiled: mutes, blocks, minor; nothing else is read
    page = arrange(engine, ask, viewer)
    again = partial(arrange, engine.holding(page), ask)  # claims are among these candidates
    feed = engine.receipt(ask, viewer, page, _reasons(engine, again, viewer, page))
    engine.store.record_served(feed)  # the receipt that every claim replays from
    return feed


def explain(engine: Engine, ask: Ask, post: str) -> Feed:
    """A feed with the reasons for one post alone, looked at closely; it is served like any other.

    Raises NotFoundError where the post could not reach the page.
    """
    viewer = engine.store.viewer(ask)
    page = arrange(engine, ask, viewer)
    again = partial(arrange, engine.holding(page), ask)
    reasons = why_post(again, viewer, page, post, engine.settings.why.runs_one_post)
    feed = engine.receipt(ask, viewer, page, reasons)
    engine.store.record_served(feed)
    return feed


def replay(engine: Engine, request: str) -> Replay:
    """Arrange a served feed again from its receipt, and every claim printed with it."""
    feed = engine.store.receipt(request)
    return replay_claims(partial(arrange, engine.as_served(feed), feed.ask), feed)


def _reasons(
    engine: Engine, again: Callable[[Viewer], Page], viewer: Viewer, page: Page
) -> tuple[Reason, ...]:
    """A page that cannot be explained is served unexplained: reasons never cost the feed."""
    try:
        return why(again, viewer, page, engine.settings.why)
    except Exception:
        log.exception("a page is served without reasons")
        return ()
