"""Bluesky: this server as a feed generator, in its simplest true form.

Sources: https://docs.bsky.app/docs/starter-templates/custom-feeds and the lexicons
app.bsky.feed.getFeedSkeleton and app.bsky.feed.describeFeedGenerator.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, ConfigDict

from ariane.engine import Engine
from ariane.serve.feeds import serve_page
from ariane.serve.problems import COMMON, Refusal, said
from ariane.serve.service import Service, Serving
from ariane.serve.service_auth import verify, verify_held
from ariane.serve.values import Absent
from ariane.types import Feed, NotFoundError

router = APIRouter(tags=["bluesky"])

SKELETON = "app.bsky.feed.getFeedSkeleton"
GENERATOR = "app.bsky.feed.generator"
AT_URI = "at://"


class SkeletonPost(BaseModel):
    """A post by its URI; `feedContext` comes back with what the reader does to it."""

    post: str
    feedContext: str  # noqa: N815 - the lexicon's name


class Skeleton(BaseModel):
    """One page; the client fills it with posts."""

    model_config = ConfigDict(extra="forbid")

    feed: list[SkeletonPost]
    cursor: str | None = None
    reqId: str  # noqa: N815 - the lexicon's name


class DescribedFeed(BaseModel):
    """A feed by the URI of its record."""

    uri: str


class Description(BaseModel):
    """The server and its feeds."""

    did: str
    feeds: list[DescribedFeed]


def _did(serving: Service) -> str:
    if not serving.settings.did:
        raise Refusal(404, "This server is no Bluesky feed generator; set [serve] hostname.")
    return serving.settings.did


def _uri(serving: Service, name: str) -> str:
    publisher = serving.settings.publisher or serving.settings.did
    return f"{AT_URI}{publisher}/{GENERATOR}/{name}"


def _preferred(accept_language: str) -> str:
    """The first language of an Accept-Language header, as an ISO 639-1 code."""
    first = accept_language.partition(",")[0].partition(";")[0].partition("-")[0].strip().lower()
    return first if len(first) == 2 and first.isascii() and first.isalpha() else "en"


@router.get("/.well-known/did.json", summary="This server's DID", responses=said(404, *COMMON))
async def did_document(serving: Serving) -> dict[str, Any]:
    """The did:web document that names this server's address."""
    did = _did(serving)
    return {
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": did,
        "service": [
            {
                "id": "#bsky_fg",
                "type": "BskyFeedGenerator",
                "serviceEndpoint": f"https://{serving.settings.hostname}",
            }
        ],
    }


@router.get(
    "/xrpc/app.bsky.feed.describeFeedGenerator",
    summary="The feeds",
    responses=said(404, *COMMON, xrpc=True),
)
async def describe(serving: Serving) -> Description:
    """The server's DID and the URIs of its feeds."""
    did = _did(serving)

    def job(engine: Engine) -> Description:
        uris = [DescribedFeed(uri=_uri(serving, name)) for name in sorted(engine.feeds)]
        return Description(did=did, feeds=uris)

    return await serving.work(job)


@router.get(
    f"/xrpc/{SKELETON}",
    summary="One page of a feed",
    responses=said(400, 401, 404, *COMMON, xrpc=True),
    response_model_exclude_none=True,
)
async def skeleton(
    request: Request,
    serving: Serving,
    *,
    feed: Annotated[str, Query(max_length=512, description="The at:// URI of the feed.")],
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str | Absent, Query(max_length=100)] = None,
    accept_language: Annotated[str, Header(include_in_schema=False)] = "",
) -> Skeleton:
    """A page for the user whom the service-auth token names, or for anyone where there is none."""
    did = _did(serving)
    viewer = await _user(request, serving, did)

    def job(engine: Engine) -> Feed:
        names = {_uri(serving, name): name for name in engine.feeds}
        if feed not in names:
            raise Refusal(400, f"There is no feed {feed} here.", name="UnknownFeed")
        try:
            return serve_page(
                engine,
                names[feed],
                viewer,
                size=limit,
                after=cursor or None,
                language=_preferred(accept_language),
                surface="bluesky",
            )
        except NotFoundError:
            raise Refusal(400, "The cursor is none of this feed's; begin again.") from None

    served = await (serving if viewer is None else serving.of(f"viewer {viewer}")).work(job)
    serving.metrics.served(served)
    return _skeleton(served, serving.settings.skeleton_any_id)


async def _user(request: Request, serving: Service, did: str) -> str | None:
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Refusal(401, "The Authorization header is not `Bearer TOKEN`.", name="BadJwt")
    asked = (token.strip(), SKELETON, did, serving.identities, serving.seen)
    return verify_held(*asked) or await serving.look_ups.run(serving.client, verify, *asked)


def _skeleton(served: Feed, any_id: bool) -> Skeleton:
    """A served feed as its skeleton: only posts of the AT Protocol have a URI there."""
    request = served.ask.id
    posts = [
        SkeletonPost(post=item.candidate.post.id, feedContext=f"{request} {rank}")
        for rank, item in enumerate(served.page.items, start=1)
        if any_id or item.candidate.post.id.startswith(AT_URI)
    ]
    return Skeleton(feed=posts, cursor=request if served.page.items else None, reqId=request)
