"""A real home with a few posts, its application, and a client that asks as anyone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from ariane.home import init
from ariane.serve.http import create_app
from ariane.serve.service import Service
from ariane.serve.settings import ServeSettings
from ariane.serve.tokens import OPERATOR, Caller

LINES = "application/x-ndjson"
HERE = "http://localhost"
"""Where the applications of tests are asked, a name that every server answers to."""


def ago(minutes: float) -> str:
    """A time of the wire, so long before now."""
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()


def post(name: str, minutes: float = 10, **more: Any) -> dict[str, Any]:
    """A post of the wire."""
    text = f"The council of {name} votes on a new library on Monday."
    base = {"type": "post", "id": name, "author": f"author-{name}", "text": text}
    return base | {"at": ago(minutes), "lang": "en"} | more


def action(viewer: str, name: str, kind: str = "like", **more: Any) -> dict[str, Any]:
    """An action of the wire."""
    base = {"type": "action", "viewer": viewer, "post": name, "kind": kind, "at": ago(1)}
    return base | more


def lines(*events: dict[str, Any]) -> dict[str, Any]:
    """Events as the arguments of a request."""
    body = "\n".join(json.dumps(event) for event in events)
    return {"content": body, "headers": {"Content-Type": LINES}}


class Api:
    """Asks an application in this process as a viewer, as the "operator", or as nobody."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.client = TestClient(app, HERE, raise_server_exceptions=False)

    @property
    def service(self) -> Service:
        service: Service = self.app.state.service
        return service

    def token(self, who: str) -> str:
        caller = OPERATOR if who == "operator" else Caller("viewer", who)
        return self.service.tokens.issue(caller, 3600)

    def __call__(self, method: str, path: str, who: str | None = None, **options: Any) -> Any:
        headers = dict(options.pop("headers", {}))
        if who is not None:
            headers["Authorization"] = f"Bearer {self.token(who)}"
        return self.client.request(method, path, headers=headers, **options)

    def problem(self, method: str, path: str, who: str | None = None, **options: Any) -> Any:
        """The status and sentence of a refusal, whose shape is checked."""
        answer = self(method, path, who, **options)
        error = answer.json()["error"]
        assert error["status"] == answer.status_code >= 400
        assert error["sentence"].endswith(".")
        return answer.status_code, error["sentence"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home without a trained model: its feeds are recent and safe."""
    init(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def settings() -> ServeSettings:
    """Settings that no test reaches the limits of by chance."""
    return ServeSettings(
        burst=100_000,
        timeout_seconds=60,
        refresh_seconds=0.2,
        hostname="feed.example.org",
    )


@pytest.fixture
def api(home: Path, settings: ServeSettings) -> Iterator[Api]:
    """The application over that home, with twelve posts in it; its background does not run."""
    app = create_app(home, settings)
    api = Api(app)
    answer = api(
        "POST", "/v1/posts", "operator", **lines(*[post(f"p{n}", n + 1) for n in range(12)])
    )
    assert answer.json() == {"taken": 12, "same": 0, "rejected": []}
    yield api
    close(api)


def close(api: Api) -> None:
    """End the threads and the store of an application whose lifespan never began."""
    for pool in (api.service.workers, api.service.look_ups, api.service.answers):
        pool.close()
    api.service.live.close()
