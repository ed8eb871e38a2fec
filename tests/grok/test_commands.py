"""`ariane grok inspect` and `convert`, as a user calls them."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tests.grok.checkpoints import copied, random_model, replaced, write_merged, write_published
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from ariane.__main__ import main
from ariane.grok.checkpoint import read_checkpoint
from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.configuration_packed import Grok2PackedConfig
from ariane.grok.layout_grok2 import active_share, file_name, parameters
from ariane.grok.loading_grok2 import lazy_state
from ariane.grok.modeling_grok2 import Grok2ForCausalLM
from ariane.grok.quantization_grok2 import quantize_checkpoint

MODEL = random_model()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_published(tmp_path_factory.mktemp("published"), MODEL)


def run(*arguments: object) -> int:
    return main(["grok", *map(str, arguments)])


def test_inspect_counts_what_is_there(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("inspect", published, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["faults"] == []
    total = found["kinds"][-1]
    count = sum(parameter.numel() for parameter in MODEL.parameters())
    experts = sum(
        parameter.numel() for name, parameter in MODEL.named_parameters() if ".experts." in name
    )
    assert (total["name"], total["parameters"], total["bits"]) == ("total", count, 16)
    assert total["bytes"] == 2 * count
    embedding, width = MODEL.model.embed_tokens.weight.shape
    assert total["active"] == count - experts * 3 // 4 - (embedding - 1) * width
    assert total["files"] == len(list(published.glob("*.safetensors")))
    parts = {row["name"]: row for row in found["parts"]}
    assert parts["experts"]["parameters"] == experts
    assert parts["experts"]["active"] == experts // 4
    assert parts.pop("total") == total
    assert sum(row["parameters"] for row in parts.values()) == count
    assert run("inspect", published) == 0
    assert "self_attn.q_proj" in capsys.readouterr().out


def test_inspect_knows_the_published_sizes() -> None:
    """The figures that are told of Grok-2, from its configuration alone."""
    config = Grok2Config()
    sizes = {name: math.prod(one.shape) for name, one in parameters(config).items()}
    assert round(sum(sizes.values()) / 1e9, 2) == 269.52
    active = sum(size * active_share(config, name) for name, size in sizes.items())
    assert round(active / 1e9, 1) == 113.8


def test_inspect_of_a_packed_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = Path(__file__).parents[2] / "models" / "small-grok"
    target = tmp_path / "packed"
    bits = ("--bits", 8, "--expert-bits", 3, "--head-bits", 4, "--group-size", 32)
    assert run("quantize", small, target, *bits) == 0
    assert run("inspect", target, "--json") == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    parts = {row["name"]: row for row in found["parts"]}
    said = {"attention": 9, "dense MLP": 9, "experts": 4, "head": 5, "embedding": 16}
    assert {name: parts[name]["bits"] for name in said} == said
    run("inspect", small, "--json")
    plain = {row["name"]: row for row in json.loads(capsys.readouterr().out)["parts"]}
    for name, row in parts.items():
        assert (row["parameters"], row["active"]) == (
            plain[name]["parameters"],
            plain[name]["active"],
        )
    (file,) = target.glob("*.safetensors")
    with safe_open(file, "pt") as opened:
        stored = sum(opened.get_tensor(name).nbytes for name in opened.keys())  # noqa: SIM118
    assert (parts["total"]["bytes"], parts["total"]["files"]) == (stored, 1)


def test_inspect_says_what_a_packed_directory_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = dict.fromkeys(("hidden_size", "intermediate_size", "moe_intermediate_size"), 64)
    model = random_model(**wide, num_hidden_layers=1, head_dim=32)
    source = write_published(tmp_path / "published", model)
    target = tmp_path / "packed"
    packing = Grok2PackedConfig(4, group_size=32)
    tensors = lazy_state(read_checkpoint(source, model.config), None)
    quantize_checkpoint(tensors, model.config, packing, target, shard_bytes=40_000)
    shutil.copy(source / "tokenizer.tok.json", target)
    assert run("inspect", target) == 0
    capsys.readouterr()
    files = sorted(target.glob("*.safetensors"))
    assert len(files) > 2
    with safe_open(files[1], "pt") as opened:
        kept, *lost = sorted(opened.keys())
        save_file({kept: opened.get_tensor(kept)}, files[1])
    assert run("inspect", target, "--json") == 1
    faults = json.loads(capsys.readouterr().out)["faults"]
    assert lost
    assert sorted(said.split()[0] for said in faults) == lost
    assert all("start again the command that wrote this directory" in said for said in faults)


def test_inspect_says_what_is_missing(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(published, tmp_path / "checkpoint")
    for name in (file_name(8, 5), file_name(11), "tokenizer.tok.json"):
        (folder / name).unlink()
    assert run("inspect", folder, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert len([said for said in found["faults"] if "rank 5 of 8" in said]) == 16
    assert len([said for said in found["faults"] if file_name(11) in said]) == 2
    assert any("tokenizer.tok.json is missing" in said for said in found["faults"])
    query = next(kind for kind in found["kinds"] if kind["name"].endswith("q_proj"))
    assert (query["found"], query["expected"], query["bytes"]) == (0, 2, 0)
    (folder / "config.json").unlink()
    assert run("inspect", folder) == 1
    assert "has no config.json" in capsys.readouterr().err


def test_inspect_counts_what_other_files_hold(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(published, tmp_path / "checkpoint")
    for number in (9, 11):
        file = folder / file_name(number)
        replaced(file, file.read_bytes()[:-10])
    assert run("inspect", folder, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert [file_name(n) in said for n, said in zip((9, 11), found["faults"], strict=True)]
    total = found["kinds"][-1]
    assert (total["found"], total["files"]) == (total["expected"] - 4, 37)


def test_inspect_runs_no_code_of_a_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "trace"
    (tmp_path / "evil.py").write_text(f"open({str(trace)!r}, 'w')")
    said = {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Evil"}}
    (tmp_path / "config.json").write_text(json.dumps(said))
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    assert run("inspect", tmp_path) == 1
    assert "config.json cannot be read" in capsys.readouterr().err
    assert not trace.exists()


def test_a_merged_directory_needs_nothing_of_ours(published: Path, tmp_path: Path) -> None:
    target = tmp_path / "merged"
    assert run("convert", published, target, "--limit", 0.0001) == 0
    assert len(list(target.glob("model-*.safetensors"))) == 2
    config = json.loads((target / "config.json").read_text())
    assert config["model_type"] == "grok2"
    assert config["architectures"] == ["Grok2ForCausalLM"]
    assert "auto_map" not in config
    loaded = AutoModelForCausalLM.from_pretrained(target)
    stock = PreTrainedModel.from_pretrained.__func__(Grok2ForCausalLM, target)
    for name, tensor in MODEL.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)
        assert torch.equal(stock.state_dict()[name], tensor)
    ours = AutoTokenizer.from_pretrained(published)
    plain = PreTrainedTokenizerFast.from_pretrained(target)
    text = "ab a1\n<|separator|>é"
    assert plain.encode(text) == ours.encode(text)
    assert plain.chat_template == ours.chat_template
    assert loaded.generation_config.eos_token_id == [1, 2]


def test_a_conversion_goes_on_where_it_was_cut_off(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "merged"
    assert run("convert", published, target, "--limit", 0.0001) == 0
    files = sorted(target.glob("model-*.safetensors"))
    whole = {file.name: file.read_bytes() for file in files}
    (target / "model.safetensors.index.json").unlink()
    files[1].rename(files[1].with_name(f"{files[1].name}.part"))
    times = files[0].stat().st_mtime_ns
    assert run("convert", published, target, "--limit", 0.0001) == 0
    assert {file.name: file.read_bytes() for file in files} == whole
    assert files[0].stat().st_mtime_ns == times
    assert not list(target.glob("*.part"))


def test_a_file_cut_by_a_power_failure_is_written_again(published: Path, tmp_path: Path) -> None:
    target = tmp_path / "merged"
    assert run("convert", published, target) == 0
    (file,) = target.glob("*.safetensors")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert run("convert", published, target) == 0
    assert file.read_bytes() == whole


@pytest.mark.parametrize("command", ["convert", "quantize"])
def test_files_of_another_source_are_refused(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = dict.fromkeys(("hidden_size", "intermediate_size", "moe_intermediate_size"), 64)
    first, second = (random_model(seed, head_dim=16, **wide) for seed in (0, 1))
    source, target = write_published(tmp_path / "source", first), tmp_path / "target"
    assert run(command, source, target) == 0
    before = {file.name: file.read_bytes() for file in target.iterdir()}
    shutil.rmtree(source)
    write_published(source, second)
    assert run(command, source, target) == 1
    assert "model.safetensors is of another source" in capsys.readouterr().err
    assert {file.name: file.read_bytes() for file in target.iterdir()} == before


@pytest.mark.parametrize("limits", [(0.0001, 5), (5, 0.0001), (0.0001, 0.00008)], ids=str)
def test_files_of_another_limit_are_refused(
    published: Path,
    tmp_path: Path,
    limits: tuple[float, float],
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = tmp_path / "target"
    assert run("convert", published, target, "--limit", limits[0]) == 0
    before = {file.name: file.read_bytes() for file in target.iterdir()}
    assert run("convert", published, target, "--limit", limits[1]) == 1
    assert "of other settings: remove it" in capsys.readouterr().err
    assert run("convert", published, target, "--limit", limits[0], "--to", "gguf") == 1
    assert {file.name: file.read_bytes() for file in target.iterdir()} == before


def test_another_form_is_refused(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("convert", published, tmp_path, "--to", "gguf") == 0
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert run("convert", published, tmp_path, "--to", "sglang") == 1
    assert "of other settings: remove it" in capsys.readouterr().err
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_target_that_is_a_file_is_refused(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = tmp_path / "chats.jsonl"
    note.write_text("mine")
    for command in ("convert", "quantize"):
        assert run(command, published, note) == 1
        assert "chats.jsonl is no directory: choose another." in capsys.readouterr().err
    assert note.read_text() == "mine"


def test_an_index_of_another_run_is_refused(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = tmp_path / "target" / "model.safetensors.index.json"
    index.parent.mkdir()
    index.write_text("{}")
    assert run("convert", published, index.parent) == 1
    assert f"{index} is of another source" in capsys.readouterr().err.replace("\n", "")


@pytest.mark.parametrize("command", ["convert", "quantize"])
def test_a_missing_tokenizer_is_said_before_anything_is_written(
    command: str, published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(published, tmp_path / "checkpoint")
    (folder / "tokenizer.tok.json").unlink()
    assert run(command, folder, tmp_path / "new") == 1
    assert "tokenizer.tok.json" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("source", ["published", "two ranks", "merged"])
def test_what_llama_cpp_needs(published: Path, tmp_path: Path, source: str) -> None:
    """One name, one tensor, and files called model*."""
    if source == "two ranks":
        published = write_published(tmp_path / "two", MODEL, ranks=2)
    if source == "merged":
        published = write_merged(tmp_path / "source", MODEL)
    target = tmp_path / "gguf"
    assert run("convert", published, target, "--to", "gguf") == 0
    (file,) = target.glob("*.safetensors")
    assert file.name == "model.safetensors"
    with safe_open(file, "pt") as opened:
        names = set(opened.keys())
        assert names == {p.tensor for one in parameters(MODEL.config).values() for p in one.pieces}
        experts = MODEL.model.layers[1].block_sparse_moe.experts
        gate, up = experts.gate_up_proj[5].chunk(2)
        before = "model.layers.1.block_sparse_moe.experts.5."
        for name, expected in (("w1", gate), ("w3", up), ("w2", experts.down_proj[5])):
            assert torch.equal(opened.get_tensor(f"{before}{name}.weight"), expected)
    assert (target / "tokenizer.json").is_file()
    assert (target / "chat_template.jinja").is_file()
    config = json.loads((target / "config.json").read_text())
    assert config["architectures"] == ["Grok1ForCausalLM"]
    assert (config["model_type"], config["rope_type"]) == ("grok2", "default")
    loaded = AutoModelForCausalLM.from_pretrained(target)
    assert torch.equal(loaded.model.layers[1].block_sparse_moe.experts.down_proj, experts.down_proj)


def test_what_sglang_needs(published: Path, tmp_path: Path) -> None:
    """The names that 0.5.23's `models/grok.py` loads, whole, and what it reads of `config.json`."""
    target = tmp_path / "sglang"
    assert run("convert", published, target, "--to", "sglang") == 0
    (file,) = target.glob("*.safetensors")
    assert not file.name.endswith(("-TP-000.safetensors", "-TP-common.safetensors"))
    wanted = {p.tensor: p for one in parameters(MODEL.config).values() for p in one.pieces}
    with safe_open(file, "pt") as opened:
        names = set(opened.keys())
        shapes = {name: tuple(opened.get_slice(name).get_shape()) for name in names}
    assert shapes == {name: piece.shape for name, piece in wanted.items()}
    # An engine reads it with Transformers alone, as the model type that was published.
    read = """
import json, sys
from transformers import AutoConfig, AutoTokenizer
config, tokenizer = (auto.from_pretrained(sys.argv[1]) for auto in (AutoConfig, AutoTokenizer))
print(json.dumps([type(config).__name__, config.to_dict(), tokenizer("a b")["input_ids"]]))
"""
    done = subprocess.run(
        [sys.executable, "-c", read, target], check=True, capture_output=True, text=True
    )
    kind, config, ids = json.loads(done.stdout)
    assert (kind, config["architectures"]) == ("GitConfig", ["Grok1ForCausalLM"])
    assert config["load_presharded_moe"] is False
    assert (config["eos_token_id"], config["pad_token_id"]) == ([1, 2], 0)
    assert config["rope_type"] == "original"
    assert (config["scaling_factor"], config["original_max_position_embeddings"]) == (16, 8192)
    assert config["attn_temperature_len"] == MODEL.config.attn_temperature_len
    assert ids == AutoTokenizer.from_pretrained(published)("a b")["input_ids"]
    assert json.loads((target / "generation_config.json").read_text())["eos_token_id"] == [1, 2]
    experts = MODEL.model.layers[1].block_sparse_moe.experts
    loaded = AutoModelForCausalLM.from_pretrained(target)
    assert torch.equal(loaded.model.layers[1].block_sparse_moe.experts.down_proj, experts.down_proj)


@pytest.mark.parametrize(
    "call",
    [
        (("{here}", "{here}"), 1, "is the checkpoint itself"),
        (("{here}", "{new}", "--to", "onnx"), 2, "'onnx' is not one of"),
        (("{here}", "{new}", "--limit", "-1"), 2, "limit"),
        (("{merged}", "{new}", "--to", "gguf"), 1, "experts fused"),
        (("{empty}", "{new}"), 1, "has no config.json"),
    ],
)
def test_conversions_that_are_refused(
    published: Path,
    tmp_path: Path,
    call: tuple[tuple[str, ...], int, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments, status, said = call
    (tmp_path / "empty").mkdir()
    MODEL.save_pretrained(tmp_path / "merged")
    shutil.copy(published / "tokenizer.tok.json", tmp_path / "merged")
    places = {name: tmp_path / name for name in ("new", "merged", "empty")} | {"here": published}
    assert run("convert", *(one.format(**places) for one in arguments)) == status
    assert said in capsys.readouterr().err


def test_a_disk_too_small_is_said_before_anything_is_written(
    published: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("ariane.grok.errors.shutil.disk_usage", lambda _: full)
    assert run("convert", published, tmp_path / "new") == 1
    assert "make room" in capsys.readouterr().err
    assert list((tmp_path / "new").iterdir()) == []
