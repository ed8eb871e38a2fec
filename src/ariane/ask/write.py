"""Write: a language model's sentences, each let through only if what it cites bears it out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any, Final

from ariane.ask.nouns import Citation, Line, Question
from ariane.forms import plain_words
from ariane.material import material, to_machines
from ariane.types import LanguageModel, Message, Post

PROMPT: Final = "answer-2"
"""The instructions, by name and number; others get another number."""

QUESTION: Final = 500
"""Signs of a question that are shown."""

SHOWN: Final = 1_000
"""Signs of each post that are shown."""

LINES: Final = 5
LONGEST: Final = 400
"""Sentences of an answer, and signs of a sentence, at most."""

ANSWER: Final = 700
"""Tokens of an answer at most."""

QUOTED: Final = 8
"""Signs that a quotation has at least: fewer would be found anywhere."""

BORNE_OUT: Final = 0.5
"""The share of a sentence's telling words that must stand in what it cites."""


def written(
    model: LanguageModel, question: Question, cited: Sequence[tuple[Citation, Post]]
) -> Iterator[Line]:
    """Sentences as they come, those that hold; posts that speak to machines are not shown to it.

    Raises LanguageModelError, maybe after some of them.
    """
    shown = {one.number: (one, post) for one, post in cited if not to_machines(post.text)}
    if not shown:
        return
    count = 0
    for told in _objects(model.stream(messages(question, shown.values()), limit=ANSWER)):
        line = checked(told, shown)
        if line is not None:
            yield replace(line, by=model.name)
            count += 1
        if count == LINES:
            return


def messages(question: Question, cited: Iterable[tuple[Citation, Post]]) -> list[Message]:
    """What the model is shown: the instructions, and question and posts as JSON."""
    posts = [
        {"n": one.number, "author": one.author, "text": material(post.text, SHOWN)}
        for one, post in cited
    ]
    asked = {
        "earlier": [material(text, QUESTION) for text in question.earlier],
        "question": material(question.text, QUESTION),
        "language": question.language,
        "posts": posts,
    }
    instructions = files(__package__).joinpath("prompts", f"{PROMPT}.md").read_text("utf-8")
    return [
        Message("system", instructions),
        Message("user", json.dumps(asked, ensure_ascii=False)),
    ]


def checked(told: Mapping[str, Any], shown: Mapping[int, tuple[Citation, Post]]) -> Line | None:
    """A sentence with its citations; None where they do not bear it out.

    Its quotation stands in the first post that it cites, every number that it tells stands in one
    of them, and so do at least half of its telling words.
    """
    text, quote, numbers = told.get("text"), told.get("quote"), told.get("cites")
    if not (isinstance(text, str) and isinstance(quote, str) and isinstance(numbers, list)):
        return None
    cites = [shown[n] for n in dict.fromkeys(filter(_counts, numbers)) if n in shown]
    line = " ".join(material(text, LONGEST).split())
    if not line or not cites:
        return None
    first, post = cites[0]
    place = _stands(quote, post.text)
    if place is None or not _borne_out(line, [(one, post.text) for one, post in cites]):
        return None
    return Line(line, (replace(first, quote=place), *(one for one, _ in cites[1:])))


def _counts(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _objects(pieces: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    """The JSON objects in a text that comes in pieces, one a line; other lines are passed over."""
    held = ""
    for piece in pieces:
        *whole, held = (held + piece).split("\n")
        for line in whole:
            yield from _object(line)
    yield from _object(held)


def _object(line: str) -> Iterator[Mapping[str, Any]]:
    try:
        value = json.loads(line)
    except ValueError:
        return
    if isinstance(value, dict):
        yield value


def _stands(quote: str, text: str) -> str | None:
    """The quotation as it stands in the text, spaces and case aside; None where it does not."""
    words = [re.escape(word) for word in quote.split()]
    if len("".join(quote.split())) < QUOTED:
        return None
    found = re.search(r"\s+".join(words), text, re.IGNORECASE)
    return found[0] if found else None


def _borne_out(line: str, cited: Sequence[tuple[Citation, str]]) -> bool:
    there = set(_telling(" ".join(f"{one.author} {text}" for one, text in cited)))
    told = _telling(line)
    if any(word not in there for word in told if word[0].isdigit()):
        return False
    return sum(word in there for word in told) >= BORNE_OUT * len(told)


def _telling(text: str) -> list[str]:
    """The words of a text that tell something: numbers, and words of four letters or more."""
    return [word for word in plain_words(text) if len(word) >= 4 or word[0].isdigit()]
