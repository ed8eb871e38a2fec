"""A mixture of experts whose sums do not depend on which tokens share an expert."""

from __future__ import annotations

import torch
from transformers.integrations.moe import ALL_EXPERTS_FUNCTIONS

from ariane.grok.modeling_grok2 import Grok2Experts

EVERY_EXPERT = "every_expert"
"""What a body's `experts_implementation` is set to."""


def every_expert(
    experts: Grok2Experts,
    hidden_states: torch.Tensor,
    top_k_index: torch.Tensor,
    top_k_weights: torch.Tensor,
) -> torch.Tensor:
    """Run all E experts on all tokens (N, D), and weight those not chosen by zero.

    Transformers' own forms gather the tokens of each expert, so the shape of a product, and with
    it the rounding of a score, would depend on the other candidates. At feed size E is small.
    """
    weights = torch.zeros(
        len(hidden_states),
        experts.num_experts,
        dtype=top_k_weights.dtype,
        device=top_k_index.device,
    ).scatter(1, top_k_index, top_k_weights)
    gate, up = (hidden_states @ experts.gate_up_proj.transpose(1, 2)).chunk(2, dim=-1)
    each = (experts.act_fn(gate) * up) @ experts.down_proj.transpose(1, 2)  # (E, N, D)
    total: torch.Tensor = (each * weights.T[..., None]).sum(0)
    return total.to(hidden_states.dtype)


ALL_EXPERTS_FUNCTIONS.register(EVERY_EXPERT, every_expert)
