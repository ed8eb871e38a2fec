"""Who is let in to `ariane grok serve`: who asks for this server, and no more than can wait.

Both wrap an ASGI application and answer as OpenAI does.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from asyncio import CancelledError
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ariane.grok.requests_grok2 import answer, refusal

HOST: Final = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+?)\.?)(?::\d*)?", re.IGNORECASE)
SHOWN: Final = 100
"""The most characters of a host that a refusal repeats."""

PLACES: Final = 8
"""Requests at once, the one that is being answered among them."""

AGAIN: Final = 10
"""After how many seconds a client that found no place may ask again."""


class KnownHosts:
    """Refuses, with 421, what asks for another host than this.

    A page whose name its owner points at this machine (DNS rebinding) says that name in `Host`, and
    is one with what answers here. So a name with a dot must be the server's own; an address or a
    name of the local network cannot be pointed elsewhere.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self.app = app
        self._names = frozenset((host.lower(), socket.gethostname().lower()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if it is for this server."""
        host = Headers(scope=scope).get("host") if scope["type"] == "http" else None
        if host is None or self._known(host):
            await self.app(scope, receive, send)
            return
        said = f"This server does not answer to {host[:SHOWN]}: ask it by its address, or have "
        refused = refusal(421, said + "the proxy before it send that as Host.", "unknown_host")
        await answer(refused)(scope, receive, send)

    def _known(self, host: str) -> bool:
        parts = HOST.fullmatch(host)
        if parts is None:
            return False
        name = (parts[1] or parts[2]).lower()
        return name in self._names or "." not in name or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Places:
    """Refuses, with 503, a question for which there is no place to wait."""

    def __init__(self, app: ASGIApp, places: int = PLACES) -> None:
        self.app, self.places = app, places
        self.taken = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and keep its place until it is answered or its client has left."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        if self.taken >= self.places:
            said = f"{self.taken} requests are waiting already: ask again later."
            refused = refusal(503, said, "overloaded")
            refused.headers = {"Retry-After": str(AGAIN)}
            await answer(refused)(scope, receive, send)
            return
        self.taken += 1
        try:
            await self.app(scope, receive, send)
        except CancelledError:
            pass  # The server stops: uvicorn ends the answer, and would log this as its fault.
        finally:
            self.taken -= 1
