"""The header of a safetensors file: its tensors and where their bytes lie, every fault named.

The format is eight bytes of header length, a JSON header, then the tensors' bytes
(https://huggingface.co/docs/safetensors). Nothing here needs PyTorch.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ariane.grok.errors import CheckpointError
from ariane.grok.layout_grok2 import RANKED, Shape

LFS_POINTER = b"version https://git-lfs"
LONGEST_HEADER = 100_000_000
"""Bytes; the safetensors library refuses longer ones too."""

ITEM_BYTES = {"BF16": 2, "F16": 2, "F32": 4, "F64": 8}
"""The number formats that a plain Grok-2 checkpoint may use, with the bytes of a number."""

PACKED_BYTES = {**ITEM_BYTES, "U8": 1}
"""Those of a packed one."""


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


def read_header(
    path: Path, formats: Mapping[str, int] = ITEM_BYTES
) -> tuple[list[Shard], dict[str, str]]:
    """The tensors of a safetensors file and its metadata; raises `CheckpointError`.

    `formats` are those that may be in it, with the bytes of a number.
    """
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
    _check_bytes(path, shards, 8 + length, size, formats)
    named = metadata.get("file", path.name)
    if named != path.name:
        raise CheckpointError(f"{path} holds what was written as {named}: give it that name again.")
    return shards, metadata


def _shard(path: Path, name: str, said: Mapping[str, Any], data: int) -> Shard:
    start, end = said["data_offsets"]
    shape = tuple(int(size) for size in said["shape"])
    return Shard(path, name, str(said["dtype"]), shape, data + int(start), data + int(end))


def _check_bytes(
    path: Path, shards: Iterable[Shard], start: int, size: int, formats: Mapping[str, int]
) -> None:
    """Each tensor has as many bytes as its shape asks for, and the file ends after the last."""
    end = start
    for shard in shards:
        if shard.dtype not in formats:
            raise CheckpointError(
                f"{path} holds {shard.tensor} as {shard.dtype}, which is not one of "
                f"{', '.join(formats)}: load quantized weights with their own loader."
            )
        if shard.end - shard.start != math.prod(shard.shape) * formats[shard.dtype]:
            raise CheckpointError(f"{path} gives {shard.tensor} a wrong length: download it again.")
        end = max(end, shard.end)
    if size != end:
        raise CheckpointError(
            f"{path} has {size} bytes and its header promises {end}: download it again."
        )
