"""What a checkpoint holds and lacks: a table of kinds of tensors, from headers alone."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ariane.grok.checkpoint import (
    Tensor,
    faults,
    read_parameters,
    read_tensors,
    weight_files,
)
from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.errors import CheckpointError
from ariane.grok.headers import ITEM_BYTES, PACKED_BYTES
from ariane.grok.layout_grok2 import Parameter, active_share, part_of
from ariane.grok.layout_packed import packed_parameters, packing_of
from ariane.grok.loading_grok2 import read_config
from ariane.grok.tokenization_grok2 import VOCAB_FILE


@dataclass(frozen=True)
class Kind:
    """One kind of tensor over all layers, or several; bytes are those on disk.

    `bits` are those of one weight, a packed one's scales included; `expected` and `found` count
    tensors, `files` names those that hold any.
    """

    name: str
    part: str
    expected: int
    found: int
    files: frozenset[str]
    bytes: int
    bits: float
    parameters: int
    active: int


@dataclass(frozen=True)
class Inspection:
    """The kinds, and what is wrong in sentences."""

    kinds: tuple[Kind, ...]
    faults: tuple[str, ...]

    @property
    def parts(self) -> tuple[Kind, ...]:
        """The kinds of each part of the model together."""
        groups: dict[str, list[Kind]] = {}
        for kind in self.kinds:
            groups.setdefault(kind.part, []).append(kind)
        return tuple(_together(part, group) for part, group in groups.items())

    @property
    def total(self) -> Kind:
        """The sum of all kinds."""
        return _together("total", self.kinds)


def _together(name: str, kinds: Sequence[Kind]) -> Kind:
    """Kinds added up; bits are those of the weights that were found."""
    stored = sum(kind.bytes for kind in kinds)
    found = sum(kind.bytes * 8 / kind.bits for kind in kinds if kind.bits)
    return Kind(
        name,
        name,
        sum(kind.expected for kind in kinds),
        sum(kind.found for kind in kinds),
        frozenset().union(*(kind.files for kind in kinds)),
        stored,
        stored * 8 / found if found else 0.0,
        sum(kind.parameters for kind in kinds),
        sum(kind.active for kind in kinds),
    )


def _kind(tensor: str) -> str:
    return re.sub(r"^model\.(layers\.\d+\.(block_sparse_moe\.)?)?", "", tensor).removesuffix(
        ".weight"
    )


def _summary(
    name: str,
    wanted: Mapping[str, Parameter],
    tensors: Mapping[str, Tensor],
    config: Grok2Config,
) -> Kind:
    """The parameters of one kind, added up; an active expert counts, the others do not."""
    pieces = [piece for parameter in wanted.values() for piece in parameter.pieces]
    found = [tensors[piece.tensor] for piece in pieces if piece.tensor in tensors]
    shards = [shard for tensor in found for shard in tensor.shards]
    stored = sum(shard.end - shard.start for shard in shards)
    weights = sum(_weights(parameter, tensors) for parameter in wanted.values())
    sizes = {key: math.prod(parameter.shape) for key, parameter in wanted.items()}
    return Kind(
        name,
        part_of(config, next(iter(wanted))),
        len(pieces),
        len(found),
        frozenset(shard.file.name for shard in shards),
        stored,
        8 * stored / weights if weights else 0.0,
        sum(sizes.values()),
        round(sum(size * active_share(config, key) for key, size in sizes.items())),
    )


def _weights(parameter: Parameter, tensors: Mapping[str, Tensor]) -> float:
    """How many of a parameter's weights are in the files: of a packed one, by its codes."""
    first = parameter.pieces[0]
    if first.tensor.endswith(".codes"):
        there = tensors.get(first.tensor)
        held = sum(math.prod(shard.shape) for shard in there.shards) if there else 0
        return math.prod(parameter.shape) * held / math.prod(first.shape)
    there_all = (tensors[piece.tensor] for piece in parameter.pieces if piece.tensor in tensors)
    return sum(math.prod(shard.shape) for tensor in there_all for shard in tensor.shards)


def inspect(folder: Path) -> Inspection:
    """Read every header of a directory; raises `CheckpointError` only without a configuration."""
    config = read_config(folder)
    packing = packing_of(config)
    wrong: list[str] = []
    try:
        files = weight_files(folder)
    except CheckpointError as error:
        files, wrong = [], [str(error)]
    tensors = read_tensors(files, PACKED_BYTES if packing else ITEM_BYTES, wrong)
    wanted = packed_parameters(config, packing) if packing else read_parameters(tensors, config)
    if not wrong:
        wrong = faults(tensors, wanted)
    kinds: dict[str, dict[str, Parameter]] = {}
    for name, parameter in wanted.items():
        kinds.setdefault(_kind(name), {})[name] = parameter
    rows = tuple(_summary(kind, group, tensors, config) for kind, group in kinds.items())
    if not any((folder / name).is_file() for name in (VOCAB_FILE, "tokenizer.json")):
        wrong.append(f"{folder / VOCAB_FILE} is missing: download it beside the weights.")
    return Inspection(rows, tuple(wrong))
