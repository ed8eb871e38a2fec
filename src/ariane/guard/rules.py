"""The viewer's own rules, and the authors': they need no model, and no statement of reasons."""

from __future__ import annotations

from typing import Final

from ariane.targets import matched
from ariane.types import Candidate, Decision, Rule, Verdict, Viewer

SEEN: Final = Verdict(Decision.DROP, "seen@1")
OWN: Final = Verdict(Decision.DROP, "own@1")
MUTED: Final = Verdict(Decision.DROP, "muted@1")
BLOCKED: Final = Verdict(Decision.DROP, "blocked@1")
HIDES: Final = Verdict(Decision.DROP, "hides-from-algorithms@1")
UNWISHED: Final = Verdict(Decision.DROP, "unwished@1")
MEMBERS: Final = Verdict(Decision.DROP, "members-only@1")


def seen(viewer: Viewer, candidate: Candidate) -> Verdict | None:
    """Not twice: a post and its reposts are one, and `viewer.seen` holds what was reposted too."""
    post = candidate.post
    return SEEN if post.id in viewer.seen or post.repost_of in viewer.seen else None


def own(viewer: Viewer, candidate: Candidate) -> Verdict | None:
    """Not what the viewer wrote."""
    return OWN if candidate.post.author == viewer.id else None


def muted(viewer: Viewer, candidate: Candidate) -> Verdict | None:
    """Nothing by whom the viewer muted."""
    return MUTED if candidate.post.author in viewer.mutes else None


def blocked(viewer: Viewer, candidate: Candidate) -> Verdict | None:
    """Nothing by whom the viewer blocked."""
    return BLOCKED if candidate.post.author in viewer.blocks else None


def unwished(viewer: Viewer, candidate: Candidate) -> Verdict | None:
    """Nothing that the viewer wants none of at all: a wish for less at full strength.

    Only wishes in force are the viewer's when they come from a store.
    """
    for wish in viewer.wishes:
        if wish.direction < 0 and wish.strength >= 1 and matched(wish.target, candidate) > 0:
            return UNWISHED
    return None


def hides(viewer: Viewer, candidate: Candidate) -> Verdict | None:
    """An author who hides from algorithms is shown to followers only."""
    asked = any(label.value == "hides-from-algorithms" for label in candidate.labels)
    return HIDES if asked and candidate.post.author not in viewer.follows else None


def members(viewer: Viewer, candidate: Candidate) -> Verdict | None:
    """An author who asks not to be shown without an account (`!no-unauthenticated`) is heard."""
    if viewer.id is not None:
        return None
    asked = any(label.value == "!no-unauthenticated" for label in candidate.labels)
    return MEMBERS if asked else None


BEFORE: tuple[Rule, ...] = (seen, own, muted, blocked, hides, members, unwished)
"""The rules before the ranker, cheapest and most frequent first."""

BY_NAME: tuple[Rule, ...] = (muted, blocked, members)
"""What the viewer and the authors decided; for what is asked for, where it was seen or not."""
