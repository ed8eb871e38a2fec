"""Answers: a question's way through the threads, sentence by sentence; its wishes are kept.

Where a language model words the answer, threads of its own wait for it, never those of the feed.
Where it fails, is too slow, or has no place left, posts are quoted: that waits for nothing.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import aclosing
from typing import TypeAlias

from ariane.ask import Line, Question, stream
from ariane.ask.meant import Meant
from ariane.ask.notes import Notes
from ariane.ask.nouns import QUESTION
from ariane.ask.turns import Sought, sought
from ariane.ask.words import say
from ariane.engine import Engine
from ariane.material import material
from ariane.serve.problems import Refusal
from ariane.serve.service import Service
from ariane.serve.workers import Workers
from ariane.steer.keep import keep
from ariane.types import LanguageModel, Wish

log = logging.getLogger(__name__)

Told: TypeAlias = Line | Wish
"""A sentence of an answer, or a wish that was kept."""

Answering: TypeAlias = AsyncGenerator[Told, None]
"""An answer as it comes."""


async def understood(serving: Service, asked: Callable[[], Question]) -> tuple[Question, Sought]:
    """A question as `asked` makes it, and what it means, from a thread: both take their time.

    Raises as `serving.work` does.
    """

    def job() -> tuple[Question, Sought]:
        question = asked()
        return question, sought(question)

    return await serving.workers.run(serving.client, job)


async def told(
    serving: Service, question: Question, wanted: Sought, words: bool = True
) -> Answering:
    """An answer as it comes, quoted where no `words` of a language model are wanted.

    Its citations are numbered. Raises as `serving.work` does, before anything was told.
    """
    notes = Notes()
    async with aclosing(_told(serving, question, wanted, words)) as answer:
        async for one in answer:
            yield notes.of(one) if isinstance(one, Line) else one


async def _told(serving: Service, question: Question, wanted: Sought, words: bool) -> Answering:
    """The same before its citations are numbered: worded if a model may and can, else quoted."""
    if words and _written(serving, wanted):
        began = False
        try:
            async with aclosing(_flow(serving, serving.answers, question, wanted, True)) as answer:
                async for one in answer:
                    began = True
                    yield one
            return
        except Refusal as error:  # no place for it, or too slow
            log.warning("an answer is cut short or quoted: %s", error)
            if began:
                yield Line(say(question.language, "cut short"))
                return
    async with aclosing(_flow(serving, serving.workers, question, wanted, False)) as answer:
        async for one in answer:
            yield one


def _written(serving: Service, wanted: Sought) -> bool:
    """Whether a language model may word the answer: there is one, and it has something to word."""
    if not serving.settings.answer_threads:
        return False
    with serving.live.engine() as engine:
        chosen = engine.settings.llm.kind
    return bool(chosen) and wanted.after in (Meant.FEED, Meant.POSTS)


async def _flow(
    serving: Service, workers: Workers, question: Question, wanted: Sought, words: bool
) -> Answering:
    """The answer from a thread of these workers; the thread ends when nobody listens any more."""
    loop, items = asyncio.get_running_loop(), asyncio.Queue[Told | None]()
    gone = threading.Event()

    def job() -> None:
        with serving.live.engine() as engine:
            for one in _answered(engine, question, wanted, engine.llm if words else None):
                if gone.is_set():
                    return
                loop.call_soon_threadsafe(items.put_nowait, one)

    running = asyncio.ensure_future(workers.run(serving.client, job))
    running.add_done_callback(lambda _: items.put_nowait(None))
    try:
        while (one := await items.get()) is not None:
            yield one
        await running
    finally:
        gone.set()
        running.cancel()


def _answered(
    engine: Engine, question: Question, wanted: Sought, model: LanguageModel | None
) -> Generator[Told, None, None]:
    made: list[Wish] = []
    for one in stream(engine, question, wanted, model):
        if isinstance(one, Wish):
            made.append(one)
        else:
            yield one
    if made:
        yield from _kept(engine, question, made)


def _kept(engine: Engine, question: Question, made: list[Wish]) -> Iterator[Told]:
    """The wishes that a question was, kept for who asks; nobody keeps none."""
    if question.viewer is None:
        yield Line(say(question.language, "who"))
        return
    kept = keep(engine.store, question.viewer, made, question.at)
    yield Line(say(question.language, "wished", wish=material(question.text, QUESTION)))
    yield from kept
