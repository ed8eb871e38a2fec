"""The published layout written anew as whole tensors, byte by byte and never all in memory.

`write_merged` gives a Hugging Face directory with our parameters' names, or one of the published
names for an engine that has Grok-2 of its own: llama.cpp, whose converter takes only files called
`model*`, and of tensors of one name the last, or SGLang and vLLM up to 0.24.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from transformers import GenerationConfig, PreTrainedTokenizerFast
from transformers.models.auto.tokenization_auto import AutoTokenizer

from ariane.grok.checkpoint import Checkpoint, Tensor, read_checkpoint
from ariane.grok.configuration_grok2 import YARN_KEYS, Grok2Config
from ariane.grok.errors import CheckpointError
from ariane.grok.layout_grok2 import GATE_UP, Form, Shape
from ariane.grok.loading_grok2 import read_config
from ariane.grok.progress import Progress
from ariane.grok.tokenization_grok2 import VOCAB_FILE
from ariane.grok.write_layout import ARCHITECTURE
from ariane.grok.writing import (
    BLOCK,
    LIMIT,
    Block,
    Output,
    check_target,
    mark_of,
    write_all,
)


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
            f"{checkpoint.folder} holds its experts fused, which only Transformers and our plugin "
            "for vLLM can read: convert the published directory instead."
        )
    return [_joined(name, tensor.shape, [tensor]) for name, tensor in tensors.items()]


def _joined(name: str, shape: Shape, tensors: list[Tensor]) -> Output:
    """Tensors that follow each other in one; a header can name one format only."""
    formats = sorted({tensor.dtype for tensor in tensors})
    if len(formats) > 1:
        raise CheckpointError(f"{name} is of {' and '.join(formats)}: save it in one format first.")
    return Output({name: (formats[0], shape)}, lambda: (b for one in tensors for b in blocks(one)))


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


def write_config(config: Grok2Config, target: Path) -> None:
    """Write configuration and generation settings of a directory of our own."""
    config.architectures = ["Grok2ForCausalLM"]
    config.save_pretrained(target)
    _write_generation(config, target)


def _write_generation(config: Grok2Config, target: Path) -> None:
    ends, padding = config.eos_token_id, config.pad_token_id
    GenerationConfig(eos_token_id=ends, pad_token_id=padding).save_pretrained(target)


def _write_words(source: Path, target: Path, config: Grok2Config, to: Form) -> None:
    """Configuration and generation settings."""
    if to == "merged":
        write_config(config, target)
        return
    content = json.loads((source / "config.json").read_bytes())
    content |= engine_words(to, config)
    (target / "config.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    if to != "gguf":
        _write_generation(config, target)


def engine_words(to: Form, config: Grok2Config) -> dict[str, Any]:
    """What an engine must read in `config.json` beside or instead of what the source says.

    Sources: llama.cpp's `convert_hf_to_gguf.py` and SGLang 0.5.23's `models/grok.py`.
    """
    if to == "gguf":
        # Under "original" llama.cpp stretches rotary positions, under "git" it adds GIT's defaults.
        return {"model_type": "grok2", "rope_type": "default"}
    rope, yarn = config.rope_parameters or {}, config.yarn_parameters or {}
    return {
        **{name: yarn[key] for name, key in YARN_KEYS.items()},
        "architectures": [ARCHITECTURE],
        "model_type": "git",
        # SGLang has no "default", asks for YaRN's numbers even so, and takes experts for shards.
        "rope_type": "yarn" if rope["rope_type"] == "yarn" else "original",
        "rope_theta": rope["rope_theta"],
        "load_presharded_moe": False,
        "eos_token_id": config.eos_token_id,
        "pad_token_id": config.pad_token_id,
    }


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
    source: Path, target: Path, progress: Progress, to: Form = "merged", limit: int = LIMIT
) -> None:
    """Write a checkpoint of any layout as whole tensors; a run that was cut off goes on.

    `to` "merged" gives the names and shapes of our model and `model_type` "grok2"; under "gguf" and
    "sglang", which differ in the configuration alone, each expert's matrices stand by themselves.
    Raises `CheckpointError` where the source is not whole, its tokenizer included, or the target
    holds other weights or has no room.
    """
    check_target(source, target)
    config = read_config(source)
    checkpoint, tokenizer = read_checkpoint(source, config), read_tokenizer(source)
    mark = mark_of(checkpoint.files, to, limit)
    write_all(target, outputs(checkpoint, to == "merged"), mark, progress, limit)
    _write_words(source, target, config, to)
    write_tokenizer(tokenizer, source, target)
