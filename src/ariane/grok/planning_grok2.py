"""What fits where, at how many bits, and how fast a token can be at best: before any download.

A token at batch 1 reads every weight that it uses once, so bytes over bandwidth bound its time;
arithmetic does not. Real runs reach about half of these speeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ariane.grok.planning_machine import GB, Machine

MEANING = (
    "GB are 10⁹ bytes; speeds are bounds for one reader at a time, and real runs reach about half; "
    "on GPUs, keys and values of 8,192 tokens and a tenth of the memory are kept free."
)
"""What the figures of a plan mean."""

CONTEXT = 8192
"""Tokens whose keys and values are counted, in bfloat16."""

PCIE = 25 * GB
"""Bytes a second from host memory to a GPU over PCIe 4.0, as measured and not as advertised."""

DISK = 7 * GB
"""Bytes a second from a fast NVMe drive."""

BITS: tuple[tuple[str, float, float], ...] = (
    ("bf16", 16.0, 16.0),
    ("8 bits", 8.5, 8.5),
    ("4 bits", 4.5, 4.5),
    ("4 bits, experts 3", 4.5, 3.5),
    ("3 bits", 3.5, 3.5),
    ("4 bits, experts 2", 4.5, 2.5),
    ("3 bits, experts 2", 3.5, 2.5),
)
"""Choices: a name, and bits a weight with scales for what is always on, and for experts."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """A model in numbers of weights; `keys` is the keys and values of a token, in numbers."""

    name: str
    layers: int
    attention: int
    """Weights of a layer's attention."""
    dense: int
    """Weights of a layer's dense MLP."""
    expert: int
    """Weights of one expert of a layer."""
    experts: int
    chosen: int
    embedding: int
    head: int
    """Weights of the head; 0 where it is the embedding."""
    keys: int

    @classmethod
    def of(cls, config: Any, name: str = "") -> Sizes:
        """The sizes of a Grok-2 configuration, or of any with the same names."""
        width, head = config.hidden_size, config.head_dim
        queries, keys = config.num_attention_heads * head, config.num_key_value_heads * head
        embedding = config.vocab_size * width
        return cls(
            name=name or config.model_type,
            layers=config.num_hidden_layers,
            attention=2 * width * queries + 2 * width * keys,
            dense=3 * width * config.intermediate_size if config.residual_moe else 0,
            expert=3 * width * config.moe_intermediate_size,
            experts=config.num_local_experts,
            chosen=config.num_experts_per_tok,
            embedding=embedding,
            head=0 if config.tie_word_embeddings else embedding,
            keys=2 * keys * config.num_hidden_layers,
        )

    @property
    def always(self) -> int:
        """Weights that every token uses, and the embedding beside them."""
        return self.layers * (self.attention + self.dense) + self.head + self.embedding

    @property
    def in_experts(self) -> int:
        """Weights of all experts."""
        return self.layers * self.experts * self.expert

    @property
    def total(self) -> int:
        """All weights; norms and routers, under one in ten thousand, are left out."""
        return self.always + self.in_experts

    @property
    def active_always(self) -> int:
        """Weights outside the experts that a token reads: a row is all it reads of an embedding."""
        return self.always - (self.embedding if self.head else 0)

    @property
    def active_experts(self) -> int:
        """Weights of the experts that a token reads."""
        return self.layers * self.chosen * self.expert

    @property
    def active(self) -> int:
        """Weights that a token reads."""
        return self.active_always + self.active_experts


GROK_1 = Sizes(
    name="Grok-1",
    layers=64,
    attention=2 * 6144 * 6144 + 2 * 6144 * 1024,
    dense=0,
    expert=3 * 6144 * 32768,
    experts=8,
    chosen=2,
    embedding=131072 * 6144,
    head=0,
    keys=2 * 1024 * 64,
)

GROK_2 = Sizes(
    name="Grok-2",
    layers=64,
    attention=2 * 8192 * 8192 + 2 * 8192 * 1024,
    dense=3 * 8192 * 32768,
    expert=3 * 8192 * 16384,
    experts=8,
    chosen=2,
    embedding=131072 * 8192,
    head=131072 * 8192,
    keys=2 * 1024 * 64,
)


@dataclass(frozen=True, slots=True)
class Placement:
    """One way to run: where weights lie, and the roofline of a token at batch 1."""

    how: str
    bits: str
    total: int
    """Bytes of all weights."""
    on_gpu: int
    """Bytes of weights on the GPUs."""
    in_ram: int
    """Bytes of weights in host memory."""
    on_disk: int
    """Bytes of weights that fit neither."""
    tokens: float
    """Tokens a second at most."""
    arithmetic: str
    """How `tokens` comes about."""


def weight_bytes(sizes: Sizes, always: float, experts: float) -> int:
    """Bytes of all weights at these bits."""
    return int((sizes.always * always + sizes.in_experts * experts) / 8)


def read_bytes(sizes: Sizes, always: float, experts: float) -> int:
    """Bytes that a token reads at these bits."""
    return int((sizes.active_always * always + sizes.active_experts * experts) / 8)


def plan(
    sizes: Sizes, machine: Machine, bits: Iterable[tuple[str, float, float]] = BITS
) -> list[Placement]:
    """Every way to run the model on the machine, choice by choice of bits, best first in each."""
    return [one for choice in bits for one in _ways(sizes, machine, *choice)]


def _ways(
    sizes: Sizes, machine: Machine, name: str, always: float, experts: float
) -> Sequence[Placement]:
    total = weight_bytes(sizes, always, experts)
    read = read_bytes(sizes, always, experts)
    room = machine.room(2 * sizes.keys * CONTEXT)
    if machine.gpus and total <= room:
        return _all_on_gpus(machine, name, total, read)
    if machine.gpus:
        return _split(sizes, machine, name, always, experts, room)
    if total <= machine.ram:
        speed = machine.ram_bandwidth
        text = f"{_gb(read)} / {_gb(speed)}/s"
        return [Placement("CPU", name, total, 0, total, 0, speed / read, text)]
    over = total - machine.ram
    return [_from_disk("CPU and disk", name, total, 0, machine.ram, over, min(over, read))]


def _all_on_gpus(machine: Machine, name: str, total: int, read: int) -> Sequence[Placement]:
    speed = machine.gpu_bandwidth
    text = f"{_gb(read)} / ({machine.gpus} × {_gb(speed)}/s)"
    found = [
        Placement("tensor parallel", name, total, total, 0, 0, machine.gpus * speed / read, text)
    ]
    if machine.gpus == 1:
        return [Placement("GPU", name, total, total, 0, 0, speed / read, text)]
    text = f"{_gb(read)} / {_gb(speed)}/s: layers run one GPU after another"
    found.append(Placement("device_map", name, total, total, 0, 0, speed / read, text))
    return found


def _split(
    sizes: Sizes, machine: Machine, name: str, always: float, experts: float, room: int
) -> Sequence[Placement]:
    """What does not fit on the GPUs: computed where it lies, or copied there for each token."""
    total = weight_bytes(sizes, always, experts)
    read = read_bytes(sizes, always, experts)
    rest = total - room
    if rest > machine.ram:
        over = rest - machine.ram
        copied = _from_disk("offload to disk", name, total, room, machine.ram, over, over)
        return [copied]
    constant = int(sizes.always * always / 8)
    of_experts = max(0, room - constant) / max(1, total - constant)  # share of experts on the GPU
    near = min(room, read - int(sizes.active_experts * experts / 8))
    near += int(of_experts * sizes.active_experts * experts / 8)
    far = read - near
    seconds = near / machine.gpu_bandwidth + far / machine.ram_bandwidth
    text = (
        f"{_gb(near)} / {_gb(machine.gpu_bandwidth)}/s on the GPU + "
        f"{_gb(far)} / {_gb(machine.ram_bandwidth)}/s on the CPU"
    )
    link = f"{_gb(rest)} / {_gb(PCIE)}/s over PCIe, each token"
    return [
        Placement("computed where it lies", name, total, room, rest, 0, 1 / seconds, text),
        Placement("offload (copied)", name, total, room, rest, 0, PCIE / rest, link),
    ]


def _from_disk(
    how: str, name: str, total: int, on_gpu: int, in_ram: int, on_disk: int, read: int
) -> Placement:
    text = f"{_gb(read)} / {_gb(DISK)}/s from disk, each token"
    return Placement(how, name, total, on_gpu, in_ram, on_disk, DISK / read, text)


def _gb(size: float) -> str:
    return f"{size / GB:.4g} GB"


def rows(placements: Iterable[Placement]) -> list[dict[str, str | float]]:
    """The plan as a table: gigabytes (10⁹ bytes) and tokens a second."""
    return [
        {
            "bits": one.bits,
            "how": one.how,
            "total GB": round(one.total / GB, 1),
            "GPU GB": round(one.on_gpu / GB, 1),
            "RAM GB": round(one.in_ram / GB, 1),
            "disk GB": round(one.on_disk / GB, 1),
            "tokens/s at most": float(f"{one.tokens:.3g}"),
            "arithmetic": one.arithmetic,
        }
        for one in placements
    ]
