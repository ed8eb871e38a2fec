from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import get_peft_model
from safetensors.torch import load_file
from tests.grok.test_quantization_grok2 import MIXED, plain
from tests.grok.tiny import IDS, run

from ariane.grok.configuration_packed import Grok2PackedConfig
from ariane.grok.finetuning_grok2 import (
    IGNORED,
    LONGEST,
    FineTuning,
    _batches,
    encode,
    finetune,
    read_chats,
)
from ariane.grok.lora_grok2 import LoraPackedLinear, load_adapter, lora_config, merge
from ariane.grok.packed_grok2 import PackedLinear
from ariane.grok.quantizer_grok2 import pack

ADAPTER = "adapter_model.safetensors"
CHATS = [
    [{"role": "user", "content": "abc"}, {"role": "assistant", "content": "cba"}],
    [
        {"role": "system", "content": "turn it"},
        {"role": "user", "content": "dd"},
        {"role": "assistant", "content": "xx"},
        {"role": "user", "content": "ef"},
        {"role": "assistant", "content": "fe"},
    ],
]
SETTINGS = FineTuning(rank=4, alpha=8, epochs=12, batch=2, accumulate=1, learning_rate=2e-2)
NAMES = {"system": "S", "user": "H", "assistant": "A"}


class Letters:
    """A tokenizer of letters with Grok's template: a name, the words, and token 1 at the end."""

    eos_token_id = 1

    def apply_chat_template(
        self, chat: list[dict[str, str]], *, add_generation_prompt: bool, **_: Any
    ) -> dict[str, list[int]]:
        ids = []
        for message in chat:
            ids += [*self.ids(NAMES[message["role"]] + message["content"]), 1]
        return {"input_ids": ids + (self.ids("A") if add_generation_prompt else [])}

    def ids(self, text: str) -> list[int]:
        return [2 + ord(letter) % 59 for letter in text]


def test_only_what_the_assistant_says_is_learned() -> None:
    letters = Letters()
    ids, labels = encode(letters, CHATS[1], 100)
    learned = [label for label in labels if label != IGNORED]
    assert learned == [*letters.ids("xx"), 1, *letters.ids("fe"), 1]
    assert all(label in (IGNORED, token) for label, token in zip(labels, ids, strict=True))
    assert len(encode(letters, CHATS[1], 5)[0]) == len(encode(letters, CHATS[1], 5)[1]) == 5


def test_batches_are_padded_and_see_every_chat() -> None:
    examples = [([n] * (n + 1), [n] * (n + 1)) for n in range(1, 5)]
    batches = _batches(examples, FineTuning(batch=2), 0, torch.device("cpu"))
    seen: set[int] = set()
    for _ in range(2):
        batch = next(batches)
        assert torch.equal(batch["attention_mask"] == 0, batch["input_ids"] == 0)
        assert torch.equal(batch["attention_mask"] == 0, batch["labels"] == IGNORED)
        seen |= set(batch["input_ids"][:, 0].tolist())
    assert seen == {1, 2, 3, 4}


@pytest.mark.parametrize("packed", [False, True], ids=["lora", "qlora"])
def test_loss_falls_and_the_adapter_reloads_and_merges(packed: bool, tmp_path: Path) -> None:
    def base() -> Any:
        model = plain(router_logit_softcapping=30.0)
        return pack(model, Grok2PackedConfig(**MIXED)) if packed else model

    model = base()
    before = run(model, [IDS])
    losses = finetune(model, Letters(), CHATS, tmp_path, SETTINGS)
    assert losses[-1] < 0.6 * losses[0]
    after = run(model, [IDS])
    assert np.abs(after - before).max() > 1e-2

    adapted = load_adapter(base(), str(tmp_path))
    assert np.array_equal(run(adapted, [IDS]), after)
    with adapted.disable_adapter():
        assert np.abs(run(adapted, [IDS]) - before).max() < 1e-6
    merged = merge(adapted, torch.float32)
    assert not any(isinstance(m, PackedLinear | LoraPackedLinear) for m in merged.modules())
    assert np.abs(run(merged, [IDS]) - after).max() < 2e-3
    merged.save_pretrained(tmp_path / "merged")
    again = type(merged).from_pretrained(tmp_path / "merged", dtype=torch.float32)
    assert np.abs(run(again, [IDS]) - run(merged, [IDS])).max() < 1e-5


@pytest.mark.parametrize("packed", [False, True])
def test_every_expert_is_adapted_unless_refused(packed: bool) -> None:
    for experts in (True, False):
        model = plain()
        if packed:
            pack(model, Grok2PackedConfig(**MIXED))
        adapted = get_peft_model(model, lora_config(model, 2, 4, experts=experts))
        trained = [name for name, weight in adapted.named_parameters() if weight.requires_grad]
        layers = model.config.num_hidden_layers
        assert len(trained) == 2 * layers * (9 if experts else 7)
        assert any("experts" in name for name in trained) == experts


def test_checkpointing_changes_nothing(tmp_path: Path) -> None:
    losses = [
        finetune(
            plain(),
            Letters(),
            CHATS,
            tmp_path / str(checkpointing),
            FineTuning(rank=2, epochs=2, batch=2, accumulate=1, checkpointing=checkpointing),
        )
        for checkpointing in (True, False)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_chats_are_read_and_a_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "chats.jsonl"
    path.write_text("\n".join(json.dumps({"messages": chat}) for chat in CHATS) + "\n\n")
    assert read_chats(path) == CHATS
    odd = [{"role": "assistant", "content": "one\u2028line\x85"}]
    path.write_text(json.dumps({"messages": odd}, ensure_ascii=False) + "\r\n")
    assert read_chats(path) == [odd]
    for line, said in (
        ("{", "chats.jsonl:1 is no chat"),
        ('{"text": "x"}', "is no chat"),
        ('[{"role": "bot", "content": "x"}]', "the role 'bot'"),
        ('[{"role": "user", "content": "x"}]', "no message of the assistant"),
        ('[{"role": "assistant", "content": null}]', "is no chat"),
        ('[{"role": ["assistant"], "content": "x"}]', "is no chat"),
        ("[" * 100_000, "is no chat"),
        (r'[{"role": "assistant", "content": "a \ud800 b"}]', "chats.jsonl:1 is no chat"),
        (json.dumps(odd) + "\n\n\r\n{", "chats.jsonl:4 is no chat"),
        ("", "holds no chat"),
    ):
        path.write_text(line)
        with pytest.raises(ValueError, match=said):
            read_chats(path)
    path.write_bytes(json.dumps(odd).encode() + b'\n[{"role": "assistant", "content": "\xe9"}]')
    with pytest.raises(ValueError, match=r"chats.jsonl:2 is no chat"):
        read_chats(path)


def test_a_line_without_an_end_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "chats.jsonl"
    chat = json.dumps(CHATS[0]).encode()
    path.write_bytes(chat.ljust(LONGEST - 1) + b"\n" + chat)
    assert read_chats(path) == [CHATS[0]] * 2
    path.write_bytes(chat + b"\n")
    with path.open("r+b") as file:
        file.truncate(2**36)  # bytes of zeros that take no room on the disk
    with pytest.raises(ValueError, match=r"chats.jsonl:2 is longer than 16 MiB"):
        read_chats(path)


CUT_OFF = FineTuning(rank=2, epochs=4, batch=1, accumulate=1, learning_rate=1e-2, keep_every=3)


@pytest.mark.parametrize("packed", [False, True], ids=["lora", "qlora"])
@pytest.mark.parametrize("stop", [2, 4])
def test_a_training_that_was_cut_off_goes_on_to_the_same_adapter(
    packed: bool, stop: int, tmp_path: Path
) -> None:
    def base() -> Any:
        return pack(plain(), Grok2PackedConfig(**MIXED)) if packed else plain()

    whole = finetune(base(), Letters(), CHATS, tmp_path / "whole", CUT_OFF)
    assert len(whole) == 8
    done: list[int] = []

    def stepped(*, description: str, completed: int, total: int) -> None:
        done.append(completed)

    target = tmp_path / "cut"
    with pytest.raises(KeyboardInterrupt):
        stopped = lambda: len(done) == stop  # noqa: E731
        finetune(base(), Letters(), CHATS, target, CUT_OFF, stepped, stopped=stopped)
    assert not (target / "adapter_model.safetensors").exists()
    losses = finetune(base(), Letters(), CHATS, target, CUT_OFF, stepped, resume=True)
    assert done == list(range(1, 9))
    assert losses == whole
    expected, found = (load_file(folder / ADAPTER) for folder in (tmp_path / "whole", target))
    assert expected.keys() == found.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())
    assert not (target / "training.pt").exists()


def test_a_training_killed_without_a_word_goes_on_from_what_was_kept(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def die(*, description: str, completed: int, total: int) -> None:
        if completed == 5:
            raise Killed

    with pytest.raises(Killed):
        finetune(plain(), Letters(), CHATS, tmp_path, CUT_OFF, die)
    done: list[int] = []

    def stepped(*, description: str, completed: int, total: int) -> None:
        done.append(completed)

    finetune(plain(), Letters(), CHATS, tmp_path, CUT_OFF, stepped, resume=True)
    assert done == [4, 5, 6, 7, 8]


def test_what_a_training_cannot_go_on_with(tmp_path: Path) -> None:
    def train(**how: Any) -> None:
        settings = replace(CUT_OFF, **how.pop("settings", {}))
        finetune(
            how.pop("model", plain()), Letters(), how.pop("chats", CHATS), tmp_path, settings, **how
        )

    with pytest.raises(ValueError, match="holds no training that was cut off: leave out --resume"):
        train(resume=True)
    with pytest.raises(KeyboardInterrupt):
        train(stopped=lambda: True)
    for how, said in (
        ({}, "go on with --resume"),
        ({"resume": True, "settings": {"rank": 3}}, "was made with rank 2, not 3"),
        ({"resume": True, "chats": CHATS[:1] * 2}, "was made with chats"),
        (
            {"resume": True, "model": pack(plain(), Grok2PackedConfig(**MIXED))},
            "was trained over another model",
        ),
    ):
        with pytest.raises(ValueError, match=said):
            train(**how)
    (tmp_path / "training.pt").write_bytes(b"")
    with pytest.raises(ValueError, match=r"training.pt cannot be read"):
        train(resume=True)


def test_a_training_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    for settings, said in (
        (replace(CUT_OFF, length=3), "Chat 1 has no word of the assistant in its first 3 tokens"),
        (replace(CUT_OFF, epochs=0), "0 epochs of 2 chats are no step"),
        (replace(CUT_OFF, learning_rate=1e30), "The loss of step [234] is (nan|inf)"),
    ):
        with pytest.raises(ValueError, match=said):
            finetune(plain(), Letters(), CHATS, tmp_path / "adapter", settings)
        written = settings.learning_rate == 1e30  # which shows at a step alone
        assert (tmp_path / "adapter").exists() == written
    assert not (tmp_path / "adapter" / ADAPTER).exists()


def test_what_is_done_is_not_written_over(tmp_path: Path) -> None:
    once = replace(CUT_OFF, epochs=1)
    finetune(plain(), Letters(), CHATS, tmp_path / "done", once)
    before = {path.name: path.read_bytes() for path in (tmp_path / "done").iterdir()}
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "file").write_text("mine")
    for target, said in (
        ("done", "holds an adapter that is done: choose another directory, or remove it"),
        ("model", "holds a model"),
        ("file", "is no directory"),
    ):
        for resume in (False, True):
            with pytest.raises(ValueError, match=said):
                finetune(plain(), Letters(), CHATS, tmp_path / target, once, resume=resume)
    assert {path.name: path.read_bytes() for path in (tmp_path / "done").iterdir()} == before
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["config.json"]


@pytest.mark.parametrize("packed", [False, True])
def test_an_adapter_over_the_other_kind_is_refused(packed: bool, tmp_path: Path) -> None:
    bases = [plain(), pack(plain(), Grok2PackedConfig(**MIXED))]
    finetune(bases[packed], Letters(), CHATS, tmp_path, replace(CUT_OFF, epochs=1))
    with pytest.raises(ValueError, match=r"was trained over a .* or another model, not over this"):
        load_adapter(
            [plain(), pack(plain(), Grok2PackedConfig(**MIXED))][not packed], str(tmp_path)
        )


def test_weights_are_given_back_as_they_are_used() -> None:
    model = pack(plain(), Grok2PackedConfig(**MIXED))
    adapted = get_peft_model(model, lora_config(model, 2, 4))
    adapted.add_adapter("second", lora_config(model, 2, 4, experts=False))
    layers = [one for one in model.modules() if isinstance(one, LoraPackedLinear)]
    assert {one.experts for one in layers} == {None, 8}
    for layer in layers:
        layer.lora_B["default"].weight.data.normal_()
        plain_weight = layer.get_base_layer().dequantize(torch.float32)
        assert not torch.equal(layer.dequantize(torch.float32), plain_weight)
    with adapted.disable_adapter():
        for layer in layers:
            used = layer.dequantize(torch.float32)
            assert torch.equal(used, layer.get_base_layer().dequantize(torch.float32))
    adapted.set_adapter("second")
    for layer in layers:  # whose factors begin at nothing, or which it does not have
        used = layer.dequantize(torch.float32)
        assert torch.equal(used, layer.get_base_layer().dequantize(torch.float32))
