"""Serve: the HTTP API and the Bluesky feed generator.

`create_app` makes the application, `run` serves a home; both load lazily, so that issuing a token
loads no model.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

PARTS: Mapping[str, str] = {
    "create_app": "ariane.serve.http:create_app",
    "run": "ariane.serve.http:run",
    "ServeSettings": "ariane.serve.settings:ServeSettings",
    "issue": "ariane.serve.tokens:issue",
}
"""The public names of this room, and where they are defined."""

__all__ = ["PARTS", "ServeSettings", "create_app", "issue", "run"]


def __getattr__(name: str) -> object:
    """A public name, loaded when it is first asked for."""
    if name not in PARTS:
        raise AttributeError(f"ariane.serve has no {name}; it has {', '.join(PARTS)}.")
    module, _, attribute = PARTS[name].partition(":")
    return getattr(import_module(module), attribute)
