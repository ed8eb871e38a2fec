"""`ariane grok plan`, `quantize`, `verify`, `finetune` and `chat`, on the small Grok."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from tests.grok.checkpoints import copied

from ariane.__main__ import main
from ariane.grok import running_grok2
from ariane.grok.running_grok2 import Conversation

SMALL = Path(__file__).parents[2] / "models" / "small-grok"
CHAT = {"messages": [{"role": "user", "content": "Où ?"}, {"role": "assistant", "content": "Là."}]}


def run(*arguments: object) -> int:
    return main(["grok", *map(str, arguments)])


# ---------------------------------------------------------------------------------------------
# plan
# ---------------------------------------------------------------------------------------------


def test_a_plan_is_told_without_torch() -> None:
    call = ["-X", "importtime", "-m", "ariane", "grok", "plan", "--gpu", "24GiB", "--ram", "128GiB"]
    done = subprocess.run([sys.executable, *call], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "computed where it lies: " in done.stdout
    assert "real runs reach about half" in done.stderr
    loaded = set(re.findall(r"^import time:.*\|\s*(\w+)", done.stderr, re.MULTILINE))
    assert "typer" in loaded
    assert loaded & {"torch", "transformers", "safetensors"} == set()


def planned(capsys: pytest.CaptureFixture[str], *options: object) -> list[dict[str, Any]]:
    assert run("plan", *options, "--json") == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return rows


def test_a_plan_knows_many_gpus(capsys: pytest.CaptureFixture[str]) -> None:
    rows = planned(capsys, "--gpu", "80GiB", "--gpus", 8)
    assert rows == planned(capsys, "--gpu", "8x80GiB")
    assert (rows[0]["bits"], rows[0]["how"]) == ("bf16", "tensor parallel")
    assert rows[0]["tokens/s at most"] == pytest.approx(118, rel=0.01)
    slow = planned(capsys, "--gpu", "8x80GiB", "--bandwidth", "335GB")
    assert slow[0]["tokens/s at most"] == pytest.approx(rows[0]["tokens/s at most"] / 10, rel=0.01)
    fast = planned(capsys, "--ram", "768GiB", "--ram-bandwidth", "460GB")
    assert fast[0]["tokens/s at most"] == pytest.approx(2.0, rel=0.02)
    assert planned(capsys, "--ram", "768GiB", "--model", "grok-1")[0]["total GB"] < 640


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "name a machine"),
        (("--gpu", "24"), "'24' is no size"),
        (("--ram", "8x8GiB"), "is no size"),
        (("--ram", "8GiB", "--model", "grok-3"), "grok-3 is no model"),
        (("--ram", "768GiB", "--gpus", "2"), "2 GPUs of no size"),
        (("--ram", "768GiB", "--ram-bandwidth", "0GB"), "'0GB' is no size"),
        (("--gpu", "24GiB", "--bandwidth", "0GB"), "'0GB' is no size"),
        (("--gpu", "0GiB"), "is no size"),
        (("--gpu", "0x24GiB"), "is no number of GPUs"),
        (("--gpu", "8x80GiB", "--gpus", "2"), "both say how many"),
    ],
)
def test_plans_that_cannot_be_made(
    options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("plan", *options) == 2
    assert said in capsys.readouterr().err


# ---------------------------------------------------------------------------------------------
# quantize
# ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("packed") / "q"
    assert run("quantize", SMALL, target, "--bits", 8, "--expert-bits", 4) == 0
    return target


def test_a_packed_directory_is_whole_and_goes_on(packed: Path) -> None:
    config = json.loads((packed / "config.json").read_text())["quantization_config"]
    assert (config["bits"], config["expert_bits"], config["head_bits"]) == (8, 4, 8)
    (file,) = packed.glob("*.safetensors")
    with safe_open(file, "pt") as opened:
        assert any(name.endswith("experts.gate_up_proj.codes") for name in opened.keys())  # noqa: SIM118
    before = file.stat().st_mtime_ns
    assert run("quantize", SMALL, packed, "--bits", 8, "--expert-bits", 4) == 0
    assert file.stat().st_mtime_ns == before
    plain, tokenizer = running_grok2.load(SMALL)
    model, ours = running_grok2.load(packed)
    assert model.is_quantized
    ids = tokenizer("La jeune femme", return_tensors="pt")["input_ids"]
    assert torch.equal(ours("La jeune femme", return_tensors="pt")["input_ids"], ids)
    assert ours.apply_chat_template(CHAT["messages"]) == tokenizer.apply_chat_template(
        CHAT["messages"]
    )
    with torch.no_grad():
        difference = (model(ids).logits - plain(ids).logits).abs().max()
    assert 0 < difference < 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("{small}", "{small}"), "is the checkpoint itself"),
        (("{empty}", "{new}"), "has no config.json"),
        (("{small}", "{new}", "--bits", "5"), "5"),
        (("{packed}", "{new}"), "quantized"),
    ],
)
def test_what_cannot_be_packed(
    arguments: tuple[str, ...],
    said: str,
    packed: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"small": SMALL, "empty": tmp_path / "empty", "new": tmp_path / "n", "packed": packed}
    assert run("quantize", *(one.format(**places) for one in arguments)) == 1
    assert said in capsys.readouterr().err


# ---------------------------------------------------------------------------------------------
# verify
# ---------------------------------------------------------------------------------------------


def test_verify_scores_every_reading_and_writes_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(SMALL, tmp_path / "checkpoint")
    config = (SMALL / "config.json").read_text()
    (folder / "config.json").unlink()
    (folder / "config.json").write_text(config)
    text = tmp_path / "text"
    text.write_text("La jeune femme ouvrit la porte et regarda longtemps la mer. " * 20)
    call = ("verify", folder, "--text", text, "--window", 128, "--dtype", "float32")
    assert run(*call) == 0
    said = capsys.readouterr().out
    assert "YaRN" in said
    assert "token 1 after a turn" in said
    assert (folder / "config.json").read_text() == config
    assert run(*call, "--json", "--write") == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["variants"]) == 8
    assert [row["variant"] for row in found["variants"] if row["chosen"]] == [
        "plain RoPE, exact GELU, temperature 64"
    ]
    assert found["written"]
    assert set(found["ends"]) == {"1", "2"}
    written = json.loads((folder / "config.json").read_text())
    assert {**json.loads(config), **written} == written
    text.write_text("")
    assert run(*call) == 1


# ---------------------------------------------------------------------------------------------
# finetune
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["LoRA", "QLoRA"])
def test_a_fine_tuned_model_says_what_it_was_taught(
    kind: str,
    packed: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = SMALL if kind == "LoRA" else packed
    chats = tmp_path / "chats.jsonl"
    chats.write_text(json.dumps(CHAT) + "\n")
    options = ("--epochs", 40, "--accumulate", 1, "--learning-rate", 1e-2, "--rank", 4)
    adapter = tmp_path / "adapter"
    assert run("finetune", source, chats, adapter, *options, "--json") == 0
    losses = json.loads(capsys.readouterr().out)["losses"]
    assert len(losses) == 40
    assert losses[-1] < losses[0] / 4
    monkeypatch.setattr(sys, "stdin", io.StringIO("Où ?\n"))
    assert run("chat", source, "--adapter", adapter, "--temperature", 0, "--limit", 9) == 0
    assert capsys.readouterr().out.strip() == "Là."


def test_chats_that_cannot_be_learned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chats = tmp_path / "chats.jsonl"
    chats.write_text('{"messages": 3}\n')
    assert run("finetune", SMALL, chats, tmp_path / "adapter") == 1
    assert "chats.jsonl:1 is no chat" in capsys.readouterr().err


# ---------------------------------------------------------------------------------------------
# chat
# ---------------------------------------------------------------------------------------------


def test_a_conversation_is_that_of_the_template_without_reading_twice() -> None:
    model, tokenizer = running_grok2.load(SMALL, "float32")
    talk, told = Conversation(model, tokenizer, "Be brief."), []
    read: list[int] = []
    model.model.register_forward_pre_hook(
        lambda _, __, given: read.append(given["input_ids"].shape[1]), with_kwargs=True
    )
    how = {"max_new_tokens": 6, "do_sample": False}
    first = talk.ask("Bonjour", told.append, **how)
    assert "".join(told).strip() == first
    asked = len(talk.ids)
    talk.ask("Et ?", **how)
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Bonjour"},
        {"role": "assistant", "content": first},
        {"role": "user", "content": "Et ?"},
    ]
    whole = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    said = tokenizer.decode(talk.ids)
    assert said.startswith(whole)
    ids = torch.tensor([talk._turn("Encore")])
    fresh = model.generate(ids, attention_mask=torch.ones_like(ids), **how)[0].tolist()
    talk.ask("Encore", **how)
    assert talk.ids == fresh
    assert max(read[len(read) - 6 :]) < asked  # the last turn alone


def test_a_reply_that_is_stopped_leaves_the_conversation_as_it_was() -> None:
    model, tokenizer = running_grok2.load(SMALL, "float32")
    talk = Conversation(model, tokenizer)
    how: dict[str, Any] = {"max_new_tokens": 8, "do_sample": False}
    talk.ask("Bonjour", **how)
    held = list(talk.ids)

    def stop(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        talk.ask("La jeune femme", stop, **how)
    assert talk.ids == held
    talk.ask("Et ?", **how)
    fresh = Conversation(model, tokenizer)
    fresh.ask("Bonjour", **how)
    fresh.ask("Et ?", **how)
    assert talk.ids == fresh.ids
    with pytest.raises(ValueError, match="begin a new one"):
        talk.ask("mot " * 2000)


def test_chat_ends_with_an_empty_line(
    packed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("Bonjour\nEt ?\n\nunsaid\n"))
    assert run("chat", packed, "--limit", 4, "--system", "Be brief.") == 0
    assert "<|" not in capsys.readouterr().out
    assert sys.stdin.read() == "unsaid\n"
