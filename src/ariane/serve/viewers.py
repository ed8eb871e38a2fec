"""Viewers: what is held about a person, all of it, and its end; and consent to be remembered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from ariane.engine import Engine
from ariane.serve.access import COOKIE, AnyCaller, Operator, give_cookie, own
from ariane.serve.models import Done
from ariane.serve.problems import COMMON, said
from ariane.serve.service import Serving
from ariane.serve.tokens import DAY, OPERATOR, viewer_caller
from ariane.serve.values import Id, Strict

router = APIRouter(prefix="/v1", tags=["viewers"])


class TokenIn(Strict):
    """Whom a token is to name, and for how many days; no viewer means the operator."""

    viewer: Id | None
    days: Annotated[int, Field(ge=1, le=366)] = 30


class TokenOut(BaseModel):
    """A token, to be sent as `Authorization: Bearer TOKEN`."""

    token: str


class ConsentIn(Strict):
    """An anonymous reader's consent to a cookie by which their feed remembers them."""

    consent: Literal[True]


class ReaderOut(BaseModel):
    """The id under which an anonymous reader is remembered."""

    viewer: str


@router.get("/viewers/{viewer:path}", summary="Export", responses=said(401, 403, 404, *COMMON))
async def get_viewer(viewer: Id, serving: Serving, asking: AnyCaller) -> dict[str, Any]:
    """All that is held about a viewer, for themself or for the operator."""
    own(asking, viewer)
    return await serving.work(lambda engine: engine.store.export(viewer))


@router.delete("/viewers/{viewer:path}", summary="Erase", responses=said(401, 403, 404, *COMMON))
async def delete_viewer(
    viewer: Id, request: Request, response: Response, serving: Serving, asking: AnyCaller
) -> Done:
    """Destroy a viewer's key and rows, for good; `done` is false where nothing was held.

    What a ranker keeps of their history in memory goes too.
    """
    own(asking, viewer)

    done = await serving.work(lambda engine: Done(done=erased(engine, viewer)))
    if COOKIE in request.cookies and asking.viewer == viewer:
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return done


def erased(engine: Engine, viewer: str) -> bool:
    """Destroy a viewer's key and rows; False where nothing was held."""
    done = engine.store.erase(viewer)
    for rung in (engine.ranker, *getattr(engine.ranker, "rungs", ())):
        if forget := getattr(rung, "forget", None):
            forget(viewer)
    return done


@router.post("/anonymous", summary="Consent to be remembered", responses=said(*COMMON))
async def post_anonymous(
    _: ConsentIn, request: Request, response: Response, serving: Serving
) -> ReaderOut:
    """Give an anonymous reader, upon their consent, a cookie by which their feed knows them.

    Without it an anonymous reader's feed remembers nothing. DELETE /v1/viewers/ID ends it.
    """
    secure = request.url.scheme == "https"
    days = serving.settings.cookie_days
    return ReaderOut(viewer=give_cookie(response, serving.tokens, days, secure))


@router.post("/tokens", summary="Issue a token", responses=said(401, 403, *COMMON))
async def post_token(body: TokenIn, serving: Serving, _: Operator) -> TokenOut:
    """A token for a viewer, or another for the operator: how a host signs its own people in."""
    caller = OPERATOR if body.viewer is None else viewer_caller(body.viewer)
    return TokenOut(token=serving.tokens.issue(caller, body.days * DAY))
