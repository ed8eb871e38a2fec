"""A browser without scripts over a small home: posts that answer one another, and people."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from starlette.testclient import TestClient
from tests.serve.conftest import HERE, Api, close, lines, post

from ariane.serve.access import COOKIE
from ariane.serve.http import create_app
from ariane.serve.settings import ServeSettings
from ariane.serve.tokens import COOKIE_AUDIENCE, OPERATOR, Caller

HTML = {"Accept": "text/html"}
SCRIPT = {"HX-Request": "true"}


class Browser:
    """Asks for pages as nobody, the operator or a viewer, and keeps its own cookies."""

    def __init__(self, api: Api, who: str | None = None) -> None:
        self.api = api
        self.client = TestClient(
            api.app, HERE, raise_server_exceptions=False, follow_redirects=False
        )
        if who is not None:
            caller = OPERATOR if who == "operator" else Caller("viewer", who)
            token = api.service.tokens.issue(caller, 3600, COOKIE_AUDIENCE)
            self.client.cookies.set(COOKIE, token)

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=HTML | headers)

    def post(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> Any:
        return self.client.post(path, data=fields, headers=HTML | (headers or {}))

    def cards(self, path: str = "/") -> list[str]:
        return cards(self.get(path).text)

    def request(self, path: str = "/") -> str:
        """The request of the page that is served now."""
        found = re.search(r'name="request" value="([^"]+)"', self.get(path).text)
        assert found
        return found[1]


def cards(page: str) -> list[str]:
    """The posts of a page, in order."""
    return [unescape(name) for name in re.findall(r'<a class="when" href="/p/([^"]+)"', page)]


Open: TypeAlias = Callable[..., Browser]


@pytest.fixture
def settings() -> ServeSettings:
    return ServeSettings(burst=100_000, timeout_seconds=60, refresh_seconds=0.2)


@pytest.fixture
def town(api: Api) -> Api:
    """Accounts with names, and a thread: p1 is answered by r1, which is answered by r2."""
    answer = api(
        "POST",
        "/v1/posts",
        "operator",
        **lines(
            {"type": "account", "id": "vic", "name": "Vic Reader", "birth_year": 1980},
            {"type": "account", "id": "author-p1", "name": "Élodie <b>Bold</b>"},
            post("r1", 5, reply_to="p1", root="p1", text="First, thank you for the list."),
            post("r2", 4, reply_to="r1", root="p1", text="Second, and so do I."),
        ),
    )
    assert answer.json()["taken"] == 4
    return api


@pytest.fixture
def browse(town: Api) -> Open:
    return lambda who=None: Browser(town, who)


@pytest.fixture
def demo(home: Path, settings: ServeSettings, town: Api) -> Iterator[Open]:
    """The same home, where anyone may read as anyone."""
    api = Api(create_app(home, replace(settings, open_accounts=True)))
    yield lambda who=None: Browser(api, who)
    close(api)
