"""Posts: taken in by the operator in the wire format, with their accounts and labels."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel

from ariane.engine import Engine
from ariane.serve.access import Operator
from ariane.serve.batch import Batch, body_schema, parse
from ariane.serve.models import Done, PostOut
from ariane.serve.problems import COMMON, Refusal, said
from ariane.serve.service import Serving, now
from ariane.serve.values import Id
from ariane.types import Action, Delete, NotFoundError

router = APIRouter(prefix="/v1/posts", tags=["posts"])

ContentType = Annotated[str, Header(include_in_schema=False)]


class RejectedOut(BaseModel):
    """A line of a batch that was not taken in, and why."""

    line: int
    sentence: str


class TakenOut(BaseModel):
    """What a batch did: events new to the store, events it held, lines set aside."""

    taken: int
    same: int
    rejected: list[RejectedOut]


def taken(engine: Engine, batch: Batch) -> TakenOut:
    """Write a batch's events, all in one transaction."""
    written = engine.store.write(batch.events)
    return TakenOut(
        taken=written.new,
        same=written.same,
        rejected=[RejectedOut(line=one.line, sentence=one.sentence) for one in batch.rejected],
    )


@router.post(
    "",
    summary="Take in posts, accounts, labels and deletions",
    openapi_extra=body_schema("post", "account", "label", "delete"),
    responses=said(401, 403, 415, *COMMON),
)
async def post_posts(
    request: Request, serving: Serving, _: Operator, content_type: ContentType = ""
) -> TakenOut:
    """Take a batch in; what is answered as taken survives a crash. The same line twice is `same`.

    A line that is no event is set aside with its number, and the others are taken in.
    """
    body = await request.body()

    def job(engine: Engine) -> TakenOut:
        batch = parse(body, content_type, serving.settings, engine.settings.ingest)
        for event in batch.events:
            if isinstance(event, Action) or (isinstance(event, Delete) and event.what == "action"):
                raise Refusal(422, "The batch holds actions; send those to /v1/actions.")
        return taken(engine, batch)

    result = await serving.work(job)
    serving.background.wake()
    return result


@router.get("/{post:path}", summary="One post", responses=said(401, 403, 404, *COMMON))
async def get_post(post: Id, serving: Serving, _: Operator) -> PostOut:
    """A live post as it is held. Readers get posts through feeds, where the guard stands."""

    def job(engine: Engine) -> PostOut:
        found = engine.store.posts([post]).get(post)
        if found is None:
            raise NotFoundError(f"There is no live post {post}.")
        return PostOut.of(found)

    return await serving.work(job)


@router.delete("/{post:path}", summary="Delete a post", responses=said(401, 403, 404, *COMMON))
async def delete_post(post: Id, serving: Serving, _: Operator) -> Done:
    """Delete a post; the deletion holds also where the post arrives later."""

    def job(engine: Engine) -> Done:
        return Done(done=engine.store.write([Delete("post", post, now())]).new > 0)

    return await serving.work(job)
