"""The trained small Grok, from its published layout: packed within the quality wanted, verified."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import ariane.grok  # noqa: F401 - the Auto classes know the directory
from ariane.grok.checkpoint import read_checkpoint
from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.configuration_packed import Grok2PackedConfig
from ariane.grok.loading_grok2 import lazy_state
from ariane.grok.quantization_grok2 import quantize_checkpoint
from ariane.grok.verification_grok2 import TEXT, Variant, verify

SMALL = Path(__file__).parents[2] / "models" / "small-grok"


def loss(model: Any, tokenizer: Any) -> float:
    """Mean loss over the essay, which no model was trained on, in pieces of 128 tokens."""
    ids = tokenizer(TEXT.read_text(encoding="utf-8"), return_tensors="pt")["input_ids"]
    pieces = ids[0, : ids.shape[1] // 128 * 128].view(-1, 128)
    with torch.no_grad():
        return float(model(pieces, labels=pieces).loss)


@pytest.mark.parametrize(
    ("choice", "most"),
    [({"bits": 8}, 1.02), ({"bits": 4}, 1.08), ({"bits": 3}, 1.15)],
    ids=["8 bits", "4 bits", "3 bits"],
)
def test_few_bits_cost_little_perplexity(
    choice: dict[str, int], most: float, tmp_path: Path
) -> None:
    config = Grok2Config.from_pretrained(SMALL)
    state = lazy_state(read_checkpoint(SMALL, config), None)
    quantize_checkpoint(state, config, Grok2PackedConfig(**choice), tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(SMALL)
    packed = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    plain = AutoModelForCausalLM.from_pretrained(SMALL, dtype=torch.float32)
    assert packed.is_quantized
    ratio = math.exp(loss(packed, tokenizer) - loss(plain, tokenizer))
    assert ratio < most


def test_the_small_grok_says_how_it_was_trained() -> None:
    model = AutoModelForCausalLM.from_pretrained(SMALL, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(SMALL)
    found = verify(model, tokenizer, window=128)  # the length of its training
    assert found.chosen == Variant.of(model.config)
    scores = {score.variant: score for score in found.scores}
    yarn = Variant("yarn", found.chosen.gelu, found.chosen.temperature)
    assert scores[yarn].errors > 3
