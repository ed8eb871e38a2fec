"""From a checkpoint to a packed one: in memory are one tensor and what it is packed into.

What is written is an ordinary Transformers directory of safetensors files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from ariane.grok.checkpoint import read_checkpoint
from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.configuration_packed import Grok2PackedConfig
from ariane.grok.conversion import read_tokenizer, write_tokenizer
from ariane.grok.errors import CheckpointError
from ariane.grok.layout_grok2 import Shape, parameters
from ariane.grok.layout_packed import packed_shapes, packing_of
from ariane.grok.loading_grok2 import FORMATS, lazy_state, read_config
from ariane.grok.packing_grok2 import check, quantize
from ariane.grok.progress import Progress, silent
from ariane.grok.writing import BLOCK, LIMIT, Block, Output, check_target, mark_of, write_all


def quantize_directory(
    source: Path,
    target: Path,
    quantization: Grok2PackedConfig,
    device: str | None = None,
    progress: Progress = silent,
) -> None:
    """Write a packed directory, tokenizer included, from one of any layout.

    Raises `CheckpointError` where the source is no whole checkpoint of plain weights with a
    tokenizer, or the target holds other weights or has no room.
    """
    check_target(source, target)
    config = read_config(source)
    if packing_of(config) is not None:
        raise CheckpointError(
            f"{source} is packed already: start from the directory that it was packed from."
        )
    checkpoint, tokenizer = read_checkpoint(source, config), read_tokenizer(source)
    tensors, mark = lazy_state(checkpoint, None), mark_of(checkpoint.files)
    quantize_checkpoint(
        tensors, config, quantization, target, device=device, mark=mark, progress=progress
    )
    write_tokenizer(tokenizer, source, target)


def quantize_checkpoint(
    tensors: Mapping[str, Any],
    config: Grok2Config,
    quantization: Grok2PackedConfig,
    directory: Path,
    *,
    device: str | None = None,
    shard_bytes: int = LIMIT,
    mark: str = "",
    progress: Progress = silent,
) -> None:
    """Write a packed checkpoint from tensors by their names in `Grok2ForCausalLM`.

    Tensors, safetensors slices and the lazy parameters of `loading_grok2` all serve: each is
    indexed by [...] once. `device` does the arithmetic. A call after a break keeps the files of an
    earlier one of the same settings and `mark`, which tells a source from another. Raises
    ValueError where a tensor is missing, not finite, or of another shape than `config` says, and
    `CheckpointError` where the directory holds other weights or has no room.
    """
    wanted = list(outputs(tensors, config, quantization, device))
    mark = mark_of((), mark, quantization.to_dict(), shard_bytes)
    write_all(directory, wanted, mark, progress, shard_bytes)
    config = Grok2Config.from_dict(config.to_dict())
    config.architectures = ["Grok2ForCausalLM"]
    config.quantization_config = quantization
    if config.dtype is None:  # else Transformers opens a file to learn it, before any is checked
        (kind, _), *_ = (about for one in wanted for about in one.tensors.values())
        config.dtype = FORMATS[kind]
    config.save_pretrained(directory)


def outputs(
    tensors: Mapping[str, Any],
    config: Grok2Config,
    quantization: Grok2PackedConfig,
    device: str | None = None,
) -> Iterator[Output]:
    """Codes and scales of each weight that is packed, and the others as they are."""
    for name, parameter in parameters(config).items():
        kind, shape = _about(name, tensors)
        if shape != parameter.shape:
            raise ValueError(
                f"{name} has shape {shape} where the configuration says {parameter.shape}: "
                "the checkpoint and its config.json do not belong together."
            )
        bits = quantization.bits_of(name.rpartition(".")[0], config)
        if bits is None:
            yield _plain(name, tensors[name], kind, shape)
        else:
            yield _packed(name, tensors[name], shape, bits, quantization.group_size, device)


def _about(name: str, tensors: Mapping[str, Any]) -> tuple[str, Shape]:
    """Format and shape of a tensor, which is not read for it."""
    if name not in tensors:
        raise ValueError(f"The checkpoint lacks {name}: get its files again.")
    tensor = tensors[name]
    if not isinstance(tensor, torch.Tensor):
        return tensor.get_dtype(), tuple(tensor.get_shape())
    kinds = {dtype: kind for kind, dtype in FORMATS.items()}
    if tensor.dtype not in kinds:
        raise ValueError(f"{name} is of {tensor.dtype}: give weights that are not packed.")
    return kinds[tensor.dtype], tuple(tensor.shape)


def _plain(name: str, tensor: Any, kind: str, shape: Shape) -> Output:
    return Output({name: (kind, shape)}, lambda: blocks_of(tensor[...]))


def _packed(
    name: str, tensor: Any, shape: Shape, bits: int, group: int, device: str | None
) -> Output:
    check(shape[-1], bits, group)
    stem = name.removesuffix(".weight")

    def made() -> Iterator[Block]:
        for part in quantize(tensor[...], bits, group, device):
            yield from blocks_of(part)

    kinds = {"codes": "U8", "scales": "BF16"}
    shapes = packed_shapes(shape, bits, group)
    return Output({f"{stem}.{end}": (kinds[end], one) for end, one in shapes.items()}, made)


def blocks_of(tensor: torch.Tensor) -> Iterator[Block]:
    """The bytes of a tensor in order."""
    raw: Block = tensor.detach().cpu().contiguous().view(torch.uint8).reshape(-1).numpy()
    return (raw[at : at + BLOCK] for at in range(0, len(raw), BLOCK))
