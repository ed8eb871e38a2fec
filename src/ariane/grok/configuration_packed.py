"""How a Grok-2 is packed: bits of each part, as `config.json` says it."""

from __future__ import annotations

import re

from transformers.utils.quantization_config import QuantizationConfigMixin

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.packing_grok2 import check

METHOD = "grok2_packed"
"""What a configuration's `quant_method` says."""

ALWAYS_ON = re.compile(r"\.(self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj)$")
EXPERTS = re.compile(r"\.block_sparse_moe\.experts$")
HEAD = re.compile(r"^lm_head$")
"""Modules that can be packed, by their names."""


class Grok2PackedConfig(QuantizationConfigMixin):
    """Bits of each part (8, 4, 3 or 2), and weights that share a scale (32, 64 or 128).

    `expert_bits` defaults to `bits`, which is for what every token uses. None for `head_bits`
    leaves the head as it is. A weight takes 32 / `group_size` bits more than its own.
    """

    def __init__(
        self,
        bits: int = 4,
        expert_bits: int | None = None,
        head_bits: int | None = 8,
        group_size: int = 64,
        quant_method: str = METHOD,
    ) -> None:
        self.quant_method = quant_method
        self.bits = bits
        self.expert_bits = bits if expert_bits is None else expert_bits
        self.head_bits = head_bits
        self.group_size = group_size
        for each in (bits, self.expert_bits, bits if head_bits is None else head_bits):
            check(group_size, each, group_size)

    def bits_of(self, module: str, config: Grok2Config) -> int | None:
        """Bits of a module, by its name in `Grok2ForCausalLM`; None where it is not packed."""
        if ALWAYS_ON.search(module):
            return self.bits
        if EXPERTS.search(module):
            return self.expert_bits
        if HEAD.search(module) and not config.tie_word_embeddings:
            return self.head_bits
        return None
