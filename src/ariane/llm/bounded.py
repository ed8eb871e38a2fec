"""A connection that reads no more than a bound, waits no longer than one, and goes nowhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from httpx2 import Client, ReadTimeout, Request, Response, SyncByteStream
from openai import DefaultHttpxClient

from ariane.llm.settings import STREAM_TIMES
from ariane.types import ModelGarbageError

BEGAN = "ariane.began"


def bounded_client(name: str, most_bytes: int, seconds: float) -> Client:
    """A client for one server: redirects are not followed, and proxies are the environment's.

    An answer that is compressed, or larger than `most_bytes`, is a ModelGarbageError; one whose
    last byte is not there `seconds` after the question is a time-out, however it trickles.
    """

    def began(request: Request) -> None:
        request.extensions[BEGAN] = time.monotonic()

    def bound(response: Response) -> None:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise ModelGarbageError(
                f"the server of {name} answers compressed although asked not to; mend its proxy."
            )
        streamed = response.headers.get("content-type", "").startswith("text/event-stream")
        allowed = seconds * (STREAM_TIMES if streamed else 1)
        end = response.request.extensions[BEGAN] + allowed
        stream = response.stream
        if isinstance(stream, SyncByteStream):
            response.stream = _Bounded(stream, _limits(name, response, most_bytes, end))

    return DefaultHttpxClient(
        follow_redirects=False, event_hooks={"request": [began], "response": [bound]}
    )


def _limits(name: str, response: Response, most_bytes: int, end: float) -> Callable[[int], None]:
    """What is asked of a body after each chunk, with how much of it is there."""

    def check(size: int) -> None:
        if size > most_bytes:
            raise ModelGarbageError(
                f"the answer of {name} is larger than {most_bytes:,} bytes; "
                "ask for less, or raise [llm] answer_bytes."
            )
        if time.monotonic() > end:
            raise ReadTimeout("The answer took too long.", request=response.request)

    return check


class _Bounded(SyncByteStream):
    """A body that is checked as it comes."""

    def __init__(self, stream: SyncByteStream, check: Callable[[int], None]) -> None:
        self._stream, self._check = stream, check

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            self._check(size)
            yield chunk

    def close(self) -> None:
        self._stream.close()
