"""How many weights a Grok has, and the bytes that they take at a choice of bits."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from ariane.grok.layout_grok2 import parameters, part_of

CONTEXT = 8192
"""Tokens whose keys and values are counted, in bfloat16."""

FIELD_OF = {
    "attention": "always",
    "dense MLP": "always",
    "experts": "experts",
    "head": "head",
    "embedding": "embedding",
    "embedding and head": "embedding",
    "norms, routers": "small",
}
"""The field of `Sizes` that a part of the model is counted in."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """A model in numbers of weights; `keys` is the keys and values of a token, in numbers."""

    name: str
    always: int
    """Attention and dense MLP of all layers."""
    experts: int
    """All experts of all layers."""
    share: float
    """Of the experts, what a token uses."""
    head: int
    """0 where it is the embedding."""
    embedding: int
    small: int
    """Norms and routers."""
    keys: int

    @classmethod
    def of(cls, config: Any, name: str = "") -> Sizes:
        """The sizes of a Grok-2 configuration, or of any with the same names."""
        found: Counter[str] = Counter()
        for parameter, about in parameters(config).items():
            found[FIELD_OF[part_of(config, parameter)]] += math.prod(about.shape)
        count = config.num_local_experts
        keys = 2 * config.num_key_value_heads * config.head_dim * config.num_hidden_layers
        return cls(
            name=name or config.model_type,
            share=config.num_experts_per_tok / count if count else 0.0,
            keys=keys,
            **{field: found[field] for field in FIELD_OF.values()},
        )


# Configurations as far as sizes follow from them: Transformers is not loaded for a plan.
GROK_2 = Sizes.of(
    SimpleNamespace(
        vocab_size=131072,
        hidden_size=8192,
        intermediate_size=32768,
        moe_intermediate_size=16384,
        num_hidden_layers=64,
        num_attention_heads=64,
        num_key_value_heads=8,
        head_dim=128,
        num_local_experts=8,
        num_experts_per_tok=2,
        residual_moe=True,
        tie_word_embeddings=False,
    ),
    "Grok-2",
)
GROK_1 = Sizes.of(
    SimpleNamespace(
        vocab_size=131072,
        hidden_size=6144,
        intermediate_size=32768,
        moe_intermediate_size=32768,
        num_hidden_layers=64,
        num_attention_heads=48,
        num_key_value_heads=8,
        head_dim=128,
        num_local_experts=8,
        num_experts_per_tok=2,
        residual_moe=False,
        tie_word_embeddings=True,
    ),
    "Grok-1",
)


@dataclass(frozen=True, slots=True)
class Bits:
    """A choice: bits that a weight takes, scales included; norms and routers take 16."""

    name: str
    always: float
    experts: float
    head: float
    embedding: float = 16.0

    @classmethod
    def packed(
        cls, name: str, always: int, experts: int, head: int = 8, group_size: int = 64
    ) -> Bits:
        """What `quantize` writes: a group shares a scale and an offset of 16 bits each."""
        scales = 32 / group_size
        return cls(name, always + scales, experts + scales, head + scales)


BITS = (
    Bits("bf16", 16.0, 16.0, 16.0),
    Bits.packed("8 bits", 8, 8),
    Bits.packed("4 bits", 4, 4),
    Bits.packed("4 bits, experts 3", 4, 3),
    Bits.packed("3 bits", 3, 3),
    Bits.packed("4 bits, experts 2", 4, 2),
    Bits.packed("3 bits, experts 2", 3, 2),
)
"""The choices of a plan."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A model at some bits, in bytes."""

    bits: str
    always: int
    """What every token reads."""
    experts: int
    chosen: int
    """Of the experts, what a token reads."""
    embedding: int
    """An embedding that is not the head too: a token reads a row of it."""
    cache: int
    """Keys and values of CONTEXT tokens."""

    @classmethod
    def of(cls, sizes: Sizes, bits: Bits) -> Weights:
        """A model's sizes at a choice of bits."""
        embedding = int(sizes.embedding * bits.embedding / 8)
        always = int((sizes.always * bits.always + sizes.head * bits.head) / 8) + 2 * sizes.small
        experts = int(sizes.experts * bits.experts / 8)
        return cls(
            bits=bits.name,
            always=always if sizes.head else always + embedding,
            experts=experts,
            chosen=int(experts * sizes.share),
            embedding=embedding if sizes.head else 0,
            cache=2 * sizes.keys * CONTEXT,
        )

    @property
    def total(self) -> int:
        """All of it."""
        return self.always + self.experts + self.embedding

    @property
    def read(self) -> int:
        """What a token reads."""
        return self.always + self.chosen
