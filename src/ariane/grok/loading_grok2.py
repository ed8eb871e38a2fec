"""Grok-2 from any of its layouts, shards read lazily, and never with a weight left at random."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from huggingface_hub import snapshot_download
from safetensors import SafetensorError, safe_open
from transformers import GenerationConfig
from transformers.models.auto.configuration_auto import AutoConfig

from ariane.grok.checkpoint import Checkpoint, Tensor, read_checkpoint
from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.errors import CheckpointError
from ariane.grok.headers import Shard
from ariane.grok.layout_grok2 import Parameter, Piece, Region

PATTERNS = ("*.json", "*.safetensors")
"""What is downloaded of a repository: configuration, tokenizer and weights."""

FORMATS = {
    "BF16": torch.bfloat16,
    "F16": torch.float16,
    "F32": torch.float32,
    "F64": torch.float64,
}

GROK_1 = ("ckpt-0", "tensor00000_000")
"""What a directory of Grok-1's published files has, which is read by its conversion alone."""

Index = Any
"""An ellipsis, a slice, or a tuple of slices, as of a safetensors slice."""


class Shards:
    """Opened weight files; each is mapped once, when first read."""

    def __init__(self) -> None:
        self._opened: dict[Path, Any] = {}
        self._lock = Lock()

    def read(self, shard: Shard, region: Region) -> torch.Tensor:
        """Part of a shard: a view of the mapped file where the whole is read."""
        try:
            with self._lock:  # Transformers reads in threads
                if shard.file not in self._opened:
                    self._opened[shard.file] = safe_open(shard.file, framework="pt")
                part = self._opened[shard.file].get_slice(shard.tensor)
            if all(
                end - start == size for (start, end), size in zip(region, shard.shape, strict=True)
            ):
                whole: torch.Tensor = part[...]
                return whole
            cut: torch.Tensor = part[tuple(slice(*ends) for ends in region)]
        except SafetensorError as error:
            raise CheckpointError(f"{shard.file} cannot be read: {error}") from error
        return cut


class LazyParameter:
    """A parameter that is read and put together only when it is indexed, as Transformers does.

    `get_shape`, `get_dtype` and slices are those of a safetensors slice, so that tensor parallelism
    reads only what its rank needs. A parameter of several pieces or of another number format is
    allocated once, in its final format, and each shard is copied to its place.
    """

    def __init__(
        self,
        parameter: Parameter,
        tensors: Mapping[str, Tensor],
        shards: Shards,
        dtype: torch.dtype,
    ) -> None:
        self.shape = parameter.shape
        self.dtype = dtype
        self._parts = [part for piece in parameter.pieces for part in _parts(piece, tensors)]
        self._shards = shards

    def get_shape(self) -> list[int]:
        """The shape of the whole."""
        return list(self.shape)

    def get_dtype(self) -> str:
        """The number format in which it is given, as safetensors names it."""
        return next(name for name, dtype in FORMATS.items() if dtype == self.dtype)

    def is_floating_point(self) -> bool:
        """Always."""
        return True

    def __getitem__(self, index: Index) -> torch.Tensor:
        wanted = _bounds(index, self.shape)
        shape = [stop - start for start, stop in wanted]
        if len(self._parts) == 1:
            shard, place = self._parts[0]
            only = self._shards.read(shard, _within(wanted, place, len(shard.shape)))
            return only.to(self.dtype).reshape(shape)
        output = torch.empty(shape, dtype=self.dtype)
        for shard, place in self._parts:
            common = _overlap(wanted, place)
            if common is None:
                continue
            source = self._shards.read(shard, _within(common, place, len(shard.shape)))
            target = output[tuple(slice(*ends) for ends in _relative(common, wanted))]
            target.copy_(source.view(target.shape))
        return output


def _parts(piece: Piece, tensors: Mapping[str, Tensor]) -> Iterator[tuple[Shard, Region]]:
    """Each shard of a piece and its place in the parameter."""
    tensor = tensors[piece.tensor]
    begin = 0
    for shard in tensor.shards:
        if tensor.axis is None:
            yield shard, piece.region
            continue
        axis = tensor.axis + len(piece.region) - len(shard.shape)
        first = piece.region[axis][0] + begin
        begin += shard.shape[tensor.axis]
        place = (first, first + shard.shape[tensor.axis])
        yield shard, (*piece.region[:axis], place, *piece.region[axis + 1 :])


def _bounds(index: Index, shape: tuple[int, ...]) -> Region:
    """Where an index begins and ends in each dimension."""
    given = list(index) if isinstance(index, tuple) else [index]
    at = given.index(Ellipsis) if Ellipsis in given else len(given)
    rest = given[at + 1 :]
    slices = [*given[:at], *[slice(None)] * (len(shape) - at - len(rest)), *rest]
    if not all(isinstance(one, slice) and one.step in (None, 1) for one in slices):
        raise TypeError(f"A lazy parameter is indexed by slices of step 1, not by {index!r}.")
    ends = [one.indices(size) for one, size in zip(slices, shape, strict=True)]
    return tuple((start, max(start, stop)) for start, stop, _ in ends)


def _overlap(one: Region, other: Region) -> Region | None:
    """What two regions share; None where it is nothing."""
    both = zip(one, other, strict=True)
    common = tuple((max(a, c), min(b, d)) for (a, b), (c, d) in both)
    return None if any(start >= stop for start, stop in common) else common


def _relative(region: Region, origin: Region) -> Region:
    """A region counted from where another begins."""
    both = zip(region, origin, strict=True)
    return tuple((start - begin, stop - begin) for (start, stop), (begin, _) in both)


def _within(region: Region, place: Region, dimensions: int) -> Region:
    """A region of the parameter, counted in a shard that lies at a place of it."""
    return _relative(region, place)[-dimensions:]


def lazy_state(checkpoint: Checkpoint, dtype: torch.dtype | None) -> dict[str, Any]:
    """Every parameter of a checkpoint, still unread; dtype None keeps that of the files."""
    shards = Shards()
    state = {}
    for name, parameter in checkpoint.parameters.items():
        stored = FORMATS[checkpoint.tensors[parameter.pieces[0].tensor].dtype]
        state[name] = LazyParameter(parameter, checkpoint.tensors, shards, dtype or stored)
    return state


def find_folder(name: str | os.PathLike[str], subfolder: str = "", **hub: Any) -> Path:
    """A directory as it is, or a repository of the hub, downloaded or from the cache."""
    folder = Path(name)
    if not folder.is_dir():
        folder = Path(snapshot_download(str(name), allow_patterns=list(PATTERNS), **hub))
    return folder / subfolder


def read_config(folder: Path) -> Grok2Config:
    """The directory's configuration; raises `CheckpointError` where it is not Grok-2's."""
    if not (folder / "config.json").is_file():
        if any((folder / name).exists() for name in GROK_1):
            raise CheckpointError(
                f"{folder} holds Grok-1's published files: `ariane grok convert` them first."
            )
        raise CheckpointError(f"{folder} has no config.json: it is no Grok-2 checkpoint.")
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{folder / 'config.json'} cannot be read: {error}") from error
    if not isinstance(config, Grok2Config):
        raise CheckpointError(
            f"{folder / 'config.json'} is that of {config.model_type}, not of Grok-2."
        )
    return config


def wanted_dtype(dtype: Any, config: Grok2Config) -> torch.dtype | None:
    """What "auto", a name or a dtype asks for; None is that of the files."""
    if dtype in (None, "auto"):
        dtype = config.dtype
    found = getattr(torch, dtype, dtype) if isinstance(dtype, str) else dtype
    if found is not None and not isinstance(found, torch.dtype):
        raise ValueError(f"dtype {dtype!r} is no dtype of PyTorch: use one such as torch.bfloat16.")
    return found


class PublishedCheckpoint:
    """Loading from the published, a partly sharded or a merged layout.

    Unlike Transformers' own, it refuses a checkpoint with a weight missing, misshapen or left over.
    A quantized checkpoint, a GGUF file, an adapter or a given state goes to Transformers' loader.
    """

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str] | None,
        *model_args: Any,
        config: Any = None,
        **kwargs: Any,
    ) -> Any:
        """As `PreTrainedModel.from_pretrained`; a `CheckpointError` names file and tensor."""
        parent: Any = super()
        name = pretrained_model_name_or_path
        if name is None or kwargs.get("state_dict") is not None or kwargs.get("gguf_file"):
            return parent.from_pretrained(name, *model_args, config=config, **kwargs)
        hub = ("revision", "cache_dir", "token", "local_files_only", "force_download", "subfolder")
        given = {option: kwargs.pop(option) for option in hub if option in kwargs}
        folder = find_folder(name, **given)
        if not isinstance(config, Grok2Config):
            place = folder if config is None else config
            config = AutoConfig.from_pretrained(place, trust_remote_code=False)
        if _is_other(folder, config):
            return parent.from_pretrained(folder, *model_args, config=config, **kwargs)
        dtype = wanted_dtype(kwargs.pop("torch_dtype", kwargs.pop("dtype", None)), config)
        state = lazy_state(read_checkpoint(folder, config), dtype)
        if (folder / "generation_config.json").exists() and not kwargs.get("generation_config"):
            kwargs["generation_config"] = GenerationConfig.from_pretrained(folder)
        kwargs["dtype"] = dtype or next(iter(state.values())).dtype
        loaded = parent.from_pretrained(
            None, *model_args, config=config, state_dict=state, **kwargs
        )
        model = loaded[0] if isinstance(loaded, tuple) else loaded
        model.name_or_path = model.config.name_or_path = str(name)
        return loaded


def _is_other(folder: Path, config: Any) -> bool:
    """Whether these are not plain Grok-2 weights, for which Transformers' loader is right."""
    quantized = getattr(config, "quantization_config", None) is not None
    return quantized or (folder / "adapter_config.json").exists()
