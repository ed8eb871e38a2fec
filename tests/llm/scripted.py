"""A server of OpenAI's API that misbehaves as it is told, one behaviour a request."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

Behaviour = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Scripted:
    """What a server was told to do, and what it was asked."""

    url: str = ""
    script: list[Behaviour] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    over: Event = field(default_factory=Event)
    at_once: int = 0
    most_at_once: int = 0


def completion(text: str | None, why: str = "stop", **more: Any) -> dict[str, Any]:
    """A chat completion as OpenAI writes it; `more` goes into its message."""
    message = {"role": "assistant", "content": text, **more}
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": why, "message": message}],
        "usage": dict(COUNTS),
    }


def send(
    handler: BaseHTTPRequestHandler,
    body: bytes,
    status: int = 200,
    kind: str = "application/json",
    **headers: str,
) -> None:
    """One whole answer."""
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def says(text: str | None, why: str = "stop", **more: Any) -> Behaviour:
    """A sound answer."""
    return lambda handler: send(handler, json.dumps(completion(text, why, **more)).encode())


def gives(body: bytes, kind: str = "application/json") -> Behaviour:
    """These bytes, with status 200."""
    return lambda handler: send(handler, body, 200, kind)


def fails(status: int, message: str = "no", param: Any = None, **headers: str) -> Behaviour:
    """An error as OpenAI writes it."""
    error = {"message": message, "type": "error", "param": param, "code": None}
    body = json.dumps({"error": error}).encode()
    return lambda handler: send(handler, body, status, **headers)


COUNTS: Mapping[str, int] = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def streams(
    *pieces: str,
    why: str | None = "stop",
    usage: bool = True,
    counts: Mapping[str, int] = COUNTS,
) -> Behaviour:
    """A streamed answer; without `why` it breaks off."""

    def behave(handler: BaseHTTPRequestHandler) -> None:
        events: list[Any] = [
            {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]}
            for piece in pieces
        ]
        if why:
            events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": why}]})
        if why and usage:
            events.append({"choices": [], "usage": dict(counts)})
        lines = [f"data: {json.dumps(event)}\n\n" for event in events]
        body = "".join([*lines, "data: [DONE]\n\n" if why else ""]).encode()
        send(handler, body, 200, "text/event-stream")

    return behave


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        held = self.server.held
        size = int(self.headers.get("Content-Length", 0))
        with self.server.lock:
            held.times.append(time.monotonic())
            held.headers.append({name.lower(): value for name, value in self.headers.items()})
            held.asked.append(json.loads(self.rfile.read(size)))
            place = min(len(held.asked), len(held.script)) - 1
            held.at_once += 1
            held.most_at_once = max(held.most_at_once, held.at_once)
        try:
            held.script[place](self)
        except OSError:
            pass  # the client has gone
        finally:
            with self.server.lock:
                held.at_once -= 1

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    held: Scripted
    lock: Lock


@contextmanager
def scripted(*script: Behaviour) -> Iterator[Scripted]:
    """A server that does these one after another, and the last of them from then on."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.lock = Lock()
    server.held = Scripted(f"http://127.0.0.1:{server.server_port}/v1", list(script))
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.held
    finally:
        server.held.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
