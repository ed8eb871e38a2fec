"""Safetensors files written block by block, each whole or not there, by runs that can go on.

Each file's metadata holds a mark of what it was made of. A run keeps whole files of its own mark,
and refuses a directory that holds any other run's, because they would be loaded together.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from safetensors import SafetensorError, safe_open

from ariane.grok.checkpoint import INDEX
from ariane.grok.errors import CheckpointError, check_space
from ariane.grok.headers import PACKED_BYTES
from ariane.grok.layout_grok2 import Shape
from ariane.grok.progress import Progress, Sum

MARK = "source"
"""The key of a file's metadata under which its mark stands."""

LIMIT = 5 * 10**9
"""Bytes of a file at most, as far as one output allows."""

BLOCK = 1 << 26
"""Bytes that are written, and told, at once."""

Block = np.ndarray[Any, Any]
"""Numbers in a row, as they are written."""

Held = Mapping[str, tuple[str, Shape]]
"""Names of tensors, with their formats and shapes."""


@dataclass(frozen=True)
class Output:
    """Tensors that are made together when they are written; `blocks` are their bytes in order."""

    tensors: Held
    blocks: Callable[[], Iterator[Block]]

    @property
    def bytes(self) -> int:
        """Their size."""
        return sum(math.prod(shape) * PACKED_BYTES[kind] for kind, shape in self.tensors.values())


def mark_of(files: Iterable[Path], *settings: object) -> str:
    """A hash of what a run reads: names, sizes and times of files, and its settings."""
    stats = sorted((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files)
    return sha256(repr((stats, settings)).encode()).hexdigest()


def check_target(source: Path, target: Path, what: str = "checkpoint") -> None:
    """Raise `CheckpointError` where a run would write over what it reads, or over a file."""
    if target.exists() and not target.is_dir():
        raise CheckpointError(f"{target} is no directory: choose another.")
    if source.resolve() == target.resolve():
        raise CheckpointError(f"{target} is the {what} itself: choose another directory.")


def check_foreign(target: Path) -> None:
    """Raise `CheckpointError` where a directory holds something but no weights.

    Whose weights those are, `write_all` asks.
    """
    held = [path for path in target.iterdir() if path.suffix != ".part"] if target.exists() else []
    if held and all(path.suffix != ".safetensors" for path in held):
        raise CheckpointError(
            f"{target} holds {min(held).name}, which is not of this source and these settings: "
            "choose another directory."
        )


def write_all(
    target: Path, wanted: Sequence[Output], mark: str, progress: Progress, limit: int = LIMIT
) -> None:
    """Write the outputs, and the index of their files; files of an earlier run are kept.

    Raises `CheckpointError` where another run's weights lie there or the disk is too small.
    """
    files = into_files(wanted, limit)
    target.mkdir(parents=True, exist_ok=True)
    _check_others(target, files, mark)
    left = [name for name, group in files.items() if _read(target / name) != (mark, _all(group))]
    check_space(target, sum(one.bytes for name in left for one in files[name]))
    for part in target.glob("model*.part"):  # what a run that was cut off left half
        part.unlink()
    told = Sum(sum(one.bytes for one in wanted), progress)
    for name, group in files.items():
        if name in left:
            _write_file(target / name, group, mark, told)
        else:
            told.add(sum(one.bytes for one in group), f"{name} is there")
    if len(files) > 1:
        places = {tensor: name for name, group in files.items() for tensor in _all(group)}
        index = {"metadata": {"total_size": told.total}, "weight_map": places}
        write_text(target / INDEX, json.dumps(index, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a small file, under another name until it is whole."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def into_files(wanted: Iterable[Output], limit: int) -> dict[str, list[Output]]:
    """The outputs of each file, by the file's name; a file takes `limit` bytes, or one output."""
    groups: list[list[Output]] = [[]]
    for output in wanted:
        if groups[-1] and sum(one.bytes for one in groups[-1]) + output.bytes > limit:
            groups.append([])
        groups[-1].append(output)
    count = len(groups)
    if count == 1:
        return {"model.safetensors": groups[0]}
    names = (f"model-{number:05d}-of-{count:05d}.safetensors" for number in range(1, count + 1))
    return dict(zip(names, groups, strict=True))


def _check_others(target: Path, files: Mapping[str, list[Output]], mark: str) -> None:
    """Refuse weights and an index that this run would neither keep nor write."""
    others = [path for path in sorted(target.glob("*.safetensors")) if _is_other(path, files, mark)]
    if len(files) == 1 and (target / INDEX).exists():
        others.append(target / INDEX)
    if others:
        more = f" (and {len(others) - 1} more files)" if len(others) > 1 else ""
        raise CheckpointError(
            f"{others[0]}{more} is of another source or of other settings: remove it, or choose "
            "another directory."
        )


def _is_other(path: Path, files: Mapping[str, list[Output]], mark: str) -> bool:
    """Whether a file is not this run's; of those that it would write, a torn one is."""
    held = _read(path)
    return path.name not in files or (held is not None and held[0] != mark)


def _read(path: Path) -> tuple[str, Held] | None:
    """A file's mark and what it holds; None where it is missing or not whole."""
    try:
        with safe_open(path, framework="np") as file:
            # An open file is no mapping.
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            mark = (file.metadata() or {}).get(MARK, "")
    except (OSError, SafetensorError):
        return None
    return mark, {name: (one.get_dtype(), tuple(one.get_shape())) for name, one in slices.items()}


def _all(group: Iterable[Output]) -> Held:
    return {name: about for output in group for name, about in output.tensors.items()}


def _write_file(path: Path, group: list[Output], mark: str, told: Sum) -> None:
    """Write one file, under another name until it is on the disk."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        file.write(_header(group, mark))
        for output in group:
            _write_output(file, output, lambda done: told.add(done, f"writing {path.name}"))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _write_output(file: BinaryIO, output: Output, tell: Callable[[int], None]) -> None:
    """Write one output; when it is left, nothing holds its blocks any more."""
    for block in output.blocks():
        block.tofile(file)
        tell(block.nbytes)


def _header(group: list[Output], mark: str) -> bytes:
    content: dict[str, Any] = {"__metadata__": {"format": "pt", MARK: mark}}
    at = 0
    for name, (kind, shape) in _all(group).items():
        end = at + math.prod(shape) * PACKED_BYTES[kind]
        content[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [at, end]}
        at = end
    raw = json.dumps(content, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    return len(raw).to_bytes(8, "little") + raw
