"""What lies in a checkpoint's directory: headers alone are read, and every fault is named.

Nothing here needs PyTorch.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ariane.grok.errors import CheckpointError
from ariane.grok.headers import ITEM_BYTES, PACKED_BYTES, Shard, read_header
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


def read_tensors(
    files: Iterable[Path],
    formats: Mapping[str, int] = ITEM_BYTES,
    wrong: list[str] | None = None,
) -> dict[str, Tensor]:
    """Every tensor of these files, its shards by rank; raises `CheckpointError`.

    With `wrong`, a fault is added to it instead, and what is sound is read.
    """
    found: dict[str, list[Shard]] = defaultdict(list)
    for path in files:
        with _set_aside(wrong):
            for shard in _header_of(path, formats):
                found[shard.tensor].append(shard)
    tensors = {}
    for name, shards in found.items():
        with _set_aside(wrong):
            tensors[name] = _join(name, shards)
    return tensors


def _header_of(path: Path, formats: Mapping[str, int]) -> list[Shard]:
    if not path.exists():
        raise CheckpointError(f"{path} is missing: the index names it; download it.")
    return read_header(path, formats)[0]


@contextmanager
def _set_aside(wrong: list[str] | None) -> Iterator[None]:
    """Add a fault to a list, or let it through where there is none."""
    try:
        yield
    except CheckpointError as error:
        if wrong is None:
            raise
        wrong.append(str(error))


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
    ours = any(published_file(name) is None for name in tensors)  # no download has such a name
    for piece in (piece for parameter in wanted.values() for piece in parameter.pieces):
        used.add(piece.tensor)
        tensor = tensors.get(piece.tensor)
        if tensor is None:
            where = published_file(piece.tensor)
            remedy = f"download what is missing (published as {where})"
            if ours or where is None:
                remedy = "start again the command that wrote this directory, which goes on"
            found.append(f"{piece.tensor} of shape {piece.shape} is in no file: {remedy}.")
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
    wanted = parameters(config)
    ours = any(name in tensors for name in wanted if ".experts." in name)
    return {
        name: fused(name, parameter.shape) if ours or name in tensors else parameter
        for name, parameter in wanted.items()
    }


def read_checkpoint(
    folder: Path, config: Sizes, packed: dict[str, Parameter] | None = None
) -> Checkpoint:
    """A directory that was checked against its configuration; raises `CheckpointError`.

    `packed` are the parameters of a packed one, which are not looked for under published names.
    """
    files = weight_files(folder)
    if not files:
        raise CheckpointError(
            f"{folder} has no weight file: put pytorch_model-*.safetensors or model*.safetensors "
            "there."
        )
    tensors = read_tensors(files, PACKED_BYTES if packed else ITEM_BYTES)
    wanted = packed or read_parameters(tensors, config)
    wrong = faults(tensors, wanted)
    if wrong:
        more = f" ({len(wrong) - 1} more faults)" if len(wrong) > 1 else ""
        raise CheckpointError(wrong[0] + more)
    return Checkpoint(folder, wanted, tensors)
