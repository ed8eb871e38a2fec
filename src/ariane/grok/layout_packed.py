"""Which tensors a packed directory has: in place of a weight its codes, and their scales."""

from __future__ import annotations

from pathlib import Path

from ariane.grok.checkpoint import check, read_tensors, weight_files
from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.configuration_packed import METHOD, Grok2PackedConfig
from ariane.grok.headers import ITEM_BYTES
from ariane.grok.layout_grok2 import Parameter, Piece, Shape, fused, parameters
from ariane.grok.packing_grok2 import code_bytes

PACKED_BYTES = {**ITEM_BYTES, "U8": 1}
"""The number formats of a packed checkpoint."""


def packing_of(config: Grok2Config) -> Grok2PackedConfig | None:
    """How a configuration says that its weights are packed by us; None where they are not."""
    said = getattr(config, "quantization_config", None)
    if isinstance(said, Grok2PackedConfig):
        return said
    if isinstance(said, dict) and said.get("quant_method") == METHOD:
        return Grok2PackedConfig(**said)
    return None


def packed_parameters(config: Grok2Config, packing: Grok2PackedConfig) -> dict[str, Parameter]:
    """Every parameter of the model, and the tensors that stand for it."""
    found = {}
    for name, parameter in parameters(config).items():
        bits = packing.bits_of(name.rpartition(".")[0], config)
        plain = fused(name, parameter.shape)
        found[name] = plain if bits is None else _packed(plain, name, bits, packing.group_size)
    return found


def check_packed(folder: Path, config: Grok2Config, packing: Grok2PackedConfig) -> None:
    """Raise `CheckpointError` where a packed directory is not whole."""
    tensors = read_tensors(weight_files(folder), PACKED_BYTES)
    check(tensors, packed_parameters(config, packing))


def _packed(plain: Parameter, name: str, bits: int, group: int) -> Parameter:
    """A weight (…, N, K) as its codes and its scales; they have no place in it of their own."""
    *lead, rows, width = plain.shape
    shapes: dict[str, Shape] = {
        "codes": (*lead, rows, code_bytes(width, bits)),
        "scales": (*lead, 2, rows, width // group),
    }
    stem, region = name.removesuffix(".weight"), plain.pieces[0].region
    pieces = (Piece(f"{stem}.{end}", shape, region) for end, shape in shapes.items())
    return Parameter(plain.shape, tuple(pieces))
