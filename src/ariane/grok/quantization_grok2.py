"""From a checkpoint to a packed one, a tensor at a time, into files that are made one at a time.

What is written is an ordinary Transformers directory of safetensors files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ariane.grok.checkpoint import INDEX, read_checkpoint
from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.continuing import MARK, check_others, check_target, mark_of
from ariane.grok.conversion import read_tokenizer, write_tokenizer
from ariane.grok.errors import check_space
from ariane.grok.inspection import read_config
from ariane.grok.loading_grok2 import lazy_state
from ariane.grok.modeling_grok2 import Grok2ForCausalLM
from ariane.grok.packing_grok2 import quantize
from ariane.grok.quantizer_grok2 import Grok2PackedConfig, empty_packed

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the bytes packed so far, and in all."""

SHARD_BYTES = 5 * 10**9
"""Bytes of a file at most, as far as one tensor allows."""


@dataclass(frozen=True, slots=True)
class Written:
    """One tensor of the packed checkpoint: its name, shape and type, and the name of its source."""

    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    source: str

    @property
    def bytes(self) -> int:
        """Bytes that it takes."""
        return torch.Size(self.shape).numel() * self.dtype.itemsize


def quantize_checkpoint(
    tensors: Mapping[str, Any],
    config: Grok2Config,
    quantization: Grok2PackedConfig,
    directory: Path,
    *,
    device: str | None = None,
    shard_bytes: int = SHARD_BYTES,
    mark: str = "",
    progress: Progress = lambda done, total: None,
) -> None:
    """Write a packed checkpoint from tensors by their names in `Grok2ForCausalLM`.

    Each of `tensors` is taken and indexed by [...] once, so tensors, safetensors slices and the
    lazy parameters of `loading_grok2` all serve; one of them and a file of `shard_bytes` are in
    memory, and `device` does the arithmetic. Files that an earlier call finished are kept where its
    `mark`, which tells one source from another, was the same, so a call after a break goes on.
    Raises ValueError where a tensor is missing or of another shape than `config` says, and
    `CheckpointError` where the disk is too small.
    """
    sources = _sources(config)
    _check_sources(tensors, sources)
    shards = list(_shards(_written(config, quantization, sources), shard_bytes))
    names = [f"model-{n:05d}-of-{len(shards):05d}.safetensors" for n in range(1, len(shards) + 1)]
    files = dict(zip(names, shards, strict=True))
    todo = [name for name, shard in files.items() if not _finished(directory / name, shard, mark)]
    directory.mkdir(parents=True, exist_ok=True)
    check_others(directory, {*names, INDEX})
    check_space(directory, sum(one.bytes for name in todo for one in files[name]))
    total = sum(one.bytes for shard in shards for one in shard)
    done = 0

    def told(size: int) -> None:
        nonlocal done
        done += size
        progress(done, total)

    for name, shard in files.items():
        if name in todo:
            part = directory / f"{name}.part"
            made = _made(shard, tensors, sources, config, quantization, device, told)
            save_file(made, part, metadata={"format": "pt"} | ({MARK: mark} if mark else {}))
            part.replace(directory / name)
        else:
            told(sum(one.bytes for one in shard))
    places = {one.name: name for name, shard in files.items() for one in shard}
    index = {"metadata": {"total_size": total}, "weight_map": places}
    (directory / INDEX).write_text(json.dumps(index, indent=2))
    config = Grok2Config.from_dict(config.to_dict())
    config.architectures = [Grok2ForCausalLM.__name__]
    config.quantization_config = quantization
    config.save_pretrained(directory)


def quantize_directory(
    source: Path,
    target: Path,
    quantization: Grok2PackedConfig,
    device: str | None = None,
    progress: Progress = lambda done, total: None,
) -> None:
    """Write a packed directory, tokenizer included, from one of any layout.

    Raises `CheckpointError` where the source is no whole checkpoint of plain weights.
    """
    check_target(source, target)
    config = read_config(source)
    checkpoint, tokenizer = read_checkpoint(source, config), read_tokenizer(source)
    quantize_checkpoint(
        lazy_state(checkpoint, None),
        config,
        quantization,
        target,
        device=device,
        mark=mark_of(checkpoint.files, quantization.to_dict()),
        progress=progress,
    )
    write_tokenizer(tokenizer, source, target)


def _sources(config: Grok2Config) -> dict[str, tuple[int, ...]]:
    """Names and shapes that a whole checkpoint has."""
    with torch.device("meta"):
        model = Grok2ForCausalLM(config)
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    if config.tie_word_embeddings:
        del shapes["lm_head.weight"]
    return shapes


def _check_sources(tensors: Mapping[str, Any], sources: Mapping[str, tuple[int, ...]]) -> None:
    held = set(tensors)  # to ask a lazy mapping whether it has a name may read the tensor
    missing = [name for name in sources if name not in held]
    if missing:
        raise ValueError(
            f"The checkpoint lacks {missing[0]} (and {len(missing) - 1} more): get its files again."
        )


def _written(
    config: Grok2Config, quantization: Grok2PackedConfig, sources: Mapping[str, tuple[int, ...]]
) -> Iterator[Written]:
    """Every tensor to be written, in the order of the model."""
    with torch.device("meta"):
        model = Grok2ForCausalLM(config)
    dtype = config.dtype or torch.bfloat16
    if isinstance(dtype, str):  # what save_pretrained leaves
        dtype = getattr(torch, dtype)
    empty_packed(model, quantization)
    for name, tensor in model.state_dict().items():
        if config.tie_word_embeddings and name == "lm_head.weight":
            continue
        packed = name.endswith((".codes", ".scales"))
        yield Written(
            name,
            tuple(tensor.shape),
            tensor.dtype if packed else dtype,
            name if name in sources else _source(name, sources),
        )


def _source(name: str, sources: Mapping[str, tuple[int, ...]]) -> str:
    """The plain weight of codes or scales: a linear map's `weight`, or an expert parameter."""
    module = name.rpartition(".")[0]
    return module if module in sources else f"{module}.weight"


def _shards(written: Iterator[Written], limit: int) -> Iterator[list[Written]]:
    """Tensors by file; what comes of one source stays in one file."""
    shard: list[Written] = []
    size = 0
    for one in written:
        if shard and size + one.bytes > limit and one.source != shard[-1].source:
            yield shard
            shard, size = [], 0
        shard.append(one)
        size += one.bytes
    yield shard


def _finished(path: Path, shard: list[Written], mark: str) -> bool:
    """Whether a file is there, whole, with these tensors of the same source."""
    try:
        with safe_open(path, framework="pt") as file:
            # An open file is no mapping.
            held = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            same = (file.metadata() or {}).get(MARK, "") == mark
    except (OSError, SafetensorError):
        return False
    return same and held == {one.name: one.shape for one in shard}


def _made(
    shard: list[Written],
    tensors: Mapping[str, Any],
    sources: Mapping[str, tuple[int, ...]],
    config: Grok2Config,
    quantization: Grok2PackedConfig,
    device: str | None,
    progress: Callable[[int], None],
) -> dict[str, torch.Tensor]:
    """A file's tensors, each source taken once; told the bytes that each gave."""
    made: dict[str, torch.Tensor] = {}
    for source in dict.fromkeys(one.source for one in shard):
        tensor: torch.Tensor = tensors[source][...]
        if tuple(tensor.shape) != sources[source]:
            raise ValueError(
                f"{source} has shape {tuple(tensor.shape)} where the configuration says "
                f"{sources[source]}: the checkpoint and its config.json do not belong together."
            )
        bits = quantization.bits_of(source.rpartition(".")[0], config)
        results = [one for one in shard if one.source == source]
        if bits is None:
            made[source] = tensor.to(results[0].dtype).contiguous()
        else:
            codes, scales = quantize(tensor, bits, quantization.group_size, device)
            stem = results[0].name.rpartition(".")[0]
            made |= {f"{stem}.codes": codes, f"{stem}.scales": scales}
        progress(sum(one.bytes for one in results))
    return made


class LazyTensors(Mapping[str, torch.Tensor]):
    """Names to tensors of a directory's safetensors files; a tensor is read when asked for."""

    def __init__(self, directory: Path) -> None:
        self.places: dict[str, Path] = {}
        for path in sorted(directory.glob("*.safetensors")):
            with safe_open(path, framework="pt") as file:
                self.places.update(dict.fromkeys(file.keys(), path))

    def __getitem__(self, name: str) -> torch.Tensor:
        with safe_open(self.places[name], framework="pt") as file:
            tensor: torch.Tensor = file.get_tensor(name)
            return tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)
