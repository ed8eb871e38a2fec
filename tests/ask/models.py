"""Language models by script, for answers: each says the lines that it is given."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ariane.types import Message

Says = Callable[[dict[str, Any]], Sequence[Mapping[str, Any] | str] | Exception]


class Writer:
    """Streams, in pieces of seven signs, what it says to what it is shown."""

    name = "writer"

    def __init__(self, says: Says) -> None:
        self.says, self.seen = says, list[dict[str, Any]]()

    def answer(
        self,
        messages: Sequence[Message],
        schema: Mapping[str, Any] | None = None,
        *,
        limit: int = 1024,
    ) -> str:
        self.seen.append(json.loads(messages[-1].text))
        said = self.says(self.seen[-1])
        if isinstance(said, Exception):
            raise said
        lines = [line if isinstance(line, str) else json.dumps(line) for line in said]
        return "\n".join(lines)

    def stream(self, messages: Sequence[Message], *, limit: int = 1024) -> Iterator[str]:
        text = self.answer(messages, limit=limit)
        for start in range(0, len(text), 7):
            yield text[start : start + 7]


class Slow(Writer):
    """Says each line only when it is let go on."""

    name = "slow"

    def __init__(self, says: Says) -> None:
        super().__init__(says)
        self.go = threading.Semaphore(0)

    def stream(self, messages: Sequence[Message], *, limit: int = 1024) -> Iterator[str]:
        for line in self.answer(messages, limit=limit).splitlines(keepends=True):
            self.go.acquire(timeout=60)
            yield line
