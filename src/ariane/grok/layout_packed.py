"""Which tensors a packed directory has: in place of a weight its codes, and their scales."""

from __future__ import annotations

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.configuration_packed import METHOD, Grok2PackedConfig
from ariane.grok.layout_grok2 import Parameter, Piece, Shape, fused, parameters
from ariane.grok.packing_grok2 import code_bytes


def packing_of(config: Grok2Config) -> Grok2PackedConfig | None:
    """How a configuration says that its weights are packed by us; None where they are not.

    Raises ValueError where it cannot be read.
    """
    said = getattr(config, "quantization_config", None)
    if isinstance(said, Grok2PackedConfig):
        return said
    if isinstance(said, dict) and said.get("quant_method") == METHOD:
        try:
            return Grok2PackedConfig(**said)
        except (TypeError, ValueError) as error:
            why = str(error).rstrip(".")
            raise ValueError(f"quantization_config cannot be read: {why}.") from error
    return None


def packed_parameters(config: Grok2Config, packing: Grok2PackedConfig) -> dict[str, Parameter]:
    """Every parameter of the model, and the tensors that stand for it."""
    found = {}
    for name, parameter in parameters(config).items():
        bits = packing.bits_of(name.rpartition(".")[0], config)
        plain = fused(name, parameter.shape)
        found[name] = plain if bits is None else _packed(plain, name, bits, packing.group_size)
    return found


def packed_shapes(shape: Shape, bits: int, group: int) -> dict[str, Shape]:
    """The shapes of what stands for a weight (…, N, K), by the ends of their names."""
    *lead, rows, width = shape
    return {
        "codes": (*lead, rows, code_bytes(width, bits)),
        "scales": (*lead, 2, rows, width // group),
    }


def _packed(plain: Parameter, name: str, bits: int, group: int) -> Parameter:
    """A weight as its codes and its scales; they have no place in it of their own."""
    stem, region = name.removesuffix(".weight"), plain.pieces[0].region
    shapes = packed_shapes(plain.shape, bits, group)
    pieces = (Piece(f"{stem}.{end}", shape, region) for end, shape in shapes.items())
    return Parameter(plain.shape, tuple(pieces))
