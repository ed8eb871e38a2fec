"""Answered: an answer on its page, sentence by sentence as each is known."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from fastapi import Request

from ariane.ask import Citation, Line, Question
from ariane.ask.notes import model_of, sources, written_by
from ariane.serve.answers import Answering
from ariane.serve.chat_models import path_of
from ariane.serve.page.errors import error_part
from ariane.serve.page.render import Chip, render
from ariane.serve.page.text import CONTROLS
from ariane.serve.page.visit import Visit
from ariane.serve.page.words import say
from ariane.serve.problems import status_of

ANSWER: Final = "<!--answer-->"
"""Where the answer stands in its page."""


@dataclass(frozen=True, slots=True)
class Cited:
    """What a mark leads to; `beside` is whether its words do not stand in the answer itself."""

    number: int
    path: str
    name: str
    quote: str
    receipt: bool
    beside: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A page without its answer, and the wishes that the question was."""

    text: str
    kept: Sequence[Chip]


async def answered(
    request: Request, visit: Visit, question: Question, page: Page, items: Answering
) -> AsyncIterator[str]:
    """A page's parts: all before its answer, each sentence, what they rest on, and the rest.

    What fails is told where the answer ends.
    """
    before, _, after = page.text.partition(ANSWER)
    yield before
    lines = list[Line]()
    try:
        async with aclosing(items) as telling:
            async for one in telling:
                if isinstance(one, Line):
                    lines.append(one)
                    yield _sentence(visit, question, one)
        yield _end(visit, question, lines, page.kept)
    except Exception as error:
        yield error_part(request, *status_of(error))
    yield after


def _sentence(visit: Visit, question: Question, line: Line) -> str:
    cites = {one.number: _cited(one, question, visit.language, "") for one in line.cites}
    return render(visit, "answer_line.html", text=_plain(line.text), cites=cites.values())


def _end(visit: Visit, question: Question, lines: list[Line], kept: Sequence[Chip]) -> str:
    whole = "\n".join(line.text for line in lines)
    cited = [_cited(one, question, visit.language, whole) for one in sources(lines)]
    return render(
        visit,
        "answer_end.html",
        kept=kept,
        sources=[one for one in cited if one.beside],
        written=written_by(model_of(lines), visit.language),
    )


def _cited(one: Citation, question: Question, language: str, whole: str) -> Cited:
    receipt = one.kind == "receipt"
    name = "" if receipt else say(language, "ask.source", number=one.number, name=one.author)
    return Cited(
        number=one.number,
        path=path_of(one, question.post),
        name=name or say(language, "ask.receipt", number=one.number),
        quote=_plain(one.quote),
        receipt=receipt,
        beside=receipt or (bool(one.quote) and one.quote not in whole),
    )


def _plain(text: str) -> str:
    """A text that turns nothing around beside it."""
    return CONTROLS.sub("", text)
