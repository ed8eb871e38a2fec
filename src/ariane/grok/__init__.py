"""Grok for Transformers: importing this makes the Auto classes know the published checkpoint.

Nothing heavy is loaded by it: configurations are registered when Transformers' `AutoConfig` is
imported, tokenizer and models when a configuration is read or a public name is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ariane.grok.after_import import after_import

if TYPE_CHECKING:
    from ariane.grok.configuration_grok2 import Grok2Config
    from ariane.grok.configuration_packed import Grok2PackedConfig
    from ariane.grok.errors import CheckpointError
    from ariane.grok.modeling_grok2 import Grok2ForCausalLM, Grok2Model
    from ariane.grok.tokenization_grok2 import Grok2Tokenizer

PARTS = {
    "CheckpointError": "ariane.grok.errors:CheckpointError",
    "Grok2Config": "ariane.grok.configuration_grok2:Grok2Config",
    "Grok2ForCausalLM": "ariane.grok.modeling_grok2:Grok2ForCausalLM",
    "Grok2Model": "ariane.grok.modeling_grok2:Grok2Model",
    "Grok2Tokenizer": "ariane.grok.tokenization_grok2:Grok2Tokenizer",
    "Grok2PackedConfig": "ariane.grok.configuration_packed:Grok2PackedConfig",
    "configuration": "ariane.grok.configuration_auto:register",
    "modeling": "ariane.grok.modeling_grok2:register",
    "quantization": "ariane.grok.quantizer_grok2:register",
    "tokenization": "ariane.grok.tokenization_grok2:register",
}
"""The public names and the registrations, and where they are."""

__all__ = [
    "CheckpointError",
    "Grok2Config",
    "Grok2ForCausalLM",
    "Grok2Model",
    "Grok2PackedConfig",
    "Grok2Tokenizer",
]


def _part(name: str) -> Any:
    module, _, attribute = PARTS[name].partition(":")
    return getattr(import_module(module), attribute)


def _register_models() -> None:
    for kind in ("tokenization", "modeling", "quantization"):
        _part(kind)()


def _register_configuration() -> None:
    _part("configuration")(_register_models)


def __getattr__(name: str) -> Any:
    """Load the file of a public name when it is first asked for (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _register_models()
    return _part(name)


after_import("transformers.models.auto.configuration_auto", _register_configuration)
