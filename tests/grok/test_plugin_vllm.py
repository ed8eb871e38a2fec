"""Grok-2 in vLLM: what it refuses, and the small Grok's logits beside ours, in vLLM itself."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.grok.checkpoints import random_model
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from ariane.__main__ import main
from ariane.grok import CheckpointError
from ariane.grok.refusals_vllm import check_positions, checked
from ariane.grok.write_layout import published_tensors

REPOSITORY = Path(__file__).parents[2]
SMALL = REPOSITORY / "models" / "small-grok"
VLLM = os.environ.get("ARIANE_VLLM", "")
"""A Python with vLLM and, without its dependencies, this package."""

in_vllm = pytest.mark.skipif(not VLLM, reason="ARIANE_VLLM names no Python that has vLLM")
LIMIT = 1e-4
TEXTS = [
    "Il était une fois une petite fille qui demeurait dans un village, et sa mère l'aimait tant.",
    "It was the best of times, it was the worst of times, it was the age of wisdom.",
]
MODEL = random_model()
WHOLE = published_tensors(MODEL.state_dict(), MODEL.config)
SHARDED = "model.layers.0.block_sparse_moe.experts.0.w1.weight"


def defined(name: str) -> set[str]:
    """What a module defines, read without an import: vLLM need not be there."""
    file = (REPOSITORY / "src" / Path(*name.split("."))).with_suffix(".py")
    nodes = ast.parse(file.read_text(encoding="utf-8")).body
    return {node.name for node in nodes if isinstance(node, ast.ClassDef | ast.FunctionDef)}


def test_the_entry_point_is_there() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (point,) = project["entry-points"]["vllm.general_plugins"].values()
    module, _, name = point.partition(":")
    assert name in defined(module)
    assert "Grok2ForCausalLM" in defined("ariane.grok.modeling_grok2_vllm")


@pytest.mark.parametrize("weights", [MODEL.state_dict(), WHOLE], ids=["fused", "apart"])
def test_whole_weights_pass_as_they_are(weights: dict[str, torch.Tensor]) -> None:
    passed = dict(checked(weights.items(), MODEL.config))
    assert list(passed) == list(weights)
    assert all(passed[name] is weights[name] for name in weights)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([(SHARDED, WHOLE[SHARDED][:2])], r"has shape \[2, .*published directory by"),
        ([(SHARDED, WHOLE[SHARDED])] * 2, "is there twice: merge the published directory by"),
        ([("bert.weight", WHOLE[SHARDED])], "bert.weight is no tensor of Grok-2"),
        ([one for one in WHOLE.items() if one[0] != SHARDED], f"{SHARDED} is missing"),
        ([], "is missing"),
    ],
    ids=["shard", "twice", "unknown", "missing", "empty"],
)
def test_other_weights_are_refused(weights: Any, said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        list(checked(weights, MODEL.config))


def test_positions_that_need_a_temperature_are_refused() -> None:
    config = random_model(attn_temperature_len=16).config
    check_positions(config, 17)
    with pytest.raises(ValueError, match=r"max_model_len 18 is too long.* Set it to 17"):
        check_positions(config, 18)
    config.attn_temperature_len = None
    check_positions(config, 131072)


def ask(folder: Path, target: Path, length: int, **engine: Any) -> list[dict[str, Any]]:
    """What vLLM says of the texts; raises `CalledProcessError` with its words."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    prompts = [tokenizer(text)["input_ids"][:40] for text in TEXTS]
    engine |= {"model": str(folder), "max_model_len": length}
    done = subprocess.run(
        [VLLM, str(Path(__file__).with_name("in_vllm.py")), str(target)],
        input=json.dumps({"engine": engine, "prompts": prompts, "new": 20}),
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return [
        one | {"ids": ids} for one, ids in zip(json.loads(target.read_text()), prompts, strict=True)
    ]


@in_vllm
@pytest.mark.slow
@pytest.mark.parametrize(
    ("to", "changes"),
    [
        ("merged", {}),
        ("sglang", {"attn_temperature_len": None, "hidden_act": "gelu_pytorch_tanh"}),
    ],
    ids=["merged", "apart, tanh"],
)
def test_the_logits_in_vllm_are_ours(to: str, changes: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "small"
    assert main(["grok", "convert", str(SMALL), str(folder), "--to", to]) == 0
    config = AutoConfig.from_pretrained(folder)
    told = ask(folder, tmp_path / "told", 300 if changes else 65, hf_overrides=changes)
    for name, value in changes.items():
        setattr(config, name, value)
    model = AutoModelForCausalLM.from_pretrained(folder, config=config, dtype=torch.float32)
    for one in told:
        ids = torch.tensor([one["ids"]])
        with torch.no_grad():
            scores = model(ids).logits[0, :-1].log_softmax(-1)
        ours = scores.gather(-1, ids[0, 1:, None])[:, 0]
        difference = float((ours - torch.tensor(one["prompt"])).abs().max())
        print(f"{to}: {difference:.1e}")
        assert difference < LIMIT
        grown = model.generate(ids, max_new_tokens=20, do_sample=False)[0, ids.shape[1] :]
        assert grown.tolist() == one["new"]


@in_vllm
@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "length", "said"),
    [(None, 66, "max_model_len 66 is too long"), (SMALL, 65, "published directory by")],
    ids=["too long", "published"],
)
def test_what_vllm_says_of_what_it_cannot(
    folder: Path | None, length: int, said: str, tmp_path: Path
) -> None:
    if folder is None:
        folder = tmp_path / "small"
        assert main(["grok", "convert", str(SMALL), str(folder)]) == 0
    with pytest.raises(RuntimeError, match=said):
        ask(folder, tmp_path / "told", length)
