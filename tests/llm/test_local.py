"""The door to a model in this process: the small Grok, for real."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from ariane.llm import LanguageModelSettings, Ledger, Question, answer_all, open_llm
from ariane.types import (
    LanguageModel,
    Message,
    ModelDownError,
    ModelGarbageError,
    ModelRefusedError,
    ModelSlowError,
)

SMALL = Path(__file__).parents[2] / "models" / "small-grok"
HELLO = [Message("system", "Sois bref."), Message("user", "Il était une fois")]


def opened(home: Path, **more: Any) -> LanguageModel:
    """The small Grok, or another directory, in this process."""
    given = {"model": str(SMALL), "timeout_seconds": 300.0, **more}
    found = open_llm(LanguageModelSettings(kind="transformers", **given), home)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def grok(home: Path) -> LanguageModel:
    return opened(home)


def pieces(stream: Iterator[str]) -> list[str]:
    """What a stream gave until its limit."""
    found = []
    with pytest.raises(ModelGarbageError, match="cut at its limit"):
        for piece in stream:
            found.append(piece)
    return found


def test_it_is_called_by_its_directory(grok: LanguageModel) -> None:
    assert grok.name == "small-grok"


def test_the_same_question_has_the_same_answer(grok: LanguageModel, home: Path) -> None:
    """A model of 2.7 million weights trained on novels ends its turn when it pleases."""
    before = Ledger(home, LanguageModelSettings()).spent()
    first = "".join(pieces(grok.stream(HELLO, limit=12)))
    assert first.strip()
    assert first == "".join(pieces(grok.stream(HELLO, limit=12)))
    after = Ledger(home, LanguageModelSettings()).spent()
    assert after.tokens_out - before.tokens_out == 24
    assert after.tokens_in > before.tokens_in


def test_an_answer_that_the_limit_cuts_is_garbage(grok: LanguageModel) -> None:
    with pytest.raises(ModelGarbageError, match="cut at its limit of 6 tokens"):
        grok.answer(HELLO, limit=6)


def test_no_json_is_garbage(grok: LanguageModel) -> None:
    with pytest.raises(ModelGarbageError):
        grok.answer(HELLO, {"type": "object", "required": ["topic"]}, limit=6)


def test_what_is_longer_than_it_takes_is_refused(grok: LanguageModel) -> None:
    with pytest.raises(ModelRefusedError, match="that small-grok takes"):
        grok.answer([Message("user", "mot " * 2_000)], limit=6)


def test_a_stream_that_is_left_ends_its_answer(grok: LanguageModel) -> None:
    stream = grok.stream(HELLO, limit=400)
    assert next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert pieces(grok.stream(HELLO, limit=4))  # its turn has come


def test_answers_wait_for_each_other(grok: LanguageModel) -> None:
    alone = pieces(grok.stream(HELLO, limit=8))
    found: list[list[str]] = []
    threads = [
        Thread(target=lambda: found.append(pieces(grok.stream(HELLO, limit=8)))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 3


def test_the_time_of_an_answer_begins_with_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for 250 of its 300 seconds, and takes 100 itself."""
    now = [0.0]

    class Turn:
        """A turn that comes late."""

        def acquire(self, timeout: float) -> bool:
            now[0] += 250.0
            return timeout >= 250.0

        def release(self) -> None:
            """Nobody else waits."""

    class Slow(Obliging):
        """A model that takes its time."""

        def generate(self, asked: Any, **_: Any) -> Any:
            now[0] += 100.0
            return super().generate(asked)

    model = opened(tmp_path)
    door: Any = model
    held = door._door._loaded()
    door._door._held = type(held)(Slow(held.model, held.tokenizer, "Salut."), held.tokenizer)
    door._door._turn = Turn()
    monkeypatch.setattr("ariane.llm.local.time", SimpleNamespace(monotonic=lambda: now[0]))
    assert model.answer(HELLO, limit=200) == "Salut."


def test_what_takes_too_long_is_slow(tmp_path: Path) -> None:
    slow = opened(tmp_path, timeout_seconds=0.01)
    with pytest.raises(ModelSlowError, match=r"within 0\.01 seconds"):
        slow.answer(HELLO, limit=900)
    with pytest.raises(ModelSlowError):
        list(slow.stream(HELLO, limit=900))


def test_a_directory_without_a_model_is_down(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelDownError, match="cannot be loaded"):
        opened(tmp_path, model=str(tmp_path)).answer(HELLO)


def test_a_model_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    model = opened(tmp_path)
    door: Any = model
    held = door._door._loaded()
    held.tokenizer.chat_template = None
    with pytest.raises(ModelRefusedError, match="no chat template"):
        model.answer(HELLO, limit=4)
    held.tokenizer.chat_template = "{{ raise_exception('no system turns') }}"
    with pytest.raises(ModelRefusedError, match="no chat template"):
        model.answer(HELLO, limit=4)


class Obliging:
    """A model that answers as it is told, token by token, in the small Grok's place."""

    def __init__(self, real: Any, tokenizer: Any, said: str) -> None:
        self.real, self.tokens = real, tokenizer(said, return_tensors="pt")["input_ids"]
        self.device, self.config = real.device, real.config
        self.generation_config = real.generation_config

    def generate(self, asked: Any, **_: Any) -> Any:
        end = torch.tensor([[1]])
        return torch.cat([asked, self.tokens, end], dim=1)


class Failing(Obliging):
    """A model that fails in its own way, in the small Grok's place."""

    def generate(self, asked: Any, **_: Any) -> Any:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")


def test_a_model_that_fails_is_down(tmp_path: Path) -> None:
    """A CPU out of memory is a bare RuntimeError."""
    model = opened(tmp_path)
    door: Any = model
    held = door._door._loaded()
    door._door._held = type(held)(Failing(held.model, held.tokenizer, ""), held.tokenizer)
    with pytest.raises(ModelDownError, match="small-grok fails at this question"):
        model.answer(HELLO, limit=4)
    with pytest.raises(ModelDownError):
        list(model.stream(HELLO, limit=4))
    found = answer_all(model, [Question(tuple(HELLO), limit=4)] * 3, 2)
    assert [type(told) for _, told in found] == [ModelDownError] * 3
    assert Ledger(tmp_path, LanguageModelSettings()).spent().tokens_out == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "way", ["list(model.answer(hello, limit=900))", "list(model.stream(hello, limit=900))"]
)
def test_an_answer_under_way_lets_the_process_end(way: str, tmp_path: Path) -> None:
    code = (
        "import sys, threading, time; from pathlib import Path\n"
        "from ariane.llm import *; from ariane.types import Message\n"
        "settings = LanguageModelSettings(kind='transformers', model=sys.argv[1])\n"
        "model, hello = open_llm(settings, Path(sys.argv[2])), [Message('user', 'Il')]\n"
        "began, door = threading.Event(), model._door\n"
        "held = door._loaded()\n"
        "first = held.model.forward\n"
        "held.model.forward = lambda *a, **k: (began.set(), first(*a, **k))[1]\n"
        f"threading.Thread(target=lambda: {way}, daemon=True).start()\n"
        "began.wait()\n"
    )
    call = [sys.executable, "-c", code, str(SMALL), str(tmp_path)]
    subprocess.run(call, check=True, timeout=200)


def test_a_template_that_never_ends_is_refused(tmp_path: Path) -> None:
    model = opened(tmp_path)
    door: Any = model
    held = door._door._loaded()
    held.tokenizer.chat_template = "{% macro more() %}{{ more() }}{% endmacro %}{{ more() }}"
    with pytest.raises(ModelRefusedError, match="no chat template"):
        model.answer(HELLO, limit=4)


def test_an_answer_that_fits_is_taken(tmp_path: Path) -> None:
    model = opened(tmp_path)
    door: Any = model
    held = door._door._loaded()
    said = 'Voici : {"topic": "science"}'
    door._door._held = type(held)(Obliging(held.model, held.tokenizer, said), held.tokenizer)
    schema = {"type": "object", "required": ["topic"]}
    assert json.loads(model.answer(HELLO, schema, limit=200)) == {"topic": "science"}
    assert model.answer(HELLO, limit=200) == said


def test_no_code_of_a_directory_is_run(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "zzz", "auto_map": {"AutoConfig": "evil.Evil"}}), "utf-8"
    )
    ran = tmp_path / "ran"
    (tmp_path / "evil.py").write_text(f"open({str(ran)!r}, 'w')", "utf-8")
    with pytest.raises(ModelDownError, match="cannot be loaded"):
        opened(tmp_path, model=str(tmp_path)).answer(HELLO)
    assert not ran.exists()


def test_a_model_that_is_not_here_is_not_fetched(tmp_path: Path) -> None:
    settings = LanguageModelSettings("transformers", model="nobody/nothing")
    model = open_llm(settings, tmp_path)
    assert model is not None
    with pytest.raises(ModelDownError, match=r"nobody/nothing is no directory below .* cache"):
        model.answer(HELLO, limit=4)
