"""An adapter written into the weights that it was trained over, a few rows at a time.

In memory are the adapter and what is being written, never the model: its layers are built without
memory, so that PEFT says which adapter belongs where. What is written is an ordinary Transformers
directory of plain weights, also where the source is packed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import torch

from ariane.grok.checkpoint import read_checkpoint
from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.conversion import read_tokenizer, write_config, write_tokenizer
from ariane.grok.layout_grok2 import Piece, Shape, fused, parameters
from ariane.grok.layout_packed import packed_parameters, packing_of
from ariane.grok.loading_grok2 import (
    FORMATS,
    LazyParameter,
    Shards,
    lazy_state,
    read_config,
    wanted_dtype,
)
from ariane.grok.lora_grok2 import ADAPTER, Change, changes, load_adapter
from ariane.grok.packing_grok2 import chunks, dequantize
from ariane.grok.progress import Progress, silent
from ariane.grok.quantization_grok2 import blocks_of
from ariane.grok.quantizer_grok2 import empty_model
from ariane.grok.writing import (
    LIMIT,
    Block,
    Output,
    check_foreign,
    check_target,
    mark_of,
    write_all,
)

Lazy: TypeAlias = Any
"""A weight that is read when it is indexed by slices."""

STORED = {**FORMATS, "U8": torch.uint8}
KINDS = {dtype: kind for kind, dtype in FORMATS.items()}
"""Formats that are read, and those that are written."""


class LazyPacked:
    """A packed weight as it is used, in float32, read and unpacked where it is indexed.

    `dtype` is that in which it is written.
    """

    def __init__(
        self, codes: Lazy, scales: Lazy, bits: int, group: int, dtype: torch.dtype
    ) -> None:
        self.codes, self.scales, self.bits, self.group = codes, scales, bits, group
        self.dtype = dtype

    def __getitem__(self, index: tuple[slice, ...]) -> torch.Tensor:
        """Some rows, of some experts where there are any."""
        *experts, rows = index
        scales = self.scales[(*experts, slice(None), rows)]
        return dequantize(self.codes[index], scales, self.bits, self.group, torch.float32)


def merge_directory(
    source: Path,
    adapter: Path,
    target: Path,
    dtype: str = "auto",
    progress: Progress = silent,
    limit: int = LIMIT,
) -> None:
    """Write a model of any layout, plain or packed, with an adapter in its weights.

    `dtype` "auto" keeps the format of each plain weight; a packed one is then written in that of
    the configuration. A run that was cut off goes on. Raises `CheckpointError` where the source is
    not whole, its tokenizer included, or the target holds anything else or has no room, and
    ValueError where the adapter was not trained over such a model.
    """
    check_target(source, target)
    check_target(adapter, target, "adapter")
    config = read_config(source)
    changed = _changes(config, adapter)
    weights, files = _weights(source, config)
    tokenizer = read_tokenizer(source)
    chosen = None if dtype == "auto" else wanted_dtype(dtype, config)
    outputs = [
        _output(name, parameter.shape, weights[name], changed.get(name), chosen)
        for name, parameter in parameters(config).items()
    ]
    mark = mark_of([*files, *(adapter / name for name in ADAPTER)], dtype, limit)
    check_foreign(target)
    write_all(target, outputs, mark, progress, limit)
    write_config(_plain(config, chosen), target)
    write_tokenizer(tokenizer, source, target)


def check_adapter(source: Path, adapter: Path) -> None:
    """Raise ValueError where an adapter was not trained over such a model, which is not read."""
    load_adapter(empty_model(read_config(source)), str(adapter))


def _changes(config: Grok2Config, adapter: Path) -> dict[str, Change]:
    """What the adapter changes, as PEFT lays it over the model's empty layers."""
    return changes(load_adapter(empty_model(config), str(adapter)))


def _weights(source: Path, config: Grok2Config) -> tuple[dict[str, Lazy], set[Path]]:
    """Every weight, still unread, by the name of the model's parameter; and the files."""
    packing = packing_of(config)
    if packing is None:
        checkpoint = read_checkpoint(source, config)
        return lazy_state(checkpoint, None), checkpoint.files
    checkpoint = read_checkpoint(source, config, packed_parameters(config, packing))
    used = wanted_dtype("auto", config) or torch.bfloat16
    shards, tensors = Shards(), checkpoint.tensors
    found: dict[str, Lazy] = {}

    def lazy(piece: Piece) -> LazyParameter:
        dtype = STORED[tensors[piece.tensor].dtype]
        return LazyParameter(fused(piece.tensor, piece.shape), tensors, shards, dtype)

    for name, parameter in checkpoint.parameters.items():
        first, *more = map(lazy, parameter.pieces)
        bits = packing.bits_of(name.rpartition(".")[0], config)
        if bits is None:
            found[name] = first
        else:
            found[name] = LazyPacked(first, more[0], bits, packing.group_size, used)
    return found, checkpoint.files


def _output(
    name: str, shape: Shape, weight: Lazy, change: Change | None, chosen: torch.dtype | None
) -> Output:
    """One weight and what is added to it, rounded once."""
    dtype: torch.dtype = chosen or weight.dtype

    def made() -> Iterator[Block]:
        for region in _regions(shape):
            part = weight[region]
            if change is not None:
                part = part.to(torch.promote_types(part.dtype, torch.float32)) + change[region]
            yield from blocks_of(part.to(dtype))

    return Output({name: (KINDS[dtype], shape)}, made)


def _regions(shape: Shape) -> Iterator[tuple[slice, ...]]:
    """Some rows at a time, of one expert where there are any, in the order of the bytes."""
    if len(shape) == 1:
        yield (slice(None),)
        return
    *experts, rows, width = shape
    for expert in range(experts[0]) if experts else [None]:
        lead = () if expert is None else (slice(expert, expert + 1),)
        for part in chunks(rows, width):
            yield (*lead, part)


def _plain(config: Grok2Config, chosen: torch.dtype | None) -> Grok2Config:
    """The configuration of what is written."""
    content = config.to_dict()
    content.pop("quantization_config", None)
    plain: Grok2Config = Grok2Config.from_dict(content)
    plain.dtype = chosen or config.dtype
    return plain
