"""Errors of pages: one sentence in the reader's language, and a way back."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ariane.serve.hosts import SHOWN
from ariane.serve.limits import CLIENT
from ariane.serve.page.render import html, render
from ariane.serve.page.visit import LANGUAGE, Visit, language_of
from ariane.serve.page.words import WORDS, say
from ariane.serve.problems import Refusal
from ariane.serve.service import Service
from ariane.serve.tokens import NOBODY

RETARGETED = {"HX-Retarget": "#told", "HX-Reswap": "innerHTML"}
"""Where a script shows what went wrong."""


class Told(Refusal):
    """A refusal that says more than its status does, in words of the page."""

    def __init__(self, status: int, key: str, **values: object) -> None:
        super().__init__(status, say("en", key, **values))
        self.key, self.values = key, values


def error_page(request: Request, status: int, fault: str | None) -> str:
    """What a reader is told where a request was refused with this status; a part for a script."""
    visit = _visit(request)
    return _text(visit, _sentence(request, visit, status), fault)


def error_part(request: Request, status: int, fault: str | None) -> str:
    """The same as a part of a page that had begun."""
    visit = _visit(request)
    sentence = _sentence(request, visit, status)
    return render(visit, "told.html", sentence=sentence, fault=fault)


def _sentence(request: Request, visit: Visit, status: int) -> str:
    key = f"error.{status}" if f"error.{status}" in WORDS else "error.422"
    host = request.headers.get("host", "")[:SHOWN]
    return say(visit.language, key, host=host)


def tell(request: Request, error: Exception) -> Response:
    """The answer of a route that refuses in words of its own."""
    if not isinstance(error, Told):
        raise error
    visit = _visit(request)
    sentence = say(visit.language, error.key, **error.values)
    text = _text(visit, sentence, None, error.key)
    return html(text, error.status, RETARGETED if visit.fragment else None)


def _text(visit: Visit, sentence: str, fault: str | None, key: str = "") -> str:
    template = "told.html" if visit.fragment else "error.html"
    return render(visit, template, sentence=sentence, fault=fault, key=key)


def _visit(request: Request) -> Visit:
    """A visit of nobody: an error looks the same to all, and asks nothing of the store."""
    service: Service = request.app.state.service
    return Visit(
        serving=service.of(request.scope.get(CLIENT)),
        asking=NOBODY,
        language=language_of(request.headers, request.cookies.get(LANGUAGE)),
        personal=True,
        path="/",
        fragment="hx-request" in request.headers,
        world=None,
    )
