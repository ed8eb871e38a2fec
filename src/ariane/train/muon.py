"""Muon: momentum whose updates are orthogonalised, for the matrices inside a decoder.

After Keller Jordan's description (https://kellerjordan.github.io/posts/muon). Torch has one too, in
bfloat16, which is three times slower than this on processors without bfloat16.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic that drives all singular values towards 1."""

ITERATIONS = 5
MOMENTUM = 0.95


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum and decoupled weight decay; every parameter is a matrix."""

    def __init__(self, params: Iterable[torch.Tensor], lr: float, weight_decay: float) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]  # noqa: ANN401
        """One step; matrices of one shape are orthogonalised together."""
        del closure
        for group in self.param_groups:
            alike: defaultdict[torch.Size, list[tuple[torch.Tensor, torch.Tensor]]]
            alike = defaultdict(list)
            for matrix in group["params"]:
                if matrix.grad is not None:
                    alike[matrix.shape].append((matrix, self._direction(matrix, matrix.grad)))
            for shape, moves in alike.items():
                rate = group["lr"] * max(1.0, shape[0] / shape[1]) ** 0.5
                updates = orthogonal(torch.stack([direction for _, direction in moves]))
                for (matrix, _), update in zip(moves, updates, strict=True):
                    matrix.mul_(1.0 - group["lr"] * group["weight_decay"])
                    matrix.add_(update, alpha=-rate)

    def _direction(self, matrix: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        state = self.state[matrix]
        momentum: torch.Tensor = state.setdefault("momentum", torch.zeros_like(matrix))
        momentum.lerp_(gradient, 1.0 - MOMENTUM)
        return gradient.lerp(momentum, MOMENTUM)


def orthogonal(matrices: torch.Tensor) -> torch.Tensor:
    """Matrices (N, rows, columns) with all singular values near 1, by Newton and Schulz's steps."""
    a, b, c = COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    found = matrices.mT if tall else matrices
    found = found / (found.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(ITERATIONS):
        square = found @ found.mT
        found = a * found + (b * square + c * square @ square) @ found
    orthogonalised: torch.Tensor = found.mT if tall else found
    return orthogonalised
