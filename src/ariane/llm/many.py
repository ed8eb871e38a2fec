"""Many questions at once, so many and no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
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

    A question is taken from its source when one of `concurrency` places is free; once the caller
    stops, those under way are waited for and no other is asked. Other errors pass through.
    """
    waiting = enumerate(questions)
    under_way: dict[Future[str | LanguageModelError], int] = {}
    with ThreadPoolExecutor(concurrency, "llm") as threads:
        while True:
            for place, question in waiting:
                under_way[threads.submit(_asked, model, question)] = place
                if len(under_way) >= concurrency:
                    break
            if not under_way:
                return
            for done in wait(under_way, return_when=FIRST_COMPLETED).done:
                yield under_way.pop(done), done.result()


def _asked(model: LanguageModel, question: Question) -> str | LanguageModelError:
    try:
        return model.answer(question.messages, question.schema, limit=question.limit)
    except LanguageModelError as error:
        return error
