"""Which tensors a Grok-2 checkpoint has, in which files, and which parameters they make.

The published directory keeps one kind of tensor of every layer in one file, and cuts the experts'
over eight files, which repeat the same tensor names. Source of names and shapes: tenstorrent's
tt-metal `models/experimental/grok/tt/model_config.py` and SGLang's `models/grok.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

Form = Literal["merged", "gguf", "sglang"]
"""What a checkpoint is written for: Transformers, llama.cpp's converter, or SGLang."""

RANKS = 8
"""Over how many files the published checkpoint cuts a tensor of the experts."""

LAYER = "model.layers.{layer}."
EXPERT = LAYER + "block_sparse_moe.experts.{expert}."
GATE_UP = LAYER + "block_sparse_moe.experts.gate_up_proj"
DOWN = LAYER + "block_sparse_moe.experts.down_proj"
EMBEDDING = "model.embed_tokens.weight"

PARTS_OF = {
    "embed_tokens": "embedding",
    ".self_attn.": "attention",
    ".mlp.": "dense MLP",
    ".experts.": "experts",
    "lm_head": "head",
}
"""The parts of a model, by what the names of their parameters contain."""

FILES = (
    EMBEDDING,
    "lm_head.weight",
    "model.norm.weight",
    LAYER + "mlp.gate_proj.weight",
    LAYER + "mlp.down_proj.weight",
    LAYER + "mlp.up_proj.weight",
    EXPERT + "w1.weight",
    EXPERT + "w2.weight",
    EXPERT + "w3.weight",
    LAYER + "self_attn.k_proj.weight",
    LAYER + "self_attn.o_proj.weight",
    LAYER + "self_attn.q_proj.weight",
    LAYER + "self_attn.v_proj.weight",
    LAYER + "pre_attn_norm.weight",
    LAYER + "post_attn_norm.weight",
    LAYER + "pre_moe_norm.weight",
    LAYER + "post_moe_norm.weight",
    LAYER + "block_sparse_moe.gate.weight",
)
"""The tensors of each published file, by the file's number."""

RANKED = re.compile(r"^(?P<before>.*-TP-)(?P<rank>\d{3})(?P<after>\.safetensors)$")
"""The name of a file that holds one rank's shard."""

Shape = tuple[int, ...]
Region = tuple[tuple[int, int], ...]
"""For each dimension where a piece begins and ends."""


class Sizes(Protocol):
    """The numbers of a configuration that shapes follow from."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    moe_intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    num_local_experts: int
    num_experts_per_tok: int
    residual_moe: bool
    tie_word_embeddings: bool


@dataclass(frozen=True)
class Piece:
    """A published tensor, its whole shape, and its place in one of the model's parameters."""

    tensor: str
    shape: Shape
    region: Region


@dataclass(frozen=True)
class Parameter:
    """One of the model's parameters and what it is made of."""

    shape: Shape
    pieces: tuple[Piece, ...]


def file_name(number: int, rank: int | None = None) -> str:
    """The published name of a weight file; rank None is one that all ranks share."""
    which = "common" if rank is None else f"{rank:03d}"
    return f"pytorch_model-{number:05d}-TP-{which}.safetensors"


def published_file(tensor: str) -> str | None:
    """The name of the published file, or of the first of the ranks' files, that holds a tensor."""
    kind = re.sub(r"\.experts\.\d+\.", ".experts.{expert}.", tensor)
    kind = re.sub(r"\.layers\.\d+\.", ".layers.{layer}.", kind)
    if kind not in FILES:
        return None
    return file_name(FILES.index(kind), None if shard_axis(tensor) is None else 0)


def shard_axis(tensor: str) -> int | None:
    """Along which dimension the ranks of a published tensor are joined; None: it is never cut."""
    if ".experts." not in tensor:
        return None
    matrix = tensor.rpartition("experts.")[2].partition(".")[2]
    return {"w1.weight": 0, "w3.weight": 0, "w2.weight": 1}.get(matrix)


def _whole(tensor: str, shape: Shape) -> tuple[str, Parameter]:
    return tensor, Parameter(shape, (Piece(tensor, shape, tuple((0, size) for size in shape)),))


def _layer(config: Sizes, layer: int) -> Iterator[tuple[str, Parameter]]:
    before, hidden = LAYER.format(layer=layer), config.hidden_size
    queries = config.num_attention_heads * config.head_dim
    keys = config.num_key_value_heads * config.head_dim
    for name, shape in {
        "self_attn.q_proj": (queries, hidden),
        "self_attn.k_proj": (keys, hidden),
        "self_attn.v_proj": (keys, hidden),
        "self_attn.o_proj": (hidden, queries),
        **dict.fromkeys(
            ("pre_attn_norm", "post_attn_norm", "pre_moe_norm", "post_moe_norm"), (hidden,)
        ),
    }.items():
        yield _whole(f"{before}{name}.weight", shape)
    if config.residual_moe or not config.num_local_experts:
        wide = config.intermediate_size
        yield _whole(f"{before}mlp.gate_proj.weight", (wide, hidden))
        yield _whole(f"{before}mlp.up_proj.weight", (wide, hidden))
        yield _whole(f"{before}mlp.down_proj.weight", (hidden, wide))
    if config.num_local_experts:
        experts = config.num_local_experts
        yield _whole(f"{before}block_sparse_moe.gate.weight", (experts, hidden))
        yield from _experts(config, layer)


def _experts(config: Sizes, layer: int) -> Iterator[tuple[str, Parameter]]:
    """The experts' two fused parameters: gate over up (E, 2I, D), and down (E, D, I)."""
    count, hidden, wide = config.num_local_experts, config.hidden_size, config.moe_intermediate_size
    gate_up: list[Piece] = []
    down: list[Piece] = []
    for expert in range(count):
        name, place = EXPERT.format(layer=layer, expert=expert), (expert, expert + 1)
        above, below = (0, wide), (wide, 2 * wide)
        gate_up += [
            Piece(f"{name}w1.weight", (wide, hidden), (place, above, (0, hidden))),
            Piece(f"{name}w3.weight", (wide, hidden), (place, below, (0, hidden))),
        ]
        down.append(Piece(f"{name}w2.weight", (hidden, wide), (place, (0, hidden), (0, wide))))
    yield GATE_UP.format(layer=layer), Parameter((count, 2 * wide, hidden), tuple(gate_up))
    yield DOWN.format(layer=layer), Parameter((count, hidden, wide), tuple(down))


def parameters(config: Sizes) -> dict[str, Parameter]:
    """Every parameter of the model that this configuration describes."""
    table = (config.vocab_size, config.hidden_size)
    found = dict([_whole(EMBEDDING, table)])
    for layer in range(config.num_hidden_layers):
        found |= dict(_layer(config, layer))
    found |= dict([_whole("model.norm.weight", (config.hidden_size,))])
    if not config.tie_word_embeddings:
        found |= dict([_whole("lm_head.weight", table)])
    return found


def fused(parameter: str, shape: Shape) -> Parameter:
    """A parameter that a checkpoint holds under the parameter's own name."""
    return _whole(parameter, shape)[1]


def active_share(config: Sizes, parameter: str) -> float:
    """Which share of a parameter takes part in one token: of an untied embedding, one row."""
    if ".experts." in parameter:
        return config.num_experts_per_tok / config.num_local_experts
    if parameter == EMBEDDING and not config.tie_word_embeddings:
        return 1 / config.vocab_size
    return 1.0


def part_of(config: Sizes, parameter: str) -> str:
    """The part of the model that a parameter belongs to."""
    if parameter == EMBEDDING and config.tie_word_embeddings:
        return "embedding and head"
    return next((part for sign, part in PARTS_OF.items() if sign in parameter), "norms, routers")
