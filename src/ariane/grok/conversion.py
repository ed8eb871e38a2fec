"""The published layout written anew as whole tensors, byte by byte and never all in memory.

`write_merged` gives a Hugging Face directory with our parameters' names, or one that llama.cpp's
converter reads rightly: it takes only files called `model*`, and of tensors of one name the last.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from transformers import GenerationConfig, PreTrainedTokenizerFast
from transformers.models.auto.tokenization_auto import AutoTokenizer

from ariane.grok.checkpoint import (
    INDEX,
    Checkpoint,
    Tensor,
    read_checkpoint,
)
from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.continuing import MARK, check_others, check_target, mark_of
from ariane.grok.errors import CheckpointError, check_space
from ariane.grok.headers import ITEM_BYTES, read_header
from ariane.grok.inspection import read_config
from ariane.grok.layout_grok2 import GATE_UP, Shape
from ariane.grok.tokenization_grok2 import VOCAB_FILE

Progress = Callable[[int], None]
"""Told the bytes that were written since it was last told."""

Block = np.ndarray[Any, Any]
"""Numbers in a row, as they are written."""

BLOCK = 1 << 26
"""Bytes that are held in memory at once."""


@dataclass(frozen=True)
class Output:
    """A tensor to write, whose bytes are made in order when it is written."""

    name: str
    dtype: str
    shape: Shape
    blocks: Callable[[], Iterator[Block]]

    @property
    def bytes(self) -> int:
        """Its size."""
        return math.prod(self.shape) * ITEM_BYTES[self.dtype]


def outputs(checkpoint: Checkpoint, fused: bool) -> list[Output]:
    """What is written: the model's parameters, or every expert's matrices by themselves."""
    tensors = checkpoint.tensors
    if fused:
        return [
            _joined(name, one.shape, [tensors[piece.tensor] for piece in one.pieces])
            for name, one in checkpoint.parameters.items()
        ]
    if GATE_UP.format(layer=0) in tensors:
        raise CheckpointError(
            f"{checkpoint.folder} holds its experts fused, which llama.cpp cannot read: convert "
            "the published directory instead."
        )
    return [_joined(name, tensor.shape, [tensor]) for name, tensor in tensors.items()]


def _joined(name: str, shape: Shape, tensors: list[Tensor]) -> Output:
    """Tensors that follow each other in one; a header can name one format only."""
    formats = sorted({tensor.dtype for tensor in tensors})
    if len(formats) > 1:
        raise CheckpointError(f"{name} is of {' and '.join(formats)}: save it in one format first.")
    return Output(name, formats[0], shape, lambda: (b for one in tensors for b in blocks(one)))


def blocks(tensor: Tensor) -> Iterator[Block]:
    """The bytes of a whole tensor in order, its ranks joined."""
    maps = [
        np.memmap(shard.file, np.uint8, "r", shard.start, (shard.end - shard.start,))
        for shard in tensor.shards
    ]
    if tensor.axis != 1 or len(maps) == 1:
        for one in maps:
            yield from (one[at : at + BLOCK] for at in range(0, len(one), BLOCK))
        return
    rows = tensor.shape[0]
    tables = [one.reshape(rows, -1) for one in maps]
    step = max(1, BLOCK // sum(table.shape[1] for table in tables))
    for at in range(0, rows, step):
        joined = np.concatenate([table[at : at + step] for table in tables], axis=1)
        yield joined.reshape(-1)


def into_files(wanted: list[Output], limit: int) -> dict[str, list[Output]]:
    """The outputs of each file, by the file's name; a file takes `limit` bytes, or one tensor."""
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


def _header(group: list[Output], mark: str) -> bytes:
    content: dict[str, Any] = {"__metadata__": {"format": "pt", MARK: mark}}
    at = 0
    for output in group:
        content[output.name] = {
            "dtype": output.dtype,
            "shape": list(output.shape),
            "data_offsets": [at, at + output.bytes],
        }
        at += output.bytes
    raw = json.dumps(content, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    return len(raw).to_bytes(8, "little") + raw


def _is_written(path: Path, group: list[Output], mark: str) -> bool:
    """Whether a file is an earlier run's over the same source, whole when it got its name."""
    if not path.exists():
        return False
    try:
        shards, metadata = read_header(path)
    except CheckpointError:
        return False
    there = {shard.tensor: shard.shape for shard in shards}
    return metadata.get(MARK) == mark and there == {one.name: one.shape for one in group}


def write_file(path: Path, group: list[Output], mark: str, progress: Progress) -> None:
    """Write one file, under another name until it is whole."""
    if _is_written(path, group, mark):
        progress(sum(output.bytes for output in group))
        return
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(_header(group, mark))
        for block in (block for output in group for block in output.blocks()):
            block.tofile(file)
            progress(block.nbytes)
    part.replace(path)


def _write_words(source: Path, target: Path, config: Grok2Config, fused: bool) -> None:
    """Configuration and generation settings."""
    if fused:
        config.architectures = ["Grok2ForCausalLM"]
        config.save_pretrained(target)
        ends = config.eos_token_id
        GenerationConfig(eos_token_id=ends, pad_token_id=config.pad_token_id).save_pretrained(
            target
        )
    else:
        # Under "original" llama.cpp stretches rotary positions, under "git" it adds GIT's defaults.
        content = json.loads((source / "config.json").read_bytes())
        content |= {"model_type": "grok2", "rope_type": "default"}
        (target / "config.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_tokenizer(source: Path) -> PreTrainedTokenizerFast:
    """The tokenizer of a directory, which saved is readable without this package."""
    ours = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    plain = PreTrainedTokenizerFast(
        tokenizer_object=ours.backend_tokenizer,
        **ours.special_tokens_map,
        padding_side=ours.padding_side,
        clean_up_tokenization_spaces=False,
    )
    plain.chat_template = ours.chat_template
    return plain


def write_tokenizer(tokenizer: PreTrainedTokenizerFast, source: Path, target: Path) -> None:
    """Save a tokenizer, and the published file that it was read from."""
    tokenizer.save_pretrained(target)
    if (source / VOCAB_FILE).is_file():
        shutil.copyfile(source / VOCAB_FILE, target / VOCAB_FILE)


def write_merged(
    source: Path,
    target: Path,
    progress: Progress,
    fused: bool = True,
    limit: int = 5_000_000_000,
) -> None:
    """Write a checkpoint of any layout as whole tensors; a run that was cut off goes on.

    `fused` gives the names and shapes of our model and `model_type` "grok2"; without it each
    expert's matrices stand alone under the published names, as llama.cpp's converter wants them.
    """
    check_target(source, target)
    config = read_config(source)
    checkpoint, tokenizer = read_checkpoint(source, config), read_tokenizer(source)
    files = into_files(outputs(checkpoint, fused), limit)
    write_all(target, files, mark_of(checkpoint.files), progress)
    _write_words(source, target, config, fused)
    write_tokenizer(tokenizer, source, target)


def write_all(target: Path, files: dict[str, list[Output]], mark: str, progress: Progress) -> None:
    """Write every file that is not there yet, and the index; room is checked first.

    `mark` tells a source from another: files that were made from another are written anew.
    """
    target.mkdir(parents=True, exist_ok=True)
    check_others(target, {*files, INDEX} if len(files) > 1 else set(files))
    left = [group for name, group in files.items() if not _is_written(target / name, group, mark)]
    check_space(target, sum(output.bytes for group in left for output in group))
    for name, group in files.items():
        write_file(target / name, group, mark, progress)
    if len(files) > 1:
        index = {
            "metadata": {"total_size": sum(o.bytes for group in files.values() for o in group)},
            "weight_map": {o.name: name for name, group in files.items() for o in group},
        }
        (target / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def total_bytes(source: Path) -> int:
    """How much `write_merged` will write."""
    tensors = read_checkpoint(source, read_config(source)).tensors.values()
    return sum(shard.end - shard.start for tensor in tensors for shard in tensor.shards)
