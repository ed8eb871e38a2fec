"""Hosts: by which names this server is asked, so that no other site's name can lead to it.

A page whose name its owner points at this machine once it is open (DNS rebinding) is of one origin
with what answers there, and would read and act as whoever sits here. The browser says the name in
`Host`. (Starlette's TrustedHostMiddleware knows no addresses but those that are listed, and its
refusal names neither the host nor a remedy.)
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ariane.serve.problems import Refusal, answer
from ariane.serve.settings import ServeSettings

HOST: Final = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+?)\.?)(?::\d*)?", re.IGNORECASE)
SHOWN: Final = 100
"""The most characters of a host that a refusal repeats."""


class KnownHosts:
    """Refuses, with 421, what asks for a host that is not this server's.

    It answers to `host`, `hostname` and `hosts` of its settings, to localhost, and to any address,
    since only a name can be pointed elsewhere. What names no host is no browser.
    """

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self.app = app
        names = ("localhost", settings.host, settings.hostname, *settings.hosts)
        self._names = frozenset(name.lower() for name in names if name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if it is for this server."""
        host = Headers(scope=scope).get("host") if scope["type"] == "http" else None
        if host is None or self._known(host):
            await self.app(scope, receive, send)
            return
        refusal = Refusal(
            421,
            f"This server does not answer to {host[:SHOWN]}; ask it by its address, or let its "
            "operator add that name to hosts under [serve] in ariane.toml.",
        )
        await answer(scope["path"], refusal)(scope, receive, send)

    def _known(self, host: str) -> bool:
        parts = HOST.fullmatch(host)
        if parts is None:
            return False
        name = (parts[1] or parts[2]).lower()
        return name in self._names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
