"""What a checkpoint holds and lacks: a table of kinds of tensors, from headers alone."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from transformers.models.auto.configuration_auto import AutoConfig

from ariane.grok.checkpoint import Tensor, faults, read_parameters, read_tensors, weight_files
from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.errors import CheckpointError
from ariane.grok.layout_grok2 import Parameter, active_share
from ariane.grok.tokenization_grok2 import VOCAB_FILE


@dataclass(frozen=True)
class Kind:
    """One kind of tensor over all layers; bytes are those on disk, bits those of one weight."""

    name: str
    expected: int
    found: int
    files: int
    bytes: int
    bits: float
    parameters: int
    active: int


@dataclass(frozen=True)
class Inspection:
    """The kinds, what is wrong in sentences, and whether the tokenizer is there."""

    folder: Path
    kinds: tuple[Kind, ...]
    faults: tuple[str, ...]
    tokenizer: bool

    @property
    def total(self) -> Kind:
        """The sum of all kinds."""
        stored = sum(kind.bytes for kind in self.kinds)
        found = sum(kind.bytes * 8 / kind.bits for kind in self.kinds if kind.bits)
        return Kind(
            "total",
            sum(kind.expected for kind in self.kinds),
            sum(kind.found for kind in self.kinds),
            sum(kind.files for kind in self.kinds),
            stored,
            stored * 8 / found if found else 0.0,
            sum(kind.parameters for kind in self.kinds),
            sum(kind.active for kind in self.kinds),
        )


def read_config(folder: Path) -> Grok2Config:
    """The directory's configuration; raises `CheckpointError` where it is not Grok-2's."""
    if not (folder / "config.json").is_file():
        raise CheckpointError(f"{folder} has no config.json: it is no Grok-2 checkpoint.")
    try:
        config = AutoConfig.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder / 'config.json'} cannot be read: {error}") from error
    if not isinstance(config, Grok2Config):
        raise CheckpointError(
            f"{folder / 'config.json'} is that of {config.model_type}, not of Grok-2."
        )
    return config


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
    weights = sum(math.prod(shard.shape) for shard in shards)
    sizes = {key: math.prod(parameter.shape) for key, parameter in wanted.items()}
    return Kind(
        name,
        len(pieces),
        len(found),
        len({shard.file for shard in shards}),
        stored,
        8 * stored / weights if weights else 0.0,
        sum(sizes.values()),
        round(sum(size * active_share(config, key) for key, size in sizes.items())),
    )


def inspect(folder: Path) -> Inspection:
    """Read every header of a directory; raises `CheckpointError` only without a configuration."""
    config = read_config(folder)
    wrong: list[str] = []
    tensors: dict[str, Tensor] = {}
    try:
        tensors = read_tensors(weight_files(folder))
    except CheckpointError as error:
        wrong.append(str(error))
    wanted = read_parameters(tensors, config)
    if not wrong:
        wrong = faults(tensors, wanted)
    kinds: dict[str, dict[str, Parameter]] = {}
    for name, parameter in wanted.items():
        kinds.setdefault(_kind(name), {})[name] = parameter
    rows = tuple(_summary(kind, group, tensors, config) for kind, group in kinds.items())
    tokenizer = any((folder / name).is_file() for name in (VOCAB_FILE, "tokenizer.json"))
    if not tokenizer:
        wrong.append(f"{folder / VOCAB_FILE} is missing: download it beside the weights.")
    return Inspection(folder, rows, tuple(wrong), tokenizer)
