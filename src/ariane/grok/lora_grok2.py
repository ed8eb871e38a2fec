"""LoRA over plain and over packed weights: the adapter is trained, the weights stay (QLoRA).

PEFT knows how to adapt linear layers and, by `target_parameters`, fused experts in floating point;
this file is for `PackedLinear`. Sources: https://arxiv.org/abs/2106.09685 and
https://arxiv.org/abs/2305.14314.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

import torch
from peft import LoraConfig, PeftModel, get_peft_model_state_dict
from peft.tuners.lora.layer import Linear, LoraLayer, ParamWrapper
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import nn

from ariane.grok.modeling_grok2 import Grok2PreTrainedModel
from ariane.grok.packed_grok2 import PackedLinear, by_expert
from ariane.grok.packing_grok2 import dequantize
from ariane.grok.quantizer_grok2 import Grok2PackedQuantizer

PLAIN = r".*\.(self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj)"
PACKED = r".*\.(self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj|experts\.(gate_up|down)_proj)"
"""Modules that are adapted, plain and packed."""

EXPERT_PARAMETERS = [
    "block_sparse_moe.experts.gate_up_proj",
    "block_sparse_moe.experts.down_proj",
]
"""Fused experts, which PEFT adapts as parameters."""

WEIGHTS = "adapter_model.safetensors"
ADAPTER = ("adapter_config.json", WEIGHTS)
"""The files of an adapter."""


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
        return _factors(self, adapter, self.experts or 1)

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


def _factors(layer: Any, adapter: str, experts: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A (E, r, K) and B (E, N, r) of an adapter's layer."""
    down, up = layer.lora_A[adapter].weight, layer.lora_B[adapter].weight
    return (
        down.reshape(experts, -1, down.shape[-1]),
        up.reshape(up.shape[0], -1, experts).permute(2, 0, 1),
    )


@dataclass(frozen=True, slots=True)
class Change:
    """What an adapter adds to one weight, (N, K) or (E, N, K): scaling · B A, never built whole."""

    down: torch.Tensor
    """A: (r, K) or (E, r, K)."""
    up: torch.Tensor
    """B: (N, r) or (E, N, r)."""
    scaling: float

    def __getitem__(self, index: tuple[slice, ...]) -> torch.Tensor:
        """Some rows of it, of some experts where there are any."""
        return (self.up[index].float() @ self.down[index[:-1]].float()) * self.scaling


def changes(adapted: PeftModel) -> dict[str, Change]:
    """What the adapter changes, by the names of the weights in the model without it.

    Raises ValueError where it is more than LoRA: bare weights, biases, magnitudes.
    """
    (adapter,) = adapted.active_adapters
    found = dict(_changes(adapted.get_base_model(), adapter))
    held = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    if len(held) != 2 * len(found):
        raise ValueError(
            "The adapter holds more than LoRA's two factors of attention, MLP and experts: merge "
            "it in memory, with merge_and_unload of PEFT."
        )
    return found


def _changes(model: nn.Module, adapter: str) -> Iterator[tuple[str, Change]]:
    for path, layer in model.named_modules():
        name = path.replace(".base_layer", "")
        if not isinstance(layer, LoraLayer) or layer.lora_variant:
            continue
        if isinstance(layer, LoraPackedLinear) and layer.experts:
            found, experts = name, layer.experts
        elif isinstance(layer, ParamWrapper):
            found, experts = f"{name}.{layer.parameter_name}", layer.num_experts
        elif isinstance(layer, LoraPackedLinear | Linear):
            found, experts = f"{name}.weight", 0
        else:
            continue
        down, up = _factors(layer, adapter, experts or 1)
        factors = (down, up) if experts else (down[0], up[0])
        yield found, Change(*factors, layer.scaling[adapter])


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
        target_modules=PACKED if packed and experts else PLAIN,
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

    Of a model without memory, on "meta", the adapter alone has any. Raises ValueError where the
    directory holds no whole adapter, or one that was saved over another model.
    """
    config, held = _read_adapter(Path(directory))
    empty = model.device.type == "meta"
    with catch_warnings():
        simplefilter("ignore")  # of what has no place, which is refused below
        adapted = PeftModel.from_pretrained(
            model,
            directory,
            config=knowing_packed(config),
            ignore_mismatched_sizes=True,
            low_cpu_mem_usage=empty,
        )
    state = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    if held != {name: tuple(weight.shape) for name, weight in state.items()}:
        kinds = ("packed", "plain") if is_packed(model) else ("plain", "packed")
        raise ValueError(
            f"{directory} was trained over a {kinds[1]} or another model, not over this {kinds[0]} "
            "one: load it over the kind that it was trained over."
        )
    if empty:  # PEFT has moved the adapter to where the model is
        names = {name.replace(".default.", "."): name for name, _ in adapted.named_parameters()}
        read = load_file(Path(directory) / WEIGHTS)
        state = {names[name]: weight for name, weight in read.items() if name in names}
        adapted.load_state_dict(state, strict=False, assign=True)
    return adapted


def _read_adapter(directory: Path) -> tuple[LoraConfig, dict[str, tuple[int, ...]]]:
    """An adapter's configuration, and the names and shapes of its weights."""
    for name in ADAPTER:
        if not (directory / name).is_file():  # PEFT would ask the hub for it
            raise ValueError(f"{directory} has no {name}: name a directory that finetune wrote.")
    try:
        config = LoraConfig.from_pretrained(str(directory))
        with safe_open(directory / WEIGHTS, framework="pt") as file:
            # An open file is no mapping.
            names = list(file.keys())
            held = {name: tuple(file.get_slice(name).get_shape()) for name in names}
    except (ValueError, TypeError, KeyError, AttributeError, SafetensorError) as error:
        raise ValueError(f"{directory} holds no whole adapter: train it again.") from error
    if not isinstance(config, LoraConfig):
        raise ValueError(f"{directory} holds an adapter that is no LoRA: train one with finetune.")
    return config, held


def merge(adapted: PeftModel, dtype: torch.dtype = torch.bfloat16) -> Grok2PreTrainedModel:
    """The adapted model as a plain one with the same logits; packed weights are unpacked for it."""
    base: Grok2PreTrainedModel = adapted.get_base_model()
    if is_packed(base):
        packing = Grok2PackedQuantizer(base.config.quantization_config)
        merged: Grok2PreTrainedModel = packing.dequantize(base, dtype)
    else:
        merged = adapted.merge_and_unload()
    return merged
