"""A hundred questions, English and French: every sentence that states a fact is borne out."""

from __future__ import annotations

import csv
import json
import lzma
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.ask.relevance import Judge, Peer

from ariane.ask import Line, Question, ask
from ariane.ask.words import WORDS
from ariane.demo.town import take_in
from ariane.demo.town import town as simulated
from ariane.engine import Engine, init, load
from ariane.llm import LanguageModelSettings, open_llm
from ariane.read import read
from ariane.types import LanguageModel, Post

NOW = 1_795_000_000_000
SMALL = Path(__file__).parents[2] / "models" / "small-grok"
CONVERSATIONS = (
    "15-per-hour-seattle",
    "brexit-consensus",
    "football-concussions",
    "scoop-hivemind.ubi",
)
ASKED = [
    json.loads(line)
    for line in (Path(__file__).parent / "questions.jsonl").read_text("utf-8").splitlines()
]
FACTS = ("said", "rumour", "alleged", "reported", "correction")
"""The sentences put together by rule that state something about the world."""

BY_RULE = [
    re.compile(re.escape(text).replace(r"\{subject\}", ".*"))
    for words in WORDS.values()
    for name, text in words.items()
    if name not in FACTS
]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    home = tmp_path_factory.mktemp("town") / "home"
    init(home)
    engine = load(home)
    take_in(engine.store, home, NOW)
    yield from _read(engine)


@pytest.fixture(scope="module")
def polis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = Path(os.environ.get("ARIANE_DATA", "")) / "polis"
    if not folder.is_dir():
        pytest.skip("ARIANE_DATA names no directory that holds polis/")
    home = tmp_path_factory.mktemp("polis") / "home"
    init(home)
    engine = load(home)
    engine.store.write([post for name in CONVERSATIONS for post in _statements(folder, name)])
    yield from _read(engine)


def _read(engine: Engine) -> Iterator[Engine]:
    read(engine.store, engine.reader, engine.classify)
    engine.refresh()
    yield engine
    engine.store.close()


def _statements(folder: Path, name: str) -> Iterator[Post]:
    with lzma.open(folder / name / "comments.csv.xz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            number, author = row["comment-id"], row["author-id"]
            text = row["comment-body"].strip()
            if text:
                yield Post(f"{name}/{number}", f"{name}/{author}", text, int(row["timestamp"]))


def facts(
    engine: Engine, asked: list[dict[str, Any]], model: LanguageModel | None
) -> tuple[list[Line], list[Line], int]:
    """The sentences that state a fact, those borne out, and how many questions had any."""
    told, answered = list[Line](), 0
    for one in asked:
        question = Question(one["question"], NOW, language=one["language"])
        lines = [line for line in ask(engine, question, model).lines if _states(line)]
        answered += bool(lines)
        told += lines
    return told, [line for line in told if _borne_out(engine, line)], answered


def _states(line: Line) -> bool:
    return not any(form.fullmatch(line.text) for form in BY_RULE)


def _borne_out(engine: Engine, line: Line) -> bool:
    """Whether its citations exist and hold what they quote; a quotation is its quote itself."""
    held = engine.store.posts([one.id for one in line.cites])
    stand = [one.id in held and one.quote in held[one.id].text for one in line.cites]
    quoted = line.by or all(one.quote and one.quote in line.text for one in line.cites)
    return bool(line.cites) and all(stand) and bool(quoted)


def test_there_are_a_hundred_questions_in_two_languages() -> None:
    assert len({one["question"] for one in ASKED}) == 100
    for over in ("town", "polis"):
        for language in ("en", "fr"):
            wanted = {"over": over, "language": language}
            assert sum(wanted.items() <= one.items() for one in ASKED) == 25


@pytest.mark.parametrize("over", ["town", "polis"])
def test_every_sentence_of_an_extract_is_borne_out(
    over: str, request: pytest.FixtureRequest
) -> None:
    engine: Engine = request.getfixturevalue(over)
    asked = [one for one in ASKED if one["over"] == over]
    told, borne, answered = facts(engine, asked, None)
    share = len(borne) / len(told)
    print(f"{over}: {answered} of {len(asked)} answered, {len(told)} sentences, share {share:.3f}")
    assert answered >= 0.8 * len(asked)
    assert share == 1.0


def posts_cited(engine: Engine, asked: Mapping[str, Any]) -> list[str]:
    """The posts that an answer without a model cites, each once."""
    question = Question(asked["question"], NOW, language=asked["language"])
    lines = ask(engine, question).lines
    return list(dict.fromkeys(one.id for line in lines for one in line.cites))


def test_what_is_cited_is_to_the_point(town: Engine) -> None:
    made = simulated(NOW)
    judge, peer = Judge(made), Peer({post.id: post.words for post in made.posts})
    asked = [one for one in ASKED if one["over"] == "town"]
    for name, half in (("looked at", asked[::2]), ("only measured", asked[1::2])):
        ours = judge.found(half, [posts_cited(town, one) for one in half])
        theirs = judge.found(half, [peer(one["question"]) for one in half])
        print(f"{name}: {ours}; TF-IDF: {theirs}")
        assert ours.answered >= 0.6 * ours.questions


@pytest.mark.slow
def test_the_small_grok_says_nothing_that_is_not_borne_out(town: Engine, tmp_path: Path) -> None:
    settings = LanguageModelSettings(
        kind="transformers", model=str(SMALL), timeout_seconds=60, schema="prompt"
    )
    model = open_llm(settings, tmp_path)
    assert model is not None
    told, borne, answered = facts(town, [one for one in ASKED if one["over"] == "town"][:5], model)
    written = sum(bool(line.by) for line in told)
    print(
        f"small Grok: {answered} of 5 answered, {len(told)} sentences, {written} of them its own, "
        f"share {len(borne) / len(told):.3f}"
    )
    assert borne == told
