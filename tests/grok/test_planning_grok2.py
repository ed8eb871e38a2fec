"""The roofline's figures against those of the reference (`grok2.md`, §4)."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.configuration_packed import Grok2PackedConfig
from ariane.grok.layout_grok2 import parameters
from ariane.grok.planning_grok2 import GB, Machine, Placement, bytes_of, meaning, plan, rows
from ariane.grok.quantization_grok2 import outputs
from ariane.grok.weights_grok2 import BITS, GROK_1, GROK_2, Bits, Sizes, Weights

EIGHT = 8 + 1 / 16
"""The reference's eight bits: a 16-bit scale for each 256 weights."""


def alike(bits: float) -> Bits:
    """The reference's choice: as many bits for every weight."""
    return Bits("", bits, bits, bits, bits)


def best(machine: Machine, bits: float, how: str | None = None) -> Placement:
    found = plan(GROK_2, machine, [alike(bits)])
    return next(one for one in found if how is None or one.how == how)


def test_parameters_are_the_published_ones() -> None:
    assert Sizes.of(Grok2Config(), "Grok-2") == GROK_2
    one = alike(8)  # a byte for each
    whole = Weights.of(GROK_2, one)
    small = GROK_2.small  # counted at two bytes
    assert (whole.total - small) / 1e9 == pytest.approx(269.52, abs=0.005)
    assert (whole.read - small) / 1e9 == pytest.approx(113.8, abs=0.05)
    assert whole.experts / whole.total == pytest.approx(0.765, abs=0.001)
    assert whole.always / 1e9 == pytest.approx(62.3, abs=0.1)
    assert 2 * GROK_2.keys == 256 * 1024
    assert Weights.of(GROK_1, one).total / 1e9 == pytest.approx(315.7, abs=0.1)
    assert Weights.of(GROK_1, one).read / 1e9 == pytest.approx(83.8, abs=0.1)


class Unread:
    """A tensor of a checkpoint of which only the header is read."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def get_dtype(self) -> str:
        return "BF16"

    def get_shape(self) -> list[int]:
        return list(self.shape)


PACKINGS = {
    "8 bits": (8, 8),
    "4 bits": (4, 4),
    "4 bits, experts 3": (4, 3),
    "3 bits": (3, 3),
    "4 bits, experts 2": (4, 2),
    "3 bits, experts 2": (3, 2),
}


@pytest.mark.parametrize("tied", [False, True])
def test_a_plan_s_totals_are_the_bytes_that_quantize_writes(tied: bool) -> None:
    config = Grok2Config(tie_word_embeddings=tied, residual_moe=not tied)
    unread = {name: Unread(one.shape) for name, one in parameters(config).items()}
    found = plan(Sizes.of(config), Machine.of(ram="1TB"))
    totals = {one.bits: one.total for one in found}
    assert totals.pop("bf16") == 2 * sum(torch.Size(one.shape).numel() for one in unread.values())
    written = {
        name: sum(one.bytes for one in outputs(unread, config, Grok2PackedConfig(*bits)))
        for name, bits in PACKINGS.items()
    }
    assert totals == written


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
    weights = Weights.of(GROK_2, alike(bits))
    assert weights.total / GB == pytest.approx(total, abs=0.5)
    assert weights.read / GB == pytest.approx(read, abs=0.05)


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
    assert 16 * 2**30 > one.in_ram + 2 * GROK_2.keys * 8192 > 15 * 2**30
    assert one.on_disk + one.in_ram == one.total
    most = best(Machine.of(ram="143GiB"), 4.5)  # all but a little in memory
    assert 0 < one.tokens < most.tokens < best(Machine.of(ram="192GiB"), 4.5).tokens


def test_memory_keeps_room_for_the_system_and_for_keys_and_values() -> None:
    weights = Weights.of(GROK_2, BITS[2])
    for ram in range(150, 180):
        one = plan(GROK_2, Machine.of(ram=f"{ram}GB"), [BITS[2]])[0]
        fits = weights.total + weights.cache <= 0.95 * ram * GB
        assert one.how == ("CPU" if fits else "CPU and disk")
    beside = plan(GROK_2, Machine.of("24GiB", "128GiB"), [BITS[2]])
    assert {one.how for one in beside} == {"offload to disk"}  # 4.7 GB would be left


def test_many_gpus_compute_where_it_lies_as_one_does() -> None:
    """`placement_grok2` uses one GPU; only what Accelerate copies lies on all."""
    one = best(Machine.of("24GiB", "128GiB"), 3.5)
    two = plan(GROK_2, Machine.of("2x24GiB", "128GiB"), [alike(3.5)])
    assert two[0] == one
    assert (two[1].how, two[1].on_gpu) == ("offload (copied)", two[1].total - two[1].in_ram)
    assert two[1].on_gpu > one.on_gpu
    only = plan(GROK_2, Machine.of("8x24GiB", "96GiB"), [alike(8)])
    assert [found.how for found in only] == ["offload (copied)"]


def test_the_card_whose_bandwidth_is_taken_is_named() -> None:
    assert "the RTX 4090" in meaning(Machine.of("24GiB"))
    assert "the A100 of 40 GB" in meaning(Machine.of("40GiB"))
    assert "RTX" not in meaning(Machine.of("24GiB", gpu_bandwidth="900GB"))
    assert "GPU is taken" not in meaning(Machine.of(ram="128GiB"))


def test_the_default_table_covers_both_models() -> None:
    for sizes in (GROK_1, GROK_2):
        table = rows(plan(sizes, Machine.of("24GiB", "128GiB")))
        assert [row["bits"] for row in table if row["how"] == "computed where it lies"]
        assert table[0]["how"] == "offload to disk"  # bf16 fits nowhere here
        assert all(row["arithmetic"] for row in table)


@pytest.mark.parametrize("size", ["24", "GiB", ".GiB", "1.2.3GB", "-4GB", "0GB", "0.0GiB"])
def test_a_size_that_cannot_be_read_is_named(size: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        bytes_of(size)


@pytest.mark.parametrize(
    ("gpu", "gpus", "said"),
    [
        ("manyx80GiB", None, "'many' is no number of GPUs"),
        ("0x24GiB", None, "'0' is no number of GPUs"),
        ("24GiB", 0, "'0' is no number of GPUs"),
        ("8x80GiB", 2, "both say how many GPUs"),
        (None, 2, "2 GPUs of no size"),
    ],
)
def test_gpus_that_cannot_be_counted(gpu: str | None, gpus: int | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Machine.of(gpu, "768GiB", gpus=gpus)


def test_planning_needs_neither_torch_nor_transformers() -> None:
    code = (
        "import sys, ariane.grok.planning_grok2; "
        "print('torch' in sys.modules, 'transformers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
