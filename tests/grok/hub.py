"""As much of a model hub as a download needs, on the loopback address, serving one directory."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

COMMIT = "1" * 40


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Hub(BaseHTTPRequestHandler):
    """The repository's listing, and each file with its hash, size and ranges."""

    folder: Path
    repository: str
    asked: list[str]
    corrupt: set[str]

    def log_message(self, *args: Any) -> None:
        """Silent."""

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        path = self.path.partition("?")[0]
        self.asked.append(f"{self.command} {path} {self.headers.get('Range', '')}".strip())
        if path.startswith(f"/api/models/{self.repository}"):
            self.listing(path)
            return
        found = re.fullmatch(rf"/{self.repository}/resolve/[^/]+/(.+)", path)
        file = self.folder / found[1] if found else None
        if file is None or not file.is_file():
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.file(file, body)

    def listing(self, path: str) -> None:
        files = sorted(file for file in self.folder.iterdir() if file.is_file())
        entries = [
            {
                "type": "file",
                "path": file.name,
                "rfilename": file.name,
                "size": file.stat().st_size,
                "oid": hashlib.sha1(file.read_bytes()).hexdigest(),
                "lfs": {
                    "oid": sha256(file),
                    "sha256": sha256(file),
                    "size": file.stat().st_size,
                    "pointerSize": 134,
                },
            }
            for file in files
        ]
        about = {"id": self.repository, "sha": COMMIT, "siblings": entries, "tags": []}
        content = json.dumps(entries if "/tree/" in path else about).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def file(self, file: Path, body: bool) -> None:
        content = file.read_bytes()
        etag = hashlib.sha256(content).hexdigest()
        if file.name in self.corrupt:
            content = bytes(len(content))
        size, start = len(content), 0
        asked = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and int(asked[1]):
            start = int(asked[1])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        else:
            self.send_response(200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{etag}"')
        self.send_header("X-Linked-Etag", f'"{etag}"')
        self.send_header("X-Linked-Size", str(size))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(size - start))
        self.end_headers()
        if body:
            self.wfile.write(content[start:])


@contextmanager
def serving(folder: Path, repository: str = "xai-org/grok-2") -> Iterator[tuple[str, type[Hub]]]:
    """The endpoint's address, and the handler with what was asked of it."""
    state = {"folder": folder, "repository": repository, "asked": [], "corrupt": set()}
    handler = type("OneHub", (Hub,), state)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", handler
    finally:
        server.shutdown()
        server.server_close()
