"""Posts, actions and accounts over HTTP: taken in once, named when wrong, undone for good."""

from __future__ import annotations

import json

import pytest
from tests.serve.conftest import LINES, Api, action, ago, lines, post

from ariane.serve.service import now


def test_the_same_batch_twice_changes_nothing(api: Api) -> None:
    batch = lines(post("n1"), post("n2"))
    assert api("POST", "/v1/posts", "operator", **batch).json()["taken"] == 2
    assert api("POST", "/v1/posts", "operator", **batch).json() == {
        "taken": 0,
        "same": 2,
        "rejected": [],
    }


def test_a_json_list_is_taken_too(api: Api) -> None:
    answer = api("POST", "/v1/posts", "operator", json=[post("n1"), {"type": "account", "id": "a"}])
    assert answer.json()["taken"] == 2


def test_a_bad_line_is_named_and_the_rest_goes_on(api: Api) -> None:
    body = "\n".join([json.dumps(post("n1")), "{", json.dumps(post("n2", colour="red"))])
    headers = {"Content-Type": LINES}
    answer = api("POST", "/v1/posts", "operator", content=body, headers=headers).json()
    assert answer["taken"] == 1
    assert [one["line"] for one in answer["rejected"]] == [2, 3]
    assert "colour" in answer["rejected"][1]["sentence"]


@pytest.mark.parametrize(
    ("path", "event"),
    [
        ("/v1/posts", action("v1", "p1")),
        (
            "/v1/posts",
            {"type": "delete", "what": "action", "id": "a", "viewer": "v1", "at": ago(1)},
        ),
        ("/v1/actions", post("n1")),
        ("/v1/actions", {"type": "delete", "what": "post", "id": "p1", "at": ago(1)}),
    ],
)
def test_each_address_takes_its_own_events(api: Api, path: str, event: dict[str, object]) -> None:
    assert api.problem("POST", path, "operator", **lines(event))[0] == 422
    assert api("GET", "/v1/posts/p1", "operator").status_code == 200


def test_another_content_type_is_refused(api: Api) -> None:
    options = {"content": "id,text", "headers": {"Content-Type": "text/csv"}}
    assert api.problem("POST", "/v1/posts", "operator", **options)[0] == 415


def test_a_post_is_given_back_as_it_was_sent(api: Api) -> None:
    sent = post(
        "at://did:plc:x/app.bsky.feed.post/1",
        url="https://example.org/1",
        media=[{"url": "https://example.org/1.png", "alt": "A cat"}],
        reply_to="p1",
        root="p1",
        source="test",
        rev=3,
    )
    api("POST", "/v1/posts", "operator", **lines(sent))
    held = api("GET", f"/v1/posts/{sent['id']}", "operator").json()
    for name, value in sent.items():
        if name not in ("at", "media"):
            assert held[name] == value
    assert held["media"][0]["alt"] == "A cat"
    assert held["at"].endswith("Z")


def test_a_deleted_post_stays_away(api: Api) -> None:
    assert api("DELETE", "/v1/posts/p1", "operator").json() == {"done": True}
    assert api("DELETE", "/v1/posts/p1", "operator").json() == {"done": False}
    assert api("GET", "/v1/posts/p1", "operator").status_code == 404
    api("POST", "/v1/posts", "operator", **lines(post("p1")))
    assert api("GET", "/v1/posts/p1", "operator").status_code == 404


def test_an_action_is_undone_by_the_one_who_did_it(api: Api) -> None:
    api("POST", "/v1/actions", "v1", **lines(action("v1", "p1", id="a1")))
    assert api.problem("DELETE", "/v1/actions/a1", "v2")[0] == 404
    assert api("DELETE", "/v1/actions/a1", "v1").json() == {"done": True}
    assert api("GET", "/v1/viewers/v1", "v1").json()["actions"] == []
    assert api.problem("DELETE", "/v1/actions/a1", "v1")[0] == 404


def test_nobody_can_squat_or_undo_anothers_action(api: Api) -> None:
    api("POST", "/v1/actions", "v2", **lines(action("v2", "p2", id="a1")))
    assert api("DELETE", "/v1/actions/a1", "v2").json() == {"done": True}
    api("POST", "/v1/actions", "v1", **lines(action("v1", "p1", id="a1")))
    assert api.problem("DELETE", "/v1/actions/a1?viewer=v1", "v2")[0] == 403
    assert [one["id"] for one in api("GET", "/v1/viewers/v1", "v1").json()["actions"]] == ["a1"]
    assert api.problem("DELETE", "/v1/actions/a1", "operator")[0] == 422
    assert api("DELETE", "/v1/actions/a1?viewer=v1", "operator").json() == {"done": True}
    assert api("GET", "/v1/viewers/v1", "v1").json()["actions"] == []


def test_what_is_said_of_an_account_is_merged_and_what_is_held_is_answered(api: Api) -> None:
    api("PUT", "/v1/accounts/v1", "operator", json={"birth_year": 2014})
    held = api("PUT", "/v1/accounts/v1", "operator", json={"name": "Ada"}).json()
    assert (held["name"], held["birth_year"]) == ("Ada", 2014)
    assert api("GET", "/v1/accounts/v1", "v1").json() == held
    api("DELETE", "/v1/accounts/v1", "operator")
    assert api.problem("PUT", "/v1/accounts/v1", "operator", json={"name": "Ada"})[0] == 422


def test_a_minor_who_erases_themselves_stays_one_until_the_operator_says_otherwise(
    api: Api,
) -> None:
    def is_minor() -> bool:
        with api.service.live.engine() as engine:
            return engine.store.viewer(engine.ask("v1", at=now())).minor

    api("PUT", "/v1/accounts/v1", "operator", json={"birth_year": 2014})
    api("DELETE", "/v1/viewers/v1", "v1")
    assert is_minor()
    held = api("PUT", "/v1/accounts/v1", "operator", json={"birth_year": 1990}).json()
    assert held["birth_year"] == 1990
    assert not is_minor()


def test_an_account_is_written_read_and_deleted(api: Api) -> None:
    person = {"name": "Ada", "birth_year": 1990, "country": "FR", "hides_from_algorithms": True}
    held = api("PUT", "/v1/accounts/did:web:ada.example.org/x", "operator", json=person).json()
    assert held == person | {"id": "did:web:ada.example.org/x"}
    path = f"/v1/accounts/{held['id']}"
    assert api("GET", path, held["id"]).json() == held
    assert api("DELETE", path, "operator").json() == {"done": True}
    assert api.problem("GET", path, "operator")[0] == 404


@pytest.mark.parametrize(
    "person", [{"birth_year": 1066}, {"country": "fr"}, {"name": "a\x00b"}, {"age": 7}, []]
)
def test_an_account_that_cannot_be_is_refused(api: Api, person: object) -> None:
    assert api.problem("PUT", "/v1/accounts/a", "operator", json=person)[0] == 422
    assert api("GET", "/v1/accounts/a", "operator").status_code == 404


def test_a_million_characters_are_refused_in_a_sentence(api: Api) -> None:
    answer = api.problem("POST", "/v1/posts", "operator", **lines(post("n1", text="é" * 1_000_000)))
    assert answer[0] in (413, 422)
    assert api("GET", "/v1/posts/n1", "operator").status_code == 404


def test_a_future_time_is_refused(api: Api) -> None:
    event = post("n1", minutes=-60 * 24 * 30)
    status, sentence = api.problem("POST", "/v1/posts", "operator", **lines(event))
    assert status == 422
    assert "future" in sentence


@pytest.mark.parametrize("text", ["\ud800", "\x00"])
def test_text_that_no_store_can_hold_is_refused(api: Api, text: str) -> None:
    assert api.problem("POST", "/v1/posts", "operator", **lines(post("n1", text=text)))[0] == 422
