"""Service: what every route works with; one of them per application."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Concatenate, ParamSpec, TypeVar

from fastapi import Depends, Request

from ariane.engine import Engine
from ariane.serve.background import Background
from ariane.serve.identity import Identities
from ariane.serve.live import Live
from ariane.serve.metrics import Metrics
from ariane.serve.service_auth import Seen
from ariane.serve.settings import ServeSettings
from ariane.serve.tokens import Tokens
from ariane.serve.workers import Workers

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of one server."""

    settings: ServeSettings
    tokens: Tokens
    live: Live
    workers: Workers
    background: Background
    metrics: Metrics
    identities: Identities
    seen: Seen
    look_ups: Workers
    """Threads apart for DID documents, so that a slow stranger's host holds up no feed."""

    async def work(
        self, job: Callable[Concatenate[Engine, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a job on one engine from its start to its end."""

        def with_engine() -> T:
            with self.live.engine() as engine:
                return job(engine, *args, **kwargs)

        return await self.workers.run(with_engine)


def now() -> int:
    """This moment, in milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


def service(request: Request) -> Service:
    """The service of the application that answers."""
    found = request.app.state.service
    if not isinstance(found, Service):
        raise TypeError(f"the application's service is {found!r}")
    return found


Serving = Annotated[Service, Depends(service)]
