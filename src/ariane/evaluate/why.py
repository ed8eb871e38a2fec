"""Receipts replayed: does every printed claim still hold when its feed is arranged again?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ariane.engine import Engine
from ariane.feed import for_you, replay


def replay_feeds(engine: Engine, *, viewers: int, at: int) -> dict[str, int | list[str]]:
    """Serve a feed to this many viewers who acted, then replay each from its receipt."""
    served = [
        for_you(engine, engine.ask(viewer, at=at)).ask.id
        for viewer in islice(_viewers(engine), viewers)
    ]
    replays = [replay(engine, request) for request in served]
    return {
        "feeds": len(replays),
        "same pages": sum(found.same_page for found in replays),
        "claims": sum(found.claims for found in replays),
        "held": sum(found.held for found in replays),
        "failures": [sentence for found in replays for sentence in found.failures],
    }


def _viewers(engine: Engine) -> Iterator[str]:
    seen: set[str] = set()
    for action in engine.store.actions():
        if action.viewer not in seen:
            seen.add(action.viewer)
            yield action.viewer
