"""Turns: how many jobs of one client run at once, so that none can occupy every thread."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Line:
    """The jobs of one client: how many run, and the turns that others wait for."""

    running: int = 0
    waiting: deque[Future[None]] = field(default_factory=deque)


class Turns:
    """Gives each client `most` turns at once; `queue` more of theirs may wait, first come first."""

    def __init__(self, most: int, queue: int) -> None:
        self._most, self._queue = most, queue
        self._lines: dict[str, _Line] = {}
        self._lock = threading.Lock()

    def take(self, client: str) -> Future[None] | None:
        """A turn, done once it has come; None where too many wait already.

        Whoever gives a waiting turn up cancels it; whoever had one gives it back.
        """
        turn: Future[None] = Future()
        with self._lock:
            line = self._lines.setdefault(client, _Line())
            if line.running < self._most:
                line.running += 1
                turn.set_result(None)
            elif len(line.waiting) < self._queue:
                line.waiting.append(turn)
            else:
                return None
        return turn

    def give_back(self, client: str) -> None:
        """End a turn: the next that still waits has it."""
        with self._lock:
            line = self._lines[client]
            while line.waiting:
                following = line.waiting.popleft()
                if following.set_running_or_notify_cancel():
                    following.set_result(None)
                    return
            line.running -= 1
            if not line.running:
                del self._lines[client]
