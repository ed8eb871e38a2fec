"""A store and a working directory of its own for every test of this room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ariane.store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    held = SqliteStore(tmp_path / "ariane.db")
    yield held
    held.close()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rejects files go to the current directory."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
