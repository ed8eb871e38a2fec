"""Grok for Transformers: configuration and models, loaded when first named."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ariane.grok.configuration_grok2 import Grok2Config
    from ariane.grok.modeling_grok2 import Grok2ForCausalLM, Grok2Model

PARTS = {
    "Grok2Config": "ariane.grok.configuration_grok2:Grok2Config",
    "Grok2ForCausalLM": "ariane.grok.modeling_grok2:Grok2ForCausalLM",
    "Grok2Model": "ariane.grok.modeling_grok2:Grok2Model",
}
"""The public names and where they are."""

__all__ = ["Grok2Config", "Grok2ForCausalLM", "Grok2Model"]


def __getattr__(name: str) -> Any:
    """Load the file of a public name when it is first asked for (PEP 562)."""
    if name not in PARTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = PARTS[name].partition(":")
    return getattr(import_module(module), attribute)
