"""Grok-1's checkpoint, against xAI's JAX code, and against files that want to run something."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM

from ariane.grok import CheckpointError
from ariane.grok.conversion_grok1 import (
    find_files,
    is_grok1,
    tensor_names,
    write_merged,
)
from ariane.grok.pickled_arrays import Array, read_pickle
from ariane.grok.progress import silent

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grok1")
    with zipfile.ZipFile(FIXTURES / "grok1.zip") as archive:
        archive.extractall(folder / "ckpt-0")
    return folder


@pytest.fixture(scope="module")
def merged(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("merged")
    told: list[tuple[int, int]] = []
    write_merged(
        published,
        target,
        lambda description, completed, total: told.append((completed, total)),
        limit=60_000,
        head_dim=4,
    )
    assert told[-1][0] == told[-1][1] > 60_000
    return target


def logits(folder: Path, tokens: list[int]) -> Any:
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    )
    with torch.no_grad():
        return model(torch.tensor([tokens])).logits[0].numpy()


def test_the_logits_are_those_of_xais_code(merged: Path) -> None:
    oracle = json.loads((FIXTURES / "grok1.json").read_text())
    got = logits(merged, oracle["tokens"])
    difference = np.abs(got - np.array(oracle["logits"])).max()
    assert np.abs(got).max() > 10
    assert difference < 1e-4


def test_a_run_that_was_cut_off_goes_on(published: Path, merged: Path) -> None:
    names = sorted(path.name for path in merged.glob("*.safetensors"))
    assert len(names) > 2
    (merged / names[1]).unlink()
    before = (merged / names[0]).stat().st_mtime_ns
    write_merged(published, merged, silent, limit=60_000, head_dim=4)
    assert (merged / names[0]).stat().st_mtime_ns == before
    assert sorted(path.name for path in merged.glob("*.safetensors")) == names


def test_layers_come_in_the_order_of_their_names() -> None:
    names = tensor_names(64)
    assert len(names) == 770
    assert names[14] == "decoder_layer_1/moe/linear"
    assert names[26] == "decoder_layer_10/moe/linear"


def test_a_missing_file_is_named(published: Path, tmp_path: Path) -> None:
    assert is_grok1(published)
    assert not is_grok1(tmp_path)
    for file in (published / "ckpt-0").iterdir():
        (tmp_path / file.name).symlink_to(file)
    assert find_files(tmp_path).layers == 2
    (tmp_path / "tensor00020_000").unlink()
    with pytest.raises(CheckpointError, match="tensor00020_000 is missing"):
        find_files(tmp_path)


def test_a_file_in_the_place_of_another_is_named(published: Path, tmp_path: Path) -> None:
    for file in (published / "ckpt-0").iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "tensor00006_000").unlink()
    (tmp_path / "tensor00006_000").symlink_to(published / "ckpt-0" / "tensor00007_000")
    with pytest.raises(CheckpointError, match=r"tensor00006_000 is not the int8 weight of shape"):
        write_merged(tmp_path, tmp_path / "out", silent, head_dim=4)


class Runs:
    """What a pickle from a stranger may hold."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.made = (function, arguments)

    def __reduce__(self) -> Any:
        return self.made


@pytest.mark.parametrize("function", [eval, exec, Path, np.load, getattr, pickle.loads])
def test_nothing_that_a_file_names_is_run(tmp_path: Path, function: Any) -> None:
    trace = tmp_path / "trace"
    file = tmp_path / "tensor00000_000"
    file.write_bytes(pickle.dumps(Runs(function, f"open({str(trace)!r}, 'w')")))
    with pytest.raises(CheckpointError, match=r"is not Grok-1's: it names .*no array needs"):
        read_pickle(file)
    assert not trace.exists()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_every_protocol(tmp_path: Path, protocol: int, order: Any) -> None:
    array = np.asarray(np.arange(12, dtype=np.float32).reshape(3, 4), order=order)
    file = tmp_path / "array"
    file.write_bytes(pickle.dumps(array, protocol=protocol))
    found = read_pickle(file)
    assert isinstance(found, Array)
    assert np.array_equal(found.content, array)


@pytest.mark.parametrize(
    "content", [[1], {"a": 2}, "text", np.array([1.0]), np.array([1 + 2j]), np.array([">"]), None]
)
def test_what_is_no_array_of_grok_1(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "array"
    file.write_bytes(pickle.dumps(content))
    with pytest.raises(CheckpointError, match=str(file)):
        read_pickle(file)


@given(st.data())
def test_a_damaged_file_is_an_error_or_an_array(
    published: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    raw = bytearray((published / "ckpt-0" / "tensor00005_000").read_bytes())
    at = data.draw(st.integers(0, 400) | st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    file = tmp_path_factory.mktemp("damaged") / "tensor00005_000"
    file.write_bytes(raw[: data.draw(st.integers(0, len(raw)))])
    try:
        read_pickle(file)
    except CheckpointError as error:
        assert str(file) in str(error)
