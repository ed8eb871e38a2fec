"""Grok-2's decoder in vLLM's layers: the same numbers as `modeling_grok2`, in vLLM's engine.

vLLM's attention caps scores but cannot multiply the capped ones by a temperature, so a model is
refused more positions than those before its temperature begins. Run in vLLM 0.32.

Shapes: N tokens of all sequences together, D hidden, E experts.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from vllm.config import CacheConfig, VllmConfig
from vllm.distributed import get_tensor_model_parallel_world_size
from vllm.model_executor.layers.activation import GeluAndMul
from vllm.model_executor.layers.attention import Attention
from vllm.model_executor.layers.fused_moe import FusedMoEFactory
from vllm.model_executor.layers.layernorm import RMSNorm
from vllm.model_executor.layers.linear import (
    MergedColumnParallelLinear,
    QKVParallelLinear,
    ReplicatedLinear,
    RowParallelLinear,
)
from vllm.model_executor.layers.logits_processor import LogitsProcessor
from vllm.model_executor.layers.quantization import QuantizationConfig
from vllm.model_executor.layers.rotary_embedding import get_rope
from vllm.model_executor.layers.vocab_parallel_embedding import (
    ParallelLMHead,
    VocabParallelEmbedding,
)
from vllm.model_executor.models.utils import AutoWeightsLoader, WeightsMapper, maybe_prefix
from vllm.sequence import IntermediateTensors

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.refusals_vllm import Weights, check_positions, checked


class Grok2MLP(nn.Module):
    """The dense feed-forward branch, gated by GELU."""

    def __init__(
        self, config: Grok2Config, quantization: QuantizationConfig | None, prefix: str
    ) -> None:
        super().__init__()
        hidden, wide = config.hidden_size, config.intermediate_size
        self.gate_up_proj = MergedColumnParallelLinear(
            hidden,
            [wide, wide],
            bias=False,
            quant_config=quantization,
            prefix=f"{prefix}.gate_up_proj",
        )
        self.down_proj = RowParallelLinear(
            wide, hidden, bias=False, quant_config=quantization, prefix=f"{prefix}.down_proj"
        )
        self.act_fn = GeluAndMul(approximate="none" if config.hidden_act == "gelu" else "tanh")

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """(N, D) to (N, D)."""
        both, _ = self.gate_up_proj(hidden_states)
        output: torch.Tensor
        output, _ = self.down_proj(self.act_fn(both))
        return output


class Grok2SparseMoeBlock(nn.Module):
    """Router and experts; the weights of the chosen are not normalised again."""

    def __init__(
        self, config: Grok2Config, quantization: QuantizationConfig | None, prefix: str
    ) -> None:
        super().__init__()
        self.cap = config.router_logit_softcapping
        self.gate = ReplicatedLinear(
            config.hidden_size,
            config.num_local_experts,
            bias=False,
            params_dtype=torch.float32,
            prefix=f"{prefix}.gate",
        )
        self.experts = FusedMoEFactory(
            num_experts=config.num_local_experts,
            top_k=config.num_experts_per_tok,
            hidden_size=config.hidden_size,
            intermediate_size=config.moe_intermediate_size,
            renormalize=False,
            quant_config=quantization,
            prefix=f"{prefix}.experts",
            activation=config.hidden_act,
            router_logits_dtype=torch.float32,
        )

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """(N, D) to (N, D)."""
        logits, _ = self.gate(hidden_states.float())
        if self.cap is not None:
            logits = torch.tanh(logits / self.cap) * self.cap
        output: torch.Tensor = self.experts(hidden_states, logits)
        return output


class Grok2Attention(nn.Module):
    """Grouped-query attention with rotary positions and capped scores."""

    def __init__(
        self,
        config: Grok2Config,
        cache: CacheConfig | None,
        quantization: QuantizationConfig | None,
        prefix: str,
    ) -> None:
        super().__init__()
        ranks, width = get_tensor_model_parallel_world_size(), config.head_dim
        queries = config.num_attention_heads // ranks
        keys = max(1, config.num_key_value_heads // ranks)
        self.sizes = [queries * width, keys * width, keys * width]
        self.qkv_proj = QKVParallelLinear(
            config.hidden_size,
            width,
            config.num_attention_heads,
            config.num_key_value_heads,
            bias=False,
            quant_config=quantization,
            prefix=f"{prefix}.qkv_proj",
        )
        self.o_proj = RowParallelLinear(
            config.num_attention_heads * width,
            config.hidden_size,
            bias=False,
            quant_config=quantization,
            prefix=f"{prefix}.o_proj",
        )
        self.rotary_emb = get_rope(
            width,
            max_position=config.max_position_embeddings,
            rope_parameters=config.rope_parameters,
            is_neox_style=True,
        )
        self.attn = Attention(
            queries,
            width,
            width**-0.5,
            num_kv_heads=keys,
            cache_config=cache,
            quant_config=quantization,
            logits_soft_cap=config.attn_logit_softcapping,
            prefix=f"{prefix}.attn",
        )

    def forward(self, positions: torch.Tensor, hidden_states: torch.Tensor) -> torch.Tensor:
        """Positions (N,) and (N, D) to (N, D)."""
        together, _ = self.qkv_proj(hidden_states)
        query, key, value = together.split(self.sizes, dim=-1)
        query, key = self.rotary_emb(positions, query, key)
        output: torch.Tensor
        output, _ = self.o_proj(self.attn(query, key, value))
        return output


class Grok2DecoderLayer(nn.Module):
    """Attention, then the feed-forward branches, each between two norms."""

    def __init__(
        self,
        config: Grok2Config,
        cache: CacheConfig | None,
        quantization: QuantizationConfig | None,
        prefix: str,
    ) -> None:
        super().__init__()
        self.self_attn = Grok2Attention(config, cache, quantization, f"{prefix}.self_attn")
        dense = config.residual_moe or not config.num_local_experts
        self.mlp = Grok2MLP(config, quantization, f"{prefix}.mlp") if dense else None
        self.block_sparse_moe = (
            Grok2SparseMoeBlock(config, quantization, f"{prefix}.block_sparse_moe")
            if config.num_local_experts
            else None
        )
        self.pre_attn_norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attn_norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.pre_moe_norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_moe_norm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, positions: torch.Tensor, hidden_states: torch.Tensor) -> torch.Tensor:
        """Positions (N,) and (N, D) to (N, D)."""
        attended = self.self_attn(positions, self.pre_attn_norm(hidden_states))
        hidden_states = hidden_states + self.post_attn_norm(attended)
        fed = self.feed_forward(self.pre_moe_norm(hidden_states))
        output: torch.Tensor = hidden_states + self.post_moe_norm(fed)
        return output

    def feed_forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """The dense MLP, the experts, or both: their sum over √2."""
        branches = [branch for branch in (self.mlp, self.block_sparse_moe) if branch is not None]
        outputs = [branch(hidden_states) for branch in branches]
        total: torch.Tensor = outputs[0] if len(outputs) == 1 else sum(outputs) / math.sqrt(2)
        return total


class Grok2Model(nn.Module):
    """The decoder: token ids to normed hidden states."""

    hf_to_vllm_mapper = WeightsMapper(
        orig_to_new_stacked={
            ".q_proj": (".qkv_proj", "q"),
            ".k_proj": (".qkv_proj", "k"),
            ".v_proj": (".qkv_proj", "v"),
            ".mlp.gate_proj": (".mlp.gate_up_proj", 0),
            ".mlp.up_proj": (".mlp.gate_up_proj", 1),
        },
        orig_to_new_substr={
            ".w1.": ".gate_proj.",
            ".w3.": ".up_proj.",
            ".w2.": ".down_proj.",
        },
    )

    def __init__(self, *, vllm_config: VllmConfig, prefix: str = "") -> None:
        super().__init__()
        config: Grok2Config = vllm_config.model_config.hf_config
        cache, quantization = vllm_config.cache_config, vllm_config.quant_config
        self.scale = config.embedding_multiplier_scale
        self.embed_tokens = VocabParallelEmbedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(
            Grok2DecoderLayer(config, cache, quantization, f"{prefix}.layers.{index}")
            for index in range(config.num_hidden_layers)
        )
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def embed_input_ids(self, input_ids: torch.Tensor) -> torch.Tensor:
        """Ids (N,) to embeddings (N, D)."""
        embeddings: torch.Tensor = self.embed_tokens(input_ids)
        return embeddings

    def forward(
        self,
        input_ids: torch.Tensor | None,
        positions: torch.Tensor,
        inputs_embeds: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Ids (N,) or embeddings (N, D), which are scaled here, to (N, D)."""
        if inputs_embeds is None:
            inputs_embeds = self.embed_tokens(input_ids)
        hidden_states = inputs_embeds * self.scale
        for layer in self.layers:
            hidden_states = layer(positions, hidden_states)
        normed: torch.Tensor = self.norm(hidden_states)
        return normed

    def load_weights(self, weights: Weights) -> set[str]:
        """Load what vLLM's loader finds for the decoder; gives the names of its parameters."""
        loaded: set[str] = AutoWeightsLoader(self).load_weights(
            weights, mapper=self.hf_to_vllm_mapper
        )
        return loaded


class Grok2ForCausalLM(nn.Module):
    """The decoder with its head over the vocabulary."""

    hf_to_vllm_mapper = Grok2Model.hf_to_vllm_mapper
    packed_modules_mapping = {
        "qkv_proj": ["q_proj", "k_proj", "v_proj"],
        "gate_up_proj": ["gate_proj", "up_proj"],
    }

    def __init__(self, *, vllm_config: VllmConfig, prefix: str = "") -> None:
        super().__init__()
        config: Grok2Config = vllm_config.model_config.hf_config
        check_positions(config, vllm_config.model_config.max_model_len)
        self.config = config
        self.model = Grok2Model(vllm_config=vllm_config, prefix=maybe_prefix(prefix, "model"))
        self.lm_head = ParallelLMHead(
            config.vocab_size,
            config.hidden_size,
            quant_config=vllm_config.quant_config,
            prefix=maybe_prefix(prefix, "lm_head"),
        )
        if config.tie_word_embeddings:
            self.lm_head = self.lm_head.tie_weights(self.model.embed_tokens)
        scale, cap = config.output_multiplier_scale, config.final_logit_softcapping
        self.logits_processor = LogitsProcessor(
            config.vocab_size,
            scale=scale,
            # vLLM caps before it scales: s·(c/s)·tanh(x / (c/s)) = c·tanh(s·x / c).
            soft_cap=None if cap is None else cap / scale,
        )

    def embed_input_ids(self, input_ids: torch.Tensor) -> torch.Tensor:
        """Ids (N,) to embeddings (N, D)."""
        return self.model.embed_input_ids(input_ids)

    def forward(
        self,
        input_ids: torch.Tensor | None,
        positions: torch.Tensor,
        intermediate_tensors: IntermediateTensors | None = None,
        inputs_embeds: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Ids (N,) or embeddings (N, D) at positions (N,) to normed hidden states (N, D)."""
        output: torch.Tensor = self.model(input_ids, positions, inputs_embeds)
        return output

    def compute_logits(self, hidden_states: torch.Tensor) -> torch.Tensor | None:
        """(N, D) to logits (N, vocabulary); None on ranks that do not gather them."""
        logits: torch.Tensor | None = self.logits_processor(self.lm_head, hidden_states)
        return logits

    def load_weights(self, weights: Weights) -> set[str]:
        """Load a merged checkpoint, experts fused or apart; raises `CheckpointError`."""
        loaded: set[str] = AutoWeightsLoader(self).load_weights(checked(weights, self.config))
        return loaded
