"""Grok-2 in 8, 4, 3 or 2 bits a weight, experts included: its configuration and its quantizer.

`register`, as `import ariane.grok` calls it, makes `from_pretrained` read what
`quantize_checkpoint` wrote. Packed are attention, dense MLP, experts and the head; embeddings (one
row is read a token), routers and norms stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import nn
from transformers.distributed.parallel_utils import replace_layer_number_by_wildcard
from transformers.quantizers.auto import (
    AUTO_QUANTIZER_MAPPING,
    register_quantization_config,
    register_quantizer,
)
from transformers.quantizers.base import HfQuantizer

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.configuration_packed import METHOD, Grok2PackedConfig
from ariane.grok.errors import CheckpointError
from ariane.grok.layout_packed import packing_of
from ariane.grok.modeling_grok2 import Grok2Experts, Grok2ForCausalLM, Grok2PreTrainedModel
from ariane.grok.packed_grok2 import PackedExperts, PackedLinear

AGAIN = "quantize the source again into this directory, which goes on where it stopped."
"""What helps where a packed directory is not whole."""


def pack(model: Grok2PreTrainedModel, quantization: Grok2PackedConfig) -> Grok2PreTrainedModel:
    """Pack a model in memory, module by module, in place; saved, it loads like any other.

    Raises ValueError where a width is not whole groups or a weight is not finite.
    """
    for name, module, bits in _packable(model, quantization):
        if isinstance(module, Grok2Experts):
            packed: nn.Module = PackedExperts.of(
                module, model.config, bits, quantization.group_size
            )
        else:
            packed = PackedLinear.of(module.weight, bits, quantization.group_size)
        model.set_submodule(name, packed)
    model.config.quantization_config = quantization
    model.hf_quantizer = Grok2PackedQuantizer(quantization)
    model.is_quantized = True
    model.quantization_method = METHOD
    return model


def _packable(
    model: Grok2PreTrainedModel, quantization: Grok2PackedConfig
) -> Iterator[tuple[str, Any, int]]:
    """Each module to be packed, with its name and bits."""
    for name, module in list(model.named_modules()):
        bits = quantization.bits_of(name, model.config)
        if bits is not None and isinstance(module, nn.Linear | Grok2Experts):
            yield name, module, bits


class Grok2PackedQuantizer(HfQuantizer):
    """Puts packed layers in place of plain ones before a packed checkpoint is read."""

    requires_calibration = False

    def validate_environment(self, *_: Any, **__: Any) -> None:
        """Refuse to pack while loading: `quantize_checkpoint` does it, tensor by tensor."""
        if not self.pre_quantized:
            raise ValueError(
                f"A checkpoint that is not packed yet cannot be loaded with {METHOD}: write a "
                "packed one first, with quantize_checkpoint or `ariane grok quantize`."
            )

    def _process_model_before_weight_loading(self, model: Any, **kwargs: Any) -> None:
        empty_packed(model, self.quantization_config)
        _check_files(model, kwargs.get("checkpoint_files") or [])

    def get_new_dtype(self, converter: Any, param: Any, dtype: Any) -> Any:
        """Scales keep the type that the levels were rounded for."""
        targets = getattr(converter, "target_patterns", None) or []
        scales = any(str(target).endswith("scales") for target in targets)
        return None if scales else super().get_new_dtype(converter, param, dtype)

    def update_parallel_plan(self, model: Any, plan: dict[str, str]) -> None:
        """Cut codes and scales as the plan cuts the weights that they stand for."""
        names = {replace_layer_number_by_wildcard(name) for name, _ in model.named_parameters()}
        for key, style in list(plan.items()):
            if f"{key}.codes" in names:
                plan.update({f"{key}.codes": style, f"{key}.scales": style})
                if ".experts." in key:  # the experts as a whole exchange what goes in and out
                    plan[key] = "local_params"

    def _dequantize(self, model: Any, dtype: torch.dtype | None = None) -> Any:
        unpack(model, dtype or torch.bfloat16)
        return model

    def is_serializable(self) -> bool:
        """Packed layers are saved like others."""
        return True

    @property
    def is_trainable(self) -> bool:
        """Adapters can be trained over packed layers."""
        return True

    @property
    def is_compileable(self) -> bool:
        """A packed product is one operation to the compiler."""
        return True


def empty_model(config: Grok2Config) -> Grok2ForCausalLM:
    """The model of a configuration, plain or packed, without memory."""
    with torch.device("meta"):
        model = Grok2ForCausalLM(config)
    packing = packing_of(config)
    if packing is not None:
        empty_packed(model, packing)
    return model


def empty_packed(model: Any, quantization: Grok2PackedConfig) -> None:
    """Put packed layers without memory in place of those that the configuration packs."""
    for name, module, bits in _packable(model, quantization):
        with torch.device("meta"):
            if isinstance(module, Grok2Experts):
                packed: nn.Module = PackedExperts(model.config, bits, quantization.group_size)
            else:
                packed = PackedLinear(
                    module.in_features, module.out_features, bits, quantization.group_size
                )
        model.set_submodule(name, packed)


def unpack(model: Any, dtype: torch.dtype) -> None:
    """Put plain layers, with the weights as they are used, in place of the packed ones."""
    done: list[str] = []
    for name, module in list(model.named_modules()):
        if any(name.startswith(f"{above}.") for above in done):
            continue
        if isinstance(module, PackedExperts):
            with torch.device("meta"):
                plain: Any = Grok2Experts(model.config)
            plain.gate_up_proj = nn.Parameter(module.gate_up_proj.dequantize(dtype))
            plain.down_proj = nn.Parameter(module.down_proj.dequantize(dtype))
        elif hasattr(module, "dequantize") and hasattr(module, "in_features"):  # adapted ones too
            with torch.device("meta"):
                plain = nn.Linear(module.in_features, module.out_features, bias=False)
            plain.weight = nn.Parameter(module.dequantize(dtype))
        else:
            continue
        model.set_submodule(name, plain)
        done.append(name)


def _check_files(model: Any, files: list[str]) -> None:
    """Refuse files that do not hold every tensor of the model whole: Transformers would invent it.

    Raises `CheckpointError`, which names the file and the tensor.
    """
    read = [Path(file) for file in files if Path(file).suffix == ".safetensors"]
    if not read:
        return
    held = {name: (file, shape) for file in read for name, shape in _shapes(file).items()}
    prefix = "" if hasattr(model, "lm_head") else f"{model.base_model_prefix}."
    wanted = {prefix + name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    if model.config.tie_word_embeddings:
        wanted.pop("lm_head.weight", None)
    missing = sorted(wanted.keys() - held.keys())
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise CheckpointError(
            f"{read[0].parent} lacks {missing[0]}{more} of shape {wanted[missing[0]]}: {AGAIN}"
        )
    for name, shape in wanted.items():
        file, found = held[name]
        if found != shape:
            raise CheckpointError(
                f"{file} holds {name} of shape {found}, where {shape} is expected: {AGAIN}"
            )


def _shapes(file: Path) -> dict[str, tuple[int, ...]]:
    """The tensors of a file, with their shapes."""
    try:
        with safe_open(file, framework="pt") as opened:
            names = opened.keys()
            return {name: tuple(opened.get_slice(name).get_shape()) for name in names}
    except (OSError, SafetensorError) as error:
        said = "cannot be read" if file.exists() else "is missing"
        raise CheckpointError(f"{file} {said} ({error}): {AGAIN}") from error


def register() -> None:
    """Make the method known to Transformers."""
    if METHOD not in AUTO_QUANTIZER_MAPPING:
        register_quantization_config(METHOD)(Grok2PackedConfig)
        register_quantizer(METHOD)(Grok2PackedQuantizer)
