"""Bluesky: what an AppView asks of a feed generator, and what it is answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.serve.conftest import Api, lines, post
from tests.serve.signers import SERVICE, Directory, directory, service_token

from ariane.serve.http import create_app
from ariane.serve.settings import ServeSettings

ALICE = "did:plc:" + "a" * 24
KEY = ec.generate_private_key(ec.SECP256K1())
SKELETON = "/xrpc/app.bsky.feed.getFeedSkeleton"
DESCRIBE = "/xrpc/app.bsky.feed.describeFeedGenerator"
FOR_YOU = f"at://{SERVICE}/app.bsky.feed.generator/for-you"


def uri(number: int) -> str:
    return f"at://did:plc:{'b' * 24}/app.bsky.feed.post/{number}"


@pytest.fixture
def plc() -> Iterator[Directory]:
    with directory() as state:
        state.put(ALICE, KEY)
        yield state


@pytest.fixture
def settings(settings: ServeSettings, plc: Directory) -> ServeSettings:
    return replace(settings, plc_directory=plc.url, private_identity=True)


@pytest.fixture
def bsky(api: Api) -> Api:
    """The application with seven posts of the AT Protocol beside its twelve others."""
    api("POST", "/v1/posts", "operator", **lines(*[post(uri(n), n + 1) for n in range(7)]))
    return api


def skeleton(api: Api, token: str | None = None, **params: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return api("GET", SKELETON, params={"feed": FOR_YOU} | params, headers=headers)


def test_the_did_document_names_this_server(bsky: Api) -> None:
    held = bsky("GET", "/.well-known/did.json").json()
    assert held["id"] == SERVICE
    assert held["service"][0]["type"] == "BskyFeedGenerator"
    assert held["service"][0]["serviceEndpoint"] == "https://feed.example.org"


def test_feeds_are_described_by_their_uris(bsky: Api) -> None:
    held = bsky("GET", DESCRIBE).json()
    assert held["did"] == SERVICE
    assert {"uri": FOR_YOU} in held["feeds"]


def test_a_skeleton_holds_posts_of_the_protocol_only(bsky: Api) -> None:
    page = skeleton(bsky, limit=100).json()
    assert {item["post"] for item in page["feed"]} == {uri(number) for number in range(7)}
    assert len(page["reqId"]) <= 100
    assert all(len(item["feedContext"]) <= 2000 for item in page["feed"])
    assert bsky("GET", f"/v1/why/{page['reqId']}").status_code == 200


def test_pages_of_a_skeleton_do_not_repeat(bsky: Api) -> None:
    seen: list[str] = []
    cursor = None
    for _ in range(20):
        page = skeleton(bsky, limit=3, **({"cursor": cursor} if cursor else {})).json()
        seen += [item["post"] for item in page["feed"]]
        cursor = page.get("cursor")
        if cursor is None:
            break
    assert cursor is None
    assert sorted(seen) == sorted(uri(number) for number in range(7))


def test_other_posts_may_be_let_in(home: Path, settings: ServeSettings, plc: Directory) -> None:
    api = Api(create_app(home, replace(settings, skeleton_any_id=True)))
    api("POST", "/v1/posts", "operator", **lines(post("p1")))
    assert [item["post"] for item in skeleton(api).json()["feed"]] == ["p1"]


def test_a_token_names_the_viewer(bsky: Api) -> None:
    request = skeleton(bsky, service_token(KEY, ALICE)).json()["reqId"]
    assert bsky("GET", f"/v1/why/{request}", ALICE).status_code == 200
    assert bsky("GET", f"/v1/why/{request}", "v2").status_code == 404
    assert bsky("GET", f"/v1/why/{request}").status_code == 404


def test_a_token_is_good_for_one_request(bsky: Api) -> None:
    token = service_token(KEY, ALICE)
    assert skeleton(bsky, token).status_code == 200
    again = skeleton(bsky, token)
    assert (again.status_code, again.json()["error"]) == (401, "JwtReplayed")


def test_a_known_key_needs_no_look_up(bsky: Api) -> None:
    assert skeleton(bsky, service_token(KEY, ALICE)).status_code == 200
    bsky.service.look_ups.close()
    assert skeleton(bsky, service_token(KEY, ALICE)).status_code == 200
    token = service_token(KEY, ALICE)
    assert skeleton(bsky, token).status_code == 200
    assert skeleton(bsky, token).json()["error"] == "JwtReplayed"
    assert skeleton(bsky, service_token(KEY, "did:plc:" + "c" * 24)).status_code == 503


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"exp": 1}, "JwtExpired"),
        ({"aud": "did:web:elsewhere.example.org"}, "BadJwtAudience"),
        ({"lxm": "app.bsky.feed.getTimeline"}, "BadJwtLexiconMethod"),
        ({"high": True}, "BadJwtSignature"),
        ({"iss": "did:plc:" + "z" * 24}, "BadJwtSignature"),
        ({"iss": "did:web:localhost%3A9"}, "BadJwtSignature"),
        ({"iss": "nobody"}, "BadJwtSignature"),
    ],
)
def test_a_token_that_does_not_hold_is_refused(
    bsky: Api, claims: dict[str, Any], name: str
) -> None:
    said = {"issuer": ALICE, **claims}
    issuer = said.pop("iss", said.pop("issuer", ALICE))
    said.pop("issuer", None)
    answer = skeleton(bsky, service_token(KEY, issuer, **said))
    assert answer.status_code == 401
    assert answer.json()["error"] == name
    assert answer.json()["message"].endswith(".")


def test_a_forged_token_is_refused(bsky: Api) -> None:
    other = ec.generate_private_key(ec.SECP256K1())
    assert skeleton(bsky, service_token(other, ALICE)).json()["error"] == "BadJwtSignature"
    headers = {"Authorization": "Basic dTpw"}
    assert bsky("GET", SKELETON, params={"feed": FOR_YOU}, headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("params", "status", "name"),
    [
        ({"feed": "at://did:plc:x/app.bsky.feed.generator/for-you"}, 400, "UnknownFeed"),
        ({"feed": FOR_YOU + "x"}, 400, "UnknownFeed"),
        ({"limit": 0}, 422, "InvalidRequest"),
        ({"limit": 101}, 422, "InvalidRequest"),
        ({"cursor": "of-another-instance"}, 400, "InvalidRequest"),
    ],
)
def test_a_wrong_parameter_is_answered_in_the_protocols_shape(
    bsky: Api, params: dict[str, Any], status: int, name: str
) -> None:
    answer = skeleton(bsky, **params)
    assert answer.status_code == status
    assert answer.json()["error"] == name
    assert set(answer.json()) == {"error", "message"}


@pytest.mark.parametrize("language", ["fr-FR,en;q=0.5", "*", "", "éé", "x" * 500])
def test_any_accept_language_is_survived(bsky: Api, language: str) -> None:
    headers = {"Accept-Language": language.encode()}
    answer = bsky("GET", SKELETON, params={"feed": FOR_YOU}, headers=headers)
    assert answer.status_code == 200


def test_without_a_host_name_there_is_no_generator(home: Path) -> None:
    api = Api(create_app(home, ServeSettings()))
    for path in ("/.well-known/did.json", DESCRIBE, f"{SKELETON}?feed=x"):
        answer = api("GET", path)
        assert answer.status_code == 404
        assert "hostname" in answer.text


def test_feeds_may_be_published_by_another_account(home: Path, settings: ServeSettings) -> None:
    api = Api(create_app(home, replace(settings, publisher=ALICE)))
    uris = [feed["uri"] for feed in api("GET", DESCRIBE).json()["feeds"]]
    assert f"at://{ALICE}/app.bsky.feed.generator/for-you" in uris
