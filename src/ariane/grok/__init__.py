"""Grok for Transformers: configuration and models, loaded when first named."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ariane.grok.configuration_grok2 import Grok2Config
    from ariane.grok.modeling_grok2 import Grok2ForCausalLM, Grok2Model

_FILES = {
    "Grok2Config": "ariane.grok.configuration_grok2",
    "Grok2ForCausalLM": "ariane.grok.modeling_grok2",
    "Grok2Model": "ariane.grok.modeling_grok2",
}

__all__ = ["Grok2Config", "Grok2ForCausalLM", "Grok2Model"]


def __getattr__(name: str) -> Any:
    """Load the file of a public name when it is first asked for (PEP 562)."""
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_FILES[name]), name)
