"""Whatever is wrong with a checkpoint is said in one sentence, and nothing is loaded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tests.grok.checkpoints import (
    FILE_NAMES,
    copied,
    load,
    random_model,
    replaced,
    said,
    write_merged,
    write_published,
)
from transformers import AutoModelForCausalLM

from ariane.grok import CheckpointError
from ariane.grok.checkpoint import INDEX
from ariane.grok.headers import LFS_POINTER
from ariane.grok.layout_grok2 import file_name, parameters, published_file, shard_axis
from ariane.grok.write_layout import write_layout

MODEL = random_model()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_published(tmp_path_factory.mktemp("published"), MODEL)


def test_the_published_layout_has_its_39_files(published: Path) -> None:
    assert sorted(path.name for path in published.glob("*.safetensors")) == FILE_NAMES
    assert len(FILE_NAMES) == 39
    assert published_file("model.layers.63.block_sparse_moe.experts.7.w2.weight") == file_name(7, 0)
    assert published_file("model.layers.3.self_attn.q_proj.weight") == file_name(11)
    assert published_file("nothing") is None


def test_shards_of_more_than_ten_experts_are_joined(tmp_path: Path) -> None:
    model = random_model(num_local_experts=12)
    loaded = load(write_published(tmp_path / "published", model))
    for name, held in model.state_dict().items():
        assert torch.equal(loaded[name], held), name
    assert shard_axis("model.layers.0.block_sparse_moe.experts.11.w2.weight") == 1


def test_the_published_sizes_are_those_of_the_paper_arithmetic() -> None:
    config = type(MODEL.config)()
    count = sum(torch.Size(one.shape).numel() for one in parameters(config).values())
    assert round(count / 1e9, 2) == 269.52


@pytest.mark.parametrize("name", [*FILE_NAMES, "config.json", "tokenizer.tok.json"])
def test_no_file_may_be_missing(published: Path, tmp_path: Path, name: str) -> None:
    folder = copied(published, tmp_path / "checkpoint")
    (folder / name).unlink()
    sentence = said(folder)
    assert name in sentence


@settings(max_examples=40)
@given(st.data())
def test_no_file_may_be_cut_short(
    published: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from([*FILE_NAMES, "config.json", "tokenizer.tok.json"]))
    whole = (published / name).read_bytes().rstrip()
    folder = copied(published, tmp_path_factory.mktemp("cut"))
    replaced(folder / name, whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert name in said(folder)


@settings(max_examples=40)
@given(st.data())
def test_files_that_change_places_are_found(
    published: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    names = st.sampled_from([*FILE_NAMES, "config.json", "tokenizer.tok.json"])
    one, other = data.draw(st.tuples(names, names).filter(lambda pair: pair[0] != pair[1]))
    folder = copied(published, tmp_path_factory.mktemp("swapped"))
    (folder / one).rename(folder / "third")
    (folder / other).rename(folder / one)
    (folder / "third").rename(folder / other)
    sentence = said(folder)
    assert one in sentence or other in sentence


@settings(max_examples=40)
@given(st.data())
def test_a_changed_header_is_never_a_wrong_load(
    published: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(FILE_NAMES))
    raw = bytearray((published / name).read_bytes())
    end = 8 + int.from_bytes(raw[:8], "little")
    raw[data.draw(st.integers(0, end - 1))] ^= data.draw(st.integers(1, 255))
    folder = copied(published, tmp_path_factory.mktemp("changed"))
    replaced(folder / name, bytes(raw))
    try:
        loaded = load(folder)
    except (CheckpointError, OSError, ValueError):
        return
    whole = MODEL.state_dict()  # a byte of the padding or of the metadata
    assert all(torch.equal(loaded[tensor], whole[tensor]) for tensor in whole)


def test_a_misshapen_shard_is_named_with_the_shape_expected(
    published: Path, tmp_path: Path
) -> None:
    folder = copied(published, tmp_path / "checkpoint")
    for name, axis in ((file_name(6, 3), 0), (file_name(11), 1)):
        tensors = load_file(published / name)
        first = next(iter(tensors))
        tensors[first] = tensors[first].narrow(axis, 1, 1).contiguous()
        (folder / name).unlink()
        save_file(tensors, folder / name)
    sentence = said(folder)
    assert str(folder / file_name(11)) in sentence
    assert "q_proj" in sentence
    assert "(32, 32) is expected" in sentence
    assert "(1 more faults)" in sentence
    (folder / file_name(11)).unlink()
    (folder / file_name(11)).symlink_to(published / file_name(11))
    sentence = said(folder)
    assert str(folder / file_name(6, 3)) in sentence
    assert "experts.0.w1.weight of shape (1, 32), where (2, 32) is expected" in sentence


def test_a_missing_rank_is_named(published: Path, tmp_path: Path) -> None:
    folder = copied(published, tmp_path / "checkpoint")
    (folder / file_name(7, 7)).unlink()
    sentence = said(folder)
    assert f"{folder / file_name(7, 7)} is missing: rank 7 of 8" in sentence
    assert "w2.weight, of shape (32, 2)" in sentence


def test_ranks_of_two_checkpoints_are_too_many(published: Path, tmp_path: Path) -> None:
    folder = copied(published, tmp_path / "checkpoint")
    write_layout(random_model().state_dict(), MODEL.config, tmp_path / "four", ranks=4)
    for rank in range(4):
        file = folder / file_name(6, rank)
        file.unlink()
        file.symlink_to(tmp_path / "four" / file.name)
    assert "expected" in said(folder)


def test_a_tensor_in_two_files_is_an_error(published: Path, tmp_path: Path) -> None:
    folder = copied(published, tmp_path / "checkpoint")
    save_file(load_file(published / file_name(2)), folder / "model.safetensors")
    sentence = said(folder)
    assert "model.norm.weight is both in" in sentence
    assert "model.safetensors" in sentence


def test_a_tensor_too_many_is_an_error(published: Path, tmp_path: Path) -> None:
    folder = copied(published, tmp_path / "checkpoint")
    save_file({"model.layers.9.extra": torch.zeros(2)}, folder / "more.safetensors")
    assert "more.safetensors holds model.layers.9.extra (2,)" in said(folder)


def test_a_pointer_of_git_lfs_is_named_with_its_remedy(published: Path, tmp_path: Path) -> None:
    folder = copied(published, tmp_path / "checkpoint")
    pointer = LFS_POINTER + b"/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 536870912\n"
    replaced(folder / file_name(0), pointer)
    sentence = said(folder)
    assert f"{folder / file_name(0)} is a Git LFS pointer" in sentence
    assert "git lfs pull" in sentence
    assert "twice the bytes on disk" in sentence


def test_a_quantized_weight_is_not_taken_for_a_plain_one(published: Path, tmp_path: Path) -> None:
    folder = copied(published, tmp_path / "checkpoint")
    whole = load_file(published / file_name(2))
    (folder / file_name(2)).unlink()
    save_file({n: t.to(torch.float8_e4m3fn) for n, t in whole.items()}, folder / file_name(2))
    assert "F8_E4M3" in said(folder)


def test_an_index_names_what_is_missing(tmp_path: Path) -> None:
    folder = write_merged(tmp_path, MODEL)
    assert load(folder).keys() == MODEL.state_dict().keys()
    gone = folder / "model-00002-of-00003.safetensors"
    gone.unlink()
    assert f"{gone} is missing: the index names it" in said(folder)
    (folder / INDEX).write_text(json.dumps({"weight_map": 3}))
    assert "is not a whole index" in said(folder)
    shutil.rmtree(folder)
    folder = write_published(tmp_path, MODEL)
    for file in folder.glob("*.safetensors"):
        file.unlink()
    assert "has no weight file" in said(folder)


def test_from_pretrained_says_the_same(published: Path, tmp_path: Path) -> None:
    """The property holds of `load`, which is faster; this ties it to what a user calls."""
    folder = copied(published, tmp_path / "checkpoint")
    (folder / file_name(8, 0)).unlink()
    with pytest.raises(CheckpointError, match=r"00008-TP-000.safetensors is missing"):
        AutoModelForCausalLM.from_pretrained(folder, device_map="auto")


def test_shards_without_their_own_name_load_too(published: Path, tmp_path: Path) -> None:
    """The published files say nothing of themselves."""
    folder = copied(published, tmp_path / "checkpoint")
    for name in FILE_NAMES:
        (folder / name).unlink()
        save_file(load_file(published / name), folder / name)
    state = AutoModelForCausalLM.from_pretrained(folder).state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in MODEL.state_dict().items())


def test_heads_that_cannot_be_cut(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be cut over 3 ranks"):
        write_layout(MODEL.state_dict(), MODEL.config, tmp_path, ranks=3)
