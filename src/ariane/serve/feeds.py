"""Feeds: one page of a named feed, and the specifications that its operator keeps."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from ariane.engine import Engine
from ariane.feed import for_you
from ariane.serve.access import ALSO_NOBODY, AnyCaller, Operator
from ariane.serve.models import Done, FeedSpecIn, FeedSpecOut
from ariane.serve.page_models import PageOut
from ariane.serve.problems import COMMON, said
from ariane.serve.receipts import check_cursor
from ariane.serve.service import Serving, now
from ariane.serve.values import Absent, FeedName, Id, Language
from ariane.sight import as_seen
from ariane.types import CallError, Feed, NotFoundError

router = APIRouter(prefix="/v1/feeds", tags=["feeds"])

Surface = Annotated[str, Query(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


def serve_page(
    engine: Engine,
    name: str,
    viewer: str | None,
    *,
    size: int,
    after: str | None,
    language: str,
    surface: str = "home",
    profiled: bool = True,
) -> Feed:
    """One page of a named feed for a viewer.

    Raises NotFoundError for an unknown feed, and for an `after` that is not the viewer's own.
    """
    ask = engine.ask(
        viewer,
        name,
        at=now(),
        size=size,
        after=after,
        surface=surface,
        language=language,
        profiled=profiled,
    )
    if after is not None:
        check_cursor(engine, after, viewer)
    return for_you(engine, ask)


@router.get("", summary="The feeds, with their public parameters", responses=said(*COMMON))
async def list_feeds(serving: Serving) -> list[FeedSpecOut]:
    """Every named feed; what its operator wishes for everyone is public."""

    def job(engine: Engine) -> list[FeedSpecOut]:
        return [FeedSpecOut.of(spec) for _, spec in sorted(engine.feeds.items())]

    return await serving.work(job)


@router.get(
    "/{name}",
    summary="One page of a feed",
    openapi_extra=ALSO_NOBODY,
    responses=said(401, 404, *COMMON),
)
async def get_feed(
    name: FeedName,
    serving: Serving,
    asking: AnyCaller,
    *,
    size: Annotated[int, Query(ge=1, le=100, description="Posts on the page.")] = 20,
    after: Annotated[Id | Absent, Query(description="`next` of the page before.")] = None,
    language: Annotated[Language, Query(description="The reader's language.")] = "en",
    profiled: Annotated[bool, Query(description="Whether history is used.")] = True,
    surface: Surface = "home",
) -> PageOut:
    """Arrange a page for the viewer whom the token or cookie names, or for an anonymous reader."""

    def job(engine: Engine) -> PageOut:
        feed = serve_page(
            engine,
            name,
            asking.viewer,
            size=size,
            after=after,
            language=language,
            surface=surface,
            profiled=profiled,
        )
        serving.metrics.served(feed)
        return PageOut.of(as_seen(engine, feed, now()))

    return await serving.work(job)


@router.get("/{name}/spec", summary="One feed's parameters", responses=said(404, *COMMON))
async def get_spec(name: FeedName, serving: Serving) -> FeedSpecOut:
    """The parameters of one feed, which are public."""

    def job(engine: Engine) -> FeedSpecOut:
        return FeedSpecOut.of(engine.spec(name))

    return await serving.work(job)


@router.put("/{name}/spec", summary="Write a feed", responses=said(401, 403, 404, *COMMON))
async def put_spec(name: FeedName, body: FeedSpecIn, serving: Serving, _: Operator) -> FeedSpecOut:
    """Make a feed, or replace it, also one of the settings' own."""

    def job(engine: Engine) -> FeedSpecOut:
        known = sorted(part.name for part in engine.sources.parts)
        for source in body.sources:
            if source not in known:
                raise CallError(f"There is no source {source}; there are {', '.join(known)}.")
        spec = body.spec(name)
        engine.store.write_feed(spec)
        return FeedSpecOut.of(spec)

    return await serving.work(job)


@router.delete("/{name}/spec", summary="Forget a feed", responses=said(401, 403, 404, *COMMON))
async def delete_spec(name: FeedName, serving: Serving, _: Operator) -> Done:
    """Forget a feed that was written; one of the settings' own is then as they say again."""

    def job(engine: Engine) -> Done:
        if not engine.store.delete_feed(name):
            raise NotFoundError(f"No feed {name} was written; the settings' own are in them.")
        return Done(done=True)

    return await serving.work(job)
