"""Access: every route is tried as nobody, as another viewer, as the viewer and as the operator."""

from __future__ import annotations

import pytest
from starlette.requests import HTTPConnection
from tests.serve.conftest import Api, action, ago, lines, post

from ariane.serve.access import COOKIE, bucket, identify
from ariane.serve.tokens import NOBODY

OPEN = (200, 200, 200, 200)
OPERATOR_ONLY = (401, 403, 403, 200)
PERSONAL = (401, 403, 200, 200)
RECEIPT = (404, 404, 200, 200)

MATRIX = {
    # (method, path): statuses for nobody, another viewer, the viewer, the operator
    ("GET", "/v1/feeds"): OPEN,
    ("GET", "/v1/feeds/{name}"): OPEN,
    ("GET", "/v1/feeds/{name}/spec"): OPEN,
    ("PUT", "/v1/feeds/{name}/spec"): OPERATOR_ONLY,
    ("DELETE", "/v1/feeds/{name}/spec"): OPERATOR_ONLY,
    ("POST", "/v1/posts"): OPERATOR_ONLY,
    ("GET", "/v1/posts/{post}"): OPERATOR_ONLY,
    ("DELETE", "/v1/posts/{post}"): OPERATOR_ONLY,
    ("POST", "/v1/actions"): PERSONAL,
    ("DELETE", "/v1/actions/{action}"): PERSONAL,
    ("PUT", "/v1/accounts/{account}"): OPERATOR_ONLY,
    ("GET", "/v1/accounts/{account}"): PERSONAL,
    ("DELETE", "/v1/accounts/{account}"): OPERATOR_ONLY,
    ("GET", "/v1/viewers/{viewer}"): PERSONAL,
    ("DELETE", "/v1/viewers/{viewer}"): PERSONAL,
    ("POST", "/v1/anonymous"): OPEN,
    ("POST", "/v1/tokens"): OPERATOR_ONLY,
    ("GET", "/v1/wishes"): PERSONAL,
    ("POST", "/v1/wishes"): PERSONAL,
    ("PUT", "/v1/wishes/{wish}"): PERSONAL,
    ("DELETE", "/v1/wishes/{wish}"): PERSONAL,
    ("GET", "/v1/why/{request}"): RECEIPT,
    ("GET", "/v1/why/{request}/{post}"): RECEIPT,
    ("POST", "/v1/why/{request}/replay"): RECEIPT,
    ("POST", "/v1/ask"): PERSONAL,
    ("POST", "/v1/chat/completions"): PERSONAL,
    ("GET", "/v1/models"): OPEN,
    ("GET", "/v1/health/live"): OPEN,
    ("GET", "/v1/health/ready"): OPEN,
    ("GET", "/metrics"): OPEN,
    ("POST", "/v1/engine/reload"): OPERATOR_ONLY,
    ("GET", "/.well-known/did.json"): OPEN,
    ("GET", "/xrpc/app.bsky.feed.describeFeedGenerator"): OPEN,
    # A token of this server's is none of the AT Protocol's: see test_bluesky.
    ("GET", "/xrpc/app.bsky.feed.getFeedSkeleton"): (200, 401, 401, 401),
}
CALLERS = (None, "v2", "v1", "operator")

BODIES = {
    ("PUT", "/v1/feeds/{name}/spec"): {"json": {"order": "latest"}},
    ("POST", "/v1/posts"): lines(post("new")),
    ("POST", "/v1/actions"): lines(action("v1", "p2")),
    ("PUT", "/v1/accounts/{account}"): {"json": {"name": "Ève"}},
    ("POST", "/v1/anonymous"): {"json": {"consent": True}},
    ("POST", "/v1/tokens"): {"json": {"viewer": "v1"}},
    ("PUT", "/v1/wishes/{wish}"): {
        "json": {"target": "topic:science", "direction": 1},
        "params": {"viewer": "v1"},
    },
    ("GET", "/v1/wishes"): {"params": {"viewer": "v1"}},
    ("POST", "/v1/wishes"): {
        "json": {"words": "less politics until Sunday"},
        "params": {"viewer": "v1"},
    },
    ("POST", "/v1/ask"): {"json": {"question": "which library?"}, "params": {"viewer": "v1"}},
    ("POST", "/v1/chat/completions"): {
        "json": {"model": "ariane", "messages": [{"role": "user", "content": "which library?"}]},
        "params": {"viewer": "v1"},
    },
    ("DELETE", "/v1/wishes/{wish}"): {"params": {"viewer": "v1"}},
    ("DELETE", "/v1/actions/{action}"): {"params": {"viewer": "v1"}},
    ("GET", "/xrpc/app.bsky.feed.getFeedSkeleton"): {
        "params": {"feed": "at://did:web:feed.example.org/app.bsky.feed.generator/for-you"}
    },
}


@pytest.fixture
def seeded(api: Api) -> tuple[Api, dict[str, str]]:
    """What viewer v1 has: an action, a wish, an account, a served page; and a written feed."""
    assert api("PUT", "/v1/accounts/v1", "operator", json={"name": "Ada"}).status_code == 200
    assert api("POST", "/v1/actions", "v1", **lines(action("v1", "p3", id="a1"))).status_code == 200
    wish = {"target": "topic:sport", "direction": -1}
    assert api("PUT", "/v1/wishes/w1", "v1", json=wish).status_code == 200
    assert api("PUT", "/v1/feeds/local/spec", "operator", json={}).status_code == 200
    page = api("GET", "/v1/feeds/for-you", "v1").json()
    return api, {
        "name": "local",
        "request": page["request"],
        "post": page["items"][0]["post"]["id"],
        "account": "v1",
        "viewer": "v1",
        "action": "a1",
        "wish": "w1",
    }


def test_every_route_is_in_the_matrix(api: Api) -> None:
    paths = api.app.openapi()["paths"]
    routes = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert routes == set(MATRIX)


@pytest.mark.parametrize("place", range(len(CALLERS)), ids=["nobody", "other", "self", "operator"])
@pytest.mark.parametrize("route", MATRIX, ids=" ".join)
def test_each_caller_may_do_what_is_theirs(
    seeded: tuple[Api, dict[str, str]], route: tuple[str, str], place: int
) -> None:
    api, names = seeded
    method, path = route
    answer = api(method, path.format(**names), CALLERS[place], **BODIES.get(route, {}))
    assert answer.status_code == MATRIX[route][place]
    if answer.status_code >= 400:
        assert answer.json()["error"]


@pytest.mark.parametrize("route", MATRIX, ids=" ".join)
def test_every_status_is_documented(api: Api, route: tuple[str, str]) -> None:
    method, path = route
    documented = api.app.openapi()["paths"][path][method.lower()]["responses"]
    assert {str(status) for status in MATRIX[route]} <= set(documented)
    assert {"413", "422", "429", "500", "503"} <= set(documented)


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Basic dTpw", "Bearer a.b.c", "é"])
@pytest.mark.parametrize("path", ["/v1/feeds/for-you", "/v1/wishes", "/v1/why/r", "/v1/posts/p1"])
def test_a_wrong_token_is_refused_also_where_none_is_needed(
    api: Api, path: str, header: str
) -> None:
    headers = {"Authorization": header.encode()}
    assert api.problem("GET", path, headers=headers)[0] == 401


def test_a_refusal_says_how_to_authenticate(api: Api) -> None:
    assert api("GET", "/v1/wishes").headers["WWW-Authenticate"] == "Bearer"


def test_another_viewers_actions_spoil_the_whole_batch(api: Api) -> None:
    body = lines(action("v1", "p1"), action("v2", "p1"))
    assert api("POST", "/v1/actions", "v1", **body).status_code == 403
    assert api("GET", "/v1/viewers/v1", "v1").json()["actions"] == []


def test_a_viewer_cannot_delete_by_batch(api: Api) -> None:
    api("POST", "/v1/actions", "v1", **lines(action("v1", "p1", id="a1")))
    gone = {"type": "delete", "what": "action", "id": "a1", "viewer": "v1", "at": ago(0)}
    assert api("POST", "/v1/actions", "v2", **lines(gone)).status_code == 403
    assert api("POST", "/v1/actions", "operator", **lines(gone)).status_code == 200
    assert api("GET", "/v1/viewers/v1", "v1").json()["actions"] == []


def test_nobody_and_the_operator_ask_as_no_one(api: Api) -> None:
    for who in (None, "operator"):
        assert api("POST", "/v1/ask", who, json={"question": "which library?"}).status_code == 200


def test_the_operator_must_say_whose(api: Api) -> None:
    assert api.problem("GET", "/v1/wishes", "operator") == (
        422,
        "The operator's token names no viewer; add ?viewer=ID.",
    )


def connection(api: Api, **headers: str) -> HTTPConnection:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "headers": raw, "client": ("192.0.2.1", 1)})


def test_requests_count_against_viewers_and_addresses(api: Api) -> None:
    def counted(**headers: str) -> str | None:
        return bucket(connection(api, **headers).scope, api.service.tokens)

    assert counted(Authorization=f"Bearer {api.token('v1')}") == "viewer v1"
    assert counted(Authorization=f"Bearer {api.token('operator')}") is None
    assert counted(Authorization="Bearer forged") == "192.0.2.1"
    assert counted() == "192.0.2.1"
    api("POST", "/v1/anonymous", json={"consent": True})
    cookie = f"{COOKIE}={api.client.cookies[COOKIE]}"
    assert counted(Cookie=cookie) == "192.0.2.1"


def test_a_cookie_that_is_not_ours_names_nobody(api: Api) -> None:
    forged = connection(api, Cookie=f"{COOKIE}={api.token('v1')}")
    assert identify(forged, api.service.tokens) == NOBODY
