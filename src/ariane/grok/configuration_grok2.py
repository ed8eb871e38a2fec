"""Grok-2's configuration for Transformers; the defaults are the published model's.

Source: `config.json` of xai-org/grok-2 and SGLang's `models/grok.py`, its reference implementation.
"""

from __future__ import annotations

import math
from typing import Any

from huggingface_hub.dataclasses import strict
from transformers.configuration_utils import PreTrainedConfig

ACTIVATIONS = ("gelu", "gelu_pytorch_tanh")
"""Exact (erf) GELU, as SGLang and vLLM compute it, and the tanh form of Grok-1 and llama.cpp."""

ROPE_TYPES = ("default", "original", "yarn")
"""Plain rotary embedding by Transformers' and the published name, and what llama.cpp computes."""

YARN_KEYS = {
    "scaling_factor": "factor",
    "original_max_position_embeddings": "original_max_position_embeddings",
    "beta_fast": "beta_fast",
    "beta_slow": "beta_slow",
}
"""YaRN's published flat keys, which rope_type "original" leaves unused, by Transformers' names."""

YARN = {
    "factor": 16.0,
    "original_max_position_embeddings": 8192,
    "beta_fast": 8.0,
    "beta_slow": 1.0,
}
"""What the published configuration says under those keys."""


SIZES = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "max_position_embeddings",
)
"""The numbers of which every decoder has at least one."""

FACTORS = ("rms_norm_eps", "embedding_multiplier_scale", "output_multiplier_scale")
CAPS = ("attn_logit_softcapping", "router_logit_softcapping", "final_logit_softcapping")
"""Numbers above 0; a cap may be None."""


@strict
class Grok2Config(PreTrainedConfig):
    """Every number that a Grok-2 decoder is built from.

    A cap or temperature of None is off. `num_local_experts` 0 leaves the dense MLP alone, and
    `residual_moe` False the experts alone (as in Grok-1). `attn_temperature_len` is the 0-based
    query position past which attention sharpens by log2(position) / log2(attn_temperature_len).
    """

    model_type = "grok2"
    keys_to_ignore_at_inference = ("past_key_values",)
    attribute_map = {"num_experts": "num_local_experts"}
    default_theta = 208533496.0
    base_model_tp_plan = {
        "layers.*.self_attn.q_proj": "colwise",
        "layers.*.self_attn.k_proj": "colwise",
        "layers.*.self_attn.v_proj": "colwise",
        "layers.*.self_attn.o_proj": "rowwise",
        "layers.*.mlp.gate_proj": "colwise",
        "layers.*.mlp.up_proj": "colwise",
        "layers.*.mlp.down_proj": "rowwise",
        "layers.*.block_sparse_moe.experts.gate_up_proj": "packed_colwise",
        "layers.*.block_sparse_moe.experts.down_proj": "rowwise",
        "layers.*.block_sparse_moe.experts": "moe_tp_experts",
    }
    base_model_pp_plan = {
        "embed_tokens": (["input_ids"], ["inputs_embeds"]),
        "layers": (["hidden_states", "attention_mask"], ["hidden_states"]),
        "norm": (["hidden_states"], ["hidden_states"]),
    }

    vocab_size: int = 131072
    hidden_size: int = 8192
    intermediate_size: int = 32768
    moe_intermediate_size: int = 16384
    num_hidden_layers: int = 64
    num_attention_heads: int = 64
    num_key_value_heads: int = 8
    head_dim: int = 128
    num_local_experts: int = 8
    num_experts_per_tok: int = 2
    residual_moe: bool = True
    hidden_act: str = "gelu"
    max_position_embeddings: int = 131072
    rope_parameters: dict[str, Any] | None = None
    yarn_parameters: dict[str, Any] | None = None
    rms_norm_eps: float = 1e-5
    embedding_multiplier_scale: float = 90.50966799187809
    output_multiplier_scale: float = 0.5
    attn_logit_softcapping: float | None = 30.0
    router_logit_softcapping: float | None = 30.0
    final_logit_softcapping: float | None = 50.0
    attn_temperature_len: int | None = 1024
    attention_dropout: float | int = 0.0
    initializer_range: float = 0.02
    use_cache: bool = True
    output_router_logits: bool = False
    pad_token_id: int | None = 0
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = None
    tie_word_embeddings: bool = False

    def __post_init__(self, **kwargs: Any) -> None:
        """Settle what depends on another setting; called by the dataclass."""
        if self.eos_token_id is None:
            self.eos_token_id = [1, 2]  # a turn ends with <|separator|>, a document with <|eos|>
        super().__post_init__(**kwargs)

    def convert_rope_params_to_dict(self, **kwargs: Any) -> dict[str, Any]:
        """Take the published flat keys `rope_theta`, `rope_type` and YaRN's into `rope_parameters`.

        YaRN's numbers are kept in `yarn_parameters`, whichever type is chosen.
        """
        rope = dict(self.rope_parameters or {})
        chosen = rope.setdefault("rope_type", kwargs.pop("rope_type", "default"))
        if chosen not in ROPE_TYPES:
            raise ValueError(
                f"rope_type {chosen!r} is not supported by Grok-2: use one of "
                f"{', '.join(ROPE_TYPES)}."
            )
        flat = {name: kwargs.pop(key) for key, name in YARN_KEYS.items() if key in kwargs}
        self.yarn_parameters = {**YARN, **(self.yarn_parameters or {}), **flat}
        if chosen == "yarn":
            rope = {**self.yarn_parameters, **rope}
        else:
            rope["rope_type"] = "default"
        self.rope_parameters = rope
        remaining: dict[str, Any] = super().convert_rope_params_to_dict(**kwargs)
        return remaining

    def validate_architecture(self) -> None:
        """Reject numbers that no decoder can be built from, naming the wrong one."""
        self._check_sizes()
        self._check_factors()
        if self.num_attention_heads % self.num_key_value_heads:
            raise ValueError(
                f"num_attention_heads ({self.num_attention_heads}) must be a multiple of "
                f"num_key_value_heads ({self.num_key_value_heads})."
            )
        if self.head_dim % 2:
            raise ValueError(f"head_dim ({self.head_dim}) must be even to be rotated in pairs.")
        if self.hidden_act not in ACTIVATIONS:
            raise ValueError(
                f"hidden_act {self.hidden_act!r} is not one of Grok's: {', '.join(ACTIVATIONS)}."
            )
        if self.num_local_experts and not 1 <= self.num_experts_per_tok <= self.num_local_experts:
            raise ValueError(
                f"num_experts_per_tok ({self.num_experts_per_tok}) must lie between 1 and "
                f"num_local_experts ({self.num_local_experts})."
            )
        if not self.num_local_experts and not self.residual_moe:
            raise ValueError(
                "residual_moe False needs experts: set num_local_experts above 0, or residual_moe."
            )
        if self.pad_token_id is not None and not 0 <= self.pad_token_id < self.vocab_size:
            raise ValueError(
                f"pad_token_id ({self.pad_token_id}) is no token of {self.vocab_size}."
            )

    def _check_sizes(self) -> None:
        """Reject a part without width or number; experts, or the dense MLP, may not be there."""
        _check_whole("num_local_experts", self.num_local_experts, 0)
        experts = ("moe_intermediate_size",) if self.num_local_experts else ()
        dense = ("intermediate_size",) if self.residual_moe or not experts else ()
        for name in (*SIZES, *experts, *dense):
            _check_whole(name, getattr(self, name), 1)
        if self.attn_temperature_len is not None:
            off = ", or None to keep attention's temperature at 1"
            _check_whole("attn_temperature_len", self.attn_temperature_len, 2, off)

    def _check_factors(self) -> None:
        """Reject what is no number above 0 where one multiplies or divides; a cap may be off."""
        rope = self.rope_parameters or {}
        found = {name: getattr(self, name) for name in FACTORS}
        found |= {name: rope[name] for name in ("rope_theta", *YARN) if name in rope}
        caps = {name: getattr(self, name) for name in CAPS}
        for name, value in {**found, **caps}.items():
            if value is None and name in caps:
                continue
            if not isinstance(value, int | float) or not 0 < value < math.inf:
                off = ", or None to be off" if name in caps else ""
                raise ValueError(f"{name} ({value!r}) must be above 0{off}.")


def _check_whole(name: str, value: object, least: int, off: str = "") -> None:
    if not isinstance(value, int) or value < least:
        raise ValueError(f"{name} ({value!r}) must be a whole number of at least {least}{off}.")


__all__ = ["Grok2Config"]
