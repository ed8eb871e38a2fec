"""A reply as OpenAI sends it: cut before a stop word, its faults in one shape, its end told."""

from __future__ import annotations

from asyncio import Queue
from collections.abc import AsyncIterator, Sequence
from typing import Any

from ariane.grok.requests_grok2 import answer, refusal

FAULT, END = 'data: {"error": "', '"}\n\n'
"""Around the sentence of a fault in a stream, as Transformers' handlers write it, unescaped."""


class Until:
    """The text of a reply up to the first of some words, told as soon as it is sure."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words, self.kept, self.over = words, "", False
        self.unsure = max(map(len, words), default=1) - 1

    def add(self, text: str, *, last: bool = False) -> str:
        """What can be told once this has been added; the rest may begin a stop word."""
        if self.over:
            return ""
        self.kept += text
        found = [at for at in map(self.kept.find, self.words) if at >= 0]
        self.over = bool(found)
        end = min(found, default=max(0, len(self.kept) - (0 if last else self.unsure)))
        told, self.kept = self.kept[:end], self.kept[end:]
        return told


class Pieces:
    """A queue of a reply's pieces of text and its end, None, as Transformers' handlers read it."""

    def __init__(self, queue: Queue[Any], words: Sequence[str]) -> None:
        self.queue, self.until = queue, Until(words)

    async def get(self) -> Any:
        """The next piece, once there is one."""
        return self._cut(await self.queue.get())

    def get_nowait(self) -> Any:
        """The next piece; raises QueueEmpty where there is none yet."""
        return self._cut(self.queue.get_nowait())

    def _cut(self, piece: Any) -> Any:
        if isinstance(piece, str):
            return self.until.add(piece)
        if piece is None and (rest := self.until.add("", last=True)):
            self.queue.put_nowait(None)
            return rest
        return piece


async def ended(events: Any) -> AsyncIterator[str]:
    """A stream of events whose faults have OpenAI's shape and whose end is told."""
    async for event in events:
        before, fault, said = event.partition(FAULT)
        if before:
            yield before
        if fault:
            error = answer(refusal(500, said.removesuffix(END))).body
            yield f"data: {bytes(error).decode()}\n\n"
    yield "data: [DONE]\n\n"
