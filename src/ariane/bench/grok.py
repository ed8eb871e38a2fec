"""Grok-2 at decode: bytes of weights a second, as a share of the memory's copy bandwidth.

A few layers of the published shape, at a chosen width, with random weights: one token after
another at 16, 8, 4 and 3 bits, and the bare products beside PyTorch's own, in one run. 64 layers
are not timed; they are the layer's time times 64, plus the head's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import torch

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.configuration_packed import Grok2PackedConfig
from ariane.grok.modeling_grok2 import Grok2ForCausalLM
from ariane.grok.packed_grok2 import PackedLinear
from ariane.grok.quantizer_grok2 import empty_packed

WIDTH: Final = 8192
"""Grok-2's own width."""

LAYERS: Final = 64

COPY_BYTES: Final = 2**29
"""Bytes that are copied to measure the memory, many times what a processor's caches hold."""

CHOICES: Final = (16, 8, 4, 3)

Row = dict[str, float | str]


def run(*, quick: bool = False) -> list[Row]:
    """Rows of a layer's milliseconds and its share of the copy bandwidth, by bits."""
    width, layers, rounds = (512, 2, 3) if quick else (2048, 4, 7)
    return decode(width, layers, rounds=rounds, copied=2**24 if quick else COPY_BYTES)


def decode(
    width: int,
    layers: int,
    *,
    device: str | None = None,
    rounds: int = 7,
    copied: int = COPY_BYTES,
    choices: Sequence[int] = CHOICES,
) -> list[Row]:
    """A decode step of `layers` layers whose width is `width` instead of 8,192, at each bits.

    All `choices`, 16 among them, are in memory at once: a full-width layer of 16 bits takes 8 GB.

    The fastest of `rounds` rounds, in which all are timed in turn, since other work on the machine
    can only slow a round. A weight is read once a token; "GB/s" counts those that a token reads.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    config = shaped(width, layers)
    steps = {bits: _step(config, bits, device) for bits in choices}
    seconds: dict[int, float] = dict.fromkeys(choices, float("inf"))
    peers: dict[int, float] = dict.fromkeys(choices, float("inf"))
    bandwidth = 0.0
    products = {bits: _products(width, bits, device) for bits in choices}
    for _ in range(rounds):
        bandwidth = max(bandwidth, copy_bandwidth(device, copied))
        for bits, (step, _) in steps.items():
            seconds[bits] = min(seconds[bits], timed(step, device))
            peers[bits] = min(peers[bits], timed(products[bits], device))
    rows: list[Row] = []
    for bits, (_, read) in steps.items():
        rate = read / seconds[bits]
        rows.append(
            {
                "bits": float(bits),
                "width": float(width),
                "ms a layer": 1e3 * seconds[bits] / layers,
                "GB/s": rate / 1e9,
                "copy GB/s": bandwidth / 1e9,
                "of copy": rate / bandwidth,
                "faster than 16 bits": seconds[16] / seconds[bits],
                "product, faster than bf16": peers[16] / peers[bits],
                "ms, 64 layers, reckoned": 1e3 * seconds[bits] / layers * LAYERS,
            }
        )
    return rows


def shaped(width: int, layers: int) -> Grok2Config:
    """Grok-2's proportions at another width, without a vocabulary to speak of."""
    return Grok2Config(
        vocab_size=256,
        hidden_size=width,
        intermediate_size=4 * width,
        moe_intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=max(8, width // 128),
        num_key_value_heads=8,
        head_dim=128 if width >= 1024 else width // 8,
        max_position_embeddings=256,
        dtype=torch.bfloat16,
        attn_implementation="sdpa",
        experts_implementation="batched_mm" if torch.cuda.is_available() else "eager",
    )


def copy_bandwidth(device: str, size: int = COPY_BYTES) -> float:
    """Bytes a second that a copy reads and writes together."""
    source = torch.ones(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * size / timed(lambda: target.copy_(source), device)


def timed(work: Callable[[], object], device: str) -> float:
    """Seconds of one call."""
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _step(config: Grok2Config, bits: int, device: str) -> tuple[Callable[[], object], int]:
    """One token through a model of random weights, and the bytes that it reads."""
    with torch.device("meta"):
        model = Grok2ForCausalLM(config).to(torch.bfloat16)
    if bits < 16:
        empty_packed(model, Grok2PackedConfig(bits=bits, head_bits=None))
    model = model.to_empty(device=device).eval()
    _fill(model)
    token = torch.ones(1, 1, dtype=torch.long, device=device)

    def step() -> None:
        with torch.inference_mode():
            model(token, use_cache=False)

    step()  # compiles kernels, touches memory
    return step, _read_bytes(model)


def _fill(model: Grok2ForCausalLM) -> None:
    """Random weights; the buffers of positions anew, since to_empty dropped them."""
    generator = torch.Generator(device=model.device).manual_seed(0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dtype == torch.uint8:
                weight.random_(0, 256, generator=generator)
            elif name.endswith("scales"):
                weight.fill_(1e-3)
            elif "norm" in name:
                weight.fill_(1.0)
            else:
                weight.normal_(std=0.02, generator=generator)
    rope = model.model.rotary_emb
    frequencies, _ = rope.compute_default_rope_parameters(model.config)
    rope.inv_freq = frequencies.to(model.device)


def _read_bytes(model: Grok2ForCausalLM) -> int:
    """Bytes of weights that a token reads: of the experts, those chosen."""
    config = model.config
    share = config.num_experts_per_tok / config.num_local_experts
    layers = model.model.layers
    return round(
        sum(
            weight.nbytes * (share if ".experts." in name else 1)
            for name, weight in layers.named_parameters()
        )
    )


def _products(width: int, bits: int, device: str) -> Callable[[], object]:
    """A bare product with each of enough matrices (width, width) to pass by the caches."""
    count = max(1, 2**26 // width**2)
    x = torch.randn(1, width, device=device, dtype=torch.bfloat16)
    if bits == 16:
        weights = torch.randn(count, width, width, device=device, dtype=torch.bfloat16)
        return lambda: [torch.nn.functional.linear(x, weight) for weight in weights]
    packed = PackedLinear(width, width, bits, 64, experts=count).to(device)
    packed.codes.random_(0, 256)
    chosen = torch.arange(count, device=device)

    def product() -> None:
        with torch.inference_mode():
            for first in range(0, count, 8):
                experts = chosen[first : first + 8]
                packed(x.expand(len(experts), -1), experts)

    return product
