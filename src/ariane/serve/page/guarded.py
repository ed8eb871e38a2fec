"""Posts beside a feed (a thread, what was answered or reposted): the guard stands here too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ariane.engine import Engine
from ariane.guard import guard
from ariane.guard.rules import BLOCKED, BY_NAME, MUTED
from ariane.types import Ask, Ranked, Verdict, Viewer


@dataclass(frozen=True, slots=True)
class Guarded:
    """What may be shown, with its marks, and what may not, with the verdict that says so."""

    shown: Mapping[str, Ranked]
    withheld: Mapping[str, Verdict]


def guarded(engine: Engine, ask: Ask, viewer: Viewer, posts: Iterable[str]) -> Guarded:
    """These posts as this viewer may see them; a post that is not held is in neither."""
    wanted = tuple(dict.fromkeys(posts))
    found = engine.store.candidates(wanted, ask.at) if wanted else {}
    items = [Ranked(found[post], (), 0.0) for post in wanted if post in found]
    own = [item for item in items if item.candidate.post.author == viewer.id]
    others = [item for item in items if item.candidate.post.author != viewer.id]
    allowed, unfit = guard((*BY_NAME, *engine.after), viewer, others)
    return Guarded(
        {item.candidate.post.id: item for item in (*own, *allowed)},
        {removed.candidate.post.id: removed.verdict for removed in unfit},
    )


def avoided(verdict: Verdict) -> bool:
    """Whether the viewer themself muted or blocked the author."""
    return verdict in (MUTED, BLOCKED)
