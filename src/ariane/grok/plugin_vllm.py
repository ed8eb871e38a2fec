"""What vLLM calls in each of its processes (`vllm.general_plugins`): Grok-2 made known to it.

vLLM had a Grok until 0.24 and refuses it by name since; a registered class goes before both.
"""

from __future__ import annotations

from vllm import ModelRegistry

from ariane.grok import configuration_auto, tokenization_grok2

MODEL = "ariane.grok.modeling_grok2_vllm:Grok2ForCausalLM"
"""Named, not imported: vLLM looks at a model's class in a process of its own."""


def register() -> None:
    """Register configuration, tokenizer and model; called again, it changes nothing.

    Our model for Transformers stays out: vLLM asks for an older one than it needs.
    """
    configuration_auto.register(tokenization_grok2.register)
    for architecture in configuration_auto.ARCHITECTURES:
        ModelRegistry.register_model(architecture, MODEL)
