"""Many questions at once, so many and no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue
from threading import Thread
from typing import Any

from ariane.types import LanguageModel, LanguageModelError, Message


@dataclass(frozen=True, slots=True)
class Question:
    """What one call of `LanguageModel.answer` is given."""

    messages: tuple[Message, ...]
    schema: Mapping[str, Any] | None = None
    limit: int = 1024


def answer_all(
    model: LanguageModel, questions: Iterable[Question], concurrency: int
) -> Iterator[tuple[int, str | LanguageModelError]]:
    """Each question's place and its answer, or what came instead of one; the order is free.

    A question is taken from its source when one of `concurrency` places is free. Once the caller
    stops, no other is asked, and those under way are left: they keep no process from ending. Other
    errors pass through.
    """
    told = SimpleQueue[tuple[int, str | Exception]]()
    waiting, under_way = enumerate(questions), 0
    while True:
        for place, question in islice(waiting, concurrency - under_way):
            Thread(
                target=_ask, args=(model, place, question, told), name="llm", daemon=True
            ).start()
            under_way += 1
        if not under_way:
            return
        place, answer = told.get()
        under_way -= 1
        if isinstance(answer, Exception) and not isinstance(answer, LanguageModelError):
            raise answer
        yield place, answer


def _ask(
    model: LanguageModel,
    place: int,
    question: Question,
    told: SimpleQueue[tuple[int, str | Exception]],
) -> None:
    try:
        answer = model.answer(question.messages, question.schema, limit=question.limit)
        told.put((place, answer))
    except Exception as error:  # told to the one who waits
        told.put((place, error))
