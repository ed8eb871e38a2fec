"""Notes: the citations of one answer, each numbered once, and sentences with their marks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from ariane.ask.nouns import Citation, Line
from ariane.ask.words import say
from ariane.material import material
from ariane.why.sentences import MARKS

NUMBERS: Final = str.maketrans("[]", "()")
"""What stands for the signs of a citation's number where a post has them."""

LONGEST: Final = 2_000
"""Signs of a sentence that is told."""


class Notes:
    """Numbers citations from 1, in the order in which sentences name them.

    The same words of the same post have one number; other words of it have another.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], Citation] = {}

    def of(self, line: Line) -> Line:
        """The same sentence, its citations by their numbers in this answer."""
        return replace(line, cites=tuple(self._numbered(one) for one in line.cites))

    def _numbered(self, one: Citation) -> Citation:
        key = (one.kind, one.id, one.quote)
        return self._known.setdefault(key, replace(one, number=len(self._known) + 1))


def sources(lines: Iterable[Line]) -> list[Citation]:
    """The citations of numbered sentences, each once, by number."""
    return list({one.number: one for line in lines for one in line.cites}.values())


def marked(line: Line) -> str:
    """A sentence with the marks of its citations: "… twelve stops. [1] [2]"."""
    text = line.text
    for one in line.cites:
        for said in filter(None, (one.quote, one.author)):
            text = text.replace(said, said.translate(MARKS))
    numbers = dict.fromkeys(one.number for one in line.cites)
    return " ".join([_tame(text), *(f"[{number}]" for number in numbers)])


def _tame(text: str) -> str:
    """A text on one line, without what looks like a mark."""
    return " ".join(material(text, LONGEST).translate(NUMBERS).split())


def model_of(lines: Iterable[Line]) -> str:
    """The model that worded some of these sentences; "" where none did."""
    return next((line.by for line in lines if line.by), "")


def written_by(model: str, language: str) -> str:
    """Who wrote an answer, plainly: a model by its name, or a program without AI."""
    return say(language, "by ai", model=model) if model else say(language, "by rule")


def listed(
    citations: Iterable[Citation],
    lines: Iterable[Line],
    language: str,
    address: Callable[[Citation], str],
) -> Iterator[str]:
    """A line for each citation: its number, its words where no sentence has them, its address."""
    told_already = "\n".join(line.text for line in lines)
    for one in citations:
        if one.kind == "receipt":
            told = say(language, "receipt")
        elif one.quote in told_already:
            told = one.author.translate(MARKS)
        else:
            author, quote = one.author.translate(MARKS), one.quote.translate(MARKS)
            told = say(language, "said", author=author, quote=quote)
        yield f"[{one.number}] {_tame(told)} {address(one)}"
