"""Settings of the door: what names no model is a sentence, and no key is ever shown."""

from __future__ import annotations

import builtins
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ariane.engine import _llm, load
from ariane.home import init, read_settings
from ariane.llm import LanguageModelSettings, check, open_llm
from ariane.types import CallError

URL = {"kind": "url", "url": "http://127.0.0.1:8080/v1", "model": "m"}


def test_by_default_there_is_none(tmp_path: Path) -> None:
    assert open_llm(LanguageModelSettings(), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({**URL, "model": ""}, "names no model"),
        ({**URL, "url": ""}, "no http or https address"),
        ({**URL, "url": "ftp://example.org"}, "no http or https address"),
        ({**URL, "url": "127.0.0.1:8080/v1"}, "no http or https address"),
        ({**URL, "url": "http://[::1/v1"}, "no http or https address"),
        ({**URL, "url": "http://example.org:99999/v1"}, "no http or https address"),
        ({**URL, "url": "https://me:sesame@example.org/v1"}, "password"),
        ({**URL, "url": "https://example.org/v1?key=sesame"}, "password, a query"),
        ({**URL, "key": "xai-sesame"}, "no name of an environment variable"),
        ({**URL, "key": ""}, "no name of an environment variable"),
        ({**URL, "money_a_day": 5.0}, "needs price_in and price_out"),
        ({**URL, "timeout_seconds": float("inf")}, "not finite"),
        ({**URL, "kind": "transformers", "schema": "server"}, "needs a server"),
        ({**URL, "kind": "transformers", "model": ""}, "names no model"),
    ],
)
def test_what_names_no_model_is_a_sentence(table: dict[str, Any], named: str) -> None:
    with pytest.raises(CallError, match=named) as error:
        check(LanguageModelSettings(**table))
    assert "sesame" not in str(error.value)


def test_the_table_is_read_from_the_home(tmp_path: Path) -> None:
    init(tmp_path)
    assert read_settings(tmp_path).llm == LanguageModelSettings()
    with (tmp_path / "ariane.toml").open("a") as file:
        file.write('\n[feeds.a]\ntitle = { en = "A" }\n')
    toml = (tmp_path / "ariane.toml").read_text()
    chosen = toml.replace(
        "\n[llm]\n", '\n[llm]\nkind = "url"\nurl = "https://api.x.ai/v1"\nmodel = "grok-4"\n'
    )
    (tmp_path / "ariane.toml").write_text(chosen)
    settings = read_settings(tmp_path).llm
    assert (settings.kind, settings.model, settings.key) == ("url", "grok-4", "ARIANE_LLM_KEY")
    (tmp_path / "ariane.toml").write_text(chosen.replace('model = "grok-4"', ""))
    with pytest.raises(CallError, match="names no model"):
        read_settings(tmp_path)


def test_the_engine_holds_one_model_whatever_is_swapped(tmp_path: Path) -> None:
    init(tmp_path)
    assert load(tmp_path).llm is None
    path = tmp_path / "ariane.toml"
    chosen = '\n[llm]\nkind = "url"\nurl = "http://127.0.0.1:9/v1"\nmodel = "grok-4"\n'
    path.write_text(path.read_text().replace("\n[llm]\n", chosen))
    first, second = load(tmp_path), load(tmp_path)
    assert first.llm is not None
    assert first.llm is second.llm
    assert first.llm.name == "grok-4"


def test_those_who_ask_first_at_once_have_one_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A door takes seconds to open where it imports torch; no property of Python 3.12 waits."""

    def slowly(name: str) -> ModuleType:
        time.sleep(0.1)
        return import_module(name)

    monkeypatch.setattr("ariane.llm.import_module", slowly)
    settings = LanguageModelSettings(**URL)
    with ThreadPoolExecutor(3) as threads:
        models = set(threads.map(lambda _: _llm(settings, tmp_path), range(3)))
    assert len(models) == 1


@pytest.fixture
def without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *more: Any, **others: Any) -> Any:
        if name.partition(".")[0] == "openai":
            raise ModuleNotFoundError("No module named 'openai'", name="openai")
        return real(name, *more, **others)

    monkeypatch.setattr(builtins, "__import__", missing)
    for name in ("ariane.llm.url", "ariane.llm.bounded"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.usefixtures("without_the_extra")
def test_without_the_extra_the_sentence_names_it(tmp_path: Path) -> None:
    with pytest.raises(CallError, match=r"\[llm\] needs openai.*'ariane\[llm\]'"):
        open_llm(LanguageModelSettings(**URL), tmp_path)


@pytest.mark.usefixtures("without_the_extra")
def test_without_the_extra_all_else_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    toml = "[llm]\n" + "".join(f'{name} = "{value}"\n' for name, value in URL.items())
    (tmp_path / "ariane.toml").write_text(toml)
    engine = load(tmp_path)
    assert engine.llm is None
    assert engine.deeper is None
    assert "[llm] needs openai" in caplog.text


@pytest.mark.parametrize(
    ("name", "value"),
    [("retries", 11), ("retries", -1), ("concurrency", 0), ("concurrency", 65)],
)
def test_how_often_and_how_many_at_once_is_bounded(name: str, value: int, tmp_path: Path) -> None:
    (tmp_path / "ariane.toml").write_text(f"[llm]\n{name} = {value}\n")
    with pytest.raises(CallError, match=rf"\[llm\] {name} .* cannot be {value}"):
        read_settings(tmp_path)
