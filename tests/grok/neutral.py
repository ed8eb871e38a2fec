"""A random Grok-2 in the setting in which llama.cpp computes what we compute.

`python -m tests.grok.neutral DIR` writes it in the published layout, for the recipe of the fixture.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tests.grok.tokens import random_tokens, write_tokenizer

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.modeling_grok2 import Grok2ForCausalLM
from ariane.grok.write_layout import write_layout

WORDS = random_tokens(0, 32)

# All experts are taken, so that normalising their weights again changes nothing, and the router's
# logits are so small that its cap of 30 does nothing. The other caps are low enough to bite.
NEUTRAL: dict[str, Any] = {
    "vocab_size": 3 + len(WORDS),
    "hidden_size": 64,
    "intermediate_size": 96,
    "moe_intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "num_experts_per_tok": 8,
    "hidden_act": "gelu_pytorch_tanh",
    "max_position_embeddings": 256,
    "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0},
    "embedding_multiplier_scale": 8.0,
    "attn_logit_softcapping": 4.0,
    "final_logit_softcapping": 20.0,
}

YARN = {
    "rope_type": "yarn",
    "rope_theta": 10_000.0,
    "factor": 16.0,
    "original_max_position_embeddings": 256,
    "beta_fast": 8.0,
    "beta_slow": 1.0,
}


GAINS = {"embed_tokens": 2.0, "gate.weight": 0.05, "lm_head": 12.0}
"""How far weights go, over √inputs; 3 where nothing is said."""


def uniform(draw: np.random.Generator, name: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Norms between 0.5 and 1.5, else numbers around zero; logits come to about 4."""
    if "norm" in name:
        return draw.uniform(0.5, 1.5, shape)
    gain = next((gain for part, gain in GAINS.items() if part in name), 3.0)
    inputs = 1 if "embed_tokens" in name else shape[-1]
    return draw.uniform(-1.0, 1.0, shape) * gain / np.sqrt(inputs)


def neutral_model(**changes: Any) -> Grok2ForCausalLM:
    """The same weights in every run, of numbers that bfloat16 holds."""
    model = Grok2ForCausalLM(Grok2Config(**{**NEUTRAL, **changes})).eval()
    draw = np.random.default_rng(0)
    state = {
        name: torch.from_numpy(uniform(draw, name, tuple(tensor.shape))).bfloat16()
        for name, tensor in sorted(model.state_dict().items())
    }
    model.load_state_dict(state)
    return model


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    model = neutral_model().bfloat16()
    write_layout(model.state_dict(), model.config, folder)
    write_tokenizer(folder, WORDS)
