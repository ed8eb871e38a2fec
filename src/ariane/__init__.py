"""Ariane: a self-hosted, open For You feed whose every reason can be replayed.

The public names load their rooms when they are first used (PEP 562).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ariane.engine import Engine, load
    from ariane.feed import arrange, for_you, replay
    from ariane.ingest import ingest
    from ariane.read import read
    from ariane.types import Account, Action, ActionKind, Ask, Feed, FeedSpec, Page, Post, Wish

__all__ = [
    "Account",
    "Action",
    "ActionKind",
    "Ask",
    "Engine",
    "Feed",
    "FeedSpec",
    "Page",
    "Post",
    "Wish",
    "arrange",
    "for_you",
    "ingest",
    "load",
    "read",
    "replay",
]

PARTS: Mapping[str, str] = {
    "Engine": "ariane.engine",
    "load": "ariane.engine",
    "arrange": "ariane.feed",
    "for_you": "ariane.feed",
    "replay": "ariane.feed",
    "ingest": "ariane.ingest",
    "read": "ariane.read",
} | dict.fromkeys(
    ("Account", "Action", "ActionKind", "Ask", "Feed", "FeedSpec", "Page", "Post", "Wish"),
    "ariane.types",
)


def __getattr__(name: str) -> object:
    if name not in PARTS:
        raise AttributeError(f"module 'ariane' has no attribute {name!r}")
    value: object = getattr(import_module(PARTS[name]), name)
    return value
