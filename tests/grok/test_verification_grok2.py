from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.grok.tiny import IDS, run, tiny

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.modeling_grok2 import Grok2ForCausalLM
from ariane.grok.verification_grok2 import (
    TEXT,
    Variant,
    Verification,
    read_as,
    verify,
    write,
)

YARN = Variant(rope="yarn", temperature=6)
TANH = Variant(gelu="gelu_pytorch_tanh", temperature=6)
COLD = Variant(temperature=None)


class Fixed:
    """A tokenizer that reads every text as the same ids."""

    def __init__(self, ids: list[int]) -> None:
        self.ids = ids

    def __call__(self, _: str, return_tensors: str) -> dict[str, torch.Tensor]:
        assert return_tensors == "pt"
        return {"input_ids": torch.tensor([self.ids])}


def shaped(variant: Variant) -> dict[str, Any]:
    rope = variant.rope_parameters(tiny().config)
    return {
        "rope_parameters": rope,
        "hidden_act": variant.gelu,
        "attn_temperature_len": variant.temperature,
    }


@pytest.mark.parametrize("variant", [YARN, TANH, COLD], ids=str)
def test_a_variant_is_the_model_built_with_it_and_leaves_no_trace(variant: Variant) -> None:
    model = tiny()
    before = run(model, [IDS])
    with read_as(model, variant):
        assert np.array_equal(run(model, [IDS]), run(tiny(**shaped(variant)), [IDS]))
        assert not np.array_equal(run(model, [IDS]), before)
    assert np.array_equal(run(model, [IDS]), before)


def taught(variant: Variant) -> tuple[Grok2ForCausalLM, list[int]]:
    """A model with a text of its own making under a variant, read the default way."""
    model = tiny(
        attn_logit_softcapping=8.0, final_logit_softcapping=None, output_multiplier_scale=3.0
    )
    torch.manual_seed(3)
    ids = torch.tensor([IDS])
    with read_as(model, variant), torch.no_grad():
        for _ in range(200):
            odds = model(ids).logits[0, -1].softmax(-1)
            ids = torch.cat((ids, torch.multinomial(odds, 1)[None]), dim=1)
    return model, ids[0].tolist()


@pytest.mark.parametrize("variant", [Variant(temperature=6), YARN, COLD], ids=str)
def test_the_variant_that_wrote_the_text_is_chosen(variant: Variant) -> None:
    model, ids = taught(variant)
    asked: list[str] = []
    found = verify(model, Fixed(ids), progress=lambda variant, *_: asked.append(variant))
    assert found.chosen == variant
    assert asked[0] == str(Variant(temperature=6))
    assert len(asked) == len(found.scores) == 8
    assert [row["variant"] for row in found.rows() if row["chosen"]] == [str(variant)]
    assert found.tokens == len(ids)
    assert set(found.ends) == {1, 2}
    default = found.scores[0]
    assert default.difference == default.errors == 0
    assert run(model, [IDS]).shape  # the model still runs, as it was
    assert Variant.of(model.config) == Variant(temperature=6)


def test_the_choice_is_written_and_nothing_else_changes(tmp_path: Path) -> None:
    published = {"model_type": "git", "rope_theta": 1e4, "rope_type": "original", "extra": [1]}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(published))
    found = Verification((), Variant("yarn", "gelu_pytorch_tanh", None), 9, {1: 0.1, 2: 0.7})
    write(tmp_path, Grok2Config(), found)
    assert json.loads(path.read_text()) == published | {
        "rope_type": "yarn",
        "hidden_act": "gelu_pytorch_tanh",
        "attn_temperature_len": None,
        "eos_token_id": [2, 1],
    }
    Grok2Config().save_pretrained(tmp_path)
    write(tmp_path, Grok2Config(), found)
    again = Grok2Config.from_pretrained(tmp_path)
    assert Variant.of(again) == found.chosen
    assert again.rope_parameters["factor"] == 16


def test_the_text_is_long_enough_for_temperature() -> None:
    assert len(TEXT.read_text(encoding="utf-8").split()) > 1300
    with pytest.raises(ValueError, match="A text of 1 tokens"):
        verify(tiny(), Fixed([3]))
