"""The town: whether the people of this home are simulated, and what they really like."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

from ariane.evaluate.world import FILE, World, load_world
from ariane.serve.live import Live
from ariane.types import ArianeError

log = logging.getLogger(__name__)


def world_of(live: Live) -> World | None:
    """The world of the home that is served, None where its people are real."""
    with live.engine() as engine:
        home = engine.home
    try:
        changed = (home / FILE).stat().st_mtime_ns
    except OSError:
        return None
    return _loaded(home, changed)


@lru_cache(maxsize=4)
def _loaded(home: Path, _changed: int) -> World | None:
    try:
        return load_world(home)
    except ArianeError:
        log.exception("the simulated world is not shown")
        return None
