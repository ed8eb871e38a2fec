"""Reasons in words: exact grammar in both languages, evidence quoted, nothing sensitive named."""

from __future__ import annotations

from dataclasses import replace
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ariane.read.aspects import FORMATS, TONES, TOPICS
from ariane.types import (
    FOLLOWING,
    Action,
    ActionKind,
    Ask,
    Feed,
    Page,
    Past,
    Post,
    Reason,
    Viewer,
    Wish,
)
from ariane.why.causes import SENSITIVE, WEIGHT
from ariane.why.sentences import ordinal, sentence, shortened
from ariane.why.words import ASPECTS, PATTERNS, VERBS

ACTIONS = (
    Past(Action("a1", "v", ActionKind.LIKE, 1, post="p1"), Post("p1", "x", "Solar roofs\nnow", 0)),
    Past(Action("a2", "v", ActionKind.LIKE, 2, post="p2"), Post("p2", "x", "Wind at sea", 0)),
    Past(Action("a3", "v", ActionKind.REPLY, 3, post="p3"), Post("p3", "x", "Heat pumps", 0)),
    Past(Action("a4", "v", ActionKind.LIKE, 4, post="p4")),
    Past(Action("a5", "v", ActionKind.NOT_INTERESTED, 5, post="p5"), Post("p5", "x", "Buy now", 0)),
    Past(Action("a6", "v", ActionKind.BLOCK, 6, post="p6"), Post("p6", "x", "Spam", 0)),
    Past(Action("a7", "v", ActionKind.FOLLOW, 7, account="x")),
)
WISHES = (
    Wish("w1", "topic:science", 1, said="plus de science"),
    Wish("w2", "topic:city", 1),
)
FEED = Feed(Ask("r", "v", 9), Viewer("v", ACTIONS, wishes=WISHES), Page(()))


def said(cause: str, *evidence: str, language: str, then: int | None = 37, rank: int = 3) -> str:
    return sentence(Reason("p", "rank", cause, evidence, rank, then), FEED, language)


@pytest.mark.parametrize(
    ("cause", "evidence", "english", "french"),
    [
        (
            "topic+tone:climate+worried",
            ("a1", "a2"),
            "3rd because you liked “Solar roofs now” and “Wind at sea” (climate, worried). "
            "Without them: 37th.",
            "3ᵉ parce que vous avez aimé « Solar roofs now » et « Wind at sea » (climat, inquiet). "
            "Sans elles : 37ᵉ.",
        ),
        (
            "action:like",
            ("a2",),
            "3rd because you liked “Wind at sea”. Without it: 37th.",
            "3ᵉ parce que vous avez aimé « Wind at sea ». Sans elle : 37ᵉ.",
        ),
        (
            "author:x",
            ("a1", "a2", "a3"),
            "3rd because you responded to “Solar roofs now”, “Wind at sea” and 1 other "
            "(same author). Without them: 37th.",
            "3ᵉ parce que vous avez réagi à « Solar roofs now », « Wind at sea » et 1 autre "
            "(même auteur). Sans elles : 37ᵉ.",
        ),
        (
            "topic:music",
            ("a1", "a2", "a4", "gone"),
            "3rd because you liked “Solar roofs now”, “Wind at sea” and 2 others (music). "
            "Without them: 37th.",
            "3ᵉ parce que vous avez aimé « Solar roofs now », « Wind at sea » et 2 autres "
            "(musique). Sans elles : 37ᵉ.",
        ),
        (
            "action:like",
            ("a4",),
            "3rd because you liked a post. Without it: 37th.",
            "3ᵉ parce que vous avez aimé une publication. Sans elle : 37ᵉ.",
        ),
        (
            "action:several",
            ("a5", "a6"),
            "3rd because you turned away from “Buy now” and “Spam”. Without them: 37th.",
            "3ᵉ parce que vous avez écarté « Buy now » et « Spam ». Sans elles : 37ᵉ.",
        ),
        (
            "follow:x",
            ("a7",),
            "3rd because you follow its author. Without that: 37th.",
            "3ᵉ parce que vous suivez son auteur. Sans cela : 37ᵉ.",
        ),
        (
            "wish:topic:science",
            ("w1",),
            "3rd because you wished: “plus de science”. Without that: 37th.",
            "3ᵉ parce que vous avez souhaité : « plus de science ». Sans cela : 37ᵉ.",
        ),
        (
            "wish:topic:city",
            ("w2",),
            "3rd because you wished for more of this: housing and cities. Without that: 37th.",
            "3ᵉ parce que vous en avez souhaité davantage : logement et ville. Sans cela : 37ᵉ.",
        ),
        (
            "history:",
            tuple(f"a{n}" for n in range(1, 8)),
            "No single cause: removing all your 7 actions moves it 3rd → 37th.",
            "Pas de cause unique : retirer l’ensemble de vos 7 actions la fait passer de 3ᵉ à 37ᵉ.",
        ),
    ],
)
def test_a_claim_in_both_languages(
    cause: str, evidence: tuple[str, ...], english: str, french: str
) -> None:
    assert said(cause, *evidence, language="en") == english
    assert said(cause, *evidence, language="fr").replace("\u00a0", " ") == french
    assert said(cause, *evidence, language="fr-CA") == said(cause, *evidence, language="fr")
    assert said(cause, *evidence, language="de") == english


@pytest.mark.parametrize("cause", ["follow:x", "exploration:", "fresh:", "everyone:"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_no_counterfactual_shows_prints_no_second_rank(cause: str, language: str) -> None:
    text = said(cause, language=language, then=None, rank=4)
    assert "37" not in text
    assert text.endswith(".")
    personal = ("Not personal", "Rien de personnel")
    assert text.startswith(personal) == (cause == "exploration:")


LATEST = Ask("r", "v", 9, feed=FOLLOWING)
EVERYONE = Reason("p", "rank", "everyone:", (), 1, None)


def test_one_with_a_history_is_told_what_was_measured_and_not_that_it_is_impersonal() -> None:
    """Likes and dislikes may cancel, so that all together lift nothing and each alone does."""
    assert sentence(EVERYONE, FEED, "en") == (
        "Your actions together do not lift it: without all of them it would be no lower than 1st."
    )
    assert "plus bas que 1ʳᵉ" in sentence(EVERYONE, FEED, "fr")


@pytest.mark.parametrize("feed", [replace(FEED, model="recent"), replace(FEED, ask=LATEST)])
def test_where_no_model_ranked_it_is_said_that_posts_stand_by_time(feed: Feed) -> None:
    said = "1st: no model ranked this page; posts stand by time."
    assert sentence(EVERYONE, feed, "en") == said
    assert "par ordre de date" in sentence(EVERYONE, feed, "fr")
    known = replace(feed, viewer=Viewer("v", follows=frozenset("x")))
    assert sentence(EVERYONE, known, "en") == said


def test_only_where_nothing_is_known_is_it_said_that_nothing_was_used() -> None:
    anyone = Feed(Ask("r", None, 9), Viewer(None), Page(()))
    said = "Not personal: it stands 1st, and nothing about you was used."
    assert sentence(EVERYONE, anyone, "en") == said
    assert sentence(EVERYONE, replace(anyone, viewer=Viewer("new")), "en") == said


@pytest.mark.parametrize(
    "known",
    [
        {"wishes": WISHES},
        {"follows": frozenset("x")},
        {"mutes": frozenset("x")},
        {"blocks": frozenset("x")},
        {"seen": frozenset("x")},
        {"minor": True},
        {"after": "the page before"},
    ],
)
def test_one_of_whom_anything_is_known_is_told_no_more_than_is_true(
    known: dict[str, object],
) -> None:
    ask = Ask("r", "v", 9, after=known.pop("after", None))
    feed = Feed(ask, Viewer("v", **known), Page(()))
    expected = "1st, and none of your actions went into its score."
    assert sentence(EVERYONE, feed, "en") == expected
    assert sentence(EVERYONE, feed, "fr").startswith("1ʳᵉ, et aucune de vos actions")


@pytest.mark.parametrize(
    ("number", "english", "french"),
    [
        (1, "1st", "1ʳᵉ"),
        (2, "2nd", "2ᵉ"),
        (3, "3rd", "3ᵉ"),
        (4, "4th", "4ᵉ"),
        (11, "11th", "11ᵉ"),
        (12, "12th", "12ᵉ"),
        (13, "13th", "13ᵉ"),
        (21, "21st", "21ᵉ"),
        (22, "22nd", "22ᵉ"),
        (101, "101st", "101ᵉ"),
        (111, "111th", "111ᵉ"),
        (113, "113th", "113ᵉ"),
    ],
)
def test_ordinals(number: int, english: str, french: str) -> None:
    assert (ordinal(number, "en"), ordinal(number, "fr")) == (english, french)


@given(st.text(max_size=300), st.integers(5, 80))
def test_a_quote_is_one_line_and_no_longer_than_it_may_be(text: str, longest: int) -> None:
    short = shortened(text, longest)
    line = " ".join(text.split())
    assert len(short) <= longest
    assert len(short.splitlines()) <= 1
    assert short == line if len(line) <= longest else short.endswith("…")


@pytest.mark.parametrize(("language", "marks"), [("en", "“”"), ("fr", "«»")])
def test_a_quote_does_not_end_itself(language: str, marks: str) -> None:
    text = "Fine”. The city closes « line 3 ». Also “I like trams."
    past = Past(Action("a", "v", ActionKind.LIKE, 1, post="p"), Post("p", "x", text, 0))
    wish = Wish("w", "topic:city", 1, said="city” and « trams »")
    feed = replace(FEED, viewer=Viewer("v", (past,), wishes=(wish,)))
    for cause, evidence in (("topic:city", "a"), ("wish:topic:city", "w")):
        told = sentence(Reason("p", "rank", cause, (evidence,), 3, 7), feed, language)
        assert [told.count(mark) for mark in "“”«»"] == [int(mark in marks) for mark in "“”«»"]


def test_a_quote_is_cut_between_words() -> None:
    assert shortened("one two three four", 12) == "one two…"
    assert shortened("a" * 50, 10) == "a" * 9 + "…"


@pytest.mark.parametrize("topic", sorted(SENSITIVE))
def test_sensitive_topics_are_not_printed_even_from_a_receipt(topic: str) -> None:
    for kind in (f"topic:{topic}", f"topic+tone:{topic}+warm"):
        text = said(kind, "a1", language="en")
        assert topic not in text


def test_every_language_has_every_pattern_verb_and_aspect_with_the_same_places() -> None:
    for table in (PATTERNS, VERBS, ASPECTS):
        assert table["en"].keys() == table["fr"].keys()
        for name in table["en"]:
            english, french = (
                {place for _, place, _, _ in Formatter().parse(table[tongue][name]) if place}
                for tongue in ("en", "fr")
            )
            assert english == french, name


def test_every_kind_of_action_has_its_verb() -> None:
    assert {kind.value for kind in ActionKind} <= VERBS["en"].keys()


def test_what_the_reader_names_has_words() -> None:
    named = {*TOPICS, *TONES, *FORMATS} - SENSITIVE
    assert named <= ASPECTS["en"].keys()
    assert SENSITIVE & ASPECTS["en"].keys() == set()


@pytest.mark.parametrize("kind", sorted(WEIGHT))
def test_every_kind_of_cause_can_be_said(kind: str) -> None:
    for language in ("en", "fr"):
        text = said(f"{kind}:music", "a1", "a2", language=language)
        assert "37" in text
        assert "{" not in text
