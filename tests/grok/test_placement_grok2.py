from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate.big_modeling import attach_align_device_hook_on_blocks
from accelerate.utils import OffloadedWeightsLoader, extract_submodules_state_dict
from tests.grok.test_quantization_grok2 import MIXED, plain
from tests.grok.tiny import IDS, run

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.configuration_packed import Grok2PackedConfig
from ariane.grok.modeling_grok2 import Grok2ForCausalLM
from ariane.grok.placement_grok2 import compute_where_it_lies, device_map, load
from ariane.grok.planning_grok2 import GB
from ariane.grok.quantizer_grok2 import pack

CARD = 24 * 2**30


def made(packed: bool) -> Any:
    return pack(plain(), Grok2PackedConfig(**MIXED)) if packed else plain()


def test_a_24_gib_card_takes_attention_the_head_and_part_of_the_dense_mlps_at_3_bits() -> None:
    config = Grok2Config()
    config.quantization_config = Grok2PackedConfig(bits=3).to_dict()
    places = device_map(config, CARD)
    on_gpu = {name for name, place in places.items() if place == 0}
    assert {f"model.layers.{n}.self_attn" for n in range(64)} <= on_gpu
    assert "lm_head" in on_gpu
    dense = [n for n in range(64) if f"model.layers.{n}.mlp" in on_gpu]
    assert dense == list(range(len(dense)))
    assert 30 < len(dense) < 64
    assert places["model.layers.0.block_sparse_moe.experts"] == "cpu"
    assert places["model.embed_tokens"] == "cpu"


def test_a_larger_card_takes_experts_too_and_a_tiny_one_is_refused() -> None:
    config = Grok2Config()
    config.quantization_config = Grok2PackedConfig(bits=3).to_dict()
    places = device_map(config, 141 * GB)
    experts = [place for name, place in places.items() if name.endswith("experts")]
    assert experts.count(0) == 64
    with pytest.raises(ValueError, match=r"model\.layers\.\d+\..* does not fit: a GPU of 4 GiB"):
        device_map(config, 4 * 2**30)


@pytest.mark.parametrize("packed", [False, True])
def test_what_was_offloaded_is_computed_where_it_lies(packed: bool) -> None:
    model = made(packed)
    expected = run(model, [IDS])
    # Two places on one processor: what a device map would leave in memory is offloaded to "cpu"
    # and copied from there to "cpu" for each pass, as it would be to a GPU.
    far = [
        "model.layers.0.block_sparse_moe.experts",
        "model.layers.1.block_sparse_moe.experts",
        "model.layers.1.mlp",
        "model.embed_tokens",
    ]
    near = dict.fromkeys(("", *far), "cpu")
    held = extract_submodules_state_dict(model.state_dict(), far)
    attach_align_device_hook_on_blocks(
        model,
        execution_device=near,
        offload={name: name in far for name in near},
        weights_map=OffloadedWeightsLoader(state_dict=held),
    )
    assert all(weight.is_meta for name in far for weight in model.get_submodule(name).parameters())
    assert np.array_equal(run(model, [IDS]), expected)

    model.hf_device_map = dict.fromkeys(far, "cpu")
    compute_where_it_lies(model)
    weights = dict(model.named_parameters())
    assert not any(weight.is_meta for weight in weights.values())
    for name, tensor in held.items():
        assert weights[name].data_ptr() == tensor.data_ptr(), "a copy"
    assert np.array_equal(run(model, [IDS]), expected)
    for name in far:
        hook = model.get_submodule(name)._hf_hook
        assert (str(hook.execution_device), hook.offload, hook.io_same_device) == (
            "cpu",
            False,
            True,
        )


@pytest.mark.parametrize("packed", [False, True])
def test_a_checkpoint_loads_by_its_own_device_map(packed: bool, tmp_path: Path) -> None:
    model = made(packed)
    model.save_pretrained(tmp_path)
    loaded = load(tmp_path, 2**20, device="cpu", context=16, dtype=torch.float32)
    assert np.abs(run(loaded, [IDS]) - run(model, [IDS])).max() < 1e-5


@pytest.mark.parametrize("packed", [False, True])
def test_auto_placement_offloads_to_disk_and_changes_nothing(packed: bool, tmp_path: Path) -> None:
    model = made(packed)
    model.save_pretrained(tmp_path / "model", max_shard_size="50KB")
    size = sum(weight.nbytes for weight in model.parameters())
    loaded = Grok2ForCausalLM.from_pretrained(
        tmp_path / "model",
        device_map="auto",
        max_memory={"cpu": int(0.7 * size)},
        offload_folder=tmp_path / "offload",
        dtype=torch.float32,
    )
    assert "disk" in loaded.hf_device_map.values()
    assert any(weight.is_meta for weight in loaded.parameters())
    assert np.abs(run(loaded, [IDS]) - run(model, [IDS])).max() < 1e-5
    ids = torch.tensor([IDS])
    options = {"max_new_tokens": 3, "do_sample": False, "eos_token_id": []}
    assert torch.equal(loaded.generate(ids, **options), model.generate(ids, **options))
