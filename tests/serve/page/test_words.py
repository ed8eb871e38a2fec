"""Words: every key in both languages, with the same values to fill in; times as they are said."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from ariane.guard.policies import DID
from ariane.read.aspects import ASPECTS
from ariane.report import words
from ariane.serve.page.moments import DAY, HOUR, MINUTE, full, since
from ariane.serve.page.render import TEMPLATES
from ariane.serve.page.words import WORDS, aspect, counted, number, say
from ariane.types import PREDICTED
from ariane.why.words import ASPECTS as NAMES
from ariane.why.words import PATTERNS, VERBS

NOW = 1_790_000_000_000
KEYS = re.compile(r'[^a-z][tn]\((?:\'|")([a-z_.]+[a-z_])(?:\'|")')


@pytest.mark.parametrize("key", sorted(WORDS))
def test_every_key_is_said_in_both_languages_with_the_same_values(key: str) -> None:
    english, french = WORDS[key]
    assert english.strip()
    assert french.strip()
    fields = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in WORDS[key]]
    assert fields[0] == fields[1]


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_every_key_of_a_template_is_there(template: Path) -> None:
    for key in KEYS.findall(template.read_text(encoding="utf-8")):
        assert key in WORDS or f"{key}.one" in WORDS, key


def test_every_action_in_a_score_has_a_name() -> None:
    assert all(f"term.{kind.value}" in WORDS for kind in PREDICTED)


def test_everything_that_can_be_wished_has_a_french_name() -> None:
    same = {"science", "justice", "transport", "sport", "art", "religion", "questions"}
    for names in ASPECTS.values():
        for name in names:
            assert aspect("fr", name) != name or name in same, name


def test_french_is_set_without_breaks_before_high_signs() -> None:
    assert say("fr", "why.ask") == "Pourquoi\u00a0?"
    assert not any(re.search(r" [:;!?»]|« ", french) for _, french in WORDS.values())


def test_one_and_many_are_told_apart() -> None:
    assert counted("en", "feed.over", 1) == "over 1 post"
    assert counted("en", "feed.over", 0) == "over 0 posts"
    assert counted("fr", "feed.over", 0) == "parmi 0 publication"


def test_a_post_has_one_name_in_french() -> None:
    told = [french for _, french in WORDS.values()]
    told += [text for each in (PATTERNS, VERBS, NAMES) for text in each["fr"].values()]
    told += [text for statement in DID.values() for text in statement.values()]
    told += [str(getattr(words, name)) for name in dir(words) if name.isupper()]
    told.append((Path(__file__).parents[3] / "README.fr.md").read_text(encoding="utf-8"))
    kept = re.sub(
        "your messages|messages privés", "", "\n".join(told)
    )  # those between people are messages
    assert re.findall(r".*\b(?:messages?|billets?)\b.*", kept, re.IGNORECASE) == []


def test_numbers_are_written_as_in_the_language() -> None:
    assert number("en", -1.5) == "−1.50"
    assert number("fr", 1.25, 1, sign=True) == "+1,2"


@pytest.mark.parametrize(
    ("ago", "english", "french"),
    [
        (0, "now", "à l’instant"),
        (-HOUR, "now", "à l’instant"),
        (3 * MINUTE, "3 min", "3 min"),
        (3 * HOUR, "3 h", "3 h"),
        (2 * DAY, "2 d", "2 j"),
        (30 * DAY, "22 Aug", "22 août"),
        (400 * DAY, "17 Aug 2025", "17 août 2025"),
    ],
)
def test_times_are_said_as_readers_do(ago: int, english: str, french: str) -> None:
    assert since("en", NOW - ago, now=NOW) == english
    assert since("fr", NOW - ago, now=NOW) == french


def test_the_full_time_has_its_zone() -> None:
    assert full("en", NOW).endswith("UTC")
