"""The roofline's figures against those of the reference (`grok2.md`, §4)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.planning_grok2 import (
    GROK_1,
    GROK_2,
    Placement,
    Sizes,
    plan,
    read_bytes,
    rows,
    weight_bytes,
)
from ariane.grok.planning_machine import GB, Machine, bytes_of

EIGHT = 8 + 1 / 16
"""The reference's eight bits: a 16-bit scale for each 256 weights."""


def best(machine: Machine, bits: float, how: str | None = None) -> Placement:
    found = plan(GROK_2, machine, [("", bits, bits)])
    return next(one for one in found if how is None or one.how == how)


def test_parameters_are_the_published_ones() -> None:
    assert Sizes.of(Grok2Config(), "Grok-2") == GROK_2
    assert GROK_2.total / 1e9 == pytest.approx(269.52, abs=0.02)
    assert GROK_2.active / 1e9 == pytest.approx(113.8, abs=0.05)
    assert GROK_2.in_experts / GROK_2.total == pytest.approx(0.765, abs=0.001)
    assert (GROK_2.always - GROK_2.embedding) / 1e9 == pytest.approx(62.3, abs=0.1)
    assert 2 * GROK_2.keys == 256 * 1024
    assert GROK_1.total / 1e9 == pytest.approx(315.7, abs=0.1)
    assert GROK_1.active / 1e9 == pytest.approx(83.8, abs=0.1)


@pytest.mark.parametrize(
    ("bits", "total", "read"),
    [
        (16, 539, 227.6),
        (EIGHT, 272, 114.7),
        (4.5, 152, 64.0),
        (4.13, 139, 58.8),
        (3.5, 118, 49.8),
        (2.7, 91, 38.4),
    ],
)
def test_bytes_are_the_reference_s(bits: float, total: float, read: float) -> None:
    assert weight_bytes(GROK_2, bits, bits) / GB == pytest.approx(total, abs=0.5)
    assert read_bytes(GROK_2, bits, bits) / GB == pytest.approx(read, abs=0.05)


@pytest.mark.parametrize(
    ("gpu", "bits", "how", "tokens"),
    [
        ("8x80GiB", 16, "tensor parallel", 118),
        ("8x80GiB", 16, "device_map", 15),
        ("8x80GiB", EIGHT, "tensor parallel", 234),
        ("4x80GiB", EIGHT, "tensor parallel", 117),
        ("4x80GiB", 4.5, "tensor parallel", 209),
        ("80GiB", 2.1, "GPU", 112),
        ("8x141GB", 16, "tensor parallel", 169),
        ("141GB", 3.5, "GPU", 96),
    ],
)
def test_speeds_on_gpus_are_the_reference_s(gpu: str, bits: float, how: str, tokens: int) -> None:
    assert best(Machine.of(gpu), bits, how).tokens == pytest.approx(tokens, rel=0.02)


@pytest.mark.parametrize(
    ("bits", "bandwidth", "tokens"), [(3.5, "80GB", 2.6), (2.7, "80GB", 4.0), (3.5, "300GB", 8.4)]
)
def test_a_24_gib_card_with_128_gib_of_ram_is_the_reference_s(
    bits: float, bandwidth: str, tokens: float
) -> None:
    machine = Machine.of("24GiB", "128GiB", ram_bandwidth=bandwidth)
    one = best(machine, bits)
    assert one.how == "computed where it lies"
    assert one.tokens == pytest.approx(tokens, rel=0.06)
    assert one.on_gpu + one.in_ram == one.total
    assert one.on_gpu < 24 * 2**30


def test_copying_each_token_is_as_slow_as_the_reference_says() -> None:
    card = Machine.of("24GiB", "128GiB")
    assert best(card, 3.5, "offload (copied)").tokens == pytest.approx(0.25, rel=0.05)
    large = Machine.of("24GiB", "600GiB")
    assert best(large, 16, "offload (copied)").tokens == pytest.approx(0.05, rel=0.05)
    assert best(Machine.of("24GiB"), 16, "offload to disk").tokens == pytest.approx(0.013, rel=0.05)


@pytest.mark.parametrize(
    ("bits", "bandwidth", "tokens"),
    [
        (3.5, "80GB", 1.6),
        (4.5, "460GB", 7.2),
        (16, "460GB", 2.0),
        (4.5, "819GB", 12.8),
        (3.5, "546GB", 11),
    ],
)
def test_speeds_on_a_cpu_are_the_reference_s(bits: float, bandwidth: str, tokens: float) -> None:
    machine = Machine.of(ram="768GiB", ram_bandwidth=bandwidth)
    assert best(machine, bits, "CPU").tokens == pytest.approx(tokens, rel=0.02)


def test_a_small_machine_reads_from_disk() -> None:
    one = best(Machine.of(ram="16GiB"), 4.5)
    assert one.how == "CPU and disk"
    assert one.on_disk == one.total - 16 * 2**30


def test_the_default_table_covers_both_models() -> None:
    for sizes in (GROK_1, GROK_2):
        table = rows(plan(sizes, Machine.of("24GiB", "128GiB")))
        assert [row["bits"] for row in table if row["how"] == "computed where it lies"]
        assert table[0]["how"] == "offload to disk"  # bf16 fits nowhere here
        assert all(row["arithmetic"] for row in table)


@pytest.mark.parametrize("size", ["24", "GiB", "1.2.3GB", "-4GB"])
def test_a_size_that_cannot_be_read_is_named(size: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        bytes_of(size)
    with pytest.raises(ValueError, match="no number of GPUs"):
        Machine.of("manyx80GiB")


def test_planning_needs_neither_torch_nor_transformers() -> None:
    code = (
        "import sys, ariane.grok.planning_grok2; "
        "print('torch' in sys.modules, 'transformers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
