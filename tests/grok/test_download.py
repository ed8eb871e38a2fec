"""`ariane grok download`, from a hub on the loopback address."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
from tests.grok.checkpoints import random_model, write_published
from tests.grok.hub import serving

from ariane.__main__ import main
from ariane.grok.layout_grok2 import file_name


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_published(tmp_path_factory.mktemp("published"), random_model())


def run(*arguments: object) -> int:
    return main(["grok", *map(str, arguments)])


@pytest.fixture
def hub(published: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    with serving(published) as (endpoint, handler):
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_ENDPOINT", endpoint)
        yield handler


def test_download_checks_hashes_and_goes_on(
    published: Path, tmp_path: Path, hub: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "there"
    hub.corrupt.add(file_name(3))
    assert run("download", target) == 1
    assert f"{file_name(3)} does not have the hash" in capsys.readouterr().err
    assert not (target / file_name(3)).exists()
    hub.corrupt.clear()
    hub.asked.clear()
    assert run("download", target) == 0
    asked = [line for line in hub.asked if line.startswith("GET /xai-org")]
    assert not [line for line in asked if file_name(0) in line]  # found whole before
    assert [line for line in asked if file_name(3) in line]
    for file in published.iterdir():
        assert (target / file.name).read_bytes() == file.read_bytes()
    hub.asked.clear()
    assert run("download", target) == 0
    assert not [line for line in hub.asked if line.startswith("GET /xai-org")]


def test_download_without_a_hub_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("download", tmp_path / "there", "--endpoint", "http://127.0.0.1:9") == 1
    said = capsys.readouterr().err
    assert "The hub does not give xai-org/grok-2 (" in said
    assert "Traceback" not in said


def test_download_checks_room_first(
    tmp_path: Path,
    hub: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("ariane.grok.errors.shutil.disk_usage", lambda _: full)
    assert run("download", tmp_path / "there") == 1
    assert "make room" in capsys.readouterr().err
    assert list((tmp_path / "there").iterdir()) == []


def test_a_choice_that_verify_wrote_is_kept(
    published: Path, tmp_path: Path, hub: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "there" / "config.json"
    assert run("download", config.parent) == 0
    config.write_text(json.dumps(json.loads(config.read_text()) | {"hidden_act": "gelu"}))
    changed = config.read_text()
    capsys.readouterr()
    assert run("download", config.parent) == 0
    assert config.read_text() == changed
    assert "config.json was changed here and is kept: remove it" in capsys.readouterr().err
    config.unlink()
    assert run("download", config.parent) == 0
    assert config.read_bytes() == (published / "config.json").read_bytes()
    assert "changed here" not in capsys.readouterr().err


def test_weights_that_changed_are_fetched_again(published: Path, tmp_path: Path, hub: Any) -> None:
    assert run("download", tmp_path / "there") == 0
    file = tmp_path / "there" / file_name(3)
    file.write_bytes(bytes(file.stat().st_size))
    later = file.stat().st_mtime + 60  # the hub's client takes a second's difference for none
    os.utime(file, (later, later))
    assert run("download", tmp_path / "there") == 0
    assert file.read_bytes() == (published / file.name).read_bytes()


@pytest.mark.parametrize("torn", ['{"config.json": [12', "[]", ""])
def test_a_torn_record_is_forgotten(published: Path, tmp_path: Path, hub: Any, torn: str) -> None:
    assert run("download", tmp_path / "there") == 0
    record = tmp_path / "there" / "sha256.json"
    whole = record.read_text()
    record.write_text(torn)
    assert run("download", tmp_path / "there") == 0
    assert json.loads(record.read_text()).keys() == json.loads(whole).keys()


@pytest.mark.parametrize("kind", [errno.ENOSPC, errno.EACCES])
def test_what_the_disk_refuses_is_no_fault_of_the_hub(
    tmp_path: Path,
    hub: Any,
    kind: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(kind, os.strerror(kind), "there/model")

    monkeypatch.setattr("ariane.grok.download.hf_hub_download", full)
    assert run("download", tmp_path / "there") == 1
    said = capsys.readouterr().err
    assert os.strerror(kind) in said
    assert "hub" not in said.split("\n")[-2]


def test_what_was_begun_needs_no_more_room(
    published: Path, tmp_path: Path, hub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = sum(file.stat().st_size for file in published.iterdir())
    begun = tmp_path / "there" / ".cache" / "huggingface" / "download" / "part.incomplete"
    begun.parent.mkdir(parents=True)
    begun.write_bytes(bytes(size // 2))
    tight = shutil.disk_usage(tmp_path)._replace(free=size // 2 + 1)
    monkeypatch.setattr("ariane.grok.errors.shutil.disk_usage", lambda _: tight)
    assert run("download", tmp_path / "there") == 0
