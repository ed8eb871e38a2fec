"""Grok-2's attention functions: the eager oracle, grouped products for any device, and flex.

The order of Grok-2's scores is: scale, cap, temperature, mask. A temperature after the cap is what
no fused kernel knows; T·c·tanh(s / c) keeps it out of the plain ones.

Shapes: B batch, S queries, T keys, H query heads, K key-value heads.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers.integrations.flex_attention import compile_friendly_flex_attention
from transformers.integrations.sdpa_attention import (
    sdpa_attention_forward as plain_sdpa_attention_forward,
)
from transformers.modeling_utils import AttentionInterface

BLOCK_SCORES = 2**24
"""Scores that grouped attention holds at once: a long prompt is taken in blocks of queries."""


def soft_cap(logits: torch.Tensor, cap: float | None) -> torch.Tensor:
    """Hold logits within ±cap by cap·tanh(logits / cap); None leaves them as they are."""
    return logits if cap is None else torch.tanh(logits / cap) * cap


def repeat_kv(states: torch.Tensor, groups: int) -> torch.Tensor:
    """Keys or values (B, K, T, head_dim) for each of their query heads (B, K·groups, T, …)."""
    return states if groups == 1 else states.repeat_interleave(groups, dim=1)


def eager_attention_forward(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    softcap: float | None = None,
    temperature: torch.Tensor | None = None,
    **_: Any,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention in full, the oracle of every faster form: (B, S, H, head_dim) and weights.

    The order is Grok-2's: scale, cap, then temperature (B, 1, S, 1), then mask.
    """
    groups = query.shape[1] // key.shape[1]
    keys, values = repeat_kv(key, groups), repeat_kv(value, groups)
    scores = soft_cap(query @ keys.transpose(2, 3) * scaling, softcap)
    if temperature is not None:
        scores = scores * temperature
    if attention_mask is not None:
        scores = scores + attention_mask
    weights = F.softmax(scores, dim=-1, dtype=torch.promote_types(scores.dtype, torch.float32))
    weights = F.dropout(weights.to(query.dtype), p=dropout, training=module.training)
    return (weights @ values).transpose(1, 2).contiguous(), weights


def sdpa_attention_forward(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    softcap: float | None = None,
    temperature: torch.Tensor | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """The default: PyTorch's fused kernels where nothing is capped, grouped products elsewhere.

    `attention_mask` (B or 1, 1, S, T) is true where a query sees, or added to its scores; None is
    causal. Gives (B, S, H, head_dim). Without a cap the temperature is a factor on the queries.
    """
    if softcap is None:
        query = query if temperature is None else query * temperature
        output, _ = plain_sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout, scaling, **kwargs
        )
        return output, None
    if kwargs.get("cache") is not None:  # continuous batching keeps keys in pages
        key, value = kwargs["cache"].update(
            key_states=key, value_states=value, layer_idx=module.layer_idx, kwargs=kwargs
        )
    batch, heads, steps, _ = query.shape
    rows = max(1, BLOCK_SCORES // (batch * heads * key.shape[2]))
    blocks = []
    for start in range(0, steps, rows):
        block = slice(start, start + rows)
        given = None if attention_mask is None else attention_mask[:, :, block]
        mask = _causal(block, query, key) if given is None else given
        sharper = None if temperature is None else temperature[:, :, block]
        part = query[:, :, block] * scaling
        blocks.append(_grouped(part, key, value, mask, softcap, sharper, dropout))
    return (blocks[0] if len(blocks) == 1 else torch.cat(blocks, dim=1)), None


def _causal(block: slice, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor | None:
    """Which keys (1, 1, rows, T) a block of queries sees where no mask is given.

    One query sees all; several stand at the first keys, as in PyTorch's `is_causal`.
    """
    if query.shape[2] == 1:
        return None
    position = torch.arange(key.shape[2], device=query.device)
    queries = torch.arange(query.shape[2], device=query.device)[block]
    return (position <= queries[:, None])[None, None]


def _grouped(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    softcap: float,
    temperature: torch.Tensor | None,
    dropout: float,
) -> torch.Tensor:
    """Scaled queries (B, H, rows, head_dim) over keys as they lie, never repeated for each head.

    The query heads of one key head are rows of one product: at decode each key is read once.
    """
    batch, heads, rows, width = query.shape
    shared = key.shape[1]
    together = query.reshape(batch, shared, heads // shared * rows, width)
    scores = soft_cap(together @ key.transpose(2, 3), softcap)
    scores = scores.view(batch, shared, heads // shared, rows, -1)
    if temperature is not None:
        scores = scores * temperature[:, None]
    if mask is not None and mask.dtype == torch.bool:
        # The lowest number, not −inf: a padding query sees nothing and must not become NaN.
        scores = scores.masked_fill(~mask[:, None], torch.finfo(scores.dtype).min)
    elif mask is not None:
        scores = scores + mask[:, None]
    weights = F.softmax(scores, dim=-1, dtype=torch.promote_types(scores.dtype, torch.float32))
    weights = F.dropout(weights.to(query.dtype), p=dropout, training=dropout > 0)
    mixed = weights.flatten(2, 3) @ value
    return mixed.view(batch, heads, rows, -1).transpose(1, 2).contiguous()


def flex_attention_forward(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Any,
    scaling: float,
    dropout: float = 0.0,
    softcap: float | None = None,
    temperature: torch.Tensor | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """FlexAttention: one compiled kernel with cap and temperature inside; for long prompts.

    `attention_mask` is a BlockMask. Gives (B, S, H, head_dim). Raises ValueError with dropout,
    which flex does not have.
    """
    if dropout:
        raise ValueError(
            f"flex_attention has no dropout (attention_dropout {dropout}): set it to 0, or "
            'attn_implementation to "sdpa".'
        )

    def cap(
        score: torch.Tensor,
        batch: torch.Tensor,
        _head: torch.Tensor,
        row: torch.Tensor,
        _column: torch.Tensor,
    ) -> torch.Tensor:
        score = soft_cap(score, softcap)
        return score if temperature is None else score * temperature[batch, 0, row, 0]

    if temperature is not None:
        temperature = temperature.expand(query.shape[0], -1, -1, -1)
    output: torch.Tensor = compile_friendly_flex_attention(
        query,
        key,
        value,
        score_mod=cap,
        block_mask=attention_mask,
        enable_gqa=query.shape[1] != key.shape[1],
        scale=scaling,
        kernel_options=kwargs.get("kernel_options"),
        training=module.training,
    )
    return output.transpose(1, 2).contiguous(), None


GROK2_ATTENTION_FUNCTIONS = AttentionInterface()
"""Transformers' functions by name, with Grok-2's own in place of those that lack a cap."""
GROK2_ATTENTION_FUNCTIONS["sdpa"] = sdpa_attention_forward
GROK2_ATTENTION_FUNCTIONS["flex_attention"] = flex_attention_forward
