"""Tiny random checkpoints in the layouts that Grok-2 comes in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tests.grok.tiny import SHAPE
from tests.grok.tokens import TOKENS, write_tokenizer
from transformers import AutoConfig, AutoTokenizer

from ariane.grok import CheckpointError
from ariane.grok.checkpoint import read_checkpoint
from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.layout_grok2 import FILES, file_name
from ariane.grok.loading_grok2 import lazy_state
from ariane.grok.modeling_grok2 import Grok2ForCausalLM
from ariane.grok.write_layout import published_config, published_tensors, write_layout

SIZES: dict[str, Any] = {
    **SHAPE,
    "vocab_size": 3 + len(TOKENS),
    "moe_intermediate_size": 16,
    "max_position_embeddings": 256,
    "attn_temperature_len": 16,
}

FILE_NAMES = sorted(
    [file_name(n) for n in range(len(FILES)) if n not in (6, 7, 8)]
    + [file_name(n, rank) for n in (6, 7, 8) for rank in range(8)]
)


def random_model(seed: int = 0, dtype: torch.dtype = torch.bfloat16, **sizes: Any) -> Any:
    torch.manual_seed(seed)
    return Grok2ForCausalLM(Grok2Config(**{**SIZES, **sizes})).to(dtype).eval()


def write_published(folder: Path, model: Any, ranks: int = 8) -> Path:
    """The published layout, over so many ranks, with a tokenizer."""
    write_layout(model.state_dict(), model.config, folder, ranks)
    write_tokenizer(folder, TOKENS)
    return folder


def write_merged(folder: Path, model: Any, files: int = 3) -> Path:
    """Whole tensors under the published names, over a few files with an index."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = published_tensors(model.state_dict(), model.config)
    names = sorted(tensors)
    index = {}
    for number in range(files):
        file = f"model-{number + 1:05d}-of-{files:05d}.safetensors"
        part = {name: tensors[name].contiguous() for name in names[number::files]}
        save_file(part, folder / file)
        index |= dict.fromkeys(part, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    (folder / "config.json").write_text(json.dumps(published_config(model.config)))
    write_tokenizer(folder, TOKENS)
    return folder


def copied(source: Path, target: Path) -> Path:
    """The directory again, as links: only what a test changes becomes a file."""
    target.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        (target / file.name).symlink_to(file)
    return target


def replaced(file: Path, content: bytes) -> None:
    file.unlink()
    file.write_bytes(content)


def load(folder: Path) -> dict[str, torch.Tensor]:
    """All that `from_pretrained` of the three Auto classes reads, without building the model."""
    config = AutoConfig.from_pretrained(folder)
    AutoTokenizer.from_pretrained(folder)
    state = lazy_state(read_checkpoint(folder, config), None)
    return {name: lazy[...] for name, lazy in state.items()}


def said(folder: Path) -> str:
    """The one sentence that loading ends with."""
    with pytest.raises((CheckpointError, OSError, ValueError)) as caught:
        load(folder)
    return str(caught.value)
