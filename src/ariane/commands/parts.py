"""The rooms that commands load by name, each when its command runs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

PARTS: Mapping[str, str] = {
    "demo": "ariane.demo",
    "settings": "ariane.settings",
    "types": "ariane.types",
    "home": "ariane.home",
    "engine": "ariane.engine",
    "feed": "ariane.feed",
    "ask": "ariane.ask",
    "notes": "ariane.ask.notes",
    "ask nouns": "ariane.ask.nouns",
    "ask words": "ariane.ask.words",
    "ask turns": "ariane.ask.turns",
    "keep": "ariane.steer.keep",
    "ingest": "ariane.ingest",
    "read": "ariane.read",
    "deepen": "ariane.read.deepen",
    "train": "ariane.train",
    "evaluate": "ariane.evaluate",
    "planted": "ariane.evaluate.planted",
    "world": "ariane.evaluate.world",
    "promote": "ariane.report.promote",
    "report algorithm": "ariane.report.algorithm",
    "report markdown": "ariane.report.markdown",
    "serve": "ariane.serve.http",
    "serve settings": "ariane.serve.settings",
    "mcp": "ariane.mcp",
    "tokens": "ariane.serve.tokens",
    "steer": "ariane.steer",
    "sight": "ariane.sight",
    "sentences": "ariane.why.sentences",
    "empty": "ariane.why.empty",
    "bench feed": "ariane.bench.feed",
    "bench grok": "ariane.bench.grok",
    "bench load": "ariane.bench.load",
    "bench rank": "ariane.bench.rank",
    "bench read": "ariane.bench.read",
}
"""The only late imports of the commands."""


def part(name: str) -> Any:
    """A room, loaded by name."""
    return import_module(PARTS[name])
