"""What the reader did to the posts that are shown, so that each button says so and can undo it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ariane.engine import Engine
from ariane.types import ActionKind, Viewer

ON_POSTS: Final = (
    ActionKind.LIKE,
    ActionKind.REPOST,
    ActionKind.BOOKMARK,
    ActionKind.NOT_INTERESTED,
)
ON_AUTHORS: Final = (ActionKind.FOLLOW, ActionKind.MUTE, ActionKind.BLOCK)
STANDING: Final = "standing"
"""Stands for the ids of the actions that make a follow, mute or block, which end together."""


@dataclass(frozen=True, slots=True)
class Done:
    """(kind, post or account) → the id of the viewer's action, STANDING for an account."""

    actions: Mapping[tuple[ActionKind, str], str] = field(default_factory=dict)

    def to(self, post: str, author: str) -> dict[ActionKind, str]:
        """What was done to a post or its author, by kind."""
        keys = [(kind, post) for kind in ON_POSTS] + [(kind, author) for kind in ON_AUTHORS]
        return {key[0]: self.actions[key] for key in keys if key in self.actions}


def done_by(viewer: Viewer) -> Done:
    """What was done to posts, as the history tells, and to authors, as the standing lists do."""
    relations = (
        (ActionKind.FOLLOW, viewer.follows),
        (ActionKind.MUTE, viewer.mutes),
        (ActionKind.BLOCK, viewer.blocks),
    )
    authors = {(kind, account): STANDING for kind, held in relations for account in held}
    did = (past.action for past in viewer.history)
    posts = {(one.kind, one.post): one.id for one in did if one.post and one.kind in ON_POSTS}
    return Done(posts | authors)


def done_now(engine: Engine, viewer: str | None, at: int) -> Done:
    """What the viewer did until now; read for the buttons alone, never for the order of posts."""
    if viewer is None:
        return Done()
    return done_by(engine.store.viewer(engine.ask(viewer, at=at)))
