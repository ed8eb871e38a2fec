"""Health: whether the process lives, whether it can serve, how it fares, and a new engine."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from ariane.engine import Engine
from ariane.serve.access import Operator
from ariane.serve.problems import COMMON, said
from ariane.serve.service import Serving

router = APIRouter(tags=["health"])

EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """The store and the engine answer; `model` is the ranker that would rank now."""

    status: Literal["ok"] = "ok"
    model: str
    posts: int
    unread: int


class EngineOut(BaseModel):
    """The engine that is being served from now on."""

    model: str


@router.get("/v1/health/live", summary="The process lives", responses=said(*COMMON))
async def live() -> Alive:
    """Answers as long as the process does, whatever else fails."""
    return Alive()


@router.get("/v1/health/ready", summary="The server can serve", responses=said(*COMMON))
async def ready(serving: Serving) -> Ready:
    """Answers once the store and the engine do, with the ranker that would rank now.

    The numbers are a few seconds old at most.
    """

    def job(engine: Engine) -> Ready:
        engine.store.cursor("")  # any look-up: the counts may come from memory
        counts = serving.counted(engine.store)
        return Ready(model=engine.ranker.name, posts=counts.posts, unread=counts.unread)

    return await serving.work(job)


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {EXPOSITION: {"schema": {"type": "string"}}}}, **said(*COMMON)},
)
async def metrics(serving: Serving) -> Response:
    """Counts and times; nothing in them tells of a person."""
    serving.metrics.held.set(serving.workers.held)
    return Response(serving.metrics.text(), media_type=EXPOSITION)


@router.post("/v1/engine/reload", summary="Load anew", responses=said(401, 403, *COMMON))
async def reload(serving: Serving, _: Operator) -> EngineOut:
    """Load settings and promoted models again; requests under way end with what they began with."""
    engine = await serving.workers.run(None, serving.live.reload)
    serving.metrics.engine_loads.inc()
    serving.background.wake()
    return EngineOut(model=engine.ranker.name)
