"""Feeds: For You, Following and any other, a page at a time."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from ariane.engine import Engine
from ariane.serve.feeds import serve_page
from ariane.serve.page.begun import begun
from ariane.serve.page.cards import dealt
from ariane.serve.page.done import Done, done_by, done_now
from ariane.serve.page.render import frame, html, opening, render
from ariane.serve.page.visit import Visit, Visiting
from ariane.serve.page.words import say
from ariane.serve.receipts import receipt_for
from ariane.serve.service import now
from ariane.serve.values import FeedName, Id
from ariane.types import FOR_YOU, Feed, NotFoundError

router = APIRouter(include_in_schema=False)

SIZE = 20

After = Annotated[Id | None, Query(description="The request of the page before.")]
Again = Annotated[Id | None, Query(description="The request of a page to show again.")]


@router.get("/")
async def home(
    request: Request, visit: Visiting, after: After = None, page: Again = None
) -> Response:
    """For You."""
    return await _feed(FOR_YOU.name, request, visit, after, page)


@router.get("/f/{name}")
async def named(
    name: FeedName, request: Request, visit: Visiting, after: After = None, page: Again = None
) -> Response:
    """A feed by name; `page` shows one that was served again, so that nothing moves meanwhile."""
    return await _feed(name, request, visit, after, page)


async def _feed(
    name: str, request: Request, visit: Visit, after: str | None, page: str | None
) -> Response:
    serving = visit.serving
    if page is not None:
        return html(await serving.work(_again, visit, name, page))
    if after is not None or visit.fragment:
        return html(await serving.work(_next, visit, name, after))
    top = await serving.work(_top, visit, name)
    return begun(request, top, serving.work(_next, visit, name, None))


def _top(engine: Engine, visit: Visit, name: str) -> str:
    engine.spec(name)
    return opening(engine, visit, "feed.html", here=name)


def _next(engine: Engine, visit: Visit, name: str, after: str | None) -> str:
    feed = serve_page(
        engine,
        name,
        visit.viewer,
        size=SIZE,
        after=after,
        language=visit.language,
        profiled=visit.personal,
    )
    visit.serving.metrics.served(feed)
    return _page(engine, visit, feed, done_by(feed.viewer))


def _again(engine: Engine, visit: Visit, name: str, request: str) -> str:
    feed = receipt_for(engine, request, visit.asking)
    if feed.ask.feed.name != name:
        raise NotFoundError(f"Request {request} was not one to {name}.")
    return _page(engine, visit, feed, done_now(engine, visit.viewer, now()))


def _page(engine: Engine, visit: Visit, feed: Feed, done: Done) -> str:
    """A served feed as a page; as its cards alone for a script that goes on reading."""
    name = feed.ask.feed.name
    values: dict[str, Any] = {
        "here": name,
        "feed": feed,
        "cards": dealt(engine, feed, done, visit.language, f"/f/{name}?page={feed.ask.id}"),
        "next": f"/f/{name}?after={feed.ask.id}" if feed.page.items else None,
        "counts": seen_by(visit, feed),
        "end": say(visit.language, "feed.end.detail"),
        "again": "/" if name == FOR_YOU.name else f"/f/{name}",
    }
    if visit.fragment and feed.ask.after is not None:
        return render(visit, "cards.html", **values)
    return render(visit, "feed.html", frame=frame(engine, visit), **values)


def seen_by(visit: Visit, feed: Feed) -> bool:
    """Whether what is looked at is told to the feed: only of who is remembered and profiled."""
    return visit.viewer is not None and visit.personal and feed.ask.viewer == visit.viewer
