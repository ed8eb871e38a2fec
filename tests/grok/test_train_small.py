"""The small Grok's training, in miniature: it runs, its loss falls, and what it writes loads."""

from __future__ import annotations

import json
import lzma
from dataclasses import replace
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from ariane.grok.train_small import TEXTS, Recipe, paragraphs, rate, train

SENTENCES = (
    "Il était une fois, dans un village au bord de la mer, une fille qui aimait les bateaux.",
    "Once upon a time there lived, in a village by the sea, a girl who was so fond of boats.",
)
TINY = {"hidden_size": 32, "intermediate_size": 32, "moe_intermediate_size": 16}
TINY |= {"num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16}


def test_paragraphs_leave_headings_and_notes_out() -> None:
    text = (
        f"CHAPTER I\n\n{SENTENCES[1][:16]}\n  {SENTENCES[1][17:-1]} [12]\n , and so on.\n\nshort\n"
    )
    (found,) = paragraphs(text)
    assert found == f"{SENTENCES[1][:-1]}, and so on."


def test_the_rate_warms_up_and_falls() -> None:
    recipe = Recipe()
    rates = [rate(step, recipe) for step in range(recipe.steps)]
    assert max(rates) == rates[recipe.warmup] == recipe.peak
    assert rates[0] < rates[1]
    assert rates[-1] == pytest.approx(recipe.floor, rel=0.01)


@pytest.mark.slow
def test_training_in_miniature(tmp_path: Path) -> None:
    texts = tmp_path / "lm_text"
    texts.mkdir()
    for name, sentence in zip(TEXTS, SENTENCES, strict=True):
        with lzma.open(texts / name, "wt", encoding="utf-8") as file:
            file.write("\n\n".join([sentence] * 1600))
    recipe = replace(
        Recipe(),
        vocabulary=340,
        steps=41,
        warmup=5,
        length=32,
        batch=4,
        config=(*TINY.items(), ("attn_temperature_len", 16)),
    )
    train(tmp_path, tmp_path / "out", recipe)
    curve = [json.loads(line) for line in (tmp_path / "out" / "loss.jsonl").open()]
    assert [line["step"] for line in curve] == [0, 20, 40]
    assert curve[-1]["loss"] < curve[0]["loss"] - 0.5
    assert curve[-1]["held_out"] < curve[0]["loss"] - 0.5
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert model.config.attn_temperature_len == 16
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert tokenizer.decode(tokenizer.encode(SENTENCES[0])) == SENTENCES[0]
