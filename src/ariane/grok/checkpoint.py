"""What lies in a checkpoint's directory: headers alone are read, and every fault is named.

The safetensors format is eight bytes of header length, a JSON header, then the tensors' bytes
(https://huggingface.co/docs/safetensors). Nothing here needs PyTorch.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ariane.grok.errors import CheckpointError
from ariane.grok.layout_grok2 import (
    RANKED,
    Parameter,
    Shape,
    Sizes,
    fused,
    parameters,
    published_file,
    shard_axis,
)

INDEX = "model.safetensors.index.json"
LFS_POINTER = b"version https://git-lfs"
LONGEST_HEADER = 100_000_000
"""Bytes; the safetensors library refuses longer ones too."""

ITEM_BYTES = {"BF16": 2, "F16": 2, "F32": 4, "F64": 8}
"""The number formats that a plain Grok-2 checkpoint may use."""


@dataclass(frozen=True)
class Shard:
    """A tensor, or a rank's part of one, in one file; `start` and `end` count from the file's."""

    file: Path
    tensor: str
    dtype: str
    shape: Shape
    start: int
    end: int

    @property
    def rank(self) -> int | None:
        """The rank that the file's name gives."""
        found = RANKED.match(self.file.name)
        return int(found["rank"]) if found else None


@dataclass(frozen=True)
class Tensor:
    """A published tensor: its shards in the order in which they are joined along `axis`."""

    name: str
    shards: tuple[Shard, ...]
    axis: int | None

    @cached_property
    def shape(self) -> Shape:
        """The shape of the whole."""
        first = self.shards[0].shape
        if self.axis is None:
            return first
        joined = sum(shard.shape[self.axis] for shard in self.shards)
        return (*first[: self.axis], joined, *first[self.axis + 1 :])

    @property
    def dtype(self) -> str:
        """The number format, as safetensors names it."""
        return self.shards[0].dtype


@dataclass(frozen=True)
class Checkpoint:
    """A checked directory: every parameter of the model, and the tensors that it is made of."""

    folder: Path
    parameters: Mapping[str, Parameter]
    tensors: Mapping[str, Tensor]

    @property
    def files(self) -> set[Path]:
        """The weight files."""
        return {shard.file for tensor in self.tensors.values() for shard in tensor.shards}


def read_header(path: Path) -> tuple[list[Shard], dict[str, str]]:
    """The tensors of a safetensors file and its metadata; raises `CheckpointError`."""
    size = path.stat().st_size
    with path.open("rb") as file:
        first = file.read(max(8, len(LFS_POINTER)))
        if first.startswith(LFS_POINTER):
            raise CheckpointError(
                f"{path} is a Git LFS pointer, not the weights: run `git lfs pull` there (a clone "
                "then takes twice the bytes on disk), or download the files instead."
            )
        length = int.from_bytes(first[:8], "little")
        if size < 8 or length > min(size - 8, LONGEST_HEADER):
            raise CheckpointError(
                f"{path} is truncated or no safetensors file ({size} bytes): download it again."
            )
        file.seek(8)
        raw = file.read(length)
    try:
        header: dict[str, Any] = json.loads(raw)
        metadata = header.pop("__metadata__", {})
        shards = [_shard(path, name, said, 8 + length) for name, said in header.items()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} has no readable header: download it again.") from error
    _check_bytes(path, shards, size)
    named = metadata.get("file", path.name)
    if named != path.name:
        raise CheckpointError(f"{path} holds what was written as {named}: give it that name again.")
    return shards, metadata


def _shard(path: Path, name: str, said: Mapping[str, Any], data: int) -> Shard:
    start, end = said["data_offsets"]
    shape = tuple(int(size) for size in said["shape"])
    return Shard(path, name, str(said["dtype"]), shape, data + int(start), data + int(end))


def _check_bytes(path: Path, shards: Iterable[Shard], size: int) -> None:
    """Each tensor has as many bytes as its shape asks for, and the file ends after the last."""
    end = 0
    for shard in shards:
        if shard.dtype not in ITEM_BYTES:
            raise CheckpointError(
                f"{path} holds {shard.tensor} as {shard.dtype}, which is not one of "
                f"{', '.join(ITEM_BYTES)}: load quantized weights with their own loader."
            )
        if shard.end - shard.start != math.prod(shard.shape) * ITEM_BYTES[shard.dtype]:
            raise CheckpointError(f"{path} gives {shard.tensor} a wrong length: download it again.")
        end = max(end, shard.end)
    if size != end:
        raise CheckpointError(
            f"{path} has {size} bytes and its header promises {end}: download it again."
        )


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files that the index names, or else every one in the directory."""
    index = folder / INDEX
    if not index.exists():
        return sorted(folder.glob("*.safetensors"))
    try:
        names = sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{index} is not a whole index: download it again.") from error
    return [folder / str(name) for name in names]


def read_tensors(files: Iterable[Path]) -> dict[str, Tensor]:
    """Every tensor of these files, its shards by rank; raises `CheckpointError`."""
    found: dict[str, list[Shard]] = defaultdict(list)
    for path in files:
        if not path.exists():
            raise CheckpointError(f"{path} is missing: the index names it; download it.")
        for shard in read_header(path)[0]:
            found[shard.tensor].append(shard)
    return {name: _join(name, shards) for name, shards in found.items()}


def _join(name: str, shards: list[Shard]) -> Tensor:
    axis = shard_axis(name)
    if len(shards) == 1:
        return Tensor(name, tuple(shards), axis if shards[0].rank is not None else None)
    ranks = [shard.rank for shard in shards]
    if axis is None or None in ranks or len(set(ranks)) < len(ranks):
        files = " and ".join(str(shard.file) for shard in shards[:2])
        raise CheckpointError(f"{name} is both in {files}: keep one of them.")
    return Tensor(name, tuple(sorted(shards, key=lambda shard: shard.rank or 0)), axis)


def faults(tensors: Mapping[str, Tensor], wanted: Mapping[str, Parameter]) -> list[str]:
    """What is missing, of a wrong shape or too much, one sentence each; none for a sound one."""
    found, used = [], set()
    for piece in (piece for parameter in wanted.values() for piece in parameter.pieces):
        used.add(piece.tensor)
        tensor = tensors.get(piece.tensor)
        if tensor is None:
            where = published_file(piece.tensor)
            found.append(
                f"{piece.tensor} of shape {piece.shape} is in no file: download what is missing"
                f"{f' (published as {where})' if where else ''}."
            )
        else:
            found += _shard_faults(tensor, piece.shape)
    for name in sorted(tensors.keys() - used):
        found.append(
            f"{tensors[name].shards[0].file} holds {name} {tensors[name].shape}, which config.json "
            "has no place for: configuration and weights belong to different models."
        )
    return found


def _shard_faults(tensor: Tensor, shape: Shape) -> list[str]:
    """How a tensor's shards fall short of the shape that the model asks for."""
    ranks, expected = _ranks(tensor, shape)
    found = [
        f"{shard.file} holds {tensor.name} of shape {shard.shape}, where {expected} is expected: "
        "download it again."
        for shard in tensor.shards
        if shard.shape != expected
    ]
    formats = sorted({shard.dtype for shard in tensor.shards})
    if len(formats) > 1:
        found.append(f"{tensor.shards[0].file} and other ranks differ in format: {formats}.")
    if tensor.axis is None:
        return found
    a_file, there = tensor.shards[0].file, {shard.rank for shard in tensor.shards}
    for rank in sorted(set(range(ranks)) - there):
        name = RANKED.sub(rf"\g<before>{rank:03d}\g<after>", a_file.name)
        found.append(
            f"{a_file.with_name(name)} is missing: rank {rank} of {ranks} of {tensor.name}, of "
            f"shape {expected}; download it."
        )
    if len(there) > ranks:
        found.append(
            f"{a_file} is one of {len(there)} ranks of {tensor.name}, where {ranks} of shape "
            f"{expected} make {shape}: remove those of another checkpoint."
        )
    return found


def _ranks(tensor: Tensor, shape: Shape) -> tuple[int, Shape]:
    """How many ranks a tensor was cut over, and the shape of each, judged by most of its shards."""
    axis = tensor.axis
    if axis is None:
        return 1, shape
    sizes = Counter(shard.shape[axis] for shard in tensor.shards if len(shard.shape) > axis)
    common = sizes.most_common(1)[0][0] if sizes else 0
    ranks = shape[axis] // common if common and shape[axis] % common == 0 else 1
    return ranks, (*shape[:axis], shape[axis] // ranks, *shape[axis + 1 :])


def read_parameters(tensors: Mapping[str, Tensor], config: Sizes) -> dict[str, Parameter]:
    """The model's parameters, made of these tensors: published names, or the parameters' own."""
    return {
        name: fused(name, parameter.shape) if name in tensors else parameter
        for name, parameter in parameters(config).items()
    }


def read_checkpoint(folder: Path, config: Sizes) -> Checkpoint:
    """A directory that was checked against its configuration; raises `CheckpointError`."""
    files = weight_files(folder)
    if not files:
        raise CheckpointError(
            f"{folder} has no weight file: put pytorch_model-*.safetensors or model*.safetensors "
            "there."
        )
    tensors = read_tensors(files)
    wanted = read_parameters(tensors, config)
    wrong = faults(tensors, wanted)
    if wrong:
        more = f" ({len(wrong) - 1} more faults)" if len(wrong) > 1 else ""
        raise CheckpointError(wrong[0] + more)
    return Checkpoint(folder, wanted, tensors)
