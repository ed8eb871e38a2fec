"""Layers around the pages: nothing is sent from another site, and every error is a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ariane.serve.access import COOKIE
from ariane.serve.problems import Refusal, answer

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
MACHINES: Final = ("/v1/", "/xrpc/", "/.well-known/", "/metrics", "/openapi.json", "/static/")
"""Where machines ask: errors keep their JSON."""

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "same-origin",  # with none, a browser tells no origin of a form either
    "Vary": "Cookie, Accept-Language, HX-Request",
}
"""What every page says: nothing from another host, nothing inline."""


class SameOrigin:
    """Refuses, with 403, what another site sends in a reader's name.

    A browser says where a request comes from, in `Sec-Fetch-Site` or else in `Origin`; what says
    neither is no browser, and no one's name can be borrowed with it. What bears a token of its own
    borrows nothing. (As `CrossOriginProtection` of Go's net/http does.)
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if it comes from here."""
        if scope["type"] == "http" and scope["method"] not in SAFE and _borrowed(scope):
            sentence = "This was sent from another site; open the page here and try again."
            await answer(scope["path"], Refusal(403, sentence))(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _borrowed(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    if "authorization" in headers:
        return False
    if scope["path"].startswith(MACHINES) and COOKIE not in Request(scope).cookies:
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return False
    return urlsplit(origin).netloc != headers.get("host", "")


class ErrorPages:
    """Turns a refusal into a page for whoever reads pages; machines keep their JSON."""

    def __init__(self, app: ASGIApp, page: Callable[[Request, int, str | None], str]) -> None:
        self.app, self._page = app, page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; hold a refusal back until all of it is known."""
        if scope["type"] != "http" or not _reads_pages(scope):
            await self.app(scope, receive, send)
            return
        held: Message | None = None
        body = b""

        async def watch(message: Message) -> None:
            nonlocal held, body
            if message["type"] == "http.response.start" and _refusal(message):
                held = message
            elif held is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    await self._answer(scope, held, body, send)

        await self.app(scope, receive, watch)

    async def _answer(self, scope: Scope, start: Message, body: bytes, send: Send) -> None:
        fault = json.loads(body)["error"].get("id")
        text = self._page(Request(scope), start["status"], fault).encode()
        kept = [
            (name, value)
            for name, value in start["headers"]
            if name.lower() in (b"retry-after", b"allow", b"connection")
        ]
        own = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
        own += [(b"content-type", b"text/html; charset=utf-8")]
        own += [(b"content-length", str(len(text)).encode())]
        if "hx-request" in Headers(scope=scope):
            own += [(b"hx-retarget", b"#told"), (b"hx-reswap", b"innerHTML")]
        await send({**start, "headers": kept + own})
        await send({"type": "http.response.body", "body": text})


def _reads_pages(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    asks = "text/html" in headers.get("accept", "") or "hx-request" in headers
    return asks and not scope["path"].startswith(MACHINES)


def _refusal(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    return start["status"] >= 400 and headers.get("content-type", "").startswith("application/json")
