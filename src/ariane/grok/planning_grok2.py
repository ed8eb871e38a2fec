"""What fits where, at how many bits, and how fast a token can be at best: before any download.

A token at batch 1 reads every weight that it uses once, so bytes over bandwidth bound its time;
arithmetic does not. Real runs reach about half of these speeds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ariane.grok.weights_grok2 import BITS, CONTEXT, GROK_1, GROK_2, Bits, Sizes, Weights

MODELS = {"grok-2": GROK_2, "grok-1": GROK_1}
"""What can be planned for, by name."""

GB = 10**9

MOST = 10**6
"""GPUs, or units of a size, at most: more is a slip of the keyboard."""

RESERVE = 0.1
"""Share of a GPU's memory that weights must leave free."""

RAM_RESERVE = 0.05
"""Share of the host's memory that weights must leave to the system and to what is computed."""

PCIE = 25 * GB
"""Bytes a second from host memory to a GPU over PCIe 4.0, as measured and not as advertised."""

DISK = 7 * GB
"""Bytes a second from a fast NVMe drive."""

RAM = 80 * GB
"""Bytes a second of two channels of DDR5, for when no bandwidth is given."""

HBM: tuple[tuple[int, str, int], ...] = (
    (24, "RTX 4090", 1008 * GB),
    (32, "RTX 5090", 1792 * GB),
    (40, "A100 of 40 GB", 1555 * GB),
    (48, "L40S", 864 * GB),
    (80, "H100", 3350 * GB),
    (96, "H100 NVL", 3900 * GB),
    (141, "H200", 4800 * GB),
    (192, "B200", 8000 * GB),
)
"""Gigabytes of cards, with a name and memory bandwidth, for when no bandwidth is given."""


@dataclass(frozen=True, slots=True)
class Machine:
    """GPUs alike, and the host's memory; sizes in bytes, bandwidths in bytes a second."""

    gpu: int = 0
    gpus: int = 0
    gpu_bandwidth: int = 0
    ram: int = 0
    ram_bandwidth: int = RAM
    assumed: str = ""
    """The card whose bandwidth was taken, where none was given."""

    @classmethod
    def of(
        cls,
        gpu: str | None = None,
        ram: str | None = None,
        gpu_bandwidth: str | None = None,
        ram_bandwidth: str | None = None,
        gpus: int | None = None,
    ) -> Machine:
        """A machine in words: "24GiB", "8x80GiB" or "141GB"; bandwidths as "3350GB" a second.

        Raises ValueError where a size cannot be read, or GPUs are counted twice or without one.
        """
        count, size = _gpus(gpu, gpus)
        name, speed = min(HBM, key=lambda card: abs(card[0] * GB - size))[1:] if count else ("", 0)
        if count and gpu_bandwidth:
            name, speed = "", bytes_of(gpu_bandwidth)
        return cls(
            gpu=size,
            gpus=count,
            gpu_bandwidth=speed,
            ram=bytes_of(ram) if ram else 0,
            ram_bandwidth=bytes_of(ram_bandwidth) if ram_bandwidth else RAM,
            assumed=name,
        )

    def room(self, cache: int, gpus: int | None = None) -> int:
        """Bytes for weights on all GPUs, or on some, beside the reserve and keys and values."""
        count = self.gpus if gpus is None else min(gpus, self.gpus)
        return max(0, int(count * self.gpu * (1 - RESERVE)) - cache)

    def memory(self, cache: int = 0) -> int:
        """Bytes for weights in the host's memory, beside the reserve and keys and values there."""
        return max(0, int(self.ram * (1 - RAM_RESERVE)) - cache)


def _gpus(gpu: str | None, gpus: int | None) -> tuple[int, int]:
    """How many GPUs, and the bytes of each."""
    if not gpu:
        if gpus is not None:
            raise ValueError(f"{gpus} GPUs of no size: give that of one too, such as 24GiB.")
        return 0, 0
    times, _, each = gpu.lower().replace("×", "x").rpartition("x")
    if times and gpus is not None:
        raise ValueError(f"{gpu!r} and {gpus} both say how many GPUs: give one of them.")
    count = times.strip() or str(1 if gpus is None else gpus)
    if not count.isdecimal() or not 0 < float(count) <= MOST:
        raise ValueError(f"{count!r} is no number of GPUs: write 24GiB, or 8x80GiB.")
    return int(count), bytes_of(each)


def bytes_of(size: str) -> int:
    """Bytes of "24GiB", "128GB" or "1.5TB".

    Raises ValueError otherwise, for nothing, and for more than any machine has.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([KMGT])(i?)B?\s*", size, re.IGNORECASE)
    amount = float(found[1]) if found else 0.0
    if not found or not 0 < amount <= MOST:
        raise ValueError(f"{size!r} is no size: write it like 24GiB or 128GB.")
    base = 1024 if found[3] else 1000
    return int(amount * base ** ("KMGT".index(found[2].upper()) + 1))


def meaning(machine: Machine) -> str:
    """What the figures of a plan mean, and whose bandwidth was taken."""
    card = f" The GPU is taken for the {machine.assumed}: --bandwidth says another's speed."
    return (
        "GB are 10⁹ bytes; speeds are bounds for one reader at a time, and real runs reach about "
        "half. Kept free: a tenth of a GPU's memory, a twentieth of the host's, and keys and "
        f"values of {CONTEXT:,} tokens.{card if machine.assumed else ''}"
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


def plan(sizes: Sizes, machine: Machine, bits: Iterable[Bits] = BITS) -> list[Placement]:
    """Every way to run the model on the machine, choice by choice of bits, best first in each."""
    return [one for choice in bits for one in _ways(Weights.of(sizes, choice), machine)]


def _ways(weights: Weights, machine: Machine) -> Sequence[Placement]:
    if machine.gpus and weights.total <= machine.room(weights.cache):
        return _all_on_gpus(weights, machine)
    if machine.gpus:
        return _split(weights, machine)
    total, read, memory = weights.total, weights.read, machine.memory(weights.cache)
    if total <= memory:
        speed = machine.ram_bandwidth
        text = f"{_gb(read)} / {_gb(speed)}/s"
        return [Placement("CPU", weights.bits, total, 0, total, 0, speed / read, text)]
    over = min(total - memory, read)
    held = (read - over, machine.ram_bandwidth, "from memory")
    return [_from_disk("CPU and disk", weights, 0, memory, over, held)]


def _all_on_gpus(weights: Weights, machine: Machine) -> Sequence[Placement]:
    total, read, speed, count = weights.total, weights.read, machine.gpu_bandwidth, machine.gpus

    def on_gpus(how: str, speed: int, text: str) -> Placement:
        return Placement(how, weights.bits, total, total, 0, 0, speed / read, text)

    text = f"{_gb(read)} / {_gb(speed)}/s"
    if count == 1:
        return [on_gpus("GPU", speed, text)]
    return [
        on_gpus("tensor parallel", count * speed, f"{_gb(read)} / ({count} × {_gb(speed)}/s)"),
        on_gpus("device_map", speed, f"{text}: layers run one GPU after another"),
    ]


def _split(weights: Weights, machine: Machine) -> Sequence[Placement]:
    """What does not fit on the GPUs: computed where it lies, or copied there for each token."""
    room = machine.room(weights.cache)
    rest, memory = weights.total - room, machine.memory()
    if rest > memory:
        held = (memory, PCIE, "over PCIe")
        return [_from_disk("offload to disk", weights, room, memory, rest - memory, held)]
    link = f"{_gb(rest)} / {_gb(PCIE)}/s over PCIe, each token"
    copied = Placement(
        "offload (copied)", weights.bits, weights.total, room, rest, 0, PCIE / rest, link
    )
    return [*_where_it_lies(weights, machine), copied]


def _where_it_lies(weights: Weights, machine: Machine) -> Sequence[Placement]:
    """One GPU and the processor, which is as far as `placement_grok2` goes; none without room."""
    room = machine.room(weights.cache, gpus=1)
    rest = weights.total - room
    if rest > machine.memory():
        return []
    near = min(room, weights.always)
    near += int(weights.chosen * min(1.0, (room - near) / max(1, weights.experts)))
    far = weights.read - near
    seconds = near / machine.gpu_bandwidth + far / machine.ram_bandwidth
    text = (
        f"{_gb(near)} / {_gb(machine.gpu_bandwidth)}/s on one GPU + "
        f"{_gb(far)} / {_gb(machine.ram_bandwidth)}/s on the CPU"
    )
    how = "computed where it lies"
    return [Placement(how, weights.bits, weights.total, room, rest, 0, 1 / seconds, text)]


def _from_disk(
    how: str, weights: Weights, on_gpu: int, in_ram: int, read: int, held: tuple[int, int, str]
) -> Placement:
    """What fits nowhere is read from disk for each token; `held` is what comes from memory."""
    amount, speed, where = held
    text = f"{_gb(read)} / {_gb(DISK)}/s from disk"
    if amount:
        text += f" + {_gb(amount)} / {_gb(speed)}/s {where}"
    total, seconds = weights.total, read / DISK + amount / speed
    over = total - on_gpu - in_ram
    return Placement(
        how, weights.bits, total, on_gpu, in_ram, over, 1 / seconds, f"{text}, each token"
    )


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
