from __future__ import annotations

import pytest
import torch
from torch import nn

from ariane.grok.modeling_grok2 import eager_attention_forward
from ariane.rank.attention import history_and_self


@pytest.mark.parametrize("softcap", [None, 0.7])
@pytest.mark.parametrize(("before", "candidates"), [(6, 5), (0, 5), (6, 0)])
def test_it_is_eager_attention_under_the_mask_of_isolation(
    softcap: float | None, before: int, candidates: int
) -> None:
    """The oracle is given one mask over history and candidates alike."""
    torch.manual_seed(0)
    batch, heads, shared, width, past = 2, 4, 2, 8, 9
    steps = before + candidates
    query = torch.randn(batch, heads, steps, width, dtype=torch.float64)
    key, value = torch.randn(2, batch, shared, past + candidates, width, dtype=torch.float64)
    seen = torch.rand(batch, steps, past) < 0.6
    seen[:, :before, 0] = True  # a history token sees at least itself
    mask = torch.zeros(batch, 1, steps, past, dtype=torch.float64)
    mask = mask.masked_fill(~seen[:, None], float("-inf"))
    own = torch.full((batch, 1, steps, candidates), float("-inf"), dtype=torch.float64)
    for index in range(candidates):
        own[:, :, before + index, index] = 0.0
    module = nn.Module().eval()
    options = {"scaling": width**-0.5, "softcap": softcap}
    expected, _ = eager_attention_forward(
        module, query, key, value, torch.cat((mask, own), dim=-1), **options
    )
    got, _ = history_and_self(module, query, key, value, mask, candidates=candidates, **options)
    assert got.shape == (batch, steps, heads, width)
    assert torch.allclose(got, expected, atol=1e-12)
