"""A connection that reads no more than a bound, waits no longer than one, and goes nowhere else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from httpx2 import HTTPError, Limits, ReadTimeout, Request, Response, SyncByteStream
from openai import DefaultHttpxClient

from ariane.types import ModelGarbageError

WATCH = "ariane.watch"


class BoundedClient(DefaultHttpxClient):
    """A client for one server: redirects are not followed, and proxies are the environment's.

    An answer that is compressed, or larger than `most_bytes`, is a ModelGarbageError; one whose
    last byte is not there `seconds` after the question is a time-out, however it trickles.
    """

    def __init__(self, name: str, most_bytes: int, seconds: float) -> None:
        self._name, self._most_bytes, self._seconds = name, most_bytes, seconds
        super().__init__(
            follow_redirects=False,
            event_hooks={"response": [self._bound]},
            limits=Limits(max_keepalive_connections=0),  # a watch cuts its own connection alone
        )

    def send(self, request: Request, **options: Any) -> Response:  # noqa: ANN401 - httpx2's
        """The answer, as httpx2 says; the watch runs from here until its body is closed."""
        watch = _Watch(self._seconds)
        request.extensions |= {"trace": watch.trace, WATCH: watch}
        try:
            with watch.in_time(request):
                return super().send(request, **options)
        except BaseException:
            watch.end()
            raise

    def _bound(self, response: Response) -> None:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise ModelGarbageError(
                f"the server of {self._name} answers compressed although asked not to; "
                "mend its proxy."
            )
        if isinstance(response.stream, SyncByteStream):
            response.stream = _Bounded(response.stream, response.request, self._check)

    def _check(self, size: int) -> None:
        if size > self._most_bytes:
            raise ModelGarbageError(
                f"the answer of {self._name} is larger than {self._most_bytes:,} bytes; "
                "ask for less, or raise [llm] answer_bytes."
            )


class _Watch:
    """Cuts the connection of one question when its time is over.

    Time-outs of a socket begin anew with every byte, so that none of them bounds the whole.
    """

    def __init__(self, seconds: float) -> None:
        self._over = False
        self._stream: Any = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def trace(self, _: str, told: Mapping[str, Any]) -> None:
        """Hear of each step of the connection, and so of its socket (httpcore's `trace`)."""
        made = told.get("return_value")
        if hasattr(made, "get_extra_info"):
            self._stream = made
            if self._over:
                self._cut()

    @contextmanager
    def in_time(self, request: Request) -> Iterator[None]:
        """What a cut connection raises, or ends with, as the time-out that it is."""
        try:
            yield
        except HTTPError:
            if not self._over:
                raise
        if self._over:
            raise ReadTimeout("The answer took too long.", request=request)

    def end(self) -> None:
        """Watch no more."""
        self._timer.cancel()

    def _cut(self) -> None:
        self._over = True
        held = None if self._stream is None else self._stream.get_extra_info("socket")
        if held is not None:
            with suppress(OSError):  # it is closed already
                # of the socket below TLS, whose own shutdown disturbs the thread that reads
                socket.socket.shutdown(held, socket.SHUT_RDWR)


class _Bounded(SyncByteStream):
    """A body that is checked as it comes."""

    def __init__(
        self, stream: SyncByteStream, request: Request, check: Callable[[int], None]
    ) -> None:
        self._stream, self._request, self._check = stream, request, check
        self._watch: _Watch = request.extensions[WATCH]

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        with self._watch.in_time(self._request):
            for chunk in self._stream:
                size += len(chunk)
                self._check(size)
                yield chunk

    def close(self) -> None:
        self._watch.end()
        self._stream.close()
