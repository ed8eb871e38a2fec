"""Feeds: For You, Following and any other, a page at a time."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse

from ariane.engine import Engine
from ariane.serve.feeds import serve_page
from ariane.serve.page.cards import dealt
from ariane.serve.page.done import Done, done_by, done_now
from ariane.serve.page.render import html, render, show
from ariane.serve.page.visit import Visit, Visiting
from ariane.serve.page.words import say
from ariane.serve.receipts import receipt_for
from ariane.serve.service import Serving, now
from ariane.serve.values import FeedName, Id
from ariane.types import FOR_YOU, Feed, NotFoundError

router = APIRouter(include_in_schema=False)

SIZE = 20

After = Annotated[Id | None, Query(description="The request of the page before.")]
Again = Annotated[Id | None, Query(description="The request of a page to show again.")]


@router.get("/")
async def home(
    serving: Serving, visit: Visiting, after: After = None, page: Again = None
) -> HTMLResponse:
    """For You."""
    return await _feed(serving, visit, FOR_YOU.name, after, page)


@router.get("/f/{name}")
async def named(
    name: FeedName, serving: Serving, visit: Visiting, after: After = None, page: Again = None
) -> HTMLResponse:
    """A feed by name; `page` shows one that was served again, so that nothing moves meanwhile."""
    return await _feed(serving, visit, name, after, page)


async def _feed(
    serving: Serving, visit: Visit, name: str, after: str | None, again: str | None
) -> HTMLResponse:
    def job(engine: Engine) -> HTMLResponse:
        if again is None:
            feed = serve_page(
                engine,
                name,
                visit.viewer,
                size=SIZE,
                after=after,
                language=visit.language,
                profiled=visit.personal,
            )
            serving.metrics.served(feed)
            done = done_by(feed.viewer)
        else:
            feed = receipt_for(engine, again, visit.asking)
            if feed.ask.feed.name != name:
                raise NotFoundError(f"Request {again} was not one to {name}.")
            done = done_now(engine, visit.viewer, now())
        return _page(engine, visit, feed, done)

    return await serving.work(job)


def _page(engine: Engine, visit: Visit, feed: Feed, done: Done) -> HTMLResponse:
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
        return html(render(visit, "cards.html", **values))
    return show(engine, visit, "feed.html", **values)


def seen_by(visit: Visit, feed: Feed) -> bool:
    """Whether what is looked at is told to the feed: only of who is remembered and profiled."""
    return visit.viewer is not None and visit.personal and feed.ask.viewer == visit.viewer
