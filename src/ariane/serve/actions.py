"""Actions: what viewers did, told by themselves, or by the operator for anyone; and undone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from ariane.engine import Engine
from ariane.serve.access import AnyCaller, own
from ariane.serve.batch import body_schema, parse
from ariane.serve.models import Done
from ariane.serve.posts import ContentType, TakenOut, taken
from ariane.serve.problems import COMMON, Refusal, said
from ariane.serve.service import Serving, now
from ariane.serve.tokens import Caller
from ariane.serve.values import Absent, Id
from ariane.types import Action, Delete, Event, NotFoundError

router = APIRouter(prefix="/v1/actions", tags=["actions"])


Whose = Annotated[Id | Absent, Query(description="For the operator: whose action.")]


def _allow(asking: Caller, event: Event) -> None:
    if isinstance(event, Delete) and event.what == "action":
        if asking.role != "operator":
            raise Refusal(403, "A viewer undoes an action by DELETE /v1/actions/ID.")
    elif not isinstance(event, Action):
        raise Refusal(422, "The batch holds more than actions; send the rest to /v1/posts.")
    elif not asking.may_see(event.viewer):
        raise Refusal(403, "The batch holds another viewer's actions; send your own only.")


@router.post(
    "",
    summary="Tell what a viewer did",
    openapi_extra=body_schema("action", "delete"),
    responses=said(401, 403, 415, *COMMON),
)
async def post_actions(
    request: Request, serving: Serving, asking: AnyCaller, content_type: ContentType = ""
) -> TakenOut:
    """Take actions in; what is answered as taken survives a crash, and counts from the next page.

    A viewer sends their own only: with any other's in the batch, nothing of it is taken in.
    """
    if asking.role != "operator":
        own(asking, None)
    body = await request.body()

    def job(engine: Engine) -> TakenOut:
        batch = parse(body, content_type, serving.settings, engine.settings.ingest)
        for event in batch.events:
            _allow(asking, event)
        return taken(engine, batch)

    return await serving.work(job)


@router.delete("/{action:path}", summary="Undo", responses=said(401, 403, 404, *COMMON))
async def delete_action(
    action: Id, serving: Serving, asking: AnyCaller, viewer: Whose = None
) -> Done:
    """Undo an action: it was never done, for the feed and for its reasons.

    An action's id is its viewer's own: nobody else's action of the same id is touched. The
    operator may undo any viewer's, also one that arrives later.
    """
    whose = own(asking, viewer)

    def job(engine: Engine) -> Done:
        if asking.role != "operator" and not engine.store.did(whose, action):
            raise NotFoundError(f"There is no action {action} of this viewer.")
        return Done(done=engine.store.write([Delete("action", action, now(), whose)]).new > 0)

    return await serving.work(job)
