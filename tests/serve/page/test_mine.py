"""My data: in plain words, taken away whole, undone one by one, erased after a confirmation."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.serve.conftest import Api, action, ago, lines, post
from tests.serve.page.test_how import sound

from ariane.serve.access import COOKIE
from ariane.types import Wish


def acted(api: Api, *events: dict[str, Any]) -> None:
    answer = api("POST", "/v1/actions", "operator", **lines(*events))
    assert answer.json()["rejected"] == []


def followed(api: Api, viewer: str, account: str, kind: str) -> None:
    event = {"type": "action", "viewer": viewer, "account": account, "kind": kind, "at": ago(1)}
    acted(api, event)


def form(**fields: str) -> dict[str, Any]:
    return {"data": fields, "follow_redirects": False}


@pytest.fixture
def reader(api: Api) -> Api:
    """The application with one reader, v1, who did a few things."""
    acted(api, action("v1", "p1"), action("v1", "p2", "not_interested"), action("v1", "p3"))
    followed(api, "v1", "author-p4", "mute")
    followed(api, "v1", "author-p5", "follow")
    return api


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_is_held_is_told_with_counts(reader: Api, language: str) -> None:
    page = reader("GET", "/me", "v1", headers={"Accept-Language": language})
    assert page.status_code == 200
    sound(page.text)
    assert "The council of p1 votes" in page.text
    assert "author-p4" in page.text
    done = {"en": "Things that you did", "fr": "Ce que vous avez fait"}[language]
    assert re.search(rf"{done} .*?</dt><dd>5</dd>", page.text, re.DOTALL)
    liked = {"en": "Liked 2", "fr": "Aimé 2"}[language]
    assert liked in page.text


def test_an_action_is_undone_by_its_button(reader: Api) -> None:
    held = reader("GET", "/v1/viewers/v1", "v1").json()["actions"]
    like = next(one for one in held if one["post"] == "p1")["id"]
    answer = reader("POST", "/me/undo", "v1", **form(action=like))
    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    left = reader("GET", "/v1/viewers/v1", "v1").json()["actions"]
    assert like not in [one["id"] for one in left]
    assert len(left) == len(held) - 1
    assert reader("POST", "/me/undo", "v1", **form(action=like)).status_code == 404


def test_a_mute_is_undone_by_its_account(reader: Api) -> None:
    field = '<input type="hidden" name="kind" value="mute">'
    assert field in reader("GET", "/me", "v1").text
    answer = reader("POST", "/me/undo", "v1", **form(kind="mute", account="author-p4"))
    assert answer.status_code == 303
    page = reader("GET", "/me", "v1").text
    assert field not in page
    assert '<input type="hidden" name="kind" value="follow">' in page


def test_nobody_undoes_what_another_did(reader: Api) -> None:
    held = reader("GET", "/v1/viewers/v1", "v1").json()["actions"]
    assert reader("POST", "/me/undo", "v2", **form(action=held[0]["id"])).status_code == 404
    assert reader("POST", "/me/undo", **form(action=held[0]["id"])).status_code == 401
    assert reader("POST", "/me/undo", "v1", **form(kind="like", account="x")).status_code == 422
    assert len(reader("GET", "/v1/viewers/v1", "v1").json()["actions"]) == len(held)


def test_everything_is_taken_away_as_one_file(reader: Api) -> None:
    reader.service.live.engine()
    with reader.service.live.engine() as engine:
        engine.store.write_wish("v1", Wish("w", "topic:science", 1))
    answer = reader("GET", "/me/export", "v1")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == reader("GET", "/v1/viewers/v1", "v1").json()
    assert answer.json()["wishes"][0]["target"] == "topic:science"
    assert reader("GET", "/me/export").status_code == 401


def test_erasing_asks_first_and_then_leaves_nothing(reader: Api) -> None:
    question = reader("GET", "/me/erase", "v1")
    assert 'name="confirm"' in question.text
    sound(question.text)
    unsure = reader("POST", "/me/erase", "v1", **form())
    assert unsure.headers["location"] == "/me/erase"
    assert reader("GET", "/v1/viewers/v1", "v1").json()["actions"]
    done = reader("POST", "/me/erase", "v1", **form(confirm="yes"))
    assert (done.status_code, done.headers["location"]) == (303, "/me?done=erased")
    assert f"{COOKIE}=" in done.headers["set-cookie"]
    assert reader("GET", "/v1/viewers/v1", "v1").json()["actions"] == []
    assert "is erased" in reader("GET", "/me?done=erased").text


def test_a_reader_by_cookie_has_the_same_page(api: Api) -> None:
    page = api("GET", "/me")
    assert "Nothing is held about you" in page.text
    sound(page.text)
    api("POST", "/remember", data={"to": "/me"}, follow_redirects=False)
    page = api("GET", "/me")
    assert "One cookie names you" in page.text
    assert "Download everything" in page.text
    api("POST", "/me/erase", data={"confirm": "yes"}, follow_redirects=False)
    assert "Nothing is held about you" in api("GET", "/me").text


def test_the_operator_is_told_that_nothing_is_held(api: Api) -> None:
    assert "The operator has no feed" in api("GET", "/me", "operator").text


def test_posts_of_a_history_stand_behind_the_guard_and_are_escaped(api: Api) -> None:
    nasty = post("p90", text="<script>alert(1)</script> & so on")
    api("POST", "/v1/posts", "operator", **lines(nasty, post("p91")))
    label = {"type": "label", "subject": "p91", "value": "!hide", "source": "mods", "at": ago(1)}
    api("POST", "/v1/posts", "operator", **lines(label))
    acted(api, action("v9", "p90"), action("v9", "p91"), action("v9", "gone"))
    page = api("GET", "/me", "v9").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "The council of p91" not in page
    assert "a post that is gone" in page
    sound(page)
