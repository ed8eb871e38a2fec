"""A machine in bytes: memory and bandwidth of its GPUs and of the host, read from words."""

from __future__ import annotations

import re
from dataclasses import dataclass

GB = 10**9

RESERVE = 0.1
"""Share of a GPU's memory that weights must leave free."""

HBM: tuple[tuple[int, str, int], ...] = (
    (24, "RTX 4090", 1008 * GB),
    (32, "RTX 5090", 1792 * GB),
    (48, "L40S", 864 * GB),
    (80, "H100", 3350 * GB),
    (96, "H100 NVL", 3900 * GB),
    (141, "H200", 4800 * GB),
    (192, "B200", 8000 * GB),
)
"""Gigabytes of cards, with a name and memory bandwidth, for when no bandwidth is given."""

RAM = 80 * GB
"""Bytes a second of two channels of DDR5, for when no bandwidth is given."""


@dataclass(frozen=True, slots=True)
class Machine:
    """GPUs alike, and the host's memory; sizes in bytes, bandwidths in bytes a second."""

    gpu: int = 0
    gpus: int = 0
    gpu_bandwidth: int = 0
    ram: int = 0
    ram_bandwidth: int = RAM

    @classmethod
    def of(
        cls,
        gpu: str | None = None,
        ram: str | None = None,
        gpu_bandwidth: str | None = None,
        ram_bandwidth: str | None = None,
    ) -> Machine:
        """A machine in words: "24GiB", "8x80GiB" or "141GB"; bandwidths as "3350GB" a second.

        Raises ValueError where a size cannot be read.
        """
        count, size = 0, 0
        if gpu:
            times, _, each = gpu.lower().replace("×", "x").rpartition("x")
            if times and not (times.strip().isdigit() and int(times)):
                raise ValueError(f"{gpu!r} is no number of GPUs: write 24GiB, or 8x80GiB.")
            count, size = int(times or 1), bytes_of(each)
        speed = bytes_of(gpu_bandwidth) if gpu_bandwidth else bandwidth_of(size)
        return cls(
            gpu=size,
            gpus=count,
            gpu_bandwidth=speed if count else 0,
            ram=bytes_of(ram) if ram else 0,
            ram_bandwidth=bytes_of(ram_bandwidth) if ram_bandwidth else RAM,
        )

    def room(self, cache: int) -> int:
        """Bytes for weights on all GPUs, beside the reserve and the cache of keys and values."""
        return max(0, int(self.gpus * self.gpu * (1 - RESERVE)) - cache) if self.gpus else 0


def bytes_of(size: str) -> int:
    """Bytes of "24GiB", "128GB" or "1.5TB". Raises ValueError otherwise."""
    found = re.fullmatch(r"\s*(\d+\.?\d*)\s*([KMGT])(i?)B?\s*", size, re.IGNORECASE)
    if not found or not float(found[1]):
        raise ValueError(f"{size!r} is no size: write it like 24GiB or 128GB.")
    base = 1024 if found[3] else 1000
    return int(float(found[1]) * base ** ("KMGT".index(found[2].upper()) + 1))


def bandwidth_of(gpu: int) -> int:
    """Memory bandwidth of the known card whose size is nearest, in bytes a second."""
    return min(HBM, key=lambda card: abs(card[0] * GB - gpu))[2]
