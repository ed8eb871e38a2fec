"""The isolation of candidates, as one function of Transformers' attention interface."""

from __future__ import annotations

import torch
from torch import nn
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from ariane.grok.attention_grok2 import soft_cap

HISTORY_AND_SELF = "history_and_self"
"""What a body's `attn_implementation` is set to."""


def history_and_self(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor,
    *,
    scaling: float,
    candidates: int = 0,
    softcap: float | None = None,
    **_: object,
) -> tuple[torch.Tensor, None]:
    """Attend to visible history; the last `candidates` tokens also each to itself alone.

    `query` is (B, heads, S, head_dim) and `key`, `value` (B, key heads, T + candidates, head_dim),
    the T history keys first (cached ones before new ones). `attention_mask` (B or 1, 1, S or 1, T)
    is added to the scores of history: 0 where it is visible, −inf where not. No two candidates
    ever meet, so the cost is O(S·T), and a score depends on no other candidate. Gives
    (B, S, heads, head_dim).
    """
    batch, heads, steps, width = query.shape
    shared, past = key.shape[1], key.shape[2] - candidates
    groups = heads // shared
    grouped = query.reshape(batch, shared, groups * steps, width) * scaling
    scores = soft_cap(grouped @ key[:, :, :past].transpose(2, 3), softcap)
    scores = scores.view(batch, shared, groups, steps, past) + attention_mask[:, :, None]
    if not candidates:
        mixed = scores.softmax(-1).reshape(batch, shared, groups * steps, past) @ value
        return mixed.reshape(batch, heads, steps, width).transpose(1, 2).contiguous(), None

    # A candidate's own key is one extra column, closed to the history's queries.
    before = steps - candidates
    own = grouped.view(batch, shared, groups, steps, width)[..., before:, :]
    itself = (own * key[:, :, None, past:]).sum(-1)
    itself = nn.functional.pad(soft_cap(itself, softcap), (before, 0), value=float("-inf"))
    weights = torch.cat((scores, itself[..., None]), dim=-1).softmax(-1)
    seen = weights[..., :past].reshape(batch, shared, groups * steps, past)
    mixed = (seen @ value[:, :, :past]).view(batch, shared, groups, steps, width)
    alone = weights[..., before:, past:] * value[:, :, None, past:]
    mixed = mixed + nn.functional.pad(alone, (0, 0, before, 0))
    return mixed.reshape(batch, heads, steps, width).transpose(1, 2).contiguous(), None


ALL_ATTENTION_FUNCTIONS.register(HISTORY_AND_SELF, history_and_self)
