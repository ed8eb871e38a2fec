"""What `AutoConfig` finds: the published `config.json` says "git", as another model's does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import transformers
from huggingface_hub.errors import StrictDataclassError
from transformers.configuration_utils import PreTrainedConfig
from transformers.models.auto.configuration_auto import AutoConfig

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.errors import CheckpointError

ARCHITECTURES = ("Grok1ForCausalLM", "Grok2ForCausalLM")
"""By these a configuration of model type "git" is Grok-2's; the first is the published one."""


class AutoGrok2Config(PreTrainedConfig):
    """The model type "grok2": reading a configuration makes tokenizer and models known too.

    They cannot be named when `AutoConfig` is imported, because their own imports need it.
    """

    model_type = "grok2"
    complete: Callable[[], None]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """A plain Grok2Config, which is the class that the other mappings know."""
        cls.complete()
        return Grok2Config(*args, **kwargs)

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Grok2Config, or `CheckpointError` where it cannot be built."""
        cls.complete()
        content = {name: value for name, value in config_dict.items() if name != "model_type"}
        try:
            return Grok2Config.from_dict(content, **kwargs)
        except (ValueError, TypeError, AttributeError, StrictDataclassError) as error:
            reason = error.__cause__ or error
            raise CheckpointError(f"config.json does not describe a Grok-2: {reason}") from error


class AutoGitConfig(AutoGrok2Config):
    """The model type "git": Grok-2 if the architecture says so, else Microsoft's GIT as ever."""

    model_type = "git"

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """A plain GitConfig."""
        return transformers.GitConfig(*args, **kwargs)

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Grok2Config or GitConfig."""
        named = config_dict.get("architectures")
        if not isinstance(named, list) or not any(name in ARCHITECTURES for name in named):
            return transformers.GitConfig.from_dict(config_dict, **kwargs)
        return super().from_dict(config_dict, **kwargs)


def register(complete: Callable[[], None]) -> None:
    """Make `AutoConfig` know both model types; `complete` registers tokenizer and models."""
    AutoGrok2Config.complete = staticmethod(complete)
    for config in (AutoGrok2Config, AutoGitConfig):
        AutoConfig.register(config.model_type, config, exist_ok=True)
