"""Tiny random checkpoints in the layouts that Grok-2 comes in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tests.grok.tokens import TOKENS, write_tokenizer

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.modeling_grok2 import Grok2ForCausalLM
from ariane.grok.write_layout import published_config, published_tensors, write_layout

SIZES: dict[str, Any] = {
    "vocab_size": 3 + len(TOKENS),
    "hidden_size": 32,
    "intermediate_size": 48,
    "moe_intermediate_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 256,
    "embedding_multiplier_scale": 32**0.5,
    "attn_temperature_len": 16,
}


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
