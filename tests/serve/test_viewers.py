"""Viewers: their data to take along, their erasure, consent, tokens and wishes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.serve.conftest import Api, action, lines

from ariane.engine import load
from ariane.rank.ladder import Ladder
from ariane.serve.access import ANONYMOUS, COOKIE
from ariane.serve.http import create_app
from ariane.serve.settings import ServeSettings
from ariane.steer.keep import MOST
from ariane.types import Ranker

SCIENCE = {"target": "topic:science", "direction": 1, "said": "more science"}


def test_an_export_holds_what_was_given(api: Api) -> None:
    api("POST", "/v1/actions", "v1", **lines(action("v1", "p1", id="a1")))
    api("PUT", "/v1/wishes/w1", "v1", json=SCIENCE)
    held = api("GET", "/v1/viewers/v1", "v1").json()
    assert [line["id"] for line in held["actions"]] == ["a1"]
    assert "more science" in str(held)


def test_an_erased_person_is_gone(api: Api) -> None:
    api("POST", "/v1/actions", "v1", **lines(action("v1", "p1", id="a1")))
    request = api("GET", "/v1/feeds/for-you", "v1").json()["request"]
    assert api("DELETE", "/v1/viewers/v1", "v1").json() == {"done": True}
    assert api("DELETE", "/v1/viewers/v1", "v1").json() == {"done": False}
    assert api("GET", "/v1/viewers/v1", "v1").json().get("actions", []) == []
    assert api("GET", f"/v1/why/{request}", "v1").status_code in (404, 410)
    assert api("GET", f"/v1/why/{request}", "v2").status_code == 404
    assert api("GET", f"/v1/why/{request}").status_code == 404


class Remembering:
    """A rung that keeps what it encoded of viewers."""

    def __init__(self, inner: Ranker) -> None:
        self.name, self.forecast, self.kept = inner.name, inner.forecast, {"v1", "v2"}

    def forget(self, viewer: str) -> None:
        self.kept.discard(viewer)


def test_an_erased_person_is_gone_from_memory_too(home: Path, settings: ServeSettings) -> None:
    engine = load(home)
    rung = Remembering(engine.ranker)
    api = Api(create_app(lambda: replace(engine, ranker=Ladder([rung])), settings))
    api("DELETE", "/v1/viewers/v1", "v1")
    assert rung.kept == {"v2"}


def test_without_consent_a_reader_is_not_remembered(api: Api) -> None:
    assert api("GET", "/v1/feeds/for-you").cookies == {}
    for body in ({}, {"consent": False}, {"consent": "true"}, None):
        assert api.problem("POST", "/v1/anonymous", json=body)[0] == 422
    assert COOKIE not in api.client.cookies


def test_upon_consent_a_reader_is_a_viewer_until_they_leave(api: Api) -> None:
    answer = api("POST", "/v1/anonymous", json={"consent": True})
    viewer = answer.json()["viewer"]
    assert viewer.startswith(ANONYMOUS)
    flags = answer.headers["set-cookie"].lower()
    assert "httponly" in flags
    assert "samesite=strict" in flags
    assert "secure" not in flags  # plain HTTP here
    assert api("POST", "/v1/actions", **lines(action(viewer, "p1", id="a1"))).status_code == 200
    assert api("POST", "/v1/actions", **lines(action("v1", "p1"))).status_code == 403
    assert api("GET", "/v1/feeds/for-you").json()["profiled"] is True
    assert api("PUT", "/v1/wishes/w1", json=SCIENCE).status_code == 200
    assert [line["id"] for line in api("GET", f"/v1/viewers/{viewer}").json()["actions"]] == ["a1"]
    assert api("DELETE", f"/v1/viewers/{viewer}").json() == {"done": True}
    assert COOKIE not in api.client.cookies
    assert api("GET", f"/v1/viewers/{viewer}").status_code == 401


def test_over_https_the_cookie_is_secure(api: Api) -> None:
    answer = api("POST", "https://localhost/v1/anonymous", json={"consent": True})
    assert "secure" in answer.headers["set-cookie"].lower()


def test_the_operator_issues_tokens(api: Api) -> None:
    token = api("POST", "/v1/tokens", "operator", json={"viewer": "v7", "days": 1}).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert api("GET", "/v1/viewers/v7", headers=headers).status_code == 200
    assert api("GET", "/v1/viewers/v1", headers=headers).status_code == 403
    token = api("POST", "/v1/tokens", "operator", json={"viewer": None}).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert api("GET", "/v1/viewers/v1", headers=headers).status_code == 200
    for body in ({}, {"viewer": ""}, {"viewer": "v", "days": 0}):
        assert api.problem("POST", "/v1/tokens", "operator", json=body)[0] == 422


def test_a_wish_is_kept_replaced_and_taken_back(api: Api) -> None:
    until = "2099-01-01T00:00:00+01:00"
    kept = api("PUT", "/v1/wishes/w1", "v1", json=SCIENCE | {"until": until, "strength": 1}).json()
    assert kept == SCIENCE | {"id": "w1", "until": "2098-12-31T23:00:00Z", "strength": 1.0}
    assert api("GET", "/v1/wishes", "v1").json() == [kept]
    assert api("GET", "/v1/wishes", "v2").json() == []
    api("PUT", "/v1/wishes/w1", "v1", json=SCIENCE | {"direction": -1})
    assert [wish["direction"] for wish in api("GET", "/v1/wishes", "v1").json()] == [-1]
    assert api("DELETE", "/v1/wishes/w1", "v1").json() == {"done": True}
    assert api.problem("DELETE", "/v1/wishes/w1", "v1")[0] == 404
    assert api("GET", "/v1/wishes?viewer=v1", "operator").json() == []


@pytest.mark.parametrize(
    "wish",
    [
        SCIENCE | {"target": "gender:women"},
        SCIENCE | {"target": "topic:"},
        SCIENCE | {"target": "topic:football"},
        SCIENCE | {"direction": 0},
        SCIENCE | {"strength": 0},
        SCIENCE | {"strength": 2},
        SCIENCE | {"until": "2099-01-01T00:00:00"},
        SCIENCE | {"until": "0001-01-01T00:00:00+14:00"},
        SCIENCE | {"until": "9999-12-31T23:59:59-14:00"},
        SCIENCE | {"loud": True},
    ],
)
def test_a_wish_that_cannot_be_is_refused(api: Api, wish: dict[str, object]) -> None:
    assert api.problem("PUT", "/v1/wishes/w1", "v1", json=wish)[0] == 422
    assert api("GET", "/v1/wishes", "v1").json() == []


def test_a_name_of_no_list_is_refused_with_the_nearest(api: Api) -> None:
    wish = SCIENCE | {"target": "topic:sciences"}
    _, said = api.problem("PUT", "/v1/wishes/w1", "v1", json=wish)
    assert "'sciences' is no topic; the nearest: science" in said


def test_wishes_are_not_without_end(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ariane.steer.keep.MOST", 2)
    assert MOST > 2
    statuses = [
        api("PUT", f"/v1/wishes/w{number}", "v1", json=SCIENCE).status_code for number in (1, 2, 3)
    ]
    assert statuses == [200, 200, 422]
    assert api("PUT", "/v1/wishes/w2", "v1", json=SCIENCE).status_code == 200


def test_wishes_in_plain_words_are_kept_answered_and_replaced(api: Api) -> None:
    body = {"words": "less politics until Sunday, plus de sciences"}
    made = api("POST", "/v1/wishes", "v1", json=body).json()
    assert [(one["target"], one["direction"]) for one in made] == [
        ("topic:politics", -1),
        ("topic:science", 1),
    ]
    assert made[0]["until"]
    assert made[0]["said"] == "less politics until Sunday"
    assert api("GET", "/v1/wishes", "v1").json() == made
    assert api("GET", "/v1/wishes", "v2").json() == []
    (again,) = api("POST", "/v1/wishes", "v1", json={"words": "more politics"}).json()
    assert (again["id"], again["direction"]) == (made[0]["id"], 1)
    assert len(api("GET", "/v1/wishes", "v1").json()) == 2
    assert api("DELETE", f"/v1/wishes/{again['id']}", "v1").json() == {"done": True}


@pytest.mark.parametrize(
    ("words", "quoted"), [("more science, make it better", "better"), ("  ", "")]
)
def test_words_that_are_not_understood_are_quoted_and_nothing_is_kept(
    api: Api, words: str, quoted: str
) -> None:
    for language, said in (
        ("en", "is not understood"),
        ("fr", "n’est pas compris"),
        ("de", "is not"),
    ):
        body = {"words": words, "language": language}
        error = api("POST", "/v1/wishes", "v1", json=body).json()["error"]
        assert error["status"] == 422
        assert error.get("not_understood", "") == quoted
        assert quoted in error["sentence"]
        assert said in error["sentence"]
    assert api("GET", "/v1/wishes", "v1").json() == []


@pytest.mark.parametrize("body", [{}, {"words": ""}, {"words": "x" * 501}, {"words": "a", "b": 1}])
def test_other_bodies_are_no_wishes_in_words(api: Api, body: dict[str, object]) -> None:
    assert api.problem("POST", "/v1/wishes", "v1", json=body)[0] == 422


def test_words_make_no_more_wishes_than_there_may_be(api: Api) -> None:
    for number in range(200):
        body = {"target": f"word:a{number}", "direction": 1}
        assert api("PUT", f"/v1/wishes/w{number}", "v1", json=body).status_code == 200
    status, sentence = api.problem("POST", "/v1/wishes", "v1", json={"words": "more science"})
    assert (status, "200 wishes" in sentence) == (422, True)
    assert api("POST", "/v1/wishes", "v1", json={"words": "less a7"}).status_code == 200
