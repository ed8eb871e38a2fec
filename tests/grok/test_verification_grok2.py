from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.grok.tiny import IDS, run, tiny
from torch.nn import functional

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.modeling_grok2 import Grok2ForCausalLM
from ariane.grok.verification_grok2 import (
    KEPT,
    TEXT,
    Variant,
    Verification,
    fingerprint,
    read_as,
    token_losses,
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
    done: list[tuple[int, int]] = []

    def told(*, description: str, completed: int, total: int) -> None:
        asked.append(description)
        done.append((completed, total))

    found = verify(model, Fixed(ids), progress=told)
    assert found.chosen == variant
    assert asked[0] == str(Variant(temperature=6))
    assert done == [(number, 8) for number in range(9)]
    assert len(found.scores) == 8
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
    assert write(tmp_path, Grok2Config(), found) == [
        'config.json: rope_type "original" → "yarn"',
        'config.json: hidden_act null → "gelu_pytorch_tanh"',
        "config.json: eos_token_id null → [2, 1]",
    ]
    assert write(tmp_path, Grok2Config(), found) == []
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


@pytest.mark.parametrize("cap", [2.0, None])
@pytest.mark.parametrize("window", [7, 41, 64])
def test_losses_in_parts_are_those_of_the_whole(
    cap: float | None, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ariane.grok.verification_grok2.CHUNK", 5)
    model, ids = tiny(final_logit_softcapping=cap), torch.tensor([(IDS * 4)[:43]])
    most: list[int] = []
    model.lm_head.register_forward_hook(lambda _, __, logits: most.append(logits.shape[0]))
    got = token_losses(model, torch.split(ids, window, dim=1), Variant.of(model.config))
    assert max(most) <= 5
    expected = []
    for piece in torch.split(ids, window, dim=1):
        with torch.no_grad():
            logits = model(piece).logits[0, :-1]
        expected.append(functional.cross_entropy(logits, piece[0, 1:], reduction="none"))
    assert torch.allclose(got, torch.cat(expected), rtol=1e-12)


class Stopped(Exception):
    """What ends a run in the middle."""


def test_a_verification_goes_on_and_is_written_without_another_pass(tmp_path: Path) -> None:
    model = tiny()
    model.config.save_pretrained(tmp_path)
    passes: list[int] = []
    model.model.register_forward_pre_hook(
        lambda _, __, given: (
            passes.append(given["input_ids"].shape[1])
            if given and "input_ids" in given
            else passes.append(0)
        ),
        with_kwargs=True,
    )

    def stops(*, description: str, completed: int, total: int) -> None:
        if completed == 3:
            raise Stopped

    def again(ids: list[int] = IDS, window: int = 64) -> tuple[int, Verification]:
        before = len(passes)
        found = verify(model, Fixed(ids), window=window, directory=tmp_path)
        return len(passes) - before - 1, found  # one more reads the end of a turn

    with pytest.raises(Stopped):
        verify(model, Fixed(IDS), progress=stops, window=64, directory=tmp_path)
    assert len(passes) == 3
    left, found = again()
    assert left == 5
    assert again() == (0, found)
    assert verify(model, Fixed(IDS), window=64) == found
    write(tmp_path, model.config, found)
    assert again() == (0, found)
    assert again(window=5)[0] == 8 * 3
    assert again(IDS[::-1])[0] == 8
    (tmp_path / KEPT).write_text("{")
    assert again(IDS[::-1])[0] == 8


def test_losses_are_scored_anew_where_anything_else_changed(tmp_path: Path) -> None:
    def about(model: Grok2ForCausalLM) -> str:
        return fingerprint(model, torch.tensor([IDS]), 64, tmp_path)

    (tmp_path / "model.safetensors").write_bytes(b"1")
    known = {about(tiny()), about(tiny(router_logit_softcapping=3.0)), about(tiny().float())}
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    known.add(about(tiny()))
    assert len(known) == 4
    assert about(tiny(**shaped(YARN))) in known


def test_both_files_say_the_same_ends(tmp_path: Path) -> None:
    Grok2Config().save_pretrained(tmp_path)
    path = tmp_path / "generation_config.json"
    path.write_text(json.dumps({"eos_token_id": [1, 2], "pad_token_id": 0}))
    write(tmp_path, Grok2Config(), Verification((), Variant(), 9, {1: 0.1, 2: 0.7}))
    assert json.loads(path.read_text()) == {"eos_token_id": [2, 1], "pad_token_id": 0}
    assert json.loads((tmp_path / "config.json").read_text())["eos_token_id"] == [2, 1]


def test_the_text_is_long_enough_for_temperature() -> None:
    assert len(TEXT.read_text(encoding="utf-8").split()) > 1300
    with pytest.raises(ValueError, match="A text of 1 tokens"):
        verify(tiny(), Fixed([3]))
