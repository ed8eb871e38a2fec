"""Service: what every route works with; one of them per application."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Annotated, Concatenate, ParamSpec, TypeVar

from fastapi import Depends, Request

from ariane.engine import Engine
from ariane.serve.background import Background
from ariane.serve.counted import Counted
from ariane.serve.deepening import Deepening
from ariane.serve.identity import Identities
from ariane.serve.limits import CLIENT
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
    deepening: Deepening
    metrics: Metrics
    identities: Identities
    seen: Seen
    look_ups: Workers
    """Threads apart for DID documents, so that a slow stranger's host holds up no feed."""

    answers: Workers
    """Threads apart for a language model, so that none which is slow or down holds up a feed."""

    counted: Counted = field(default_factory=Counted)

    client: str | None = None
    """Whose request this is; None for the operator, who has no share of the threads."""

    async def work(
        self, job: Callable[Concatenate[Engine, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a job on one engine from its start to its end, as one of the client's."""

        def with_engine() -> T:
            with self.live.engine() as engine:
                return job(engine, *args, **kwargs)

        return await self.workers.run(self.client, with_engine)

    def of(self, client: str | None) -> Service:
        """The same service for a request of this client."""
        return replace(self, client=client)


def now() -> int:
    """This moment, in milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


def service(request: Request) -> Service:
    """The service of the application that answers, for the client who asks."""
    found = request.app.state.service
    if not isinstance(found, Service):
        raise TypeError(f"the application's service is {found!r}")
    return found.of(request.scope.get(CLIENT))


Serving = Annotated[Service, Depends(service)]
