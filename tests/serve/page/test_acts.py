"""Acts: done and undone at once, with a script and without, and nobody for another."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.serve.conftest import Api, action, ago, lines, post
from tests.serve.page.conftest import SCRIPT, Browser, Open

from ariane.serve.service import now

TOGGLES = ("like", "repost", "bookmark", "follow")
AWAY = ("not_interested", "mute", "block")


def done(api: Api, viewer: str = "vic") -> list[dict[str, Any]]:
    """What is held of a viewer's actions."""
    held: list[dict[str, Any]] = api("GET", f"/v1/viewers/{viewer}", viewer).json()["actions"]
    return held


def undo_of(text: str) -> str:
    found = re.search(r'name="undo" value="([^"]+)"', text)
    assert found
    return found[1]


@pytest.mark.parametrize("kind", [*TOGGLES, *AWAY])
def test_an_act_is_done_and_undone_without_a_script(town: Api, kind: str) -> None:
    vic = Browser(town, "vic")
    request = vic.request()
    to = f"/f/for-you?page={request}#r1"
    answer = vic.post("/do", post="p1", kind=kind, request=request, to=to)
    assert (answer.status_code, answer.headers["location"]) == (303, to)
    (held,) = done(town)
    assert (held["kind"], held["post"], held["request"]) == (kind, "p1", request)
    assert held.get("account") == ("author-p1" if kind in ("follow", "mute", "block") else None)
    page = vic.get(to).text
    vic.post("/do", post="p1", kind=kind, undo=undo_of(page), to=to)
    assert done(town) == []
    assert vic.get(to).status_code == 200


@pytest.mark.parametrize("kind", TOGGLES)
def test_a_script_gets_the_buttons_new_state(town: Api, kind: str) -> None:
    vic = Browser(town, "vic")
    on = vic.post("/do", SCRIPT, post="p1", kind=kind)
    assert "toggle on" in on.text
    assert "<html" not in on.text
    off = vic.post("/do", SCRIPT, post="p1", kind=kind, undo=undo_of(on.text))
    assert "toggle on" not in off.text
    assert done(town) == []


@pytest.mark.parametrize("kind", AWAY)
def test_a_card_gives_way_to_a_line_that_explains_and_comes_back(town: Api, kind: str) -> None:
    vic = Browser(town, "vic")
    request = vic.request()
    fields = {"post": "p1", "kind": kind, "request": request}
    gone = vic.post("/do", SCRIPT, **fields)
    assert 'class="card gone"' in gone.text
    assert "from the next page on" in gone.text or "from your next page on" in gone.text
    assert "The council of p1" not in gone.text
    assert "p1" not in vic.cards()
    back = vic.post("/do", SCRIPT, **fields, undo=undo_of(gone.text))
    assert "The council of p1" in back.text
    assert 'class="why"' in back.text
    assert "p1" in vic.cards()


def test_the_same_act_twice_is_done_once(town: Api) -> None:
    vic = Browser(town, "vic")
    for _ in range(2):
        vic.post("/do", post="p1", kind="like")
        vic.post("/do", post="p2", kind="mute")
    assert len(done(town)) == 2


def test_what_is_older_than_the_history_is_undone_all_the_same(town: Api) -> None:
    town(
        "POST",
        "/v1/actions",
        "vic",
        **lines(
            *[
                {"type": "action", "viewer": "vic", "account": "author-p1", "kind": "mute"}
                | {"at": post("x", minute)["at"]}
                for minute in (50, 60)
            ]
        ),
    )
    Browser(town, "vic").post("/do", post="p1", kind="mute", undo="standing")
    assert done(town) == []


@pytest.mark.parametrize("kind", ["follow", "mute", "block"])
def test_what_stands_is_undone_though_it_was_done_by_a_post_and_retention_has_passed(
    town: Api, kind: str
) -> None:
    """A follow, mute or block by a post alone has the post's author for its account."""
    by_post = action("vic", "p1", kind, at=ago(50), id="by-post")
    again = {**by_post, "id": "again", "account": "author-p1"}
    town("POST", "/v1/actions", "vic", **lines(by_post, again, action("vic", "p2", at=ago(50))))
    with town.service.live.engine() as engine:
        assert engine.store.forget(actions=now(), receipts=None) == 1
    vic = Browser(town, "vic")
    page = vic.get("/p/p1").text if kind == "follow" else vic.get("/me").text
    assert ("Unfollow" if kind == "follow" else f'value="{kind}"') in page
    if kind == "mute":
        vic.post("/me/undo", kind=kind, account="author-p1")
    else:
        vic.post("/do", post="p1", kind=kind, undo="standing")
    assert done(town) == []
    assert "p1" in vic.cards()


def test_a_page_view_opens_no_export(town: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    vic = Browser(town, "vic")
    vic.post("/do", post="p1", kind="mute")
    with town.service.live.engine() as engine:
        monkeypatch.setattr(type(engine.store), "export", None)
    vic.post("/do", post="p2", kind="like")
    for path in ("/", "/f/following", "/p/p1", "/wishes"):
        assert vic.get(path).status_code == 200
    assert vic.post("/do", SCRIPT, post="p1", kind="mute", undo="standing").status_code == 200
    assert "p1" in vic.cards()


def test_an_undo_that_comes_too_late_undoes_nothing_else(town: Api) -> None:
    vic = Browser(town, "vic")
    first = undo_of(vic.post("/do", SCRIPT, post="p1", kind="like").text)
    vic.post("/do", post="p1", kind="like", undo=first)
    vic.post("/do", post="p1", kind="like")
    vic.post("/do", post="p1", kind="like", undo=first)
    assert len(done(town)) == 1


def test_nobody_acts_but_is_told_how_they_could(browse: Open) -> None:
    for who in (None, "operator"):
        answer = browse(who).post("/do", SCRIPT, post="p1", kind="like")
        assert answer.status_code == 401
        assert 'action="/remember"' in answer.text
        page = browse(who).post("/do", post="p1", kind="like")
        assert page.status_code == 401
        assert 'action="/remember"' in page.text
        assert browse(who).post("/reply", post="p1", text="x").status_code == 401


def test_nobody_undoes_what_another_did(town: Api) -> None:
    Browser(town, "vic").post("/do", post="p1", kind="like")
    name = done(town)[0]["id"]
    Browser(town, "other").post("/do", post="p1", kind="like", undo=name)
    assert len(done(town)) == 1


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"post": "p1", "kind": "report"}, 422),
        ({"post": "p1"}, 422),
        ({"post": "nothing", "kind": "like"}, 404),
        ({"kind": "like"}, 404),
    ],
)
def test_an_act_that_cannot_be_is_refused(
    browse: Open, fields: dict[str, str], status: int
) -> None:
    assert browse("vic").post("/do", **fields).status_code == status


def test_after_an_act_no_one_is_sent_elsewhere(browse: Open) -> None:
    answer = browse("vic").post("/do", post="p1", kind="like", to="//evil.example")
    assert answer.headers["location"] == "/"


def test_a_reply_is_a_post_of_the_thread_and_an_action(town: Api) -> None:
    vic = Browser(town, "vic")
    answer = vic.post("/reply", post="r1", text=" I <b>agree</b>\r\nwith both. ", request="req")
    assert answer.status_code == 303
    page = vic.get(answer.headers["location"]).text
    assert "I &lt;b&gt;agree&lt;/b&gt;" in page
    assert "Vic Reader" in page
    mine = town("GET", "/v1/viewers/vic", "vic").json()
    (written,) = mine["posts"]
    assert (written["reply_to"], written["root"]) == ("r1", "p1")
    assert [(one["kind"], one["post"]) for one in mine["actions"]] == [("reply", "r1")]
    assert "I &lt;b&gt;agree" in Browser(town).get("/p/p1").text


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 1001])
def test_a_reply_has_a_length(browse: Open, text: str) -> None:
    assert browse("vic").post("/reply", post="p1", text=text).status_code == 422


def test_a_reply_needs_a_name_and_a_post(browse: Open) -> None:
    assert browse("anonymous/1").post("/reply", post="p1", text="x").status_code == 403
    assert browse("vic").post("/reply", post="nothing", text="x").status_code == 404


def test_a_control_character_in_a_reply_is_no_fault(browse: Open) -> None:
    answer = browse("vic").post("/reply", post="p1", text="a\x00b")
    assert answer.status_code in (303, 422)
