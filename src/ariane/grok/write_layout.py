"""Write a model's weights in the published layout: a file a kind of tensor, experts cut by rank."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.layout_grok2 import RANKS, file_name, parameters, published_file, shard_axis

ARCHITECTURE = "Grok1ForCausalLM"
"""What the published configuration says, with the model type "git"."""

PUBLISHED = {
    "attn_logit_softcapping",
    "attn_temperature_len",
    "embedding_multiplier_scale",
    "final_logit_softcapping",
    "head_dim",
    "hidden_act",
    "hidden_size",
    "intermediate_size",
    "max_position_embeddings",
    "moe_intermediate_size",
    "num_attention_heads",
    "num_experts_per_tok",
    "num_hidden_layers",
    "num_key_value_heads",
    "num_local_experts",
    "output_multiplier_scale",
    "residual_moe",
    "rms_norm_eps",
    "router_logit_softcapping",
    "tie_word_embeddings",
    "vocab_size",
}
"""The settings that `config.json` keeps; `hidden_act` and the tie are not in the published one."""


def published_tensors(
    state: Mapping[str, torch.Tensor], config: Grok2Config
) -> dict[str, torch.Tensor]:
    """The published tensors, by name, of a model's state: views, the experts' taken apart."""
    return {
        piece.tensor: state[name][tuple(slice(*ends) for ends in piece.region)].reshape(piece.shape)
        for name, parameter in parameters(config).items()
        for piece in parameter.pieces
    }


def published_config(config: Grok2Config) -> dict[str, Any]:
    """The content of `config.json` in the published form, rotary embedding in flat keys."""
    content: dict[str, Any] = config.to_dict()
    rope = content["rope_parameters"]
    kept = {name: value for name, value in content.items() if name in PUBLISHED}
    return kept | {
        "architectures": [ARCHITECTURE],
        "model_type": "git",
        "rope_theta": rope["rope_theta"],
        "rope_type": "original",
        "torch_dtype": "bfloat16",
    }


def write_layout(
    state: Mapping[str, torch.Tensor], config: Grok2Config, folder: Path, ranks: int = RANKS
) -> None:
    """Write weights and `config.json`; `ranks` 1 writes every tensor whole.

    Each file says its own name in its metadata, so that files which change places are found out:
    the ranks of one tensor are of the same shape.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, dict[str, torch.Tensor]] = defaultdict(dict)
    for name, tensor in published_tensors(state, config).items():
        axis, first = shard_axis(name), published_file(name)
        if first is None:
            raise ValueError(f"{name} has no file in the published layout.")
        if axis is None or ranks == 1:
            files[first.replace("TP-000", "TP-common")][name] = tensor.contiguous()
            continue
        if tensor.shape[axis] % ranks:
            raise ValueError(f"{name} {tuple(tensor.shape)} cannot be cut over {ranks} ranks.")
        number = int(first.split("-")[1])
        for rank, part in enumerate(tensor.chunk(ranks, dim=axis)):
            files[file_name(number, rank)][name] = part.contiguous()
    for file, tensors in files.items():
        save_file(tensors, folder / file, metadata={"format": "pt", "file": file})
    content = json.dumps(published_config(config), indent=2)
    (folder / "config.json").write_text(content + "\n", encoding="utf-8")
