from __future__ import annotations

import json
import shutil
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tests.grok.tiny import IDS, TINY, run
from transformers import StaticCache

from ariane.grok import CheckpointError, Grok2ForCausalLM, Grok2Model
from ariane.grok.checkpoint import INDEX
from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.configuration_packed import Grok2PackedConfig
from ariane.grok.packed_grok2 import PackedExperts, PackedLinear
from ariane.grok.quantization_grok2 import quantize_checkpoint
from ariane.grok.quantizer_grok2 import pack

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


class Counted:
    """A tensor of a lazy checkpoint that counts how often it is read."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor, self.read = tensor, 0

    def get_dtype(self) -> str:
        return {torch.float32: "F32", torch.bfloat16: "BF16"}[self.tensor.dtype]

    def get_shape(self) -> list[int]:
        return list(self.tensor.shape)

    def __getitem__(self, index: Any) -> torch.Tensor:
        assert index is ...
        self.read += 1
        return self.tensor


def counted(model: Grok2ForCausalLM) -> dict[str, Counted]:
    return {name: Counted(tensor) for name, tensor in model.state_dict().items()}


def written(model: Grok2ForCausalLM, directory: Path, **options: Any) -> Path:
    packing = Grok2PackedConfig(**{**MIXED, **options})
    quantize_checkpoint(model.state_dict(), model.config, packing, directory / "packed")
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


def test_each_tensor_is_read_once_and_a_break_costs_one_file(tmp_path: Path) -> None:
    model = plain()
    told: list[tuple[int, int]] = []

    def write(source: Mapping[str, Any]) -> None:
        told.clear()
        quantize_checkpoint(
            source,
            model.config,
            Grok2PackedConfig(**MIXED),
            tmp_path,
            shard_bytes=40_000,
            progress=lambda description, completed, total: told.append((completed, total)),
        )

    tensors = counted(model)
    write(tensors)
    assert {one.read for one in tensors.values()} == {1}
    size = json.loads((tmp_path / INDEX).read_text())["metadata"]["total_size"]
    assert told[-1] == (size, size)
    files = sorted(tmp_path.glob("*.safetensors"))
    assert len(files) > 3
    before = {file: file.read_bytes() for file in files}
    files[1].write_bytes(before[files[1]][:100])
    again = counted(model)
    write(again)
    assert 0 < sum(one.read for one in again.values()) < len(again)
    assert {file: file.read_bytes() for file in files} == before
    assert told[-1] == (size, size)


class Fleeting(Counted):
    """A tensor of a lazy checkpoint that is read only when the one before is forgotten."""

    last = staticmethod(lambda: None)

    def __getitem__(self, index: Any) -> torch.Tensor:
        assert Fleeting.last() is None
        array = self.tensor.numpy().copy()
        Fleeting.last = weakref.ref(array)
        return torch.from_numpy(array)


def test_one_tensor_is_in_memory_at_a_time(tmp_path: Path) -> None:
    model = plain()
    tensors = {name: Fleeting(tensor) for name, tensor in model.state_dict().items()}
    quantize_checkpoint(tensors, model.config, Grok2PackedConfig(**MIXED), tmp_path)


def test_what_is_not_packed_stays_as_it_is(tmp_path: Path) -> None:
    """A Grok-1's norms, routers and embeddings are float32 under a bfloat16 configuration."""
    model = plain(dtype=torch.bfloat16)
    held = load_file(written(model, tmp_path) / "model.safetensors")
    whole = model.state_dict()
    kept = whole.keys() & held.keys()
    assert {"model.embed_tokens.weight", "model.norm.weight"} < kept
    assert all(torch.equal(held[name], whole[name]) for name in kept)
    assert {held[name].dtype for name in kept} == {torch.float32}


@pytest.mark.parametrize(
    "other",
    [{"bits": 8}, {"group_size": 32}, {"mark": "changed"}, {"shard_bytes": 40_000}],
    ids=str,
)
def test_files_of_other_settings_are_refused(other: dict[str, Any], tmp_path: Path) -> None:
    model = plain()
    first = written(model, tmp_path) / "model.safetensors"
    before = first.read_bytes()
    choice = {name: other[name] for name in ("bits", "group_size") if name in other}
    options = {name: other[name] for name in ("mark", "shard_bytes") if name in other}
    packing = Grok2PackedConfig(**{**MIXED, **choice})
    with pytest.raises(CheckpointError, match=rf"{first} is of another source or of other set"):
        quantize_checkpoint(model.state_dict(), model.config, packing, first.parent, **options)
    assert first.read_bytes() == before
    assert sorted(path.name for path in first.parent.iterdir()) == [
        "config.json",
        "model.safetensors",
    ]


def test_weights_that_lie_there_already_are_refused(tmp_path: Path) -> None:
    model = plain()
    model.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=r"model\.safetensors is of another source"):
        quantize_checkpoint(
            model.state_dict(), model.config, Grok2PackedConfig(), tmp_path, shard_bytes=40_000
        )


def test_a_setting_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TypeError, match="bit"):
        Grok2PackedConfig(bit=3)  # type: ignore[call-arg]
    assert Grok2PackedConfig.from_dict(Grok2PackedConfig(3).to_dict()).bits == 3


def test_what_is_missing_or_misshapen_is_named(tmp_path: Path) -> None:
    model = plain()
    tensors = dict(model.state_dict())
    lost = tensors.pop("model.layers.1.block_sparse_moe.experts.down_proj")
    with pytest.raises(ValueError, match=r"lacks model\.layers\.1\.block_sparse_moe\.experts\.do"):
        quantize_checkpoint(tensors, model.config, Grok2PackedConfig(), tmp_path)
    assert not list(tmp_path.iterdir())
    tensors["model.layers.1.block_sparse_moe.experts.down_proj"] = lost[:, :, :32]
    with pytest.raises(ValueError, match=r"has shape \(8, 64, 32\) where the conf.* \(8, 64, 64\)"):
        quantize_checkpoint(tensors, model.config, Grok2PackedConfig(), tmp_path)


@pytest.fixture(scope="module")
def packed_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("files")
    model = plain()
    quantize_checkpoint(
        model.state_dict(), model.config, Grok2PackedConfig(), directory, shard_bytes=40_000
    )
    return directory


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_packed_file_that_is_not_whole_is_named(
    packed_files: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    directory = tmp_path_factory.mktemp("torn") / "packed"
    shutil.copytree(packed_files, directory)
    file = data.draw(st.sampled_from(sorted(directory.glob("*.safetensors"))))
    how = data.draw(
        st.sampled_from(["missing", "cut short", "of another shape", "without a tensor"])
    )
    said = file.name
    if how == "missing":
        file.unlink()
    elif how == "cut short":
        raw = file.read_bytes()
        file.write_bytes(raw[: data.draw(st.integers(0, len(raw) - 1))])
    else:
        tensors = load_file(file)
        name = data.draw(st.sampled_from(sorted(tensors)))
        tensor = tensors.pop(name)
        said = name
        if how == "of another shape":
            tensors[name] = tensor[:-1].contiguous()
        if not tensors:
            return
        save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"quantize the source again") as caught:
        Grok2ForCausalLM.from_pretrained(directory)
    assert said in str(caught.value)


def test_other_bits_in_the_configuration_are_named(packed_files: Path, tmp_path: Path) -> None:
    shutil.copytree(packed_files, tmp_path / "packed")
    config = tmp_path / "packed" / "config.json"
    content = json.loads(config.read_text())
    content["quantization_config"]["expert_bits"] = 3
    config.write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=r"_proj.codes of shape .*, where .* is expected"):
        Grok2ForCausalLM.from_pretrained(tmp_path / "packed")


def test_a_plain_checkpoint_is_not_packed_while_it_loads(tmp_path: Path) -> None:
    plain().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="ariane grok quantize"):
        Grok2ForCausalLM.from_pretrained(tmp_path, quantization_config=Grok2PackedConfig())
