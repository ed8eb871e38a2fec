"""An action follows the first whole import of a module, whatever looked for it before."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from ariane.grok.after_import import after_import

NAME = "a_module_that_is_awaited"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the module lies; what waits for it is forgotten at the end."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path / f"{NAME}.py"
    sys.modules.pop(NAME, None)


def bring() -> object:
    importlib.invalidate_caches()
    return importlib.import_module(NAME)


def test_the_action_follows_once(module: Path) -> None:
    module.write_text("x = 1", encoding="utf-8")
    done: list[str] = []
    finders = len(sys.meta_path)
    after_import(NAME, lambda: done.append("first"))
    after_import(NAME, lambda: done.append("second"))
    assert not done
    made = bring()
    assert sorted(done) == ["first", "second"]
    assert len(sys.meta_path) == finders
    assert type(made.__spec__.loader).__name__ == "SourceFileLoader"  # type: ignore[attr-defined]
    importlib.reload(sys.modules[NAME])
    assert len(done) == 2
    after_import(NAME, lambda: done.append("at once"))
    assert done[-1] == "at once"


def test_an_import_that_failed_may_be_repaired(module: Path) -> None:
    done: list[int] = []
    after_import(NAME, lambda: done.append(1))
    with pytest.raises(ModuleNotFoundError):
        bring()
    module.write_text("import a_companion_that_is_missing", encoding="utf-8")
    with pytest.raises(ModuleNotFoundError, match="companion"):
        bring()
    assert not done
    module.write_text("x = 'repaired'", encoding="utf-8")
    bring()
    assert done == [1]


def test_an_action_that_failed_follows_the_next_import(module: Path) -> None:
    module.write_text("x = 1", encoding="utf-8")
    done: list[int] = []

    def act() -> None:
        done.append(1)
        if len(done) == 1:
            raise ImportError("not yet")

    after_import(NAME, act)
    with pytest.raises(ImportError, match="not yet"):
        bring()
    bring()
    assert len(done) == 2


def test_looking_for_the_module_uses_nothing_up(module: Path) -> None:
    module.write_text("x = 1", encoding="utf-8")
    done: list[int] = []
    after_import(NAME, lambda: done.append(1))
    importlib.invalidate_caches()
    assert find_spec(NAME) is not None
    assert not done
    bring()
    assert done == [1]
