"""The Auto classes load every layout exactly, and a real GIT model as before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.grok.checkpoints import random_model, write_merged, write_published
from tests.grok.hub import serving
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoTokenizer,
    BertTokenizer,
    GitConfig,
    GitForCausalLM,
    pipeline,
)

import ariane.grok
from ariane.grok.checkpoint import read_checkpoint
from ariane.grok.loading_grok2 import lazy_state

SMALL = Path(__file__).parents[2] / "models" / "small-grok"


def same(model: Any, other: Any) -> bool:
    ours, theirs = model.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[n], theirs[n]) for n in ours)


@pytest.fixture(scope="module")
def model() -> Any:
    return random_model()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, model: Any) -> Path:
    return write_published(tmp_path_factory.mktemp("published"), model)


def test_auto_classes_know_the_published_directory(published: Path, model: Any) -> None:
    config = AutoConfig.from_pretrained(published)
    assert type(config) is ariane.grok.Grok2Config
    assert config.eos_token_id == [1, 2]
    tokenizer = AutoTokenizer.from_pretrained(published)
    assert type(tokenizer) is ariane.grok.Grok2Tokenizer
    loaded = AutoModelForCausalLM.from_pretrained(published, device_map="auto")
    assert loaded.dtype == torch.bfloat16
    assert same(loaded, model)
    assert loaded.name_or_path == str(published)
    assert loaded.generation_config.eos_token_id == [1, 2]
    body = AutoModel.from_pretrained(published)
    assert torch.equal(body.norm.weight, model.model.norm.weight)
    text = tokenizer("ab a", return_tensors="pt")
    made = loaded.generate(**text, max_new_tokens=3, do_sample=False, eos_token_id=[])
    assert made.shape[1] == text["input_ids"].shape[1] + 3


def test_pipeline(published: Path) -> None:
    generate = pipeline("text-generation", model=str(published), device_map="auto")
    said = generate("ab", max_new_tokens=2, do_sample=False)[0]["generated_text"]
    assert said.startswith("ab")


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_fewer_ranks(tmp_path: Path, model: Any, ranks: int) -> None:
    folder = write_published(tmp_path / "checkpoint", model, ranks)
    assert same(AutoModelForCausalLM.from_pretrained(folder), model)


def test_a_single_expert(tmp_path: Path) -> None:
    model = random_model(num_local_experts=1, num_experts_per_tok=1)
    for ranks in (1, 8):
        folder = write_published(tmp_path / str(ranks), model, ranks)
        assert same(AutoModelForCausalLM.from_pretrained(folder), model)


def test_merged_and_saved_directories(tmp_path: Path, model: Any) -> None:
    folder = write_merged(tmp_path / "merged", model)
    loaded = AutoModelForCausalLM.from_pretrained(folder)
    assert same(loaded, model)
    loaded.save_pretrained(tmp_path / "saved")
    assert AutoConfig.from_pretrained(tmp_path / "saved").model_type == "grok2"
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "saved", device_map="cpu")
    assert same(again, model)


@pytest.mark.parametrize("dtype", [torch.float32, "float16", "auto", None])
def test_dtypes(published: Path, model: Any, dtype: Any) -> None:
    loaded = AutoModelForCausalLM.from_pretrained(published, dtype=dtype)
    expected = {torch.float32: torch.float32, "float16": torch.float16}.get(dtype, torch.bfloat16)
    assert {parameter.dtype for parameter in loaded.parameters()} == {expected}
    assert same(loaded, random_model().to(expected))


@pytest.mark.parametrize(
    "sizes",
    [
        {"residual_moe": False, "tie_word_embeddings": True, "hidden_act": "gelu_pytorch_tanh"},
        {"num_local_experts": 0},
        {"attn_logit_softcapping": None, "attn_temperature_len": None},
    ],
)
def test_other_architectures(tmp_path: Path, sizes: dict[str, Any]) -> None:
    model = random_model(1, **sizes)
    loaded = AutoModelForCausalLM.from_pretrained(write_published(tmp_path / "checkpoint", model))
    assert same(loaded, model)
    assert {name: getattr(loaded.config, name) for name in sizes} == sizes


def test_parts_offloaded_to_disk_compute_the_same(
    published: Path, model: Any, tmp_path: Path
) -> None:
    places = dict.fromkeys(
        ["model.embed_tokens", "model.norm", "model.rotary_emb", "lm_head"], "cpu"
    )
    places |= {"model.layers.0": "cpu", "model.layers.1": "disk"}
    loaded = AutoModelForCausalLM.from_pretrained(
        published, device_map=places, offload_folder=tmp_path / "offload"
    )
    ids = torch.tensor([[3, 4, 5, 6]])
    with torch.no_grad():
        assert torch.equal(loaded(ids).logits, model(ids).logits)


def test_slices_of_a_lazy_parameter(published: Path, model: Any) -> None:
    """As tensor parallelism reads them: only a rank's part."""
    state = lazy_state(read_checkpoint(published, model.config), None)
    for name, whole in model.state_dict().items():
        lazy = state[name]
        assert lazy.get_shape() == list(whole.shape)
        assert lazy.get_dtype() == "BF16"
        cuts = [slice(0, 5), slice(3, 29), slice(1, 15)][: whole.dim()]
        assert torch.equal(lazy[tuple(cuts)], whole[tuple(cuts)])
        assert torch.equal(lazy[..., : whole.shape[-1]], whole)
        assert lazy[:0].shape == whole[:0].shape
    with pytest.raises(TypeError, match="slices of step 1"):
        _ = state["model.norm.weight"][0]


def test_the_published_configuration_of_the_real_model() -> None:
    published = {
        "architectures": ["Grok1ForCausalLM"],
        "model_type": "git",
        "rope_type": "original",
        "rope_theta": 208533496,
        "scaling_factor": 16,
        "extrapolation_factor": 1,
        "attn_factor": 1,
        "beta_fast": 8,
        "beta_slow": 1,
        "original_max_position_embeddings": 8192,
        "torch_dtype": "bfloat16",
        "sliding_window_size": -1,
        "global_attn_every_n": 1,
    }
    config = AutoConfig.for_model("git").__class__
    assert config is GitConfig
    ours = ariane.grok.Grok2Config()
    theirs = ariane.grok.configuration_auto.AutoGitConfig.from_dict(published)
    assert type(theirs) is type(ours)
    assert theirs.rope_parameters == ours.rope_parameters
    assert theirs.dtype in ("bfloat16", torch.bfloat16)


def test_a_real_git_model_is_left_alone(tmp_path: Path) -> None:
    sizes = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16}
    config = GitConfig(
        vision_config=sizes | {"num_hidden_layers": 1, "image_size": 32, "patch_size": 16},
        vocab_size=20,
        num_hidden_layers=1,
        **sizes,
    )
    model = GitForCausalLM(config)
    model.save_pretrained(tmp_path)
    (tmp_path / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"])
    )
    assert type(AutoConfig.from_pretrained(tmp_path)) is GitConfig
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert type(loaded) is GitForCausalLM
    assert same(loaded, model)
    assert isinstance(AutoTokenizer.from_pretrained(tmp_path), BertTokenizer)


def test_a_configuration_that_cannot_be_built_is_no_other_tokenizer(
    published: Path, tmp_path: Path
) -> None:
    text = (published / "config.json").read_text().replace('"head_dim": 8', '"head_dim": 7')
    (tmp_path / "config.json").write_text(text)
    for auto in (AutoConfig, AutoTokenizer, AutoModelForCausalLM):
        with pytest.raises(ariane.grok.CheckpointError, match="head_dim"):
            auto.from_pretrained(tmp_path)


IMPORTS = (
    "from transformers import AutoConfig; import ariane.grok",
    "import transformers, ariane.grok; from transformers import pipeline",
    "import ariane.grok; import transformers.modeling_layers",
)


LOADS = """
from transformers import AutoTokenizer, AutoModelForCausalLM

tokenizer = AutoTokenizer.from_pretrained({folder!r})
assert type(tokenizer).__name__ == "Grok2Tokenizer"
model = AutoModelForCausalLM.from_pretrained({folder!r})
assert type(model).__name__ == "Grok2ForCausalLM"
rooms = {{name for name in sys.modules if name.startswith("ariane.")}}
assert {{name for name in rooms if not name.startswith("ariane.grok")}} == set(), rooms
"""

EACH = """
import os, sys, torch.distributed.tensor, torch._dynamo

for imports in {imports!r}:
    child = os.fork()
    if not child:
        exec(imports + {loads!r})
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(imports)
"""


@pytest.mark.slow
def test_any_order_of_imports_registers_and_loads_no_other_room(published: Path) -> None:
    """Each order in a process of its own, in which only PyTorch has been imported before."""
    loads = LOADS.format(folder=str(published))
    code = EACH.format(imports=IMPORTS, loads=loads)
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import ariane.grok, sys; print({'torch', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


SNIPPET = """
from transformers import AutoTokenizer, AutoModelForCausalLM

tokenizer = AutoTokenizer.from_pretrained("xai-org/grok-2")
model = AutoModelForCausalLM.from_pretrained("xai-org/grok-2", device_map="auto")
inputs = tokenizer("Explain the theory of relativity.", return_tensors="pt").to(model.device)
outputs = model.generate(**inputs, max_new_tokens=4)
print(type(model).__name__, len(outputs[0]) > 4)
"""


def hub_cache(cache: Path, folder: Path) -> None:
    """A filled cache of the hub, as a download leaves it."""
    commit = "0" * 40
    repository = cache / "models--xai-org--grok-2"
    snapshot = repository / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    for file in folder.iterdir():
        (snapshot / file.name).symlink_to(file)


def run_snippet(folder: Path, **environment: str) -> str:
    script = folder / "snippet.py"
    script.write_text(SNIPPET)
    done = subprocess.run(
        [sys.executable, "-m", "ariane.grok", str(script)],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_snippet_untouched_from_a_filled_cache(tmp_path: Path) -> None:
    hub_cache(tmp_path / "hub", SMALL)
    said = run_snippet(tmp_path, HF_HUB_CACHE=str(tmp_path / "hub"), HF_HUB_OFFLINE="1")
    assert said == "Grok2ForCausalLM True\n"


@pytest.mark.slow
def test_the_snippet_untouched_from_a_hub(tmp_path: Path) -> None:
    with serving(SMALL) as (endpoint, hub):
        said = run_snippet(
            tmp_path, HF_HOME=str(tmp_path / "home"), HF_ENDPOINT=endpoint, HF_HUB_OFFLINE="0"
        )
    assert said == "Grok2ForCausalLM True\n"
    got = {asked.split("/")[-1] for asked in hub.asked if asked.startswith("GET /xai-org/grok-2/")}
    assert {file.name for file in SMALL.glob("*.safetensors")} <= got


@pytest.mark.parametrize("arguments", [[], ["--help"], ["nothing.py"]])
def test_a_wrong_call_of_the_runner(arguments: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ariane.grok", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert "script.py" in done.stderr or "nothing.py is no file" in done.stderr
