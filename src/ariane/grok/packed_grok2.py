"""Layers over packed weights: a linear map, or one for each expert, and Grok-2's experts.

Shapes: N rows (features out), K columns (features in), E experts, S tokens, k choices.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers.activations import ACT2FN

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.kernels_grok2 import FEW, kernel
from ariane.grok.modeling_grok2 import Grok2Experts
from ariane.grok.packing_grok2 import check, chunks, code_bytes, dequantize, quantize


@torch.library.custom_op("grok2::packed_multiply", mutates_args=())
def packed_multiply(
    x: torch.Tensor,
    codes: torch.Tensor,
    scales: torch.Tensor,
    experts: torch.Tensor,
    bits: int,
    group: int,
) -> torch.Tensor:
    """Tokens (S, K), each by the matrix of its expert (S,), to (S, N) in the type of x.

    `codes` are (E, N, …) and `scales` (E, 2, N, G). One operation, so that `torch.compile` need
    not look inside.
    """
    fast = kernel(x.device) if len(x) <= FEW and x.dtype != torch.float64 else None
    if fast is not None:
        return fast(x.float(), codes, scales, experts, bits, group).to(x.dtype)
    out = x.new_empty(len(x), codes.shape[1])
    for expert, tokens in by_expert(experts):
        for part in chunks(codes.shape[1], x.shape[1]):
            weight = dequantize(codes[expert, part], scales[expert, :, part], bits, group, x.dtype)
            out[tokens, part] = F.linear(x[tokens], weight)
    return out


@packed_multiply.register_fake
def _(
    x: torch.Tensor,
    codes: torch.Tensor,
    scales: torch.Tensor,
    experts: torch.Tensor,
    bits: int,
    group: int,
) -> torch.Tensor:
    return x.new_empty(x.shape[0], codes.shape[1])


def by_expert(experts: torch.Tensor) -> list[tuple[int, torch.Tensor]]:
    """Each expert that is asked for, with the numbers of its tokens."""
    asked = torch.unique(experts).tolist()
    return [(expert, torch.where(experts == expert)[0]) for expert in asked]


def _keep(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
    _, codes, scales, experts, ctx.bits, ctx.group = inputs
    ctx.save_for_backward(codes, scales, experts)


def _gradient(ctx: Any, above: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
    """The gradient of x alone: packed weights are not trained."""
    codes, scales, experts = ctx.saved_tensors
    width = codes.shape[-1] * 8 // ctx.bits
    below = above.new_zeros(len(above), width)
    for expert, tokens in by_expert(experts):
        for part in chunks(codes.shape[1], width):
            weight = dequantize(
                codes[expert, part], scales[expert, :, part], ctx.bits, ctx.group, above.dtype
            )
            below[tokens] += above[tokens, part] @ weight
    return below, None, None, None, None, None


packed_multiply.register_autograd(_gradient, setup_context=_keep)


class PackedLinear(nn.Module):
    """A linear map without bias over packed weights; with `experts`, one for each of them."""

    _hf_quantized_needs_local_tp = True  # Transformers' tensor parallelism hands over own shares

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bits: int,
        group: int,
        experts: int | None = None,
    ) -> None:
        super().__init__()
        check(in_features, bits, group)
        self.in_features, self.out_features = in_features, out_features
        self.bits, self.group, self.experts = bits, group, experts
        lead = () if experts is None else (experts,)
        codes = torch.zeros(*lead, out_features, code_bytes(in_features, bits), dtype=torch.uint8)
        scales = torch.zeros(*lead, 2, out_features, in_features // group, dtype=torch.bfloat16)
        self.codes = nn.Parameter(codes, requires_grad=False)
        self.scales = nn.Parameter(scales, requires_grad=False)

    @classmethod
    def of(cls, weight: torch.Tensor, bits: int, group: int) -> PackedLinear:
        """A weight (N, K) or (E, N, K), packed where it is."""
        codes, scales = quantize(weight.detach(), bits, group)
        experts = weight.shape[0] if weight.dim() == 3 else None
        with torch.device("meta"):
            packed = cls(weight.shape[-1], weight.shape[-2], bits, group, experts)
        packed.codes = nn.Parameter(codes, requires_grad=False)
        packed.scales = nn.Parameter(scales, requires_grad=False)
        return packed

    def forward(self, x: torch.Tensor, experts: torch.Tensor | None = None) -> torch.Tensor:
        """(…, K) to (…, N); where there are experts, x is (S, K) and `experts` (S,) chooses."""
        tokens = x.reshape(-1, x.shape[-1])  # under tensor parallelism a share of the features
        if tokens.shape[1] != self.scales.shape[-1] * self.group:
            raise ValueError(
                f"{tokens.shape[1]} features meet {self.scales.shape[-1]} groups of {self.group}: "
                "under tensor parallelism use processes that divide the groups, or a smaller "
                "group_size."
            )
        codes: torch.Tensor = self.codes
        scales: torch.Tensor = self.scales
        if experts is None:
            codes, scales = codes[None], scales[None]
            experts = torch.zeros(len(tokens), dtype=torch.int64, device=x.device)
        out: torch.Tensor = packed_multiply(tokens, codes, scales, experts, self.bits, self.group)
        return out.view(*x.shape[:-1], out.shape[-1])

    def dequantize(self, dtype: torch.dtype) -> torch.Tensor:
        """The weights (N, K) or (E, N, K) as they are used."""
        return dequantize(self.codes, self.scales, self.bits, self.group, dtype)

    def extra_repr(self) -> str:
        """What `print(model)` says."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"experts={self.experts}, bits={self.bits}, group={self.group}"
        )


class PackedExperts(nn.Module):
    """`Grok2Experts` over packed weights."""

    def __init__(self, config: Grok2Config, bits: int, group: int) -> None:
        super().__init__()
        wide, narrow = config.moe_intermediate_size, config.hidden_size
        experts = config.num_local_experts
        self.gate_up_proj = PackedLinear(narrow, 2 * wide, bits, group, experts)
        self.down_proj = PackedLinear(wide, narrow, bits, group, experts)
        self.act_fn = ACT2FN[config.hidden_act]

    @classmethod
    def of(cls, experts: Grok2Experts, config: Grok2Config, bits: int, group: int) -> PackedExperts:
        """Experts, packed where they are."""
        with torch.device("meta"):
            packed = cls(config, bits, group)
        packed.gate_up_proj = PackedLinear.of(experts.gate_up_proj, bits, group)
        packed.down_proj = PackedLinear.of(experts.down_proj, bits, group)
        return packed

    def forward(
        self, hidden_states: torch.Tensor, top_k_index: torch.Tensor, top_k_weights: torch.Tensor
    ) -> torch.Tensor:
        """Tokens (S, K), chosen experts and weights (S, k) to the weighted sum (S, K)."""
        chosen = top_k_index.flatten()
        tokens = hidden_states.repeat_interleave(top_k_index.shape[1], dim=0)
        gate, up = self.gate_up_proj(tokens, chosen).chunk(2, dim=-1)
        result = self.down_proj(self.act_fn(gate) * up, chosen)
        weighted = result.view(*top_k_index.shape, -1) * top_k_weights.unsqueeze(-1)
        total: torch.Tensor = weighted.sum(1).to(hidden_states.dtype)
        return total
