"""LoRA over packed weights: the adapter is trained, the packed weights stay (QLoRA).

PEFT knows how to adapt linear layers and, by `target_parameters`, fused experts in floating point;
this file is for `PackedLinear`. Sources: https://arxiv.org/abs/2106.09685 and
https://arxiv.org/abs/2305.14314.
"""

from __future__ import annotations

from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model_state_dict
from peft.tuners.lora.layer import LoraLayer
from peft.utils.save_and_load import load_peft_weights
from torch import nn

from ariane.grok.modeling_grok2 import Grok2PreTrainedModel
from ariane.grok.packed_grok2 import PackedLinear, by_expert
from ariane.grok.packing_grok2 import dequantize
from ariane.grok.quantizer_grok2 import Grok2PackedQuantizer

ALWAYS_ON = r".*\.(self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj)"
PACKED = r".*\.(self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj|experts\.(gate_up|down)_proj)"
"""Modules that are adapted, plain and packed."""

EXPERT_PARAMETERS = [
    "block_sparse_moe.experts.gate_up_proj",
    "block_sparse_moe.experts.down_proj",
]
"""Fused experts, which PEFT adapts as parameters."""


class LoraPackedLinear(LoraLayer, nn.Module):
    """A packed layer and its adapters; each expert has factors of its own.

    The factors of all experts lie in one A (r · E, K) and one B (N, r · E), as PEFT lays out those
    of a fused parameter: A by expert and then rank, B by rank and then expert.
    """

    # What PEFT's side gives, named since a module's attributes have no types of their own.
    lora_A: Any  # noqa: N815 - PEFT's name
    lora_B: Any  # noqa: N815 - PEFT's name
    scaling: dict[str, float]
    active_adapters: list[str]
    disable_adapters: bool
    get_base_layer: Any
    update_layer: Any

    def __init__(
        self,
        base_layer: PackedLinear,
        adapter_name: str,
        config: LoraConfig,
        r: int = 0,
        lora_alpha: int = 1,
        **kwargs: Any,
    ) -> None:
        nn.Module.__init__(self)
        LoraLayer.__init__(self, base_layer, **kwargs)
        self._active_adapter = adapter_name
        # PEFT divides alpha by the rank, which here is that of all experts together.
        each = base_layer.experts or 1
        self.update_layer(adapter_name, r * each, lora_alpha=lora_alpha * each, config=config)

    def _get_in_out_features(self, module: PackedLinear) -> tuple[int, int]:
        """PEFT's question, which knows layers by their type."""
        return module.in_features, module.out_features

    @property
    def experts(self) -> int | None:
        """Experts of the layer below, if it has any."""
        count: int | None = self.get_base_layer().experts
        return count

    def forward(self, x: torch.Tensor, experts: torch.Tensor | None = None) -> torch.Tensor:
        """(…, K) to (…, N), as the packed layer takes them."""
        result: torch.Tensor = self.get_base_layer()(x, experts)
        if self.disable_adapters:
            return result
        for adapter in self.active_adapters:
            if adapter in self.lora_A:
                result = result + self._change(adapter, x, experts).to(result.dtype)
        return result

    def _change(self, adapter: str, x: torch.Tensor, experts: torch.Tensor | None) -> torch.Tensor:
        """What an adapter adds: scaling · B A x, by each token's expert."""
        down, up = self._factors(adapter)
        wide = x.to(down.dtype)
        if experts is None:
            change: torch.Tensor = (wide @ down[0].T) @ up[0].T
        else:
            change = wide.new_zeros(len(x), up.shape[1])
            for expert, tokens in by_expert(experts):
                part = (wide[tokens] @ down[expert].T) @ up[expert].T
                change = change.index_add(0, tokens, part)
        return change * self.scaling[adapter]

    def _factors(self, adapter: str) -> tuple[torch.Tensor, torch.Tensor]:
        """A (E, r, K) and B (E, N, r) of an adapter."""
        count = self.experts or 1
        down, up = self.lora_A[adapter].weight, self.lora_B[adapter].weight
        return (
            down.reshape(count, -1, down.shape[-1]),
            up.reshape(up.shape[0], -1, count).permute(2, 0, 1),
        )

    @torch.no_grad()
    def dequantize(self, dtype: torch.dtype) -> torch.Tensor:
        """The weights (N, K) or (E, N, K) as they are used, adapters included."""
        base, asked = self.get_base_layer(), [] if self.disable_adapters else self.active_adapters
        held = (base.codes, base.scales)
        codes, scales = held if self.experts else (one[None] for one in held)
        factors = [(*self._factors(a), self.scaling[a]) for a in asked if a in self.lora_A]
        shape = (len(codes), base.out_features, base.in_features)
        weights = torch.empty(shape, dtype=dtype, device=codes.device)
        # Expert by expert: all of them in float32 would be twice the memory of the result.
        for expert in range(len(codes)):
            wide = dequantize(codes[expert], scales[expert], base.bits, base.group, torch.float32)
            for down, up, scaling in factors:
                wide += (up[expert].float() @ down[expert].float()).to(wide.device) * scaling
            weights[expert] = wide
        return weights if self.experts else weights[0]


def is_packed(model: Grok2PreTrainedModel) -> bool:
    """Whether any weight of a model is packed."""
    return any(isinstance(module, PackedLinear) for module in model.modules())


def lora_config(
    model: Grok2PreTrainedModel, rank: int, alpha: int, *, experts: bool = True
) -> LoraConfig:
    """What PEFT adapts: attention, dense MLP and, unless refused, every expert."""
    packed = is_packed(model)
    fused = experts and not packed and model.config.num_local_experts > 0
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        target_modules=PACKED if packed and experts else ALWAYS_ON,
        target_parameters=EXPERT_PARAMETERS if fused else None,
        lora_dropout=0.0,  # PEFT has none for fused parameters
        bias="none",
        task_type="CAUSAL_LM",
    )
    return knowing_packed(config)


def knowing_packed(config: LoraConfig) -> LoraConfig:
    """The same configuration, told how packed layers are adapted; a file cannot say it."""
    config._register_custom_module({PackedLinear: LoraPackedLinear})
    return config


def load_adapter(model: Grok2PreTrainedModel, directory: str) -> PeftModel:
    """A model, plain or packed, under an adapter that was saved over one of the same kind.

    Raises ValueError where it was saved over another: PEFT would leave out what has no place.
    """
    config = knowing_packed(LoraConfig.from_pretrained(directory))
    held = set(load_peft_weights(directory, device="cpu"))
    adapted = PeftModel.from_pretrained(model, directory, config=config)
    if held != set(get_peft_model_state_dict(adapted)):
        raise ValueError(
            f"{directory} was trained over a {'plain' if is_packed(model) else 'packed'} or "
            f"another model, not over this {'packed' if is_packed(model) else 'plain'} one: load "
            "it over the kind that it was trained over."
        )
    return adapted


def merge(adapted: PeftModel, dtype: torch.dtype = torch.bfloat16) -> Grok2PreTrainedModel:
    """The adapted model as a plain one with the same logits; packed weights are unpacked for it."""
    base: Grok2PreTrainedModel = adapted.get_base_model()
    if is_packed(base):
        packing = Grok2PackedQuantizer(base.config.quantization_config)
        merged: Grok2PreTrainedModel = packing.dequantize(base, dtype)
    else:
        merged = adapted.merge_and_unload()
    return merged
