"""Limits: how much, how deep, how long and how often a client may send."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import time
from collections import Counter, OrderedDict
from collections.abc import Callable

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ariane.serve.problems import XRPC, Refusal, answer, later
from ariane.serve.settings import ServeSettings

CLIENTS = 10_000
"""How many clients' buckets are remembered; the one that was idle longest is forgotten first."""


CLIENT = "ariane.client"
"""The key of a request's scope that holds its client."""

REPLAY = re.compile(r"/v1/why/[^/]+/replay|/w/.+")
REPLAY_TOKENS = 10
"""What a replay and a close look cost: they arrange a page anew for every claim."""

ASKING = re.compile(r"/v1/ask|/v1/chat/completions|/ask")
ASKING_TOKENS = 5
"""What a question costs: it looks through many posts, and a language model may word the answer."""


class Buckets:
    """A token bucket for each client: `burst` at once, refilled at `rate` a second.

    `take` gives the seconds to wait, 0 where the request may go on.
    """

    def __init__(
        self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._clock = rate, float(burst), clock
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, cost: float = 1) -> float:
        """Take one token of this client, or what else a request costs: at most all of a bucket."""
        now, cost = self._clock(), min(cost, self._burst)
        tokens, then = self._held.pop(client, (self._burst, now))
        tokens = min(self._burst, tokens + (now - then) * self._rate)
        wait = 0.0 if tokens >= cost else (cost - tokens) / self._rate
        self._held[client] = (tokens if wait else tokens - cost, now)
        if len(self._held) > CLIENTS:
            self._held.popitem(last=False)
        return wait


def client_address(scope: Scope) -> str:
    """Where a request comes from; an IPv6 client is its /64 network, which is one household."""
    host = scope["client"][0] if scope.get("client") else "local"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def each_once(request: Request) -> None:
    """Refuse a query parameter that is given twice, of which each layer might read another."""
    for name, count in Counter(name for name, _ in request.query_params.multi_items()).items():
        if count > 1:
            raise Refusal(422, f"The parameter {name[:60]} is given {count} times; give it once.")


class RateLimit:
    """Refuses, with 429, a client that asks too often.

    `who` names the client, or is None for one who is not limited (the operator).
    """

    def __init__(
        self, app: ASGIApp, settings: ServeSettings, who: Callable[[Scope], str | None]
    ) -> None:
        self.app, self._who = app, who
        self._api = Buckets(settings.rate, settings.burst)
        self._xrpc = Buckets(settings.rate_xrpc, settings.burst_xrpc)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on where its client has a token left."""
        client = self._who(scope) if scope["type"] == "http" else None
        scope[CLIENT] = client
        if client is not None:
            path = scope["path"]
            buckets = self._xrpc if path.startswith(XRPC) else self._api
            wait = buckets.take(client, _cost(scope))
            if wait:
                refusal = later(429, "Too many requests from this client; wait and retry.", wait)
                await answer(scope["path"], refusal)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _cost(scope: Scope) -> int:
    if REPLAY.fullmatch(scope["path"]):
        return REPLAY_TOKENS
    asks = scope["method"] == "POST" and ASKING.fullmatch(scope["path"])
    return ASKING_TOKENS if asks else 1


class BodyLimit:
    """Takes in a whole body, small enough, shallow enough and soon enough, before any parsing."""

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self.app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body in one piece."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            body = await self._body(Request(scope, receive))
        except Refusal as refusal:
            await answer(scope["path"], refusal)(scope, receive, send)
            return
        if body is None:  # the client has gone
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replay, send)

    async def _body(self, request: Request) -> bytes | None:
        settings = self._settings
        length = request.headers.get("content-length", "0")
        if length.isdigit() and int(length) > settings.body_bytes:
            raise _too_large(settings.body_bytes)
        try:
            async with asyncio.timeout(settings.body_seconds):
                body = await _gather(request.receive, settings.body_bytes)
        except TimeoutError:
            sentence = f"The body took more than {settings.body_seconds:g} seconds; send it faster."
            raise Refusal(408, sentence, headers={"Connection": "close"}) from None
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        lines = kind.endswith("ndjson")  # each line is checked when it is parsed
        if body and not lines and too_deep(body, settings.json_depth):
            raise Refusal(
                422,
                f"The body is nested deeper than {settings.json_depth} levels, or its brackets do "
                "not match; send flatter JSON.",
            )
        return body


async def _gather(receive: Receive, limit: int) -> bytes | None:
    """The body; None where the client left before its end."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise _too_large(limit)
        more = message.get("more_body", False)
    return b"".join(parts)


def _too_large(limit: int) -> Refusal:
    return Refusal(
        413,
        f"The body is larger than {limit} bytes; send it in parts.",
        headers={"Connection": "close"},
    )


_OPEN_OR_CLOSED = bytes.maketrans(b"[]{}", b"()()")
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


def too_deep(text: bytes, limit: int) -> bool:
    """Whether JSON is nested deeper than `limit`, or unbalanced; linear in the text's length."""
    bare = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside = b"".join(bare.split(b'"')[::2])
    brackets = outside.translate(_OPEN_OR_CLOSED, _NOT_BRACKETS)
    for _ in range(limit):
        if not brackets:
            return False
        brackets = brackets.replace(b"()", b"")  # the innermost level
    return bool(brackets)
