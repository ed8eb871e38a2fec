"""Schemathesis: what the OpenAPI document allows, and what it does not, is answered as it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.types import Receive, Scope, Send
from tests.serve.conftest import LINES, Api, action, lines, post
from tests.serve.test_access import MATRIX

from ariane.home import init
from ariane.serve.http import create_app
from ariane.serve.settings import ServeSettings

EXAMPLES = 15
UNLIKE = [positive_data_acceptance]
"""Checks that do not fit: an unknown id, or a line that is no event, is well-formed too."""


@schemathesis.serializer(LINES)
def _as_lines(_: schemathesis.SerializationContext, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Api:
    """One application for all examples, with something in it to be found."""
    home = tmp_path_factory.mktemp("fuzzed")
    init(home)
    chosen = ServeSettings(burst=10_000_000, timeout_seconds=60, hostname="feed.example.org")
    asked = ("testserver",)  # where Schemathesis asks
    api = Api(create_app(home, replace(chosen, burst_xrpc=10_000_000, hosts=asked)))
    api("POST", "/v1/posts", "operator", **lines(*[post(f"p{n}", n + 1) for n in range(5)]))
    api("POST", "/v1/actions", "operator", **lines(action("v1", "p1", id="a1")))
    api("POST", "/v1/ask", json={"question": "which library?"})  # the encoder is loaded from now on
    return api


@pytest.fixture(scope="module")
def document(fuzzed: Api) -> Any:
    """The document of that application, as Schemathesis reads it.

    Schemathesis begins a lifespan for every client that it makes, and this application has one
    life; so it is shown the requests only. One call is made here, because it imports late, which
    Hypothesis' recursion limits may break.
    """

    async def requests_only(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await fuzzed.app(scope, receive, send)
            return
        for _ in range(2):
            moment = (await receive())["type"]
            await send({"type": f"{moment}.complete"})

    found = schemathesis.openapi.from_asgi("/openapi.json", requests_only)
    found["/v1/health/live"]["GET"].Case().call_and_validate()
    return found


@pytest.fixture(scope="module")
def session(document: Any) -> Iterator[asgi.ASGIClient]:
    """One client for all examples."""
    with asgi.get_client(document.app) as client:
        yield client


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("route", MATRIX, ids=" ".join)
def test_no_answer_is_undocumented_and_none_is_a_fault(
    fuzzed: Api,
    document: Any,
    session: asgi.ASGIClient,
    route: tuple[str, str],
    mode: schemathesis.GenerationMode,
) -> None:
    method, path = route

    @settings(
        max_examples=EXAMPLES,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        database=None,
        derandomize=True,
    )
    @given(case=document[path][method].as_strategy(generation_mode=mode))
    def answers_as_documented(case: schemathesis.Case) -> None:
        for who in (None, "v1", "operator"):
            session.cookies.clear()
            headers = {"Authorization": f"Bearer {fuzzed.token(who)}"} if who else {}
            case.call_and_validate(session=session, headers=headers, excluded_checks=UNLIKE)

    try:
        answers_as_documented()
    except Unsatisfiable:
        pytest.skip("this route takes nothing that could be wrong")
