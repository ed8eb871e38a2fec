"""Workers: threads that requests are worked on by, with a short queue and an end to waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from ariane.serve.problems import later

P = ParamSpec("P")
T = TypeVar("T")


class Workers:
    """A bounded pool: what it cannot begin soon it refuses, so that waiting never piles up.

    `threads` jobs run at once and `queue` more wait. A job that outlives `seconds` is given up by
    its request, but holds its place until its thread has really ended.
    """

    def __init__(self, name: str, threads: int, queue: int, seconds: float) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._places = threading.BoundedSemaphore(threads + queue)
        self._seconds = seconds
        self._lock = threading.Lock()
        self.held = 0

    async def run(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The job's result; a 503 Refusal where there is no place, or no result in time."""
        if not self._places.acquire(blocking=False):
            raise later(503, "The server has too much work waiting; try again in a second.", 1)
        self._count(1)
        try:
            future = self._pool.submit(job, *args, **kwargs)
        except RuntimeError:
            self._release()
            raise later(
                503, "The server is shutting down; try again in a few seconds.", 5
            ) from None
        future.add_done_callback(lambda _: self._release())
        waiting = asyncio.wrap_future(future)
        waiting.add_done_callback(_retrieve)
        await asyncio.wait([waiting], timeout=self._seconds)
        if not waiting.done():
            future.cancel()
            sentence = f"This took more than {self._seconds:g} seconds; try again in a while."
            raise later(503, sentence, self._seconds)
        return waiting.result()

    def close(self) -> None:
        """Let running jobs end, and take no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _count(self, step: int) -> None:
        with self._lock:
            self.held += step

    def _release(self) -> None:
        self._count(-1)
        self._places.release()


def _retrieve(future: asyncio.Future[T]) -> None:
    """Take note of a late error, which no request waits for any more."""
    if not future.cancelled():
        future.exception()
