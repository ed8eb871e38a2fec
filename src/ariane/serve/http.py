"""HTTP: the application, put together, and its server."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

import uvicorn
from fastapi import Depends, FastAPI
from starlette.middleware.cors import CORSMiddleware

from ariane.engine import Engine, load, settle
from ariane.serve import (
    accounts,
    actions,
    bluesky,
    chat,
    feeds,
    health,
    page,
    posts,
    viewers,
    why,
    wishes,
)
from ariane.serve.access import bucket
from ariane.serve.background import Background
from ariane.serve.deepening import Deepening
from ariane.serve.headers import SafeHeaders
from ariane.serve.hosts import KnownHosts
from ariane.serve.identity import Identities
from ariane.serve.leaving import Leaving
from ariane.serve.limits import BodyLimit, RateLimit, each_once
from ariane.serve.live import Live
from ariane.serve.metrics import Measured, Metrics
from ariane.serve.problems import Faults, install
from ariane.serve.service import Service
from ariane.serve.service_auth import Seen
from ariane.serve.settings import ServeSettings
from ariane.serve.tokens import open_tokens
from ariane.serve.workers import Workers
from ariane.settings import load_tables, section
from ariane.types import CallError

ROUTERS = (feeds, posts, actions, accounts, viewers, wishes, why, chat, health, bluesky, page)
LOOK_UP_THREADS, LOOK_UP_QUEUE = 8, 64
SHUTDOWN_SECONDS = 30
DESCRIPTION = """A self-hosted For You feed whose every reason can be replayed.

A token names a viewer or the operator (`ariane token`). A viewer's feed, reasons, wishes, actions
and export are theirs and the operator's; without a token a reader is anonymous and not remembered.
Every answer of 4xx and 5xx has one sentence that says what to do."""


def read_settings(home: Path) -> ServeSettings:
    """The table `[serve]` of a home's `ariane.toml`."""
    return section(load_tables(home), "serve", ServeSettings)


def create_app(
    source: Path | Callable[[], Engine], settings: ServeSettings | None = None
) -> FastAPI:
    """The application over a home, or over engines that `source` makes; loads the first one now.

    `settings` default to those of the home. Raises CallError or ArianeError where the home cannot
    be served.
    """
    live = Live(partial(load, source) if isinstance(source, Path) else source)
    with live.engine() as engine:
        home = engine.home
    chosen = settings or read_settings(home)
    service = _service(live, home, chosen)
    app = FastAPI(
        title="Ariane",
        version=version("ariane"),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(each_once)],
        lifespan=_lifespan,
    )
    app.state.service = service
    for room in ROUTERS:
        app.include_router(room.router)
    install(app)
    page.install(app)
    _wrap(app, service)
    return app


def _service(live: Live, home: Path, settings: ServeSettings) -> Service:
    metrics = Metrics()
    seconds = settings.timeout_seconds
    return Service(
        settings=settings,
        tokens=open_tokens(home),
        live=live,
        workers=Workers("ariane-work", settings.threads, settings.queue, seconds),
        background=Background(live, metrics, settings.refresh_seconds),
        deepening=Deepening(live, metrics, settings.refresh_seconds),
        metrics=metrics,
        identities=Identities(settings.plc_directory, settings.private_identity),
        seen=Seen(),
        look_ups=Workers("ariane-look-up", LOOK_UP_THREADS, LOOK_UP_QUEUE, seconds),
        answers=_answers(settings),
    )


def _answers(settings: ServeSettings) -> Workers:
    """Places for the language model; none waits for one, since quotations need none."""
    threads = max(1, settings.answer_threads)
    name = "ariane-answer"
    return Workers(name, threads, 0, settings.answer_seconds, pool=Leaving(name))


def _wrap(app: FastAPI, service: Service) -> None:
    """Lay the layers around the routes; the last one is the outermost."""
    settings = service.settings
    app.add_middleware(page.SameOrigin)
    app.add_middleware(BodyLimit, settings=settings)
    app.add_middleware(RateLimit, settings=settings, who=partial(bucket, tokens=service.tokens))
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
        )
    app.add_middleware(KnownHosts, settings=settings)
    app.add_middleware(Faults)
    app.add_middleware(page.ErrorPages, page=page.error_page)
    app.add_middleware(Measured, metrics=service.metrics)
    app.add_middleware(SafeHeaders)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    service.background.start()
    service.deepening.start()
    try:
        yield
    finally:
        pools = (service.workers, service.look_ups, service.answers)
        threads = (service.background, service.deepening)
        for end in (*(one.stop for one in threads), *(pool.close for pool in pools)):
            await asyncio.to_thread(end)
        service.live.close()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; CallError where the address is not to be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        reason = error.strerror or error
        raise CallError(
            f"{host}:{port} cannot be listened on ({reason}); end what uses it, or give another "
            "with --host and --port."
        ) from None


def run(home: Path, host: str | None = None, port: int | None = None) -> None:
    """Serve a home until it is told to stop; requests under way are answered first."""
    settings = read_settings(home)
    settings = replace(
        settings,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
    )
    with listen(settings.host, settings.port) as listening:
        app = create_app(home, settings)
        settle()
        name, bound = listening.getsockname()[:2]
        shown = f"[{name}]" if ":" in name else name
        sys.stdout.write(f"Ariane serves {home} on http://{shown}:{bound}\n")
        sys.stdout.flush()
        config = uvicorn.Config(
            app,
            access_log=False,  # an address is personal data
            limit_concurrency=settings.connections,
            log_level=logging.WARNING,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
        uvicorn.Server(config).run(sockets=[listening])
