"""The page: server-rendered, in English and French; without JavaScript everything works."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from ariane.serve.page import (
    acts,
    ask,
    authors,
    choices,
    feeds,
    how,
    mine,
    operator,
    people,
    render,
    routes,
    seen,
    static,
    threads,
    why,
    wishes,
)
from ariane.serve.page.errors import Told, error_page, tell
from ariane.serve.page.layers import ErrorPages, SameOrigin

__all__ = ["ErrorPages", "SameOrigin", "error_page", "install", "router"]

router = APIRouter()
for room in (
    feeds,
    threads,
    authors,
    acts,
    seen,
    why,
    wishes,
    ask,
    people,
    choices,
    how,
    mine,
    operator,
    routes,
    static,
):
    router.include_router(room.router)


def install(app: FastAPI) -> None:
    """Let refusals in the page's own words answer as pages; what pages need is made ready."""
    app.add_exception_handler(Told, tell)
    render.prepare()
