"""One GPU and much memory beside it: what fits on the GPU, and the rest computed where it lies.

Accelerate copies what lies in memory to the GPU for each token; for a mixture of experts that moves
ten times what the processor would have to read. Here the processor multiplies what it holds, and
only hidden states travel, 16 KB a token and layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import torch
from accelerate.hooks import AlignDevicesHook, add_hook_to_module, remove_hook_from_module
from torch import nn

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.layout_packed import packing_of
from ariane.grok.loading_grok2 import read_config
from ariane.grok.modeling_grok2 import Grok2ForCausalLM
from ariane.grok.planning_grok2 import Machine
from ariane.grok.quantizer_grok2 import empty_packed
from ariane.grok.weights_grok2 import CONTEXT, Sizes

Device: TypeAlias = int | str
"""A GPU's number, or "cpu"."""


def device_map(
    config: Grok2Config, gpu: int, *, device: Device = 0, context: int = CONTEXT
) -> dict[str, Device]:
    """Where each module of a checkpoint goes, for a GPU of so many bytes and memory enough.

    What every token reads comes first: attention, norms, routers and head, then dense MLPs layer
    by layer, then experts; the embedding, of which a token reads a row, last. Keys and values of
    `context` tokens and a tenth of the GPU are left free. Raises ValueError where not even
    attention fits.
    """
    sizes = _module_bytes(config)
    room = Machine(gpu=gpu, gpus=1).room(2 * Sizes.of(config).keys * context)
    places: dict[str, Device] = {}
    for name in sorted(sizes, key=_urgency):
        fits = sizes[name] <= room
        if not fits and _urgency(name)[0] == 0:
            raise ValueError(
                f"{name} does not fit: a GPU of {gpu / 2**30:.3g} GiB cannot hold the attention of "
                f"this model beside {context} tokens; use fewer bits, a shorter context or the CPU."
            )
        places[name] = device if fits else "cpu"
        room -= sizes[name] if fits else 0
    return places


def load(
    directory: Path | str, gpu: int, *, device: Device = 0, context: int = CONTEXT, **options: Any
) -> Grok2ForCausalLM:
    """A checkpoint placed by `device_map`, where nothing is copied to the GPU for each token."""
    config = read_config(Path(directory))
    places = device_map(config, gpu, device=device, context=context)
    model: Grok2ForCausalLM = Grok2ForCausalLM.from_pretrained(
        directory, device_map=places, **options
    )
    compute_where_it_lies(model)
    return model


def compute_where_it_lies(model: Any) -> None:
    """Let the processor compute the modules that a `device_map` put on "cpu", in place.

    Their inputs go to the processor and their outputs back. What was put on "disk" is still
    copied.
    """
    for name, place in (getattr(model, "hf_device_map", None) or {}).items():
        if str(place) == "cpu":
            module = model.get_submodule(name)
            remove_hook_from_module(module, recurse=True)  # gives the weights back to memory
            add_hook_to_module(
                module, AlignDevicesHook(execution_device="cpu", io_same_device=True)
            )


def _module_bytes(config: Grok2Config) -> dict[str, int]:
    """Bytes of each module that is placed as a whole, packed if the configuration says so."""
    with torch.device("meta"):
        model = Grok2ForCausalLM(config)
    packing = packing_of(config)
    if packing is not None:
        empty_packed(model, packing)
    return {name: _bytes(module) for name, module in _placed(model)}


def _placed(model: Grok2ForCausalLM) -> Iterator[tuple[str, nn.Module]]:
    for name, module in model.model.named_children():
        if name == "layers":
            for number, layer in enumerate(model.model.layers):
                yield from _parts(f"model.layers.{number}", layer)
        else:
            yield f"model.{name}", module
    yield "lm_head", model.lm_head


def _parts(prefix: str, layer: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """A layer's children, but router and experts each for itself."""
    for name, child in layer.named_children():
        if name == "block_sparse_moe":
            yield from ((f"{prefix}.{name}.{n}", c) for n, c in child.named_children())
        else:
            yield f"{prefix}.{name}", child


def _bytes(module: nn.Module) -> int:
    # Plain weights are read in bfloat16, whatever the model was made in.
    return sum(
        weight.numel() * (2 if weight.is_floating_point() else weight.itemsize)
        for weight in module.parameters()
    )


def _urgency(name: str) -> tuple[int, int]:
    """The order in which modules are given to the GPU: by kind, then by layer."""
    layer = int(name.split(".")[2]) if name.startswith("model.layers.") else 0
    kinds = {".mlp": 1, ".experts": 2, "model.embed_tokens": 3}
    return next((kind for end, kind in kinds.items() if name.endswith(end)), 0), layer
