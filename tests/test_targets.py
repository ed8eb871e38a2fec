"""Targets of wishes: the kinds there are; how far posts match them is held by tests/steer."""

from __future__ import annotations

from pathlib import Path

import pytest

from ariane.read.aspects import ASPECTS
from ariane.steer.vocabulary import ABOUT
from ariane.targets import NAMES, check_target
from ariane.types import CLAIMS, CallError


@pytest.mark.parametrize(
    "target", ["topic:science", "topic: Science", "tone:angry", "word:goal", "author:did:plc:x"]
)
def test_targets_that_are_known_pass(target: str) -> None:
    check_target(target)


@pytest.mark.parametrize("target", ["science", "colour:red", "topic:", "word:  ", ""])
def test_other_targets_are_refused_with_the_kinds_there_are(target: str) -> None:
    with pytest.raises(CallError, match="topic, tone, intent"):
        check_target(target)


def test_the_names_are_those_that_the_reader_finds_and_that_words_name() -> None:
    aspects = {kind: tuple(names) for kind, names in ASPECTS.items()}
    assert {**aspects, "claim": CLAIMS} == NAMES
    assert {kind: tuple(ABOUT[kind]) for kind in aspects} == aspects


def test_the_names_are_documented() -> None:
    page = (Path(__file__).parents[1] / "docs" / "steer.md").read_text(encoding="utf-8")
    for kind, names in NAMES.items():
        assert f"| `{kind}` | {', '.join(names)} |" in page


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (
            "topic:football",
            "'football' is no topic; the nearest: food; docs/steer.md lists all 24, or wish by a "
            "word: word:football.",
        ),
        ("topic:sciences", "the nearest: science"),
        ("topic:qqq", "'qqq' is no topic; docs/steer.md lists all 24, or wish"),
        (
            "tone:furious",
            "'furious' is no tone; there are neutral, warm, enthusiastic, funny, ironic, angry, "
            "sad, worried, or wish by a word: word:furious.",
        ),
        ("intent:sell", "there are inform, ask, argue, tell"),
        ("format:poem", "there are note, story, list"),
    ],
)
def test_a_name_of_no_list_is_refused_with_those_there_are(target: str, said: str) -> None:
    with pytest.raises(CallError) as refused:
        check_target(target)
    assert said in str(refused.value)
