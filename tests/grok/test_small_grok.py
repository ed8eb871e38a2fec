"""The small Grok: the published layout, real language, and no file of it that may be wrong."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.grok.checkpoints import FILE_NAMES, copied, load, replaced, said
from transformers import AutoModelForCausalLM, AutoTokenizer

SMALL = Path(__file__).parents[2] / "models" / "small-grok"
NEEDED = [*FILE_NAMES, "config.json", "tokenizer.tok.json"]

TEXTS = {
    "French": "La jeune femme ouvrit la porte et regarda longtemps la mer. Elle ne disait rien ; "
    "son père était parti depuis trois jours, et personne dans la maison ne savait où il était.",
    "English": "The young woman opened the door and looked at the sea for a long time. She did "
    "not say anything; her father had been gone for three days, and no one in the house knew why.",
}
COMMON = {"French": {"de", "la", "et", "le", "les"}, "English": {"the", "and", "of", "to", "in"}}


@pytest.fixture(scope="module")
def model() -> Any:
    return AutoModelForCausalLM.from_pretrained(SMALL, dtype=torch.float32)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(SMALL)


def bits_per_byte(model: Any, tokenizer: Any, text: str) -> float:
    ids = tokenizer(text, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        nats = float(model(ids, labels=ids).loss) * (ids.shape[1] - 1)
    return nats / math.log(2) / len(text.encode())


def test_it_is_in_the_published_layout_and_small() -> None:
    assert sorted(path.name for path in SMALL.glob("*.safetensors")) == FILE_NAMES
    assert sum(path.stat().st_size for path in SMALL.iterdir()) < 15_000_000
    config = json.loads((SMALL / "config.json").read_text())
    assert (config["model_type"], config["architectures"]) == ("git", ["Grok1ForCausalLM"])
    caps = ("attn_logit_softcapping", "router_logit_softcapping", "final_logit_softcapping")
    assert [config[cap] for cap in caps] == [30.0, 30.0, 50.0]
    assert config["residual_moe"]
    assert (config["num_local_experts"], config["num_experts_per_tok"]) == (8, 2)


@pytest.mark.parametrize("language", TEXTS)
def test_it_knows_language_from_noise(model: Any, tokenizer: Any, language: str) -> None:
    text = TEXTS[language]
    words = text.split()
    random.Random(0).shuffle(words)
    cost = bits_per_byte(model, tokenizer, text)
    assert cost < 2.1
    assert bits_per_byte(model, tokenizer, " ".join(words)) > cost + 0.3
    assert bits_per_byte(model, tokenizer, text[::-1]) > cost + 1.5


def test_it_goes_on_in_the_language_that_it_is_given(model: Any, tokenizer: Any) -> None:
    for language, text in TEXTS.items():
        made = model.generate(
            **tokenizer(text, return_tensors="pt"), max_new_tokens=60, do_sample=False
        )
        words = set(tokenizer.decode(made[0], skip_special_tokens=True)[len(text) :].split())
        other = "English" if language == "French" else "French"
        assert len(words & COMMON[language]) > len(words & COMMON[other])


def test_the_readme_tells_the_last_loss() -> None:
    curve = [json.loads(line) for line in (SMALL / "loss.jsonl").read_text().splitlines()]
    assert f"{curve[-1]['held_out']:.2f}" in (SMALL / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NEEDED)
def test_no_file_of_it_may_be_missing(tmp_path: Path, name: str) -> None:
    folder = copied(SMALL, tmp_path / "checkpoint")
    (folder / name).unlink()
    assert name in said(folder)


@settings(max_examples=20)
@given(st.data())
def test_no_file_of_it_may_be_cut_short(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(NEEDED))
    whole = (SMALL / name).read_bytes().rstrip()
    folder = copied(SMALL, tmp_path_factory.mktemp("cut"))
    replaced(folder / name, whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert name in said(folder)


@settings(max_examples=20)
@given(st.data())
def test_no_two_files_of_it_may_change_places(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    one, other = data.draw(st.lists(st.sampled_from(NEEDED), min_size=2, max_size=2, unique=True))
    folder = copied(SMALL, tmp_path_factory.mktemp("swapped"))
    (folder / one).rename(folder / "third")
    (folder / other).rename(folder / one)
    (folder / "third").rename(folder / other)
    sentence = said(folder)
    assert one in sentence or other in sentence


def test_every_weight_of_it_is_read(model: Any) -> None:
    state = model.state_dict()
    loaded = load(SMALL)
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[name].float(), state[name]) for name in state)
