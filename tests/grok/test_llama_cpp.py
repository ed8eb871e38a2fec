"""Grok-2's logits beside llama.cpp's, in settings in which the two compute the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from tests.grok.neutral import NEUTRAL, YARN, neutral_model
from transformers import AutoModelForCausalLM

from ariane.grok.modeling_grok2 import Grok2TopKRouter

ORACLE = load_file(Path(__file__).parent / "fixtures" / "grok2.safetensors")
SMALL = Path(__file__).parents[2] / "models" / "small-grok"
LIMIT = 0.005  # llama.cpp looks GELU up in a table of float16

LIKE_LLAMA_CPP: dict[str, Any] = {
    "hidden_act": "gelu_pytorch_tanh",
    "router_logit_softcapping": None,
    "attn_temperature_len": None,
}


def small(experts: int, **changes: Any) -> Any:
    """The small Grok, whose chosen experts' weights are normalised again, as llama.cpp does."""
    options = {**LIKE_LLAMA_CPP, "num_experts_per_tok": experts, **changes}
    model = AutoModelForCausalLM.from_pretrained(SMALL, dtype=torch.float32, **options)
    for module in model.modules():
        if isinstance(module, Grok2TopKRouter):
            module.register_forward_hook(normalised)
    return model


def normalised(_module: Any, _inputs: Any, output: Any) -> Any:
    logits, weights, chosen = output
    return logits, weights / weights.sum(-1, keepdim=True), chosen


def logits(model: Any, kind: str) -> Any:
    """All logits of the oracle's tokens, or those at the positions that it keeps."""
    with torch.no_grad():
        got = model(torch.from_numpy(ORACLE[f"{kind}.tokens"])[None]).logits[0].numpy()
    return got[ORACLE.get(f"{kind}.positions", slice(None))]


def difference(got: Any, name: str) -> float:
    found = float(np.abs(got - ORACLE[name]).max())
    print(f"{name}: {found:.1e}")
    return found


@pytest.mark.parametrize(("name", "rope"), [("plain", NEUTRAL["rope_parameters"]), ("yarn", YARN)])
def test_the_logits_of_a_random_model_are_llama_cpp_s(name: str, rope: dict[str, Any]) -> None:
    got = logits(neutral_model(rope_parameters=rope), "random")
    assert np.abs(got).max() > 10
    assert difference(got, f"random.{name}") < LIMIT
    assert np.array_equal(got.argmax(-1), ORACLE[f"random.{name}"].argmax(-1))


@pytest.mark.parametrize("experts", [8, 2])
def test_the_logits_of_the_small_grok_are_llama_cpp_s(experts: int) -> None:
    got = logits(small(experts), "small")
    assert np.abs(got).max() > 10
    assert difference(got, f"small.{experts}") < LIMIT
    assert np.array_equal(got.argmax(-1), ORACLE[f"small.{experts}"].argmax(-1))


@pytest.mark.parametrize(
    "ours",
    [
        {"hidden_act": "gelu"},
        {"router_logit_softcapping": 30.0},
        {"attn_temperature_len": 64},
        {"attn_logit_softcapping": None},
        {"final_logit_softcapping": None},
    ],
    ids=lambda ours: next(iter(ours)),
)
def test_one_setting_of_another_kind_would_show(ours: dict[str, Any]) -> None:
    assert difference(logits(small(2, **ours), "small"), "small.2") > LIMIT


def test_weights_that_are_not_normalised_again_would_show() -> None:
    options = {**LIKE_LLAMA_CPP, "num_experts_per_tok": 2}
    model = AutoModelForCausalLM.from_pretrained(SMALL, dtype=torch.float32, **options)
    assert difference(logits(model, "small"), "small.2") > 1
