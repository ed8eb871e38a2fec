"""Packed weights times a few vectors on a GPU, in Triton; `packing_grok2` says how the bits lie.

One program takes a block of rows of one vector's expert, a run of whole groups at a time. A byte is
read once, and each of the levels in it meets its own entry of the vector, so no weight is moved.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl

ROWS = 16
"""Rows of a program."""

SPAN = 1024
"""Weights of a row that a program takes at once, in whole groups."""


@triton.jit
def _plane(
    codes: Any,
    x: Any,
    rows_there: Any,
    groups_there: Any,
    group: tl.constexpr,
    plane: tl.constexpr,
) -> Any:
    """Σ level · x of each row and group, for one plane of bits; `codes` point at its bytes."""
    size: tl.constexpr = group * plane // 8
    column = tl.arange(0, size)
    there = rows_there[:, None, None] & groups_there[None, :, None]
    byte = tl.load(codes[:, :, None] + column[None, None, :], there, 0).to(tl.int32)
    total = tl.zeros((codes.shape[0], codes.shape[1]), tl.float32)
    for part in tl.static_range(8 // plane):
        value = tl.load(x[:, None] + part * size + column[None, :], groups_there[:, None], 0.0)
        level = ((byte >> (plane * part)) & (2**plane - 1)).to(tl.float32)
        total += tl.sum(level * value[None, :, :], 2)
    return total


@triton.jit
def _multiply(
    x: Any,
    codes: Any,
    scales: Any,
    experts: Any,
    out: Any,
    rows: Any,
    width: Any,
    bits: tl.constexpr,
    group: tl.constexpr,
    block: tl.constexpr,
    span: tl.constexpr,
) -> None:
    """out[s, n] = Σ over groups of scale · Σ level · x + (offset − half · scale) · Σ x."""
    vector = tl.program_id(1)
    expert = tl.load(experts + vector)
    row = tl.program_id(0) * block + tl.arange(0, block)
    inside = row < rows
    groups = width // group
    size: tl.constexpr = group * bits // 8
    half: tl.constexpr = (2**bits - 1) / 2
    # Rows before the expert's; 64 bits, since an expert's codes pass 2³¹ bytes.
    first = expert.to(tl.int64) * rows
    code_row = codes + (first + row) * groups * size
    scale_row = scales + (2 * first + row) * groups
    each: tl.constexpr = span // group
    low: tl.constexpr = 2 if bits == 3 else bits
    place = tl.arange(0, group)
    total = tl.zeros((block,), tl.float32)
    for start in range(0, groups, each):
        number = start + tl.arange(0, each)
        there = number < groups
        both = inside[:, None] & there[None, :]
        scale_at = scale_row[:, None] + number[None, :]
        scale = tl.load(scale_at, both, 0.0).to(tl.float32)
        offset = tl.load(scale_at + rows * groups, both, 0.0).to(tl.float32)
        code_at = code_row[:, None] + number[None, :] * size
        x_at = x + vector * width + number * group
        products = _plane(code_at, x_at, inside, there, group, low)
        if bits == 3:
            high_at = code_at + group * low // 8
            products += 4.0 * _plane(high_at, x_at, inside, there, group, 1)
        sums = tl.sum(tl.load(x_at[:, None] + place[None, :], there[:, None], 0.0), 1)
        total += tl.sum(scale * products + (offset - half * scale) * sums[None, :], 1)
    tl.store(out + vector * rows + row, total, inside)


def multiply(
    x: torch.Tensor,
    codes: torch.Tensor,
    scales: torch.Tensor,
    experts: torch.Tensor,
    bits: int,
    group: int,
) -> torch.Tensor:
    """x (S, K) float32, codes (E, N, …), scales (E, 2, N, G), experts (S,) to (S, N) float32."""
    rows = codes.shape[1]
    out = torch.empty(len(x), rows, dtype=torch.float32, device=x.device)
    _multiply[(triton.cdiv(rows, ROWS), len(x))](
        x.contiguous(),
        codes.contiguous(),
        scales.contiguous(),
        experts.contiguous(),
        out,
        rows,
        x.shape[1],
        bits,
        group,
        ROWS,
        SPAN,
    )
    return out
