"""Language models by script: they fill the form from the text that they are shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any

from ariane.types import Message

FORM: dict[str, Any] = {
    "topics": ["science"],
    "tone": "warm",
    "intent": "tell",
    "format": "note",
    "entities": ["Ann"],
    "claim": "none",
    "gist": "Ann tells something.",
    "labels": [],
}


class Scripted:
    """A model that does what it is told to do with what it is shown; what it saw is kept."""

    name = "scripted"

    def __init__(self, does: Callable[[dict[str, Any]], Mapping[str, Any] | Exception]) -> None:
        self.does, self.seen = does, list[list[Message]]()
        self._lock = Lock()

    def answer(
        self,
        messages: Sequence[Message],
        schema: Mapping[str, Any] | None = None,
        *,
        limit: int = 1024,
    ) -> str:
        with self._lock:
            self.seen.append(list(messages))
        told = self.does(json.loads(messages[-1].text))
        if isinstance(told, Exception):
            raise told
        return json.dumps(FORM | dict(told))

    def stream(self, messages: Sequence[Message], *, limit: int = 1024) -> Iterator[str]:
        yield self.answer(messages, limit=limit)
