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
from ariane.forms import folded, plain_words
from ariane.material import material, to_machines
from ariane.types import LanguageModel, Message, Post

PROMPT: Final = "answer-3"
"""The instructions, by name and number; others get another number."""

SHOWN: Final = 1_000
"""Signs of each post that are shown."""

LINES: Final = 5
LONGEST: Final = 400
"""Sentences of an answer, and signs of a sentence, at most."""

ANSWER: Final = 700
"""Tokens of an answer at most."""

QUOTED: Final = 8
"""Signs that a quotation has at least: fewer would be found anywhere."""

FUNCTION: Final = frozenset(
    plain_words(
        """
    a about according an and are as at be been being but by for from had has have he her his in
    into is it its of on or people person post posts said say saying says she that the their
    them there they this to was were which who will with writes wrote
    au aussi aux avec c ce ces cet cette d dans de des dit dire disent du elle elles en est et etait
    etaient été il ils l la le les leur leurs lui ont ou par personne personnes pour publication
    publications qu que qui s sa se selon ses son sont sur un une y à
    """
    )
)
"""Words that tell nothing alone; what is not among them tells something, however short it is."""

DENIES: Final = frozenset(
    plain_words(
        """
    no not never nobody nothing none neither nor without cannot
    n ne pas jamais aucun aucune rien ni sans non
    """
    )
)
"""Words that turn what is said around; n't is known by its end."""


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

    Its quotation stands in the first post that it cites, and each post that it cites holds all of
    its telling words alone: so no post puts words into a sentence that bears another's name.
    """
    text, quote, numbers = told.get("text"), told.get("quote"), told.get("cites")
    if not (isinstance(text, str) and isinstance(quote, str) and isinstance(numbers, list)):
        return None
    cites = [shown[n] for n in dict.fromkeys(filter(_counts, numbers)) if n in shown]
    line = " ".join(material(text, LONGEST).split())
    if not cites or not all(_bears_out(post.text, line) for _, post in cites):
        return None
    first, post = cites[0]
    place = _stands(quote, post.text)
    if place is None or (_denies(place) and not _denies(line)):
        return None
    return Line(line, (replace(first, quote=place), *(one for one, _ in cites[1:])))


def _counts(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _objects(pieces: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    """The JSON objects in a text that comes in pieces, one a line; other lines are passed over.

    So is what a model thinks before it answers, where it marks that by `<think>`.
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


def _stands(quote: str, text: str) -> str | None:
    """The quotation as it stands in the text, spaces and case aside; None where it does not."""
    words = [re.escape(word) for word in quote.split()]
    if len("".join(quote.split())) < QUOTED:
        return None
    found = re.search(r"\s+".join(words), text, re.IGNORECASE)
    return found[0] if found else None


def _bears_out(text: str, line: str) -> bool:
    """Whether a text holds all that a sentence tells, and denies something where that does."""
    telling = set(plain_words(line)) - FUNCTION - DENIES
    return telling <= set(plain_words(text)) and bool(telling) and _denies(text) >= _denies(line)


def _denies(text: str) -> bool:
    return not DENIES.isdisjoint(plain_words(text)) or "n't" in folded(text)
