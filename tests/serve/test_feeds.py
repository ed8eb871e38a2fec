"""Feeds: pages that follow one another without repeats, and feeds that the operator writes."""

from __future__ import annotations

import pytest
from tests.serve.conftest import Api, action, lines

from ariane.types import PREDICTED


def test_a_page_says_all_that_it_is(api: Api) -> None:
    page = api("GET", "/v1/feeds/for-you?size=5", "v1").json()
    assert page["feed"] == "for-you"
    assert page["profiled"] is True
    assert page["next"] == page["request"]
    assert [item["rank"] for item in page["items"]] == [1, 2, 3, 4, 5]
    for item in page["items"]:
        assert item["post"]["type"] == "post"
        assert item["sources"]
        assert item["score"] == pytest.approx(sum(item["terms"].values()), abs=1e-5)
        assert set(item["forecast"]) <= {kind.value for kind in PREDICTED}
        assert [set(reason["sentence"]) for reason in item["reasons"]] == [{"en", "fr"}]
        assert item["reasons"][0]["post"] == item["post"]["id"]


@pytest.mark.parametrize("who", [None, "v1"])
def test_pages_follow_one_another_without_repeats(api: Api, who: str | None) -> None:
    seen: list[str] = []
    after = None
    while True:
        params = {"size": 5} | ({"after": after} if after else {})
        page = api("GET", "/v1/feeds/for-you", who, params=params).json()
        seen += [item["post"]["id"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 12


def test_a_cursor_of_another_is_none(api: Api) -> None:
    theirs = api("GET", "/v1/feeds/for-you?size=2", "v1").json()["next"]
    for who in (None, "v2", "operator"):
        assert api("GET", f"/v1/feeds/for-you?after={theirs}", who).status_code == 404
    assert api.problem("GET", "/v1/feeds/for-you?after=elsewhere", "v1")[0] == 404


def test_a_page_whose_post_was_deleted_is_still_gone_on_from(api: Api) -> None:
    page = api("GET", "/v1/feeds/for-you?size=3", "v1").json()
    gone = page["items"][0]["post"]["id"]
    api("DELETE", f"/v1/posts/{gone}", "operator")
    after = api("GET", f"/v1/feeds/for-you?size=20&after={page['next']}", "v1").json()
    shown = {item["post"]["id"] for item in page["items"]}
    assert len(after["items"]) == 9
    assert not shown & {item["post"]["id"] for item in after["items"]}


@pytest.mark.parametrize(
    "query",
    [
        "size=5&size=6",
        "size=0",
        "size=101",
        "size=x",
        "profiled=perhaps",
        "language=FR",
        "surface=A%20B",
        "after=",
    ],
)
def test_a_parameter_that_does_not_fit_is_named(api: Api, query: str) -> None:
    status, sentence = api.problem("GET", f"/v1/feeds/for-you?{query}")
    assert status == 422
    assert query.partition("=")[0] in sentence


@pytest.mark.parametrize("path", ["/v1/feeds/none", "/v1/feeds/none/spec"])
def test_a_feed_that_is_not_there_is_named(api: Api, path: str) -> None:
    status, sentence = api.problem("GET", path)
    assert status == 404
    assert "none" in sentence


def test_a_feed_without_profile_says_so(api: Api) -> None:
    api("POST", "/v1/actions", "v1", **lines(action("v1", "p3")))
    page = api("GET", "/v1/feeds/for-you?profiled=false", "v1").json()
    assert page["profiled"] is False
    assert page["items"]
    assert api("GET", "/v1/feeds/for-you").json()["profiled"] is False


def test_the_operator_writes_replaces_and_forgets_a_feed(api: Api) -> None:
    source = api.service.live.reload().sources.parts[0].name
    spec = {
        "title": {"en": "Local", "fr": "Près d'ici"},
        "sources": [source],
        "languages": ["fr"],
        "wishes": [{"id": "w", "target": "topic:city", "direction": 1}],
        "order": "latest",
        "max_age_hours": 48,
    }
    written = api("PUT", "/v1/feeds/local/spec", "operator", json=spec).json()
    assert written["name"] == "local"
    assert written["wishes"][0]["strength"] == 0.5
    assert api("GET", "/v1/feeds/local/spec").json() == written
    assert written in api("GET", "/v1/feeds").json()
    assert api("GET", "/v1/feeds/local").json()["items"] == []  # no French posts here
    api("PUT", "/v1/feeds/local/spec", "operator", json={})
    assert len(api("GET", "/v1/feeds/local").json()["items"]) == 12
    assert api("DELETE", "/v1/feeds/local/spec", "operator").json() == {"done": True}
    assert api("GET", "/v1/feeds/local").status_code == 404
    assert api("DELETE", "/v1/feeds/local/spec", "operator").status_code == 404


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"sources": ["gossip"]}, "gossip"),
        ({"order": "random"}, "order"),
        ({"colour": "red"}, "colour"),
        ({"languages": ["French"]}, "languages"),
        ({"max_age_hours": -1}, "max_age_hours"),
        ({"wishes": [{"id": "w", "target": "gender:x", "direction": 1}]}, "gender"),
    ],
)
def test_a_feed_that_cannot_be_is_refused(api: Api, spec: dict[str, object], named: str) -> None:
    status, sentence = api.problem("PUT", "/v1/feeds/local/spec", "operator", json=spec)
    assert status == 422
    assert named in sentence
    assert api("GET", "/v1/feeds/local/spec").status_code == 404


def test_a_muted_author_is_counted_not_shown(api: Api) -> None:
    mute = action("v1", "p3", "mute", account="author-p3")
    mute.pop("post")
    assert api("POST", "/v1/actions", "v1", **lines(mute)).json()["taken"] == 1
    page = api("GET", "/v1/feeds/for-you?size=50", "v1").json()
    assert "p3" not in {item["post"]["id"] for item in page["items"]}
    assert sum(page["removed"].values()) >= 1
