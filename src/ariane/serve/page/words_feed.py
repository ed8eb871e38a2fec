"""Words of the feed: cards, actions, reasons, wishes, threads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FEED: Final[Mapping[str, tuple[str, str]]] = {
    "feed.posts": ("Posts", "Messages"),
    "feed.more": ("More posts", "Plus de messages"),
    "feed.end": (
        "That is all there is for now. You have reached the end.",
        "C’est tout pour l’instant. Vous êtes au bout.",
    ),
    "feed.fresh": ("See what is new", "Voir ce qu’il y a de nouveau"),
}
