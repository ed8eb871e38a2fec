"""Load a synthetic checkpoint in the TP-8 layout and print time and peak memory as JSON.

`python -m tests.grok.memory GIGABYTES DIRECTORY` writes the checkpoint there if it is not there.
Anonymous memory is what the process holds itself; pages of mapped files are counted apart.
"""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path
from threading import Event, Thread
from typing import Any

import torch
from tests.grok.checkpoints import random_model, write_published

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.layout_grok2 import parameters
from ariane.grok.modeling_grok2 import Grok2ForCausalLM

SIZES: dict[str, Any] = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "moe_intermediate_size": 2048,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 128,
}


def held(kind: str) -> int:
    """Bytes of resident memory of a kind: RssAnon or RssFile."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(kind))) * 1024


class Peak:
    """The most that a kind of memory came to above what was held at first."""

    def __init__(self, kind: str) -> None:
        self.kind, self.first, self.most = kind, held(kind), 0
        self.stop = Event()
        self.thread = Thread(target=self.watch)

    def watch(self) -> None:
        while not self.stop.wait(0.002):
            self.most = max(self.most, held(self.kind) - self.first)

    def __enter__(self) -> Peak:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()


def write(folder: Path, gigabytes: float) -> None:
    """A random checkpoint of about so many bytes."""
    layer = sum(
        math.prod(one.shape)
        for name, one in parameters(Grok2Config(**SIZES, num_hidden_layers=1)).items()
        if ".layers." in name
    )
    layers = max(1, round(gigabytes * 1e9 / 2 / layer))
    write_published(folder, random_model(**SIZES, num_hidden_layers=layers))


def measure(folder: Path) -> dict[str, float]:
    """What loading costs, in MB and seconds."""
    torch.zeros(1)
    began = time.monotonic()
    with Peak("RssAnon") as anonymous, Peak("RssFile") as mapped:
        model = Grok2ForCausalLM.from_pretrained(folder, device_map="cpu")
    seconds = time.monotonic() - began
    sizes = {name: p.numel() * p.element_size() for name, p in model.named_parameters()}
    fused = [size for name, size in sizes.items() if ".experts." in name]
    return {
        "seconds": round(seconds, 2),
        "tensors_mb": round(sum(sizes.values()) / 1e6),
        "fused_mb": round(sum(fused) / 1e6),
        "largest_fused_mb": round(max(fused) / 1e6),
        "peak_anonymous_mb": round(anonymous.most / 1e6),
        "peak_mapped_mb": round(mapped.most / 1e6),
    }


if __name__ == "__main__":
    directory = Path(sys.argv[2])
    if not directory.exists():
        write(directory, float(sys.argv[1]))
    print(json.dumps(measure(directory)))
