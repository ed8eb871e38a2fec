"""Live: the engine that is being served, held in the one place where it is replaced."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ariane.engine import Engine

PROMOTED = ("ranker", "retriever", "reader")
"""Parts whose promotion makes a new engine."""


@dataclass(slots=True)
class _Held:
    """An engine, what was promoted when it was made, and how many requests use it now."""

    engine: Engine
    promoted: tuple[str | None, ...]
    users: int = 0


class Live:
    """The current engine; a request that began with one ends with the same one.

    An engine that was replaced lets go of its store when its last request ends.
    """

    def __init__(self, load: Callable[[], Engine]) -> None:
        self._load = load
        self._swap = threading.Lock()
        self._loading = threading.Lock()
        self._current = self._fresh()

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """The engine for the length of one request."""
        with self._swap:
            held = self._current
            held.users += 1
        try:
            yield held.engine
        finally:
            with self._swap:
                held.users -= 1
            self._retire(held)

    def reload(self) -> Engine:
        """Load anew and serve that from the next request on; on an error the old one stays."""
        with self._loading:
            fresh = self._fresh()
            with self._swap:
                old, self._current = self._current, fresh
            self._retire(old)
            return fresh.engine

    def stale(self) -> bool:
        """Whether another checkpoint has been promoted since this engine was loaded."""
        with self.engine() as engine:
            return _promoted(engine) != self._current.promoted

    def close(self) -> None:
        """Let go of the store."""
        self._current.engine.store.close()

    def _fresh(self) -> _Held:
        engine = self._load()
        return _Held(engine, _promoted(engine))

    def _retire(self, held: _Held) -> None:
        with self._swap:
            current = self._current
            idle = held is not current and held.users == 0
        if idle and held.engine.store is not current.engine.store:
            held.engine.store.close()


def _promoted(engine: Engine) -> tuple[str | None, ...]:
    return tuple(engine.store.promoted(part) for part in PROMOTED)
