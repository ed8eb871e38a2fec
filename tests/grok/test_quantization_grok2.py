from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.grok.tiny import IDS, TINY, run
from transformers import StaticCache

from ariane.grok import CheckpointError, Grok2ForCausalLM, Grok2Model
from ariane.grok.checkpoint import INDEX
from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.packed_grok2 import PackedExperts, PackedLinear
from ariane.grok.quantization_grok2 import LazyTensors, quantize_checkpoint
from ariane.grok.quantizer_grok2 import Grok2PackedConfig, pack

SHAPES = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "moe_intermediate_size": 64,
    "attn_implementation": "sdpa",
}
MIXED = {"bits": 4, "expert_bits": 3, "head_bits": 8}


def plain(**changes: Any) -> Grok2ForCausalLM:
    torch.manual_seed(0)
    config = Grok2Config(**{**TINY, **SHAPES, "head_dim": 16, **changes})
    model = Grok2ForCausalLM(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" not in name:
                parameter.normal_(std=0.15)
    return model


class Counted(Mapping[str, torch.Tensor]):
    """A lazy checkpoint that counts how often each tensor is taken."""

    def __init__(self, tensors: Mapping[str, torch.Tensor]) -> None:
        self.tensors, self.taken = tensors, dict.fromkeys(tensors, 0)

    def __getitem__(self, name: str) -> torch.Tensor:
        self.taken[name] += 1
        return self.tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)


def written(model: Grok2ForCausalLM, directory: Path, **options: Any) -> Path:
    source = directory / "plain"
    model.save_pretrained(source)
    tensors = LazyTensors(source)
    quantize_checkpoint(
        tensors, model.config, Grok2PackedConfig(**MIXED, **options), directory / "packed"
    )
    return directory / "packed"


@pytest.mark.parametrize(
    "changes", [{}, {"tie_word_embeddings": True}, {"num_local_experts": 0}], ids=str
)
def test_a_streamed_checkpoint_loads_as_the_model_packed_in_memory(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    model = plain(dtype=torch.float32, **changes)
    loaded = Grok2ForCausalLM.from_pretrained(written(model, tmp_path), dtype=torch.float32)
    packed = pack(model, Grok2PackedConfig(**MIXED))
    assert np.array_equal(run(loaded, [IDS]), run(packed, [IDS]))
    layer = loaded.model.layers[0]
    assert isinstance(layer.mlp.up_proj, PackedLinear)
    assert layer.mlp.up_proj.scales.dtype == torch.bfloat16
    assert isinstance(loaded.lm_head, PackedLinear) == ("tie_word_embeddings" not in changes)
    if "num_local_experts" not in changes:
        assert isinstance(layer.block_sparse_moe.experts, PackedExperts)
        assert layer.block_sparse_moe.experts.down_proj.bits == 3
        assert layer.self_attn.q_proj.bits == 4
    packed.save_pretrained(tmp_path / "saved")
    saved = Grok2ForCausalLM.from_pretrained(tmp_path / "saved", dtype=torch.float32)
    assert np.array_equal(run(saved, [IDS]), run(packed, [IDS]))


def test_the_body_alone_loads_too(tmp_path: Path) -> None:
    directory = written(plain(), tmp_path)
    body = Grok2Model.from_pretrained(directory, dtype=torch.float32)
    whole = Grok2ForCausalLM.from_pretrained(directory, dtype=torch.float32)
    ids = torch.tensor([IDS])
    with torch.no_grad():
        expected = whole.model(ids).last_hidden_state
        assert torch.equal(body(ids).last_hidden_state, expected)


def test_unpacked_weights_give_the_packed_logits(tmp_path: Path) -> None:
    packed = pack(plain(), Grok2PackedConfig(**MIXED))
    expected = run(packed, [IDS])
    unpacked = packed.dequantize(torch.float32)
    assert isinstance(unpacked.model.layers[0].mlp.up_proj, torch.nn.Linear)
    assert not any(isinstance(module, PackedLinear) for module in unpacked.modules())
    assert np.abs(run(unpacked, [IDS]) - expected).max() < 1e-3
    unpacked.save_pretrained(tmp_path)
    assert "quantization_config" not in json.loads((tmp_path / "config.json").read_text())


@pytest.mark.parametrize(("bits", "least"), [(8, 0.999), (4, 0.97), (3, 0.9)])
def test_fewer_bits_stay_near_the_plain_logits(bits: int, least: float) -> None:
    model = plain(embedding_multiplier_scale=8.0)
    expected = run(model, [IDS])[0]
    got = run(pack(model, Grok2PackedConfig(bits=bits, group_size=32)), [IDS])[0]
    assert np.corrcoef(got.ravel(), expected.ravel())[0, 1] > least


def test_decode_with_a_cache_agrees_with_the_prompt_at_once() -> None:
    model = pack(plain(), Grok2PackedConfig(**MIXED))
    whole = run(model, [IDS * 2])[0]
    cache = StaticCache(config=model.config, max_cache_len=2 * len(IDS))
    with torch.no_grad():
        model(torch.tensor([IDS * 2])[:, :-1], past_key_values=cache)
        last = model(torch.tensor([IDS[-1:]]), past_key_values=cache).logits[0, -1].numpy()
    assert np.abs(last - whole[-1]).max() < 2e-3


def test_each_tensor_is_taken_once_and_a_break_costs_one_file(tmp_path: Path) -> None:
    model = plain()
    tensors = Counted(model.state_dict())
    told: list[tuple[int, int]] = []

    def write(source: Mapping[str, torch.Tensor]) -> None:
        told.clear()
        quantize_checkpoint(
            source,
            model.config,
            Grok2PackedConfig(**MIXED),
            tmp_path,
            shard_bytes=40_000,
            progress=lambda done, total: told.append((done, total)),
        )

    write(tensors)
    assert set(tensors.taken.values()) == {1}
    assert (
        told[-1][0]
        == told[-1][1]
        == json.loads((tmp_path / INDEX).read_text())["metadata"]["total_size"]
    )
    files = sorted(tmp_path.glob("*.safetensors"))
    assert len(files) > 3
    before = {file: file.read_bytes() for file in files}
    files[1].write_bytes(before[files[1]][:100])
    again = Counted(model.state_dict())
    write(again)
    assert 0 < sum(again.taken.values()) < len(again)
    assert {file: file.read_bytes() for file in files} == before


def test_what_is_missing_or_misshapen_is_named(tmp_path: Path) -> None:
    model = plain()
    tensors = dict(model.state_dict())
    lost = tensors.pop("model.layers.1.block_sparse_moe.experts.down_proj")
    with pytest.raises(ValueError, match=r"lacks model\.layers\.1\.block_sparse_moe\.experts\.do"):
        quantize_checkpoint(tensors, model.config, Grok2PackedConfig(), tmp_path)
    tensors["model.layers.1.block_sparse_moe.experts.down_proj"] = lost[:, :, :32]
    with pytest.raises(ValueError, match=r"has shape \(8, 64, 32\) where the conf.* \(8, 64, 64\)"):
        quantize_checkpoint(tensors, model.config, Grok2PackedConfig(), tmp_path)


def test_a_packed_checkpoint_that_lacks_a_file_is_refused(tmp_path: Path) -> None:
    model = plain()
    quantize_checkpoint(
        model.state_dict(), model.config, Grok2PackedConfig(), tmp_path, shard_bytes=40_000
    )
    index = json.loads((tmp_path / INDEX).read_text())
    gone = index["weight_map"]["model.layers.1.mlp.up_proj.codes"]
    index["weight_map"] = {n: f for n, f in index["weight_map"].items() if f != gone}
    (tmp_path / INDEX).write_text(json.dumps(index))
    with pytest.raises(CheckpointError, match=r"model\.layers\..* is in no file: .*more faults"):
        Grok2ForCausalLM.from_pretrained(tmp_path)


def test_any_torn_file_of_a_packed_checkpoint_is_named(tmp_path: Path) -> None:
    model = plain()
    quantize_checkpoint(
        model.state_dict(), model.config, Grok2PackedConfig(), tmp_path, shard_bytes=40_000
    )
    files = sorted(tmp_path.glob("*.safetensors"))
    assert len(files) > 1
    for file in files:
        whole = file.read_bytes()
        file.write_bytes(whole[:-100])
        with pytest.raises(CheckpointError, match=f"{file.name} has .* bytes and its header"):
            Grok2ForCausalLM.from_pretrained(tmp_path)
        file.write_bytes(whole)


def test_a_plain_checkpoint_is_not_packed_while_it_loads(tmp_path: Path) -> None:
    plain().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="ariane grok quantize"):
        Grok2ForCausalLM.from_pretrained(tmp_path, quantization_config=Grok2PackedConfig())
