"""The door of this room: what a command loads, by name, when it runs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

PARTS: Mapping[str, str] = {
    "conversion": "ariane.grok.conversion",
    "download": "ariane.grok.download",
    "finetuning": "ariane.grok.finetuning_grok2",
    "grok-1": "ariane.grok.conversion_grok1",
    "grok-1 tokenizer": "ariane.grok.tokenization_grok1",
    "inspection": "ariane.grok.inspection",
    "lora": "ariane.grok.lora_grok2",
    "merging": "ariane.grok.merging_grok2",
    "packing": "ariane.grok.quantization_grok2",
    "placement": "ariane.grok.placement_grok2",
    "planning": "ariane.grok.planning_grok2",
    "running": "ariane.grok.running_grok2",
    "serving": "ariane.grok.serving_grok2",
    "verification": "ariane.grok.verification_grok2",
}
"""What the commands load by name; the only late imports of this room beside its front page."""


def part(name: str) -> Any:
    """The file of a command's work, loaded by name."""
    return import_module(PARTS[name])
