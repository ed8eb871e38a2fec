"""`ariane grok merge`: a model with its adapter in its weights, as a directory of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from tests.grok.test_quantization_grok2 import MIXED, plain

from ariane.__main__ import main
from ariane.grok import merging_grok2, packing_grok2, running_grok2
from ariane.grok.configuration_packed import Grok2PackedConfig
from ariane.grok.lora_grok2 import changes, load_adapter, lora_config, merge
from ariane.grok.quantizer_grok2 import pack

SMALL = Path(__file__).parents[2] / "models" / "small-grok"
TEXT = "La jeune femme ouvrit la porte et regarda longtemps la mer, qui était grise ce matin-là."


def run(*arguments: object) -> int:
    return main(["grok", *map(str, arguments)])


def adapted(model: Any, config: LoraConfig) -> Any:
    """The model under an adapter that changes every weight it sits on."""
    made = get_peft_model(model, config).eval()
    torch.manual_seed(3)
    for name, weight in made.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=0.02)
    return made


def logits(model: Any, tokenizer: Any) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(**tokenizer(TEXT, return_tensors="pt")).logits
        return found


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    packed = tmp_path_factory.mktemp("packed") / "q"
    assert run("quantize", SMALL, packed, "--bits", 4, "--expert-bits", 3) == 0
    return {"plain": SMALL, "packed": packed}


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory, bases: dict[str, Path]) -> dict[str, Path]:
    found = {}
    for kind, base in bases.items():
        found[kind] = tmp_path_factory.mktemp("adapters") / kind
        model, _ = running_grok2.load(base, "float32")
        made = adapted(model, lora_config(model, 4, 8))
        made.save_pretrained(found[kind], save_embedding_layers=False)
    return found


@pytest.mark.parametrize("kind", ["plain", "packed"])
def test_a_merged_directory_says_what_base_and_adapter_say(
    kind: str, bases: dict[str, Path], adapters: dict[str, Path], tmp_path: Path
) -> None:
    target = tmp_path / "merged"
    assert run("merge", bases[kind], adapters[kind], target, "--dtype", "float32") == 0
    merged, ours = running_grok2.load(target)
    assert {weight.dtype for weight in merged.parameters()} == {torch.float32}
    assert merged.config.to_dict().get("quantization_config") is None
    model, tokenizer = running_grok2.load(bases[kind], "float32")
    before = logits(model, tokenizer)
    under = load_adapter(model, str(adapters[kind]))
    expected = logits(under, tokenizer)
    assert (expected - before).abs().max() > 0.1
    assert (logits(merged, ours) - expected).abs().max() < 1e-4
    in_memory = merge(under, torch.float32).state_dict()
    for name, weight in merged.state_dict().items():
        assert torch.allclose(weight, in_memory[name], rtol=0, atol=1e-6), name
    turns = [{"role": "user", "content": "Où ?<|separator|>"}]
    assert ours.apply_chat_template(turns) == tokenizer.apply_chat_template(turns)


def test_formats_stay_and_a_second_run_keeps_what_is_there(
    adapters: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "model.safetensors.part").write_bytes(b"half")
    assert run("merge", SMALL, adapters["plain"], tmp_path) == 0
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["model_type"], config["dtype"]) == ("grok2", "bfloat16")
    written = (tmp_path / "model.safetensors").stat().st_mtime_ns
    assert run("merge", SMALL, adapters["plain"], tmp_path) == 0
    assert (tmp_path / "model.safetensors").stat().st_mtime_ns == written
    model, _ = running_grok2.load(tmp_path)
    assert {weight.dtype for weight in model.parameters()} == {torch.bfloat16}


@pytest.mark.parametrize("kind", ["plain", "packed"])
def test_no_more_than_some_rows_are_in_memory(
    kind: str,
    bases: dict[str, Path],
    adapters: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[int] = []
    blocks = merging_grok2.blocks_of

    def counted(part: torch.Tensor) -> Any:
        read.append(part.numel())
        return blocks(part)

    monkeypatch.setattr(merging_grok2, "blocks_of", counted)
    monkeypatch.setattr(packing_grok2, "CHUNK", 2**14)
    merging_grok2.merge_directory(bases[kind], adapters[kind], tmp_path, limit=10**6)
    assert max(read) <= 2**14
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 2
    model, _ = running_grok2.load(tmp_path)
    assert sum(read) == sum(weight.numel() for weight in model.parameters())


@pytest.mark.parametrize(
    "sizes",
    [
        {"num_local_experts": 1, "num_experts_per_tok": 1},
        {"num_local_experts": 0},
        {"residual_moe": False, "tie_word_embeddings": True},
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_changes_are_those_that_peft_makes(sizes: dict[str, Any], packed: bool) -> None:
    def base() -> Any:
        model = plain(**sizes)
        return pack(model, Grok2PackedConfig(**MIXED)) if packed else model

    made = adapted(base(), lora_config(base(), 2, 4))
    found = changes(made)
    without = get_peft_model(base(), lora_config(base(), 2, 4))  # changes nothing at first
    before, after = (merge(one, torch.float32).state_dict() for one in (without, made))
    assert before.keys() == after.keys() > found.keys()
    for name, weight in after.items():
        change = torch.zeros_like(weight)
        if name in found:
            change = found[name][(slice(None),) * (weight.dim() - 1)]
            assert change.abs().max() > 1e-3
        assert torch.allclose(weight, before[name] + change, rtol=0, atol=1e-6), name


def refused(capsys: pytest.CaptureFixture[str], status: int, *arguments: object) -> str:
    assert run("merge", *arguments) == status
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_wrong_calls_and_other_adapters_are_one_sentence(
    bases: dict[str, Path],
    adapters: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    new, adapter = tmp_path / "new", adapters["plain"]
    assert "int4" in refused(capsys, 2, SMALL, adapter, new, "--dtype", "int4")
    assert "nowhere is no directory" in refused(capsys, 2, SMALL, tmp_path / "nowhere", new)
    assert "is no directory" in refused(capsys, 2, tmp_path / "nowhere", adapter, new)
    assert "has no adapter_config.json" in refused(capsys, 1, SMALL, SMALL.parent, new)
    assert "checkpoint itself" in refused(capsys, 1, bases["packed"], adapter, bases["packed"])
    assert "adapter itself" in refused(capsys, 1, SMALL, adapter, adapter)
    for base, other in (("plain", "packed"), ("packed", "plain")):
        said = refused(capsys, 1, bases[base], adapters[other], new)
        assert f"was trained over a {other} or another model, not over this {base} one" in said
    torn = tmp_path / "torn"
    torn.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (torn / name).write_bytes(b"{}")
    assert "torn holds no whole adapter" in refused(capsys, 1, SMALL, torn, new)
    assert not new.exists()


def test_a_directory_that_holds_something_else_is_refused(
    adapters: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = tmp_path / "note.txt"
    note.write_text("mine")
    said = refused(capsys, 1, SMALL, adapters["plain"], tmp_path)
    assert "holds note.txt, which is not of this source" in said
    assert list(tmp_path.iterdir()) == [note]
    assert "is no directory: choose another" in refused(capsys, 1, SMALL, adapters["plain"], note)


def test_another_merge_is_named_by_its_weights(
    adapters: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ("merge", SMALL, adapters["plain"], tmp_path, "--dtype")
    assert run(*call, "bfloat16") == 0
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    said = refused(capsys, 1, *call[1:], "float32")
    assert "model.safetensors is of another source or of other settings: remove it" in said
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    "how",
    [
        {"use_dora": True},
        {"target_modules": ["q_proj", "embed_tokens"]},
        {"modules_to_save": ["lm_head"]},
    ],
)
def test_an_adapter_that_is_more_than_two_factors_is_refused(how: dict[str, Any]) -> None:
    given = {"target_modules": ["q_proj"], **how}
    made = adapted(plain(), LoraConfig(r=2, task_type="CAUSAL_LM", **given))
    with pytest.raises(ValueError, match="more than LoRA's two factors"):
        changes(made)
