"""Grok-1's published JAX checkpoint, read without unpickling and written for our decoder.

770 files `tensorNNNNN_000`, one a parameter, in the order in which JAX flattens the dictionary:
by module name, so that layer 10 comes before layer 2. Source: xai-org/grok-1 `checkpoint.py`,
`model.py` and `run.py`. Weights (…, in, out) are int8, times scales (…, groups of in, out).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.errors import CheckpointError
from ariane.grok.layout_grok2 import DOWN, GATE_UP, LAYER
from ariane.grok.pickled_arrays import Array, Quantized, read_pickle
from ariane.grok.progress import Progress
from ariane.grok.writing import LIMIT, Block, Output, check_target, mark_of, write_all

OF_A_LAYER = (
    "moe/linear",
    "moe/linear_1",
    "moe/linear_v",
    "multi_head_attention/key",
    "multi_head_attention/linear",
    "multi_head_attention/query",
    "multi_head_attention/value",
    "rms_norm",
    "rms_norm_1",
    "rms_norm_2",
    "rms_norm_3",
    "router",
)
"""What each layer has, in the order of the files."""

MATRICES = {
    "self_attn.q_proj": "multi_head_attention/query",
    "self_attn.k_proj": "multi_head_attention/key",
    "self_attn.v_proj": "multi_head_attention/value",
    "self_attn.o_proj": "multi_head_attention/linear",
    "block_sparse_moe.gate": "router",
}
NORMS = {
    "pre_attn_norm": "rms_norm",
    "post_attn_norm": "rms_norm_1",
    "pre_moe_norm": "rms_norm_2",
    "post_moe_norm": "rms_norm_3",
}
"""Our names and theirs."""

TENSOR = re.compile(r"^tensor(\d{5})_000$")
HEAD_DIM = 128


@dataclass(frozen=True)
class Files:
    """Where each parameter lies, by its name in xAI's code."""

    folder: Path
    layers: int
    paths: dict[str, Path]


def tensor_names(layers: int) -> list[str]:
    """The parameters' names in the order of the files."""
    modules = sorted(f"decoder_layer_{layer}" for layer in range(layers))
    inner = [f"{module}/{name}" for module in modules for name in OF_A_LAYER]
    return ["in_out_embed", "rms_norm", *inner]


def find_folder(folder: Path) -> Path:
    """The directory of the tensors: that of the download, or the `ckpt-0` in it."""
    inner = folder / "ckpt-0"
    return inner if inner.is_dir() else folder


def is_grok1(folder: Path) -> bool:
    """Whether a directory holds Grok-1's published files."""
    found = find_folder(folder)
    return found.is_dir() and any(TENSOR.match(path.name) for path in found.iterdir())


def find_files(folder: Path) -> Files:
    """Every file by name; raises `CheckpointError` where one is missing."""
    folder = find_folder(folder)
    numbers = sorted(int(m[1]) for path in folder.iterdir() if (m := TENSOR.match(path.name)))
    layers = max(1, math.ceil((len(numbers) - 2) / len(OF_A_LAYER)))
    names = tensor_names(layers)
    for number in range(len(names)):
        if number not in numbers:
            raise CheckpointError(
                f"{folder / f'tensor{number:05d}_000'} is missing ({len(numbers)} files are there; "
                f"{layers} layers have {len(names)}): download it."
            )
    paths = {name: folder / f"tensor{number:05d}_000" for number, name in enumerate(names)}
    return Files(folder, layers, paths)


def _plain(path: Path, *shape: int) -> np.ndarray[Any, Any]:
    found = read_pickle(path)
    if not isinstance(found, Array) or found.format != "float32" or found.content.shape != shape:
        raise CheckpointError(f"{path} is not the float32 of shape {shape} that is expected there.")
    return found.content


def _quantized(path: Path, *shape: int) -> Quantized:
    found = read_pickle(path)
    if not isinstance(found, Quantized) or found.weight.content.shape != shape:
        raise CheckpointError(f"{path} is not the int8 weight of shape {shape} expected there.")
    weight, scales = found.weight, found.scales
    groups = scales.content.shape[-2] if scales.content.ndim == len(shape) else 0
    if (
        (weight.format, scales.format) != ("int8", "bfloat16")
        or scales.content.shape != (*shape[:-2], groups, shape[-1])
        or shape[-2] % groups
    ):
        raise CheckpointError(
            f"{path} has scales of shape {scales.content.shape}, which do not fit {shape}."
        )
    return found


def _shape(path: Path, dimensions: int) -> tuple[int, ...]:
    """The shape of a file's array or weight; raises `CheckpointError` for another dimension."""
    found = read_pickle(path)
    content = (found.weight if isinstance(found, Quantized) else found).content
    if content.ndim != dimensions:
        raise CheckpointError(f"{path} is of shape {content.shape}, not one of Grok-1's there.")
    return tuple(content.shape)


def _dequantized(weight: Block, scales: Block) -> torch.Tensor:
    """Weights (in, out) times their scales (groups, out), as bfloat16 (out, in).

    The product is rounded to bfloat16, as xAI's code does before it multiplies.
    """
    factors = torch.from_numpy(scales.astype(np.int16)).view(torch.bfloat16)
    rows = weight.shape[0] // scales.shape[0]
    numbers = torch.from_numpy(np.array(weight, order="C")).to(torch.bfloat16)
    grouped = numbers.view(scales.shape[0], rows, -1) * factors[:, None, :]
    return grouped.view(weight.shape).T.contiguous()


def _bits(tensor: torch.Tensor) -> Block:
    numbers: Block = tensor.view(torch.int16).numpy()
    return numbers


def _experts(paths: list[Path], shape: tuple[int, ...]) -> Callable[[], Iterator[Block]]:
    """Each expert's matrices, one after another: for two files gate, then up, of each expert."""

    def blocks() -> Iterator[Block]:
        found = [_quantized(path, *shape) for path in paths]
        for expert in range(shape[0]):
            for one in found:
                weight, scales = one.weight.content[expert], one.scales.content[expert]
                yield _bits(_dequantized(weight, scales))

    return blocks


def _matrix(path: Path, shape: tuple[int, int]) -> Callable[[], Iterator[Block]]:
    """A quantized matrix of attention; `shape` is theirs, (in, out)."""

    def blocks() -> Iterator[Block]:
        found = _quantized(path, *shape)
        yield _bits(_dequantized(found.weight.content, found.scales.content))

    return blocks


def _float(
    path: Path, shape: tuple[int, ...], turned: bool = False
) -> Callable[[], Iterator[Block]]:
    """A float32 parameter, transposed where it is a router's."""

    def blocks() -> Iterator[Block]:
        content = _plain(path, *shape)
        yield np.ascontiguousarray(content.T if turned else content)

    return blocks


def read_config(files: Files, head_dim: int = HEAD_DIM) -> Grok2Config:
    """Our configuration from the shapes of the embeddings and of the first layer."""
    first = files.paths["decoder_layer_0/moe/linear"]
    attention = "decoder_layer_0/multi_head_attention/"
    vocabulary, hidden = _shape(files.paths["in_out_embed"], 2)
    count, _, wide = _shape(first, 3)
    queries, keys = (_shape(files.paths[attention + name], 2)[1] for name in ("query", "key"))
    return Grok2Config(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=wide,
        moe_intermediate_size=wide,
        num_hidden_layers=files.layers,
        num_attention_heads=queries // head_dim,
        num_key_value_heads=keys // head_dim,
        head_dim=head_dim,
        num_local_experts=count,
        num_experts_per_tok=2,
        residual_moe=False,
        hidden_act="gelu_pytorch_tanh",
        max_position_embeddings=8192,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        embedding_multiplier_scale=math.sqrt(hidden),
        output_multiplier_scale=1 / math.sqrt(3),
        attn_logit_softcapping=30.0,
        router_logit_softcapping=None,
        final_logit_softcapping=None,
        attn_temperature_len=None,
        eos_token_id=2,
        pad_token_id=0,
        tie_word_embeddings=True,
        dtype="bfloat16",
        architectures=["Grok2ForCausalLM"],
    )


def outputs(files: Files, config: Grok2Config) -> list[Output]:
    """Every parameter of our model, quantized ones as bfloat16, the others as they are."""
    hidden = config.hidden_size
    table = (config.vocab_size, hidden)
    embedding = _float(files.paths["in_out_embed"], table)
    norm = _float(files.paths["rms_norm"], (hidden,))
    found = [
        Output({"model.embed_tokens.weight": ("F32", table)}, embedding),
        Output({"model.norm.weight": ("F32", (hidden,))}, norm),
    ]
    for layer in range(files.layers):
        found += _layer_outputs(files, config, layer)
    return found


def _layer_outputs(files: Files, config: Grok2Config, layer: int) -> Iterator[Output]:
    theirs, ours = f"decoder_layer_{layer}/", LAYER.format(layer=layer)
    hidden, wide = config.hidden_size, config.moe_intermediate_size
    count = config.num_local_experts
    queries = config.num_attention_heads * config.head_dim
    keys = config.num_key_value_heads * config.head_dim
    shapes = {"q_proj": (hidden, queries), "o_proj": (queries, hidden)}
    for name, path in MATRICES.items():
        source = files.paths[theirs + path]
        if path == "router":
            made = _float(source, (hidden, count), turned=True)
            yield Output({f"{ours}{name}.weight": ("F32", (count, hidden))}, made)
            continue
        shape = shapes.get(name.partition(".")[2], (hidden, keys))
        yield Output({f"{ours}{name}.weight": ("BF16", shape[::-1])}, _matrix(source, shape))
    for name, path in NORMS.items():
        made = _float(files.paths[theirs + path], (hidden,))
        yield Output({f"{ours}{name}.weight": ("F32", (hidden,))}, made)
    gate, up, down = (
        files.paths[f"{theirs}moe/{name}"] for name in ("linear", "linear_v", "linear_1")
    )
    fused, back = (count, 2 * wide, hidden), (count, hidden, wide)
    gates = _experts([gate, up], (count, hidden, wide))
    yield Output({GATE_UP.format(layer=layer): ("BF16", fused)}, gates)
    downs = _experts([down], (count, wide, hidden))
    yield Output({DOWN.format(layer=layer): ("BF16", back)}, downs)


def write_merged(
    source: Path,
    target: Path,
    progress: Progress,
    limit: int = LIMIT,
    head_dim: int = HEAD_DIM,
) -> None:
    """Write Grok-1 as safetensors and a configuration of our decoder; it goes on if cut off.

    Its tokenizer is `tokenization_grok1`'s.
    """
    check_target(source, target)
    files = find_files(source)
    config = read_config(files, head_dim)
    mark = mark_of(files.paths.values(), limit)
    write_all(target, outputs(files, config), mark, progress, limit)
    config.save_pretrained(target)
