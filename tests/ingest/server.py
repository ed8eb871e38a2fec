"""A real HTTP server on the loopback address, answering as each test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


class Handler(BaseHTTPRequestHandler):
    """Answers a path by its function, and remembers what was asked."""

    routes: ClassVar[dict[str, Callable[[Handler], None]]] = {}
    asked: ClassVar[list[tuple[str, dict[str, str]]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
        self.routes[self.path](self)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        """One whole answer; `content_type="…"` is the header Content-Type."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """The server, with its address."""

    daemon_threads = True

    def __init__(self) -> None:
        self.handler = type("Routed", (Handler,), {"routes": {}, "asked": []})
        super().__init__(("127.0.0.1", 0), self.handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def asked(self) -> list[tuple[str, dict[str, str]]]:
        return self.handler.asked

    def route(self, path: str, function: Callable[[Handler], None]) -> str:
        """Answer a path so; its URL."""
        self.handler.routes[path] = function
        return f"{self.url}{path}"

    def serve(self, path: str, body: bytes, **headers: str) -> str:
        """Answer a path with these bytes; its URL."""
        return self.route(path, lambda handler: handler.answer(body, **headers))


@contextmanager
def serving() -> Iterator[Server]:
    """A server while the block runs."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
