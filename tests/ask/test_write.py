"""What a model's sentence is held to, and what a post costs that was written to be slow."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ask.conftest import NOW
from tests.ask.models import Writer
from tests.ask.sentences import AGAINST, FAITHFUL

from ariane.ask import Line, Question
from ariane.ask.extract import LONGEST, SENTENCE, quote_of
from ariane.ask.nouns import Citation
from ariane.ask.write import LONGEST as QUOTATION
from ariane.ask.write import LOOKED_AT, checked, written
from ariane.types import Post


def _checked(text: str, quote: str, *posts: str) -> Line | None:
    """A sentence about posts, each of which it cites."""
    shown = {
        number: (Citation(number, "post", f"p{number}"), Post(f"p{number}", "ann", post, NOW))
        for number, post in enumerate(posts, start=1)
    }
    return checked({"text": text, "quote": quote, "cites": list(shown)}, shown)


@pytest.mark.parametrize(("post", "text", "quote"), FAITHFUL)
def test_a_faithful_sentence_goes_out_with_its_quotation(post: str, text: str, quote: str) -> None:
    line = _checked(text, quote, post)
    assert line is not None
    assert [one.quote for one in line.cites] == [quote]


@pytest.mark.parametrize(("post", "text", "quote"), AGAINST)
def test_a_sentence_against_its_own_citation_does_not(post: str, text: str, quote: str) -> None:
    assert _checked(text, quote, post) is None


def test_a_quotation_may_stand_where_another_is_denied() -> None:
    post = "The tram stops here, or not. The tram stops here."
    line = _checked("The tram stops here.", "the  tram stops", post)
    assert line is not None
    assert line.cites[0].quote == "The tram stops"
    assert _checked("The tram stops here.", "the tram stops here, or", post) is None


def test_a_further_post_is_cited_only_for_what_it_bears_out() -> None:
    first, text, quote = "The tram stops at the school.", "The tram stops.", "tram stops at"
    for other, cited in (
        (first, [1, 2]),
        ("No, the tram stops not at the school.", [1]),
        ("The tram stops at the school. I do not like it.", [1]),
        ("The bus stops at the school.", [1]),
    ):
        line = _checked(text, quote, first, other)
        assert line is not None
        assert [one.number for one in line.cites] == cited
    assert _checked(text, "The bus stops", "The bus stops.", first) is None
    assert _checked(text, quote, "The bus stops.", first) is None


def test_a_long_quotation_and_what_no_model_saw_are_not_looked_at() -> None:
    post = "word " * QUOTATION
    assert _checked("A word.", post[: QUOTATION - 1], post) is not None
    assert _checked("A word.", post[: QUOTATION + 1], post) is None
    late = "x " * (LOOKED_AT // 2) + "The tram stops here."
    assert _checked("The tram stops here.", "The tram stops", late) is None


def test_a_model_is_shown_question_and_posts_and_nothing_else() -> None:
    writer = Writer(lambda _: [])
    cited = [(Citation(1, "post", "p"), Post("p", "ann", "Le tram passe.", NOW))]
    assert list(written(writer, Question("le tram ?", NOW, language="fr"), cited)) == []
    assert set(writer.seen[0]) == {"earlier", "question", "posts"}


HOSTILE = {
    "stops": "Tram " + "." * 99_990 + "a",
    "stops and closings": "!" * 50_000 + "»" * 49_999 + "a",
    "stops in each word": ("a" + "." * 1_000) * 100,
    "closings": "a." + "»" * 99_000 + "a",
    "a closing a stop": ".»" * 50_000 + "a",
    "short sentences": "a. " * 33_000,
    "spaces": "a" + " " * 99_000 + ".",
    "lines": "a\n" * 50_000,
    "marks of accents": "a" + "\u0315\u0300" * 50_000,
}
"""What took minutes, or might, of the signs that a post may have by default."""


def _sentences(text: str) -> list[str]:
    return [found[0] for found in SENTENCE.finditer(text)]


def _by_words(text: str) -> list[str]:
    """The sentences of a text as lines and words end them, each of which is looked at once."""
    found = list[str]()
    for line in text.split("\n"):
        said = list[str]()
        for part in re.findall(r"\s+|\S+", line.lstrip()):
            said += [part] if said or part.strip() else []
            if part.rstrip("»”\"')").endswith((".", "!", "?", "…")):
                found.append("".join(said))
                said = []
        found += ["".join(said)] if said else []
    return found


SIGNS = st.text(st.sampled_from("ab .!?…»”\"')\n\u00a0é"))


@given(SIGNS | st.text())
def test_sentences_are_those_that_words_end(text: str) -> None:
    assert _sentences(text) == _by_words(text)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_post_stops_the_server(text: str) -> None:
    """Nothing is timed: with a pattern of cubic time this does not end before it is ended."""
    assert _sentences(text) == _by_words(text)
    assert len(quote_of(text, "tram")) <= LONGEST
    for quote in (text, text[:QUOTATION], "a " * (QUOTATION // 2)):
        assert _checked("Tram.", quote, text) is None or "Tram" in text
