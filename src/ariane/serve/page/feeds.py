"""Feeds: For You, Following and any other, a page at a time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse

from ariane.engine import Engine
from ariane.serve.feeds import serve_page
from ariane.serve.page.render import show
from ariane.serve.page.visit import Visit, Visiting
from ariane.serve.service import Serving
from ariane.serve.values import FeedName, Id
from ariane.types import FOR_YOU

router = APIRouter(include_in_schema=False)

SIZE = 20

After = Annotated[Id | None, Query()]


@router.get("/")
async def home(serving: Serving, visit: Visiting, after: After = None) -> HTMLResponse:
    """For You."""
    return await _feed(serving, visit, FOR_YOU.name, after)


@router.get("/f/{name}")
async def named(
    name: FeedName, serving: Serving, visit: Visiting, after: After = None
) -> HTMLResponse:
    """A feed by name."""
    return await _feed(serving, visit, name, after)


async def _feed(serving: Serving, visit: Visit, name: str, after: str | None) -> HTMLResponse:
    def job(engine: Engine) -> HTMLResponse:
        feed = serve_page(
            engine,
            name,
            visit.viewer,
            size=SIZE,
            after=after,
            language=visit.language,
            profiled=visit.personal,
        )
        return show(engine, visit, "feed.html", feed=feed, here=name)

    return await serving.work(job)
