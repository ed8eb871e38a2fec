"""Many questions at once: every one answered or its error told, so many under way and no more."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from tests.llm.scripted import fails, says, scripted

from ariane.llm import LanguageModelSettings, Question, answer_all, open_llm
from ariane.types import LanguageModel, Message, ModelRefusedError

COUNT = 12


def model(url: str, home: Path) -> LanguageModel:
    """A model at an address, asked once."""
    found = open_llm(LanguageModelSettings(kind="url", url=url, model="m", retries=0), home)
    assert found is not None
    return found


def questions(taken: list[int]) -> Iterator[Question]:
    """So many questions, and which of them were taken."""
    for number in range(COUNT):
        taken.append(number)
        yield Question((Message("user", str(number)),), limit=5)


def test_every_question_has_its_answer(tmp_path: Path) -> None:
    def slowly(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.05)
        says("heard")(handler)

    with scripted(slowly) as server:
        found = dict(answer_all(model(server.url, tmp_path), questions([]), 3))
    assert found == dict.fromkeys(range(COUNT), "heard")
    assert 1 < server.most_at_once <= 3


def test_answers_are_told_apart_by_their_places(tmp_path: Path) -> None:
    with scripted(*(says(f"answer {number}") for number in range(COUNT))) as server:
        found = dict(answer_all(model(server.url, tmp_path), questions([]), 1))
    assert found == {place: f"answer {place}" for place in range(COUNT)}


def test_an_error_stands_in_its_answer_s_place(tmp_path: Path) -> None:
    with scripted(says("heard"), fails(400), says("heard")) as server:
        found = dict(answer_all(model(server.url, tmp_path), questions([]), 1))
    assert isinstance(found.pop(1), ModelRefusedError)
    assert found == {place: "heard" for place in range(COUNT) if place != 1}


def test_questions_are_taken_when_there_is_room(tmp_path: Path) -> None:
    taken: list[int] = []
    with scripted(says("heard")) as server:
        answers = answer_all(model(server.url, tmp_path), questions(taken), 2)
        next(answers)
        answers.close()  # type: ignore[attr-defined]
    assert len(taken) == 2
    assert len(server.asked) <= 2


def test_questions_under_way_keep_no_process() -> None:
    code = (
        "import threading; from ariane.llm import *\n"
        "class Hanging:\n"
        "    def answer(self, *_, **__):\n"
        "        if asked.is_set(): threading.Event().wait()\n"
        "        asked.set()\n"
        "asked = threading.Event()\n"
        "print(next(answer_all(Hanging(), [Question(())] * 9, 4)))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, timeout=60, text=True
    )
    assert ended.stdout.endswith(", None)\n")


def test_no_question_is_no_answer(tmp_path: Path) -> None:
    with scripted(says("heard")) as server:
        assert list(answer_all(model(server.url, tmp_path), [], 4)) == []


def test_a_fault_of_the_caller_passes_through(tmp_path: Path) -> None:
    class Broken:
        name = "broken"

        def answer(self, *_: object, **__: object) -> str:
            raise RuntimeError("a bug")

        def stream(self, *_: object, **__: object) -> Iterator[str]:
            return iter(())

    with pytest.raises(RuntimeError, match="a bug"):
        list(answer_all(Broken(), questions([]), 2))
