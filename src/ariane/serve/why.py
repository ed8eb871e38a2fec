"""Why: the reasons of a served feed, from its receipt, and their replay."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from ariane.engine import Engine
from ariane.feed import replay
from ariane.serve.access import ALSO_NOBODY, AnyCaller
from ariane.serve.page_models import ReplayOut, WhyOut
from ariane.serve.problems import COMMON, said
from ariane.serve.receipts import receipt_for
from ariane.serve.service import Serving, now
from ariane.serve.values import Id
from ariane.sight import as_seen
from ariane.types import NotFoundError

router = APIRouter(prefix="/v1/why", tags=["why"])

Request = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,100}$", description="A page's `request`.")]


@router.get(
    "/{request}",
    summary="Every reason",
    openapi_extra=ALSO_NOBODY,
    responses=said(401, 404, 410, *COMMON),
)
async def get_reasons(request: Request, serving: Serving, asking: AnyCaller) -> WhyOut:
    """Why each post of a served page stands where it stands, in English and French."""

    def job(engine: Engine) -> WhyOut:
        return WhyOut.of(as_seen(engine, receipt_for(engine, request, asking), now()))

    return await serving.work(job)


@router.get(
    "/{request}/{post:path}",
    summary="One post's",
    openapi_extra=ALSO_NOBODY,
    responses=said(401, 404, 410, *COMMON),
)
async def get_reason(request: Request, post: Id, serving: Serving, asking: AnyCaller) -> WhyOut:
    """Why one post of a served page stands where it stands."""

    def job(engine: Engine) -> WhyOut:
        feed = receipt_for(engine, request, asking)
        if all(item.candidate.post.id != post for item in feed.page.items):
            raise NotFoundError(f"Post {post} is not on the page of request {request}.")
        return WhyOut.of(as_seen(engine, feed, now()), post)

    return await serving.work(job)


@router.post(
    "/{request}/replay",
    summary="Replay",
    openapi_extra=ALSO_NOBODY,
    responses=said(401, 404, 410, *COMMON),
)
async def post_replay(request: Request, serving: Serving, asking: AnyCaller) -> ReplayOut:
    """Arrange the page again from its receipt, and test every claim that was printed with it.

    It is much work, and counts as ten requests.
    """

    def job(engine: Engine) -> ReplayOut:
        receipt_for(engine, request, asking)
        found = replay(engine, request)
        return ReplayOut(
            same_page=found.same_page,
            claims=found.claims,
            held=found.held,
            failures=list(found.failures),
        )

    return await serving.work(job)
