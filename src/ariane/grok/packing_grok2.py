"""Group-wise integer weights: how they are rounded, and how their bits lie.

A row of K weights is cut into groups of G. A group's weights are scale · (level − half) + offset,
with integer levels 0 … 2^bits − 1, half = (2^bits − 1) / 2, and a bfloat16 scale and offset of its
own. Levels lie in planes of 8, 4, 2 or 1 bits, all planes of a group together. In a plane of p
bits, byte j of a group holds the levels j, j + m, j + 2m, … with m = G · p / 8, the lowest bits
first, so that one vector of bytes unpacks to vectors of consecutive weights.

Shapes: weights (…, N, K); codes (…, N, K · bits / 8) uint8; scales (…, 2, N, K / G) bfloat16, all
scales before all offsets. Rows and columns of codes and scales can be cut as those of weights are.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

PLANES: dict[int, tuple[int, ...]] = {8: (8,), 4: (4,), 3: (2, 1), 2: (2,)}
"""Bits of a weight, and the planes that they lie in, the lowest first."""

GROUPS = (32, 64, 128)
"""Weights that may share a scale; fewer cost more bits and lose less."""

SHARES = {8: (1.0,), 4: (1.0, 0.9, 0.8), 3: (1.0, 0.88, 0.76, 0.64), 2: (1.0, 0.8, 0.65, 0.5)}
"""Shares of a group's range that are tried as the range of its levels."""

ROUNDS = 2
"""Times that scale and offset are fitted to the levels, and the levels to them."""

CHUNK = 2**22
"""Weights that are rounded or unpacked at once, which bounds the memory in float32."""


def code_bytes(width: int, bits: int) -> int:
    """Bytes of a row's codes."""
    return width * bits // 8


def check(width: int, bits: int, group: int) -> None:
    """Refuse, by ValueError, what cannot be packed."""
    if bits not in PLANES:
        raise ValueError(f"{bits} bits cannot be packed: use {', '.join(map(str, PLANES))}.")
    if group not in GROUPS:
        raise ValueError(f"Groups of {group} cannot be packed: use {', '.join(map(str, GROUPS))}.")
    if width % group:
        raise ValueError(
            f"Rows of {width} weights are not whole groups of {group}: use a smaller group_size."
        )


def quantize(
    weight: torch.Tensor, bits: int, group: int, device: torch.device | str | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights to codes and scales, where the weights are; `device` does the arithmetic.

    Raises ValueError where bits, group or width cannot be packed, or a weight is not finite.
    """
    width = weight.shape[-1]
    check(width, bits, group)
    rows = weight.reshape(-1, width)
    codes = torch.empty(len(rows), code_bytes(width, bits), dtype=torch.uint8, device=weight.device)
    scales = torch.empty(len(rows), 2, width // group, dtype=torch.bfloat16, device=weight.device)
    for part in chunks(len(rows), width):
        groups = rows[part].to(device or weight.device, torch.float32).view(-1, group)
        if not groups.isfinite().all():
            raise ValueError("A weight is not finite and cannot be packed: check the checkpoint.")
        levels, fitted = _round(groups, bits)
        codes[part] = pack(levels.view(-1, width), bits, group).to(codes.device)
        scales[part] = fitted.view(-1, width // group, 2).transpose(1, 2).to(scales.device)
    lead = weight.shape[:-1]
    return codes.view(*lead, -1), scales.view(*lead, 2, -1).transpose(-3, -2).contiguous()


def dequantize(
    codes: torch.Tensor, scales: torch.Tensor, bits: int, group: int, dtype: torch.dtype
) -> torch.Tensor:
    """Codes and scales to weights (…, N, K) of a floating-point type."""
    levels = unpack(codes, bits, group)
    wide = torch.promote_types(dtype, torch.float32)
    scale, offset = scales.to(wide).unsqueeze(-1).unbind(-4)
    grouped = levels.view(*levels.shape[:-1], -1, group).to(wide)
    weights = torch.addcmul(offset - half(bits) * scale, grouped, scale)
    return weights.flatten(-2).to(dtype)


def half(bits: int) -> float:
    """The middle of the levels."""
    return float(2**bits - 1) / 2


def chunks(rows: int, width: int) -> Iterator[slice]:
    """Slices of rows of at most CHUNK weights, one row at least."""
    step = max(1, CHUNK // width)
    return (slice(start, start + step) for start in range(0, rows, step))


def pack(levels: torch.Tensor, bits: int, group: int) -> torch.Tensor:
    """Levels (…, K) uint8 to codes."""
    grouped = levels.view(*levels.shape[:-1], -1, group)
    planes, below = [], 0
    for plane in PLANES[bits]:
        count = 8 // plane
        parts = ((grouped >> below) & (2**plane - 1)).view(*grouped.shape[:-1], count, -1)
        shifts = plane * torch.arange(count, dtype=torch.uint8, device=levels.device)
        planes.append((parts << shifts[:, None]).sum(-2, dtype=torch.uint8))
        below += plane
    return torch.cat(planes, dim=-1).flatten(-2)


def unpack(codes: torch.Tensor, bits: int, group: int) -> torch.Tensor:
    """Codes to levels (…, K) uint8."""
    grouped = codes.view(*codes.shape[:-1], -1, group * bits // 8)
    levels: torch.Tensor | None = None
    below = start = 0
    for plane in PLANES[bits]:
        count, size = 8 // plane, group * plane // 8
        shifts = plane * torch.arange(count, dtype=torch.uint8, device=codes.device)
        part = grouped[..., start : start + size].unsqueeze(-2) >> shifts[:, None]
        part = ((part & (2**plane - 1)) << below).flatten(-2)
        levels = part if levels is None else levels | part
        below, start = below + plane, start + size
    assert levels is not None
    return levels.flatten(-2)


def _round(groups: torch.Tensor, bits: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Groups (R, G) float32 to levels (R, G) and (scale, offset) (R, 2) of least squared error."""
    low, high = groups.amin(-1), groups.amax(-1)
    best: torch.Tensor | None = None
    for share in SHARES[bits]:
        fitted = torch.stack(((high - low) * share / (2**bits - 1), (high + low) / 2), -1)
        for _ in range(ROUNDS):
            fitted = _fit(groups, _levels(groups, fitted, bits), bits)
        fitted = fitted.bfloat16().float()
        levels = _levels(groups, fitted, bits)
        back = (levels - half(bits)) * fitted[:, :1] + fitted[:, 1:]
        error = (back - groups).square_().sum(-1)
        if best is None:
            best, chosen, kept = error, levels, fitted
        else:
            better = error < best
            best = torch.where(better, error, best)
            chosen = torch.where(better[:, None], levels, chosen)
            kept = torch.where(better[:, None], fitted, kept)
    return chosen.to(torch.uint8), kept


def _levels(groups: torch.Tensor, fitted: torch.Tensor, bits: int) -> torch.Tensor:
    """The nearest level of each weight, as float32."""
    scale, offset = fitted[:, :1], fitted[:, 1:]
    steps = (groups - offset) / torch.where(scale == 0, 1.0, scale)
    return steps.add_(half(bits)).round_().clamp_(0, 2**bits - 1)


def _fit(groups: torch.Tensor, levels: torch.Tensor, bits: int) -> torch.Tensor:
    """The scale and offset that suit the levels best: a straight line through the weights."""
    steps = levels - half(bits)
    centred = steps - steps.mean(-1, keepdim=True)
    spread = centred.square().sum(-1)
    scale = (centred * groups).sum(-1) / torch.where(spread == 0, 1.0, spread)
    return torch.stack((scale, groups.mean(-1) - scale * steps.mean(-1)), -1)
