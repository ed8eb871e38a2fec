"""A visit: who looks at a page, in which language, personalised or not; and where to go back to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.responses import Response

from ariane.evaluate.world import World
from ariane.serve.access import ANONYMOUS, AnyCaller
from ariane.serve.page.town import world_of
from ariane.serve.service import Service, Serving
from ariane.serve.tokens import Caller
from ariane.types import LANGUAGES

LANGUAGE = "ariane_language"
MODE = "ariane_mode"
PLAIN = "plain"
YEAR = 366 * 86_400

_LOCAL = re.compile(r"/(?![/\\])[^\x00-\x20\\\x7f]*")


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a page: all that its look depends on beside the store.

    `fragment` is whether a script asks for a part of a page rather than a person for a whole one.
    """

    serving: Service
    asking: Caller
    language: str
    personal: bool
    path: str
    fragment: bool
    world: World | None

    @property
    def viewer(self) -> str | None:
        """Who is remembered; None for nobody and for the operator, who has no feed."""
        return self.asking.viewer

    @property
    def anonymous(self) -> bool:
        """Whether a reader without an account is remembered by their cookie."""
        return self.viewer is not None and self.viewer.startswith(ANONYMOUS)

    @property
    def open_accounts(self) -> bool:
        """Whether anyone may sign in as anyone, as in a demonstration."""
        return self.serving.settings.open_accounts


def visit(request: Request, serving: Serving, asking: AnyCaller) -> Visit:
    """The visit of a request."""
    query = request.url.query
    return Visit(
        serving=serving,
        asking=asking,
        language=language_of(request.headers, request.cookies.get(LANGUAGE)),
        personal=request.cookies.get(MODE) != PLAIN,
        path=f"{request.url.path}?{query}" if query else request.url.path,
        fragment="hx-request" in request.headers,
        world=world_of(serving.live),
    )


Visiting = Annotated[Visit, Depends(visit)]


def language_of(headers: Headers, chosen: str | None) -> str:
    """The language that was chosen, else the first of ours that the browser asks for."""
    if chosen in LANGUAGES:
        return chosen
    asked = headers.get("accept-language", "")
    weighed = []
    for part in asked.split(",")[:20]:
        name, _, quality = part.strip().partition(";q=")
        try:
            weighed.append((float(quality or 1), name.partition("-")[0].strip().lower()))
        except ValueError:
            continue
    for _, name in sorted(weighed, key=lambda pair: -pair[0]):
        if name in LANGUAGES:
            return name
    return LANGUAGES[0]


def local(path: str | None, otherwise: str = "/") -> str:
    """A path of this site as it was given, or `otherwise`: a redirect never leaves the site."""
    if path is None or len(path) > 2000 or not _LOCAL.fullmatch(path):
        return otherwise
    parts = urlsplit(path)
    return path if not parts.scheme and not parts.netloc else otherwise


def keep(response: Response, request: Request, name: str, value: str) -> None:
    """Keep a choice in a cookie that no script and no other site can use."""
    secure = request.url.scheme == "https"
    response.set_cookie(name, value, max_age=YEAR, httponly=True, samesite="lax", secure=secure)
