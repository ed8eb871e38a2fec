"""Grok-2's decoder for Transformers, after SGLang's `models/grok.py`.

Four things set it apart from Mixtral: each branch is normed before and after (sandwich), a dense
MLP runs beside the experts and their sum is divided by √2, logits are capped by c·tanh(x / c)
in attention, router and head, and attention sharpens past position `attn_temperature_len`.

Shapes: B batch, S tokens, D hidden, H query heads, K key-value heads, T keys, E experts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers import initialization as init
from transformers.activations import ACT2FN
from transformers.cache_utils import Cache, DynamicCache
from transformers.generation import GenerationMixin
from transformers.integrations import use_experts_implementation
from transformers.masking_utils import create_causal_mask
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import MoeCausalLMOutputWithPast, MoeModelOutputWithPast
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.modeling_utils import PreTrainedModel
from transformers.models.auto.modeling_auto import AutoModel, AutoModelForCausalLM
from transformers.utils import can_return_tuple
from transformers.utils.generic import merge_with_config_defaults
from transformers.utils.output_capturing import OutputRecorder, capture_outputs

from ariane.grok.attention_grok2 import (
    GROK2_ATTENTION_FUNCTIONS,
    eager_attention_forward,
    soft_cap,
)
from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.loading_grok2 import PublishedCheckpoint


class Grok2RMSNorm(nn.Module):
    """Root-mean-square norm, in float32 at least (https://arxiv.org/abs/1910.07467)."""

    def __init__(self, hidden_size: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden_size))
        self.variance_epsilon = eps

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """Scale the last dimension to unit mean square, then by the weight."""
        wide = hidden_states.to(torch.promote_types(hidden_states.dtype, torch.float32))
        normed = F.rms_norm(wide, wide.shape[-1:], eps=self.variance_epsilon)
        return self.weight * normed.to(hidden_states.dtype)


class Grok2RotaryEmbedding(nn.Module):
    """Cosines and sines of rotary position embedding (https://arxiv.org/abs/2104.09864).

    Plain, or YaRN (https://arxiv.org/abs/2309.00071), whose factor on cosines and sines makes it
    the same as llama.cpp's: scores grow by its square.
    """

    inv_freq: torch.Tensor
    original_inv_freq: torch.Tensor

    def __init__(self, config: Grok2Config) -> None:
        super().__init__()
        self.config = config
        self.rope_type = (config.rope_parameters or {}).get("rope_type", "default")
        compute = self.compute_default_rope_parameters
        if self.rope_type != "default":
            compute = ROPE_INIT_FUNCTIONS[self.rope_type]
        inv_freq, self.attention_scaling = compute(config)
        self.register_buffer("inv_freq", inv_freq, persistent=False)
        self.register_buffer("original_inv_freq", inv_freq.clone(), persistent=False)

    @staticmethod
    def compute_default_rope_parameters(
        config: Grok2Config, **_: Any
    ) -> tuple[torch.Tensor, float]:
        """Inverse frequencies (head_dim / 2,) and the factor on cosines, always 1."""
        rope: dict[str, Any] = config.rope_parameters or {}
        exponents = torch.arange(0, config.head_dim, 2, dtype=torch.float) / config.head_dim
        return 1.0 / (rope["rope_theta"] ** exponents), 1.0

    @torch.no_grad()
    def forward(
        self, x: torch.Tensor, position_ids: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Positions (B, S) to cosines and sines (B, S, head_dim) in the dtype of x."""
        wide = torch.promote_types(x.dtype, torch.float32)
        angles = position_ids[..., None].to(wide) * self.inv_freq.to(x.device, wide)
        both = torch.cat((angles, angles), dim=-1)
        factor = self.attention_scaling
        return (both.cos() * factor).to(x.dtype), (both.sin() * factor).to(x.dtype)


def rotate_half(x: torch.Tensor) -> torch.Tensor:
    """Turn the pairs (first half, second half) of the last dimension by 90°."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat((-second, first), dim=-1)


def apply_rotary_pos_emb(
    query: torch.Tensor, key: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Rotate queries (B, H, S, head_dim) and keys (B, K, S, head_dim) to their positions."""
    cos, sin = cos.unsqueeze(1), sin.unsqueeze(1)
    return query * cos + rotate_half(query) * sin, key * cos + rotate_half(key) * sin


class Grok2Attention(nn.Module):
    """Grouped-query attention with rotary positions, through Transformers' attention interface."""

    def __init__(self, config: Grok2Config, layer_idx: int) -> None:
        super().__init__()
        self.config = config
        self.layer_idx = layer_idx
        self.head_dim = config.head_dim
        self.num_key_value_groups = config.num_attention_heads // config.num_key_value_heads
        self.scaling = self.head_dim**-0.5
        self.attention_dropout = config.attention_dropout
        self.is_causal = True
        queries = config.num_attention_heads * self.head_dim
        keys = config.num_key_value_heads * self.head_dim
        self.q_proj = nn.Linear(config.hidden_size, queries, bias=False)
        self.k_proj = nn.Linear(config.hidden_size, keys, bias=False)
        self.v_proj = nn.Linear(config.hidden_size, keys, bias=False)
        self.o_proj = nn.Linear(queries, config.hidden_size, bias=False)

    def forward(
        self,
        hidden_states: torch.Tensor,
        position_embeddings: tuple[torch.Tensor, torch.Tensor],
        attention_mask: torch.Tensor | None,
        past_key_values: Cache | None = None,
        **kwargs: Any,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """(B, S, D) to (B, S, D) and, where the implementation gives them, weights."""
        tokens = hidden_states.shape[:-1]
        heads = (*tokens, -1, self.head_dim)
        query = self.q_proj(hidden_states).view(heads).transpose(1, 2)
        key = self.k_proj(hidden_states).view(heads).transpose(1, 2)
        value = self.v_proj(hidden_states).view(heads).transpose(1, 2)
        query, key = apply_rotary_pos_emb(query, key, *position_embeddings)
        if past_key_values is not None:
            key, value = past_key_values.update(key, value, self.layer_idx)

        attend: Callable[..., tuple[torch.Tensor, torch.Tensor | None]] = (
            GROK2_ATTENTION_FUNCTIONS.get_interface(
                self.config._attn_implementation, eager_attention_forward
            )
        )
        output, weights = attend(
            self,
            query,
            key,
            value,
            attention_mask,
            dropout=self.attention_dropout if self.training else 0.0,
            scaling=self.scaling,
            softcap=self.config.attn_logit_softcapping,
            **kwargs,
        )
        return self.o_proj(output.reshape(*tokens, -1)), weights


class Grok2MLP(nn.Module):
    """The dense feed-forward branch, gated by GELU."""

    def __init__(self, config: Grok2Config) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)
        self.act_fn = ACT2FN[config.hidden_act]

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """(…, D) to (…, D)."""
        gate = self.act_fn(self.gate_proj(hidden_states))
        output: torch.Tensor = self.down_proj(gate * self.up_proj(hidden_states))
        return output


class Grok2TopKRouter(nn.Module):
    """Chooses experts: a softmax over all of them, whose top k are not normalised again."""

    def __init__(self, config: Grok2Config) -> None:
        super().__init__()
        self.top_k = config.num_experts_per_tok
        self.cap = config.router_logit_softcapping
        self.weight = nn.Parameter(torch.empty(config.num_local_experts, config.hidden_size))

    def forward(
        self, hidden_states: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Tokens (N, D) to capped logits (N, E), weights (N, k) and expert numbers (N, k)."""
        wide = torch.promote_types(hidden_states.dtype, torch.float32)
        logits = soft_cap(F.linear(hidden_states.to(wide), self.weight.to(wide)), self.cap)
        weights, chosen = torch.topk(logits.softmax(dim=-1), self.top_k, dim=-1)
        return logits, weights, chosen


@use_experts_implementation
class Grok2Experts(nn.Module):
    """All experts of a layer as two 3-D parameters; gate and up are rows of one."""

    def __init__(self, config: Grok2Config) -> None:
        super().__init__()
        self.num_experts = config.num_local_experts
        self.hidden_dim = config.hidden_size
        self.intermediate_dim = config.moe_intermediate_size
        wide, narrow = self.intermediate_dim, self.hidden_dim
        self.gate_up_proj = nn.Parameter(torch.empty(self.num_experts, 2 * wide, narrow))
        self.down_proj = nn.Parameter(torch.empty(self.num_experts, narrow, wide))
        self.act_fn = ACT2FN[config.hidden_act]

    def forward(
        self, hidden_states: torch.Tensor, top_k_index: torch.Tensor, top_k_weights: torch.Tensor
    ) -> torch.Tensor:
        """Tokens (N, D), chosen experts and weights (N, k) to the weighted sum (N, D)."""
        output = torch.zeros_like(hidden_states)
        for expert in torch.unique(top_k_index).tolist():
            token, choice = torch.where(top_k_index == expert)
            gate, up = F.linear(hidden_states[token], self.gate_up_proj[expert]).chunk(2, dim=-1)
            result = F.linear(self.act_fn(gate) * up, self.down_proj[expert])
            weighted = result * top_k_weights[token, choice, None]
            output.index_add_(0, token, weighted.to(output.dtype))
        return output


class Grok2SparseMoeBlock(nn.Module):
    """Router and experts."""

    def __init__(self, config: Grok2Config) -> None:
        super().__init__()
        self.gate = Grok2TopKRouter(config)
        self.experts = Grok2Experts(config)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """(B, S, D) to (B, S, D)."""
        tokens = hidden_states.reshape(-1, hidden_states.shape[-1])
        _, weights, chosen = self.gate(tokens)
        output: torch.Tensor = self.experts(tokens, chosen, weights)
        return output.view_as(hidden_states)


class Grok2DecoderLayer(GradientCheckpointingLayer):
    """Attention, then the feed-forward branches, each between two norms."""

    def __init__(self, config: Grok2Config, layer_idx: int) -> None:
        super().__init__()
        self.self_attn = Grok2Attention(config, layer_idx)
        dense = config.residual_moe or not config.num_local_experts
        self.mlp = Grok2MLP(config) if dense else None
        self.block_sparse_moe = Grok2SparseMoeBlock(config) if config.num_local_experts else None
        self.pre_attn_norm = Grok2RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attn_norm = Grok2RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.pre_moe_norm = Grok2RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_moe_norm = Grok2RMSNorm(config.hidden_size, config.rms_norm_eps)

    def feed_forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """The dense MLP, the experts, or both: their sum over √2 (SGLang's residual MoE)."""
        branches = [branch for branch in (self.mlp, self.block_sparse_moe) if branch is not None]
        outputs = [branch(hidden_states) for branch in branches]
        total: torch.Tensor = outputs[0] if len(outputs) == 1 else sum(outputs) / math.sqrt(2)
        return total

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        position_embeddings: tuple[torch.Tensor, torch.Tensor] | None = None,
        **kwargs: Any,
    ) -> torch.Tensor:
        """(B, S, D) to (B, S, D)."""
        attended, _ = self.self_attn(
            hidden_states=self.pre_attn_norm(hidden_states),
            position_embeddings=position_embeddings,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            **kwargs,
        )
        hidden_states = hidden_states + self.post_attn_norm(attended)
        fed = self.feed_forward(self.pre_moe_norm(hidden_states))
        output: torch.Tensor = hidden_states + self.post_moe_norm(fed)
        return output


class Grok2PreTrainedModel(PublishedCheckpoint, PreTrainedModel):
    """What Transformers needs to know of the architecture; loadable from every layout."""

    config: Grok2Config
    config_class = Grok2Config
    base_model_prefix = "model"
    supports_gradient_checkpointing = True
    _no_split_modules = ("Grok2DecoderLayer",)
    _skip_keys_device_placement = ("past_key_values",)
    _supports_sdpa = True
    _supports_flex_attn = True
    _can_compile_fullgraph = True
    _supports_attention_backend = True
    _can_record_outputs = {
        "router_logits": OutputRecorder(Grok2TopKRouter, index=0),
        "hidden_states": Grok2DecoderLayer,
        "attentions": Grok2Attention,
    }

    @property
    def is_gradient_checkpointing(self) -> bool:
        """The older name, by which PEFT asks; Transformers' own warns of it."""
        return bool(self.is_activation_checkpointing)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """Normal weights for the 3-D parameters that Transformers does not know."""
        super()._init_weights(module)
        std = self.config.initializer_range
        if isinstance(module, Grok2Experts):
            init.normal_(module.gate_up_proj, mean=0.0, std=std)
            init.normal_(module.down_proj, mean=0.0, std=std)
        elif isinstance(module, Grok2TopKRouter):
            init.normal_(module.weight, mean=0.0, std=std)


class Grok2Model(Grok2PreTrainedModel):
    """The decoder: token ids or embeddings to normed hidden states."""

    def __init__(self, config: Grok2Config) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size, config.pad_token_id)
        layers = [Grok2DecoderLayer(config, index) for index in range(config.num_hidden_layers)]
        self.layers = nn.ModuleList(layers)
        self.norm = Grok2RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.rotary_emb = Grok2RotaryEmbedding(config)
        self.gradient_checkpointing = False
        self.post_init()

    def temperature(self, position_ids: torch.Tensor, dtype: torch.dtype) -> torch.Tensor | None:
        """Attention's temperature at each query (B, 1, S, 1); None where it is off."""
        start = self.config.attn_temperature_len
        if start is None:
            return None
        position = position_ids.to(torch.promote_types(dtype, torch.float32))
        sharper = torch.log2(position.clamp(min=start)) / math.log2(start)
        return torch.where(position > start, sharper, 1.0).to(dtype)[:, None, :, None]

    @merge_with_config_defaults
    @capture_outputs
    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        use_cache: bool | None = None,
        **kwargs: Any,
    ) -> MoeModelOutputWithPast:
        """Ids (B, S) or embeddings (B, S, D) to `last_hidden_state` (B, S, D).

        `attention_mask` is (B, T) with 0 on padding, or a prepared additive (B, 1, S, T). Both
        kinds of input are scaled by `embedding_multiplier_scale`. Without `position_ids` the
        tokens follow those in the cache; left padding needs them.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("Give exactly one of input_ids and inputs_embeds.")
        if use_cache and past_key_values is None:
            past_key_values = DynamicCache(config=self.config)
        if inputs_embeds is None:
            inputs_embeds = self.embed_tokens(input_ids)
        if position_ids is None:
            seen = 0 if past_key_values is None else past_key_values.get_seq_length()
            steps = torch.arange(inputs_embeds.shape[1], device=inputs_embeds.device)
            position_ids = (steps + seen).unsqueeze(0)

        causal_mask = create_causal_mask(
            config=self.config,
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            position_ids=position_ids,
        )
        temperature = self.temperature(position_ids, inputs_embeds.dtype)
        if temperature is not None:
            kwargs["temperature"] = temperature
        hidden_states = inputs_embeds * self.config.embedding_multiplier_scale
        position_embeddings = self.rotary_emb(hidden_states, position_ids)
        for layer in self.layers:
            hidden_states = layer(
                hidden_states,
                attention_mask=causal_mask,
                past_key_values=past_key_values,
                position_embeddings=position_embeddings,
                **kwargs,
            )
        return MoeModelOutputWithPast(
            last_hidden_state=self.norm(hidden_states), past_key_values=past_key_values
        )


class Grok2ForCausalLM(Grok2PreTrainedModel, GenerationMixin):
    """The decoder with its head over the vocabulary."""

    _tied_weights_keys = {"lm_head.weight": "model.embed_tokens.weight"}

    def __init__(self, config: Grok2Config) -> None:
        super().__init__(config)
        self.model = Grok2Model(config)
        self.vocab_size = config.vocab_size
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | torch.Tensor = 0,
        **kwargs: Any,
    ) -> MoeCausalLMOutputWithPast:
        """Ids (B, S) to `logits` (B, S, vocabulary), and `loss` where labels (B, S) are given.

        `logits_to_keep` n > 0 computes those of the last n tokens alone; a tensor picks tokens.
        """
        outputs = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            use_cache=use_cache,
            **kwargs,
        )
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.logits_of(outputs.last_hidden_state[:, kept, :])
        loss = None
        if labels is not None:
            loss = self.loss_function(logits, labels, self.vocab_size, **kwargs)
        return MoeCausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            router_logits=outputs.router_logits,
        )

    def logits_of(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """The model's last hidden states (…, D) to logits (…, vocabulary)."""
        logits = self.lm_head(hidden_states) * self.config.output_multiplier_scale
        return soft_cap(logits, self.config.final_logit_softcapping)


def register() -> None:
    """Make the model classes known to Transformers."""
    AutoModel.register(Grok2Config, Grok2Model, exist_ok=True)
    AutoModelForCausalLM.register(Grok2Config, Grok2ForCausalLM, exist_ok=True)


__all__ = ["Grok2ForCausalLM", "Grok2Model", "Grok2PreTrainedModel"]
