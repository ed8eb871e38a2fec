"""What our model in vLLM refuses: lengths that it cannot compute, weights that are not whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.errors import CheckpointError
from ariane.grok.layout_grok2 import Shape, parameters

Weights = Iterable[tuple[str, torch.Tensor]]
"""A checkpoint's tensors by name, as vLLM's loader reads them."""

MERGE = "merge the published directory by `ariane grok convert` first."
"""The remedy where tensors are cut over files, which repeat their names."""


def check_positions(config: Grok2Config, positions: int) -> None:
    """Raise ValueError where a sequence could reach positions that need a temperature."""
    start = config.attn_temperature_len
    if start is not None and positions > start + 1:
        raise ValueError(
            f"max_model_len {positions} is too long: past position {start} Grok-2 multiplies its "
            f"scores by a temperature, which vLLM cannot. Set it to {start + 1}, or give "
            "--hf-overrides '{\"attn_temperature_len\": null}' to do without the temperature."
        )


def checked(weights: Weights, config: Grok2Config) -> Iterator[tuple[str, torch.Tensor]]:
    """The weights as they come, each looked at before it is loaded.

    An expert's matrices are fused or by themselves. Raises `CheckpointError` for a name or shape
    that is not the model's, for a name that comes again, and at the end for one that is missing.
    """
    shapes: dict[str, Shape] = {}
    pieces: dict[str, set[str]] = {}
    for name, parameter in parameters(config).items():
        pieces[name] = {piece.tensor for piece in parameter.pieces}
        shapes |= {piece.tensor: piece.shape for piece in parameter.pieces}
        shapes[name] = parameter.shape
    seen: set[str] = set()
    for name, tensor in weights:
        if name not in shapes:
            raise CheckpointError(f"{name} is no tensor of Grok-2: check architectures.")
        if shapes[name] != tensor.shape:
            raise CheckpointError(
                f"{name} has shape {list(tensor.shape)}, not {list(shapes[name])}: {MERGE}"
            )
        if name in seen:
            raise CheckpointError(f"{name} is there twice: {MERGE}")
        seen.add(name)
        yield name, tensor
    for name, parts in pieces.items():
        if name not in seen and parts - seen:
            raise CheckpointError(f"{min(parts - seen)} is missing: convert the checkpoint again.")
