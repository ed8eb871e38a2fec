"""The command that fits the heads makes again what the package ships."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ariane.guard.classify import Classifier
from ariane.heads import load
from ariane.read.aspects import shipped
from ariane.read.encoder import SentenceEncoder
from ariane.train import reader
from ariane.types import Vector


class Hashed:
    """An encoder that knows nothing: one random unit vector a text."""

    name = "hashed@1"
    width = 16

    def encode(self, texts: Sequence[str]) -> Vector:
        rows = [np.random.default_rng(list(text.encode())).standard_normal(16) for text in texts]
        stacked = np.array(rows).reshape(-1, 16)
        return (stacked / np.linalg.norm(stacked, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.slow
def test_the_shipped_heads_are_made_again(tmp_path: Path) -> None:
    read, guard = tmp_path / "read.safetensors", tmp_path / "guard.safetensors"
    reader.train_reader(SentenceEncoder(), read, guard)
    for path, (kept, about) in (
        (read, shipped()),
        (guard, (Classifier().heads, {"encoder": "use@0.2.1", "version": version()})),
    ):
        made, said = load(path)
        assert said == about
        assert list(made) == list(kept)
        for name, head in made.items():
            assert head.classes == kept[name].classes
            assert head.sure == pytest.approx(kept[name].sure, abs=1e-3)
            assert np.allclose(head.weights, kept[name].weights, rtol=1e-3, atol=1e-3)


def test_another_encoder_gets_files_that_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in ("read", "guard"):
        (tmp_path / room).mkdir()
    monkeypatch.setattr(reader, "SentenceEncoder", Hashed)
    monkeypatch.setattr(reader, "files", lambda room: tmp_path / room.split(".")[1])
    reader.main()
    for room in ("read", "guard"):
        heads, about = load(tmp_path / room / "heads.safetensors")
        assert about["encoder"] == "hashed@1"
        assert all(head.weights.shape[1] == 16 for head in heads.values())


def version() -> str:
    return Classifier().name.removeprefix("guard@")
