from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from ariane.train.muon import Muon, orthogonal


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**16))
def test_update_keeps_directions_and_evens_out_their_lengths(
    rows: int, columns: int, seed: int
) -> None:
    made = torch.Generator().manual_seed(seed)
    matrix = torch.randn(1, rows, columns, generator=made)
    left, sizes, right = torch.linalg.svd(matrix[0], full_matrices=False)
    within = left.mT @ orthogonal(matrix)[0] @ right.mT
    even = within.diagonal()
    assert torch.allclose(within, torch.diag(even), atol=1e-3)
    told = sizes > 0.05 * sizes.max()  # the steps reach singular values that are not near 0
    assert (even[told] > 0.5).all()
    assert (even < 1.3).all()


def test_matrices_of_one_shape_move_as_each_would_alone() -> None:
    torch.manual_seed(0)
    start, slopes = torch.randn(3, 6, 4), torch.randn(2, 3, 6, 4)

    def after(which: list[int]) -> torch.Tensor:
        matrices = [torch.nn.Parameter(start[index].clone()) for index in which]
        optimiser = Muon(matrices, lr=0.1, weight_decay=0.01)
        for slope in slopes:
            for index, matrix in zip(which, matrices, strict=True):
                matrix.grad = slope[index].clone()
            optimiser.step()
        return torch.stack([matrix.detach() for matrix in matrices])

    together = after([0, 1, 2])
    for index in range(3):
        assert torch.allclose(together[index], after([index])[0], atol=1e-6)


def test_matrix_without_a_gradient_stays() -> None:
    matrix = torch.nn.Parameter(torch.ones(2, 2))
    Muon([matrix], lr=0.1, weight_decay=0.5).step()
    assert torch.equal(matrix, torch.ones(2, 2))


def test_muon_finds_the_least_squares_solution() -> None:
    torch.manual_seed(0)
    inputs, truth = torch.randn(200, 5), torch.randn(5, 3)
    matrix = torch.nn.Parameter(torch.zeros(5, 3))
    optimiser = Muon([matrix], lr=0.05, weight_decay=0.0)
    for step in range(400):
        optimiser.param_groups[0]["lr"] = 0.05 * (1 - step / 400)
        optimiser.zero_grad()
        ((inputs @ matrix - inputs @ truth) ** 2).mean().backward()
        optimiser.step()
    assert torch.allclose(matrix.detach(), truth, atol=0.05)
