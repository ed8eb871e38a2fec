"""A tiny Grok-2 in float64 for the room's tests, with every cap low enough to bite."""

from __future__ import annotations

from typing import Any

import torch
from tests.grok.reference import Reference

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.modeling_grok2 import Grok2ForCausalLM

SHAPE: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "embedding_multiplier_scale": 32**0.5,
}
TINY: dict[str, Any] = {
    **SHAPE,
    "vocab_size": 61,
    "moe_intermediate_size": 24,
    "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0},
    # Low caps and a short temperature, so that leaving one out could not pass unseen.
    "attn_logit_softcapping": 1.5,
    "router_logit_softcapping": 1.0,
    "final_logit_softcapping": 2.0,
    "attn_temperature_len": 6,
    "attn_implementation": "eager",
    "experts_implementation": "eager",  # the others refuse float64
}
IDS = [5, 9, 2, 60, 14, 14, 33, 8, 21, 40, 3, 17]

VARIANTS: dict[str, dict[str, Any]] = {
    "as published": {},
    "tanh gelu": {"hidden_act": "gelu_pytorch_tanh"},
    "no caps": {
        "attn_logit_softcapping": None,
        "router_logit_softcapping": None,
        "final_logit_softcapping": None,
    },
    "no temperature": {"attn_temperature_len": None},
    "dense": {"num_local_experts": 0},
    "experts alone": {"residual_moe": False},
    "one expert of three": {"num_local_experts": 3, "num_experts_per_tok": 1},
    "a key head for each query head": {"num_key_value_heads": 4},
    "tied": {"tie_word_embeddings": True},
}


def tiny(**changes: Any) -> Grok2ForCausalLM:
    """A tiny model in float64 whose weights are large enough for every cap to bite."""
    torch.manual_seed(0)
    model = Grok2ForCausalLM(Grok2Config(**{**TINY, **changes})).double().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name:
                parameter.uniform_(0.5, 1.5)
            else:
                parameter.normal_(std=0.6 if "embed" not in name else 0.3)
    return model


def reference(model: Grok2ForCausalLM) -> tuple[Reference, Any]:
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    body = {name.removeprefix("model."): array for name, array in weights.items()}
    return Reference(body, model.config), weights["lm_head.weight"]


def run(model: Grok2ForCausalLM, ids: list[list[int]], **options: Any) -> Any:
    with torch.no_grad():
        return model(torch.tensor(ids), **options).logits.numpy()
