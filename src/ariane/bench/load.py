"""Grok-2 loaded: time and memory, for a synthetic checkpoint in the published TP-8 layout.

Beside it the same weights, merged under our own names, with Transformers' own loader, which copies
nothing and so has read next to nothing yet. Each is loaded in a process of its own. Anonymous
memory is what that process holds itself, above what it held before loading; pages of mapped files,
which the system may drop, are counted apart. Linux only.
"""

from __future__ import annotations

import math
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any, Final

import torch
from transformers import PreTrainedModel

from ariane.grok.checkpoint import read_checkpoint
from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.conversion import outputs
from ariane.grok.layout_grok2 import Shape, parameters
from ariane.grok.modeling_grok2 import Grok2ForCausalLM
from ariane.grok.progress import silent
from ariane.grok.write_layout import write_layout
from ariane.grok.writing import write_all

GIGABYTES: Final = 2.0
"""Of the whole checkpoint, in bfloat16."""

SHAPE: Final[dict[str, Any]] = {
    "vocab_size": 1024,
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "moe_intermediate_size": 2048,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 128,
    "dtype": "bfloat16",
}
"""Grok-2's proportions, an eighth as wide."""

INTERVAL: Final = 0.002
"""Seconds between two looks at the memory."""

Row = dict[str, float | str]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading cost: seconds, and bytes at their most."""

    seconds: float
    tensors: int
    largest: int
    """Of the fused tensors."""
    anonymous: int
    mapped: int


def run(*, quick: bool = False) -> list[Row]:
    """Seconds and megabytes of loading, in the published layout and merged."""
    with TemporaryDirectory() as folder:
        return measure(Path(folder), 0.1 if quick else GIGABYTES)


def measure(folder: Path, gigabytes: float) -> list[Row]:
    """Write both checkpoints into a directory, and load each in a process of its own."""
    config = shaped(gigabytes)
    published, merged = folder / "published", folder / "merged"
    write_published(published, config)
    write_all(merged, outputs(read_checkpoint(published, config), fused=True), "", silent)
    config.save_pretrained(merged)
    return [
        _row("published, TP-8", _apart(published, False)),
        _row("merged, Transformers' own loader", _apart(merged, True)),
    ]


def shaped(gigabytes: float) -> Grok2Config:
    """As many layers as make about so many bytes."""
    layer = sum(
        math.prod(one.shape)
        for name, one in parameters(Grok2Config(**SHAPE, num_hidden_layers=1)).items()
        if ".layers." in name
    )
    return Grok2Config(**SHAPE, num_hidden_layers=max(1, round(gigabytes * 1e9 / 2 / layer)))


def write_published(folder: Path, config: Grok2Config) -> None:
    """Random weights in the published layout, without a tokenizer."""
    generator = torch.Generator().manual_seed(0)

    def weight(shape: Shape) -> torch.Tensor:
        drawn = torch.empty(shape, dtype=torch.bfloat16)
        return drawn.normal_(std=0.02, generator=generator)

    state = {name: weight(one.shape) for name, one in parameters(config).items()}
    write_layout(state, config, folder)


def _apart(folder: Path, stock: bool) -> Loaded:
    """`load` in a process that has loaded nothing else."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as one:
        return one.submit(load, folder, stock).result()


def load(folder: Path, stock: bool) -> Loaded:
    """What loading a directory costs in this process; `stock` takes Transformers' own loader."""
    loader: Any = Grok2ForCausalLM.from_pretrained
    if stock:
        loader = partial(PreTrainedModel.from_pretrained.__func__, Grok2ForCausalLM)
    torch.zeros(1)  # what PyTorch holds anyway is held before
    with Peak("RssAnon") as anonymous, Peak("RssFile") as mapped:
        began = time.perf_counter()
        model = loader(folder, device_map="cpu")
        seconds = time.perf_counter() - began
    sizes = {name: weight.nbytes for name, weight in model.named_parameters()}
    fused = (size for name, size in sizes.items() if ".experts." in name)
    return Loaded(seconds, sum(sizes.values()), max(fused), anonymous.most, mapped.most)


class Peak:
    """The most that a kind of a process's memory came to, above what was held at first."""

    def __init__(self, kind: str) -> None:
        self.kind, self.first, self.most = kind, held(kind), 0
        self.stop = Event()
        self.thread = Thread(target=self.watch)

    def watch(self) -> None:
        """Look again and again, until stopped."""
        while not self.stop.wait(INTERVAL):
            self.most = max(self.most, held(self.kind) - self.first)

    def __enter__(self) -> Peak:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()
        self.most = max(self.most, held(self.kind) - self.first)


def held(kind: str) -> int:
    """Bytes of this process's resident memory of a kind: RssAnon or RssFile."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(kind))) * 1024


def _row(layout: str, found: Loaded) -> Row:
    bound = found.tensors + found.largest
    return {
        "layout": layout,
        "seconds": found.seconds,
        "tensors MB": found.tensors / 1e6,
        "largest fused MB": found.largest / 1e6,
        "peak anonymous MB": found.anonymous / 1e6,
        "of tensors + largest": found.anonymous / bound,
        "peak mapped MB": found.mapped / 1e6,
    }
