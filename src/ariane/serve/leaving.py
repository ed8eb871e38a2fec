"""Leaving: threads for what only waits on somebody else, which the server's end leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

GRACE_SECONDS = 2.0
"""How long jobs that are nearly done are waited for at the end."""


class Leaving(Executor):
    """A thread for each job, as many as are submitted; none of them keeps the process."""

    def __init__(self, name: str) -> None:
        self._name, self._closed = name, False
        self._under_way = set[Future[Any]]()

    def submit(self, job: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """The job's future; RuntimeError after the end."""
        if self._closed:
            raise RuntimeError(f"{self._name} is closed")
        future = Future[T]()

        def run() -> None:
            try:
                future.set_result(job(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)

        future.set_running_or_notify_cancel()
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        threading.Thread(target=run, name=self._name, daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more, and wait a little."""
        self._closed = True
        futures.wait(tuple(self._under_way), GRACE_SECONDS)
