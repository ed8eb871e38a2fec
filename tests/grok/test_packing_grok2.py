from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ariane.grok import kernels_grok2
from ariane.grok.packed_grok2 import PackedLinear, packed_multiply
from ariane.grok.packing_grok2 import (
    GROUPS,
    PLANES,
    dequantize,
    pack,
    quantize,
    unpack,
)

ERRORS = {8: 0.007, 4: 0.1, 3: 0.2, 2: 0.36}
"""Root mean square error over that of normal weights, at most, in groups of 128."""


def weights(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1)) * 0.02


@pytest.mark.parametrize("bits", PLANES)
@pytest.mark.parametrize("group", GROUPS)
def test_bits_come_back(bits: int, group: int) -> None:
    levels = torch.randint(0, 2**bits, (3, 5, 2 * group), dtype=torch.uint8)
    codes = pack(levels, bits, group)
    assert codes.shape == (3, 5, 2 * group * bits // 8)
    assert torch.equal(unpack(codes, bits, group), levels)


@pytest.mark.parametrize("bits", PLANES)
def test_weights_come_back_within_their_bits(bits: int) -> None:
    weight = weights(2, 24, 256)
    for group in GROUPS:
        codes, scales = quantize(weight, bits, group)
        assert 8 * (codes.nbytes + scales.nbytes) == (bits + 32 / group) * weight.numel()
        back = dequantize(codes, scales, bits, group, torch.float32)
        error = ((back - weight).square().mean() / weight.square().mean()).sqrt()
        assert error < ERRORS[bits]
    plain = (weight.amax(-1, True) - weight.amin(-1, True)) / (2**bits - 1)
    rounded = (weight / plain).round() * plain
    assert error < (rounded - weight).square().mean().sqrt() / weight.square().mean().sqrt()


@pytest.mark.parametrize(
    "weight",
    [torch.zeros(2, 64), torch.full((2, 64), 0.5), torch.arange(128.0).view(2, 64) - 64],
    ids=["zeros", "constant", "a slope"],
)
def test_odd_groups_come_back(weight: torch.Tensor) -> None:
    back = dequantize(*quantize(weight, 8, 64), 8, 64, torch.float32)
    assert (back - weight).abs().max() <= 0.5 * 63 / 255 + 1e-6


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    weight = weights(10, 128)
    whole = quantize(weight, 3, 64)
    monkeypatch.setattr("ariane.grok.packing_grok2.CHUNK", 3 * 128)
    assert all(torch.equal(a, b) for a, b in zip(whole, quantize(weight, 3, 64), strict=True))


@pytest.mark.parametrize(
    ("bits", "group", "width", "said"),
    [(5, 64, 64, "5 bits"), (4, 48, 96, "Groups of 48"), (4, 64, 96, "Rows of 96")],
)
def test_what_cannot_be_packed_is_named(bits: int, group: int, width: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        quantize(torch.zeros(2, width), bits, group)
    with pytest.raises(ValueError, match="not finite"):
        quantize(torch.full((2, 64), torch.nan), 4, 64)


@pytest.mark.parametrize("bits", PLANES)
@pytest.mark.parametrize("fast", [True, False])
def test_a_packed_product_is_that_of_the_weights(
    bits: int, fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not fast:
        monkeypatch.setattr(kernels_grok2, "_processor", lambda: None)
    elif kernels_grok2.kernel(torch.device("cpu")) is None:
        pytest.skip("no C++ compiler here")
    experts = torch.tensor([0, 2, 1, 2, 2])
    x = torch.randn(5, 256)
    for group in GROUPS:
        codes, scales = quantize(weights(3, 40, 256), bits, group)
        used = dequantize(codes, scales, bits, group, torch.float32)
        expected = torch.stack([used[e] @ row for e, row in zip(experts, x, strict=True)])
        got = packed_multiply(x, codes, scales, experts, bits, group)
        assert (got - expected).abs().max() < 1e-4 * expected.abs().max()
        many = packed_multiply(x.repeat(9, 1), codes, scales, experts.repeat(9), bits, group)
        assert (many - expected.repeat(9, 1)).abs().max() < 1e-4 * expected.abs().max()


def test_gradients_pass_through_packed_weights() -> None:
    layer = PackedLinear.of(weights(40, 64), 4, 32)
    x = torch.randn(2, 3, 64, dtype=torch.float64, requires_grad=True)
    layer(x).square().sum().backward()
    expected = 2 * (x @ layer.dequantize(torch.float64).T) @ layer.dequantize(torch.float64)
    assert x.grad is not None
    assert torch.allclose(x.grad, expected)


def test_a_share_that_is_not_whole_groups_is_refused() -> None:
    with pytest.raises(ValueError, match="32 features meet 1 groups of 64"):
        PackedLinear.of(weights(40, 64), 4, 64)(torch.zeros(1, 32))


def test_without_a_compiler_there_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(**_: object) -> None:
        raise RuntimeError("no compiler")

    monkeypatch.setattr("torch.utils.cpp_extension.load", fails)
    assert kernels_grok2._processor.__wrapped__() is None
    assert "install a C++ compiler" in caplog.text


def test_processors_with_other_instructions_have_other_kernels(tmp_path: Path) -> None:
    def named(flags: str) -> str:
        about = tmp_path / "cpuinfo"
        about.write_text(f"processor : 0\nflags\t\t: {flags}\nbugs : x\n", encoding="utf-8")
        return kernels_grok2.machine(about)

    assert named("fpu avx2") == named("avx2 fpu")
    assert named("fpu avx2") != named("fpu avx2 avx512f")
    assert kernels_grok2.machine(tmp_path / "none") == kernels_grok2.machine(tmp_path / "none")


def test_compiling_is_said_and_is_kept(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    def built(name: str, build_directory: str, **_: object) -> Path:
        made = Path(build_directory) / f"{name}.so"
        made.touch()
        return made

    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path))
    monkeypatch.setattr("torch.utils.cpp_extension.load", built)
    path = kernels_grok2._compiled()
    assert Path(path).is_relative_to(tmp_path)
    assert kernels_grok2.machine() in path
    assert "Compiling the kernel" in caplog.text
    caplog.clear()
    assert kernels_grok2._compiled() == path
    assert not caplog.text


def test_only_packed_weights_on_a_processor_ask_for_the_kernel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(kernels_grok2, "_processor", lambda: asked.append(1))
    kernels_grok2.prepare(torch.nn.Linear(64, 40))
    kernels_grok2.prepare(PackedLinear.of(weights(40, 64), 4, 32).to("meta"))
    assert not asked
    kernels_grok2.prepare(PackedLinear.of(weights(40, 64), 4, 32))
    assert asked


@pytest.mark.slow
def test_the_triton_kernel_computes_the_same_in_its_interpreter() -> None:
    pytest.importorskip("triton")
    code = """
import torch
from ariane.grok.kernels_grok2_triton import multiply
from ariane.grok.packing_grok2 import dequantize, quantize
torch.manual_seed(0)
experts = torch.tensor([2, 0, 2])
x = torch.randn(3, 192)
for bits, group in ((8, 32), (4, 64), (3, 32), (3, 64), (2, 64)):
    codes, scales = quantize(torch.randn(3, 20, 192), bits, group)
    used = dequantize(codes, scales, bits, group, torch.float32)
    expected = torch.stack([used[e] @ row for e, row in zip(experts, x)])
    got = multiply(x, codes, scales, experts, bits, group)
    assert (got - expected).abs().max() < 1e-4 * expected.abs().max(), (bits, group)
"""
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
