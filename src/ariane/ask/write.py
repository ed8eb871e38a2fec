"""Write: a language model's sentences, each let through only if what it cites bears it out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from itertools import chain
from typing import Any, Final

from ariane.ask.nouns import QUESTION, Citation, Line, Question
from ariane.ask.telling import denials, sentences, spans, tells
from ariane.material import material, to_machines
from ariane.types import LanguageModel, Message, Post

PROMPT: Final = "answer-3"
"""The instructions, by name and number; others get another number."""

SHOWN: Final = 1_000
"""Signs of each post that are shown."""

LOOKED_AT: Final = 4 * SHOWN
"""Signs of a post among which those are, before what is unseen is left out."""

LINES: Final = 5
LONGEST: Final = 400
"""Sentences of an answer, and signs of a sentence or a quotation, at most."""

ANSWER: Final = 700
"""Tokens of an answer at most."""

QUOTED: Final = 8
"""Signs that a quotation has at least: fewer would be found anywhere."""


def written(
    model: LanguageModel, question: Question, cited: Sequence[tuple[Citation, Post]]
) -> Iterator[Line]:
    """Sentences as they come, those that hold.

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
    """What the model is shown: the instructions, and question and posts as JSON.

    Authors are not: a name is words of a stranger too, and each citation bears it anyway.
    """
    posts = [{"n": one.number, "text": material(post.text, SHOWN)} for one, post in cited]
    asked = {
        "earlier": [material(text, QUESTION) for text in question.earlier],
        "question": material(question.text, QUESTION),
        "posts": posts,
    }
    instructions = files(__package__).joinpath("prompts", f"{PROMPT}.md").read_text("utf-8")
    return [
        Message("system", instructions),
        Message("user", json.dumps(asked, ensure_ascii=False)),
    ]


def checked(told: Mapping[str, Any], shown: Mapping[int, tuple[Citation, Post]]) -> Line | None:
    """A sentence with its citations; None where the first of them does not bear it out.

    That post holds all of its telling words, and its quotation. It denies what its quotation does,
    in as many of the same words, and so do the whole sentences in which that stands. A further
    post is cited if it holds and denies the same alone; no quotation says which of its sentences
    those are, and all of it counts. So no post puts words into a sentence that bears another's
    name.
    """
    text, quote, numbers = told.get("text"), told.get("quote"), told.get("cites")
    if not (isinstance(text, str) and isinstance(quote, str) and isinstance(numbers, list)):
        return None
    cites = [shown[n] for n in dict.fromkeys(filter(_counts, numbers)) if n in shown]
    line = " ".join(material(text, LONGEST).split())
    held = [(one, post.text[:LOOKED_AT]) for one, post in cites if _holds(post, line)]
    if not held or held[0][0] is not cites[0][0]:
        return None
    (one, first), *others = held
    for start, end in _places(quote, first):
        around = sentences(first, start, end)
        if denials(first[start:end]) == denials(around) == denials(line):
            more = (other for other, seen in others if denials(seen) == denials(line))
            return Line(line, (replace(one, quote=first[start:end]), *more))
    return None


def _holds(post: Post, line: str) -> bool:
    """Whether a post has all the telling words of a sentence that has some."""
    return tells(post.text[:LOOKED_AT]) >= tells(line) > set()


def _counts(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _objects(pieces: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    """The JSON objects in a text that comes in pieces, one a line; other lines are passed over.

    So is what a model thinks before it answers, where it marks that by `<think>`. Where the mark
    stands in the prompt, its thoughts are read as its sentences are, and checked as they are.
    """
    held, thinking = "", False
    for piece in chain(pieces, "\n"):
        *whole, held = (held + piece).split("\n")
        for line in whole:
            _, ended, said = line.rpartition("</think>")
            thinking = (thinking or "<think>" in line) and not ended
            if not thinking:
                yield from _object(said)


def _object(line: str) -> Iterator[Mapping[str, Any]]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict):
        yield value


def _places(quote: str, text: str) -> Iterator[tuple[int, int]]:
    """Where a quotation stands in a text, spaces and case aside, and cuts none of its words."""
    words = quote.split()
    if len(quote) > LONGEST or len("".join(words)) < QUOTED:
        return
    whole = spans(text)
    for found in re.finditer(r"\s+".join(map(re.escape, words)), text, re.IGNORECASE):
        if not any(start < edge < end for start, end in whole for edge in found.span()):
            yield found.span()
