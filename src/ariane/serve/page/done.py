"""What the reader did to the posts that are shown, so that each button says so and can undo it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ariane.engine import Engine
from ariane.types import Action, ActionKind, Viewer

ON_POSTS: Final = (
    ActionKind.LIKE,
    ActionKind.REPOST,
    ActionKind.BOOKMARK,
    ActionKind.NOT_INTERESTED,
)
ON_AUTHORS: Final = (ActionKind.FOLLOW, ActionKind.MUTE, ActionKind.BLOCK)
STANDING: Final = "standing"
"""Stands for the id of an action that is older than the history at hand."""


@dataclass(frozen=True, slots=True)
class Done:
    """(kind, post or account) → the id of the viewer's action."""

    actions: Mapping[tuple[ActionKind, str], str] = field(default_factory=dict)

    def to(self, post: str, author: str) -> dict[ActionKind, str]:
        """What was done to a post or its author, by kind."""
        keys = [(kind, post) for kind in ON_POSTS] + [(kind, author) for kind in ON_AUTHORS]
        return {key[0]: self.actions[key] for key in keys if key in self.actions}


def done_by(viewer: Viewer) -> Done:
    """What a viewer's history and lists tell of it."""
    relations = (
        (ActionKind.FOLLOW, viewer.follows),
        (ActionKind.MUTE, viewer.mutes),
        (ActionKind.BLOCK, viewer.blocks),
    )
    found = {(kind, account): STANDING for kind, held in relations for account in held}
    return Done(found | _keyed(past.action for past in viewer.history))


def done_now(engine: Engine, viewer: str | None, at: int) -> Done:
    """What the viewer did until now; read for the buttons alone, never for the order of posts."""
    if viewer is None:
        return Done()
    return done_by(engine.store.viewer(engine.ask(viewer, at=at)))


def standing(engine: Engine, viewer: str, kind: ActionKind, target: str) -> list[str]:
    """The ids of all of a viewer's actions of this kind on a post or account."""
    return [
        action["id"]
        for action in engine.store.export(viewer)["actions"]
        if action["kind"] == kind and target in (action.get("account"), action.get("post"))
    ]


def _keyed(actions: Iterable[Action]) -> dict[tuple[ActionKind, str], str]:
    keyed: dict[tuple[ActionKind, str], str] = {}
    for action in actions:
        target = action.account if action.kind in ON_AUTHORS else action.post
        if target is not None and action.kind in (*ON_POSTS, *ON_AUTHORS):
            keyed[action.kind, target] = action.id
    return keyed
