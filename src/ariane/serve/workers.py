"""Workers: threads that requests are worked on by, with a short queue and an end to waiting."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from ariane.serve.problems import Refusal, later
from ariane.serve.turns import Turns

P = ParamSpec("P")
T = TypeVar("T")


class Workers:
    """A bounded pool: what it cannot begin soon it refuses, so that waiting never piles up.

    `threads` jobs run at once and `queue` more wait; of one client at most half of both, and one.
    A job that outlives `seconds` is given up by its request, but holds its place until its thread
    has really ended. Another `pool` than one of as many threads may be given.
    """

    def __init__(
        self, name: str, threads: int, queue: int, seconds: float, pool: Executor | None = None
    ) -> None:
        self._pool = pool or ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._places = threading.BoundedSemaphore(threads + queue)
        self._turns = Turns(max(1, threads // 2), (queue + 1) // 2)
        self._seconds = seconds
        self._lock = threading.Lock()
        self.held = 0

    async def run(
        self, client: str | None, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The job's result; a Refusal where there is no place (503, or 429 of this client's share).

        No client, no share. A result that does not come in time is a 503 Refusal too.
        """
        if not self._places.acquire(blocking=False):
            raise later(503, "The server has too much work waiting; try again in a second.", 1)
        self._count(1)
        end = time.monotonic() + self._seconds
        try:
            await self._turn(client, end)
        except BaseException:
            self._release()
            raise
        try:
            future = self._pool.submit(job, *args, **kwargs)
        except RuntimeError:
            self._end(client)
            raise later(
                503, "The server is shutting down; try again in a few seconds.", 5
            ) from None
        future.add_done_callback(lambda _: self._end(client))
        waiting = asyncio.wrap_future(future)
        waiting.add_done_callback(_retrieve)
        await asyncio.wait([waiting], timeout=end - time.monotonic())
        if not waiting.done():
            future.cancel()
            raise self._too_long()
        return waiting.result()

    async def _turn(self, client: str | None, end: float) -> None:
        """Wait until a job of this client may begin."""
        if client is None:
            return
        turn = self._turns.take(client)
        if turn is None:
            raise later(429, "Too much of this client's is under way; wait for an answer.", 1)
        try:
            if not turn.done():
                await asyncio.wait([asyncio.wrap_future(turn)], timeout=end - time.monotonic())
            if not turn.done():
                raise self._too_long()
        except BaseException:
            if not turn.cancel():  # it came just now
                self._turns.give_back(client)
            raise

    def _too_long(self) -> Refusal:
        sentence = f"This took more than {self._seconds:g} seconds; try again in a while."
        return later(503, sentence, self._seconds)

    def close(self) -> None:
        """Let running jobs end, as far as the pool waits for them, and take no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _count(self, step: int) -> None:
        with self._lock:
            self.held += step

    def _end(self, client: str | None) -> None:
        if client is not None:
            self._turns.give_back(client)
        self._release()

    def _release(self) -> None:
        self._count(-1)
        self._places.release()


def _retrieve(future: asyncio.Future[T]) -> None:
    """Take note of a late error, which no request waits for any more."""
    if not future.cancelled():
        future.exception()
