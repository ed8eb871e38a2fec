"""Authors: their posts newest first behind the guard, and acts on them that end again."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from tests.serve.conftest import Api, action, ago, lines, post
from tests.serve.page.conftest import SCRIPT, Browser, Open, cards
from tests.serve.page.test_how import sound

from ariane.evaluate.world import Person, World, save_world

AGES = [1, 2, 3, *([10] * 30), 50]
"""Minutes; far more posts of one moment than a page holds."""


def publish(api: Api, *events: dict[str, object]) -> None:
    answer = api("POST", "/v1/posts", "operator", **lines(*events))
    assert answer.json()["rejected"] == []


@pytest.fixture
def prolific(town: Api) -> Api:
    """An author with more posts than a page holds, most of one moment."""
    moments = {minutes: ago(minutes) for minutes in AGES}
    publish(
        town,
        {"type": "account", "id": "pat", "name": "Pat & Co"},
        *[
            post(f"w{number:02}", author="pat") | {"at": moments[minutes]}
            for number, minutes in enumerate(AGES)
        ],
    )
    return town


def next_of(page: str) -> str | None:
    found = re.search(r'hx-get="([^"]+)" hx-trigger="revealed"', page)
    return unescape(found[1]) if found else None


@pytest.mark.parametrize("script", [{}, SCRIPT])
def test_an_author_is_read_to_the_end_newest_first_without_a_repeat(
    prolific: Api, script: dict[str, str]
) -> None:
    nobody = Browser(prolific)
    path: str | None = "/a/pat"
    read: list[str] = []
    while path is not None:
        page = nobody.get(path, **(script if read else {})).text
        assert ("<html" in page) == (not read or not script)
        read += cards(page)
        path = next_of(page)
        publish(prolific, post(f"late{len(read)}", 0, author="pat"))
    assert read == [f"w{number:02}" for number in range(len(AGES))]
    assert "You are at the end" in page
    assert 'href="/a/pat"' in page


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_page_names_its_author_and_can_be_acted_on(browse: Open, language: str) -> None:
    page = browse("vic").get("/a/author-p1", **{"Accept-Language": language}).text
    sound(page)
    assert "Élodie &lt;b&gt;Bold&lt;/b&gt;" in page.split("<h1>")[1].split("</h1>")[0]
    assert cards(page) == ["p1"]
    for kind in ("follow", "mute", "block"):
        assert f'id="{kind}-author"' in page
    assert {"en": "Unfollow", "fr": "Ne plus suivre"}[language] not in page


def test_every_card_leads_to_its_author(town: Api) -> None:
    publish(town, post("again", 0, author="ann/b?c", repost_of="p1", text=""))
    page = Browser(town).get("/").text
    assert '<a class="name" href="/a/author-p1">' in page
    address = re.search(r'class="over">.*?href="([^"]+)"', page, re.DOTALL)
    assert address
    shown = Browser(town).get(address[1])
    assert cards(shown.text) == ["p1"]
    assert "ann/b?c reposted" in shown.text


@pytest.mark.parametrize("kind", ["follow", "mute", "block"])
@pytest.mark.parametrize("script", [{}, SCRIPT])
def test_an_act_on_an_author_holds_at_once_and_ends_by_the_same_button(
    town: Api, kind: str, script: dict[str, str]
) -> None:
    vic = Browser(town, "vic")
    for undo, held in (({}, 1), ({"undo": "standing"}, 0)):
        answer = vic.post("/a/author-p1", script, kind=kind, **undo)
        assert answer.status_code == (200 if script else 303)
        assert script or answer.headers["location"] == "/a/author-p1"
        page = answer.text if script else vic.get("/a/author-p1").text
        actions = town("GET", "/v1/viewers/vic", "vic").json()["actions"]
        assert [(one["kind"], one["account"]) for one in actions] == [(kind, "author-p1")] * held
        assert page.count('name="undo"') == held + (kind == "follow") * held  # on the card too
        gone = held and kind != "follow"
        assert cards(page) == ([] if gone else ["p1"])
        assert (f"You {kind}" in page) == bool(gone)
        assert ("p1" in vic.cards()) != bool(gone)


def test_an_act_that_cannot_be_is_refused(browse: Open) -> None:
    vic = browse("vic")
    assert vic.post("/a/author-p1", kind="like").status_code == 422
    assert vic.post("/a/vic", kind="follow").status_code == 422
    assert vic.post("/a/nobody", kind="follow").status_code == 404
    for who in (None, "operator"):
        answer = browse(who).post("/a/author-p1", SCRIPT, kind="follow")
        assert answer.status_code == 401
        assert 'action="/remember"' in answer.text


def test_of_who_only_reads_not_even_the_name_is_shown(town: Api) -> None:
    for who in (None, "other", "operator"):
        for path in ("/a/vic", "/a/vic?at=0", "/a/nothing"):
            answer = Browser(town, who).get(path)
            assert answer.status_code == 404
            assert "Vic" not in answer.text
    mine = Browser(town, "vic").get("/a/vic").text
    assert "Nothing here yet" in mine
    assert 'id="follow-author"' not in mine


def test_whom_one_mutes_keeps_a_page_so_that_it_can_be_undone(town: Api) -> None:
    event = {"type": "action", "viewer": "vic", "account": "far", "kind": "mute", "at": ago(1)}
    town("POST", "/v1/actions", "vic", **lines(event))
    assert "Unmute far" in Browser(town, "vic").get("/a/far").text
    assert Browser(town).get("/a/far").status_code == 404


def test_what_a_policy_withholds_is_counted_or_says_why(prolific: Api) -> None:
    label = {"type": "label", "source": "mod", "value": "!takedown", "at": ago(1)}
    publish(prolific, {**label, "subject": "w01"}, {**label, "subject": "p1"})
    page = Browser(prolific).get("/a/pat").text
    assert "w01" not in cards(page)
    assert "1 post withheld" in page
    page = Browser(prolific).get("/a/author-p1").text
    assert cards(page) == []
    assert "contest" in page


def test_who_asks_for_members_only_is_not_named_to_nobody(town: Api) -> None:
    label = {"type": "label", "subject": "author-p1", "source": "self", "at": ago(1)}
    publish(town, {**label, "value": "!no-unauthenticated"})
    page = Browser(town).get("/a/author-p1").text
    assert "signed-in readers only" in page
    assert "Élodie" not in page
    assert 'id="follow-author"' not in page
    sound(page)
    assert cards(Browser(town, "vic").get("/a/author-p1").text) == ["p1"]


def test_a_minor_sees_no_post_of_an_author_that_was_not_read(town: Api) -> None:
    town("PUT", "/v1/accounts/kid", "operator", json={"birth_year": 2015})
    page = Browser(town, "kid").get("/a/author-p1").text
    assert cards(page) == []
    assert "The council" not in page


def test_deleted_posts_and_erased_authors_are_gone(town: Api) -> None:
    publish(town, post("other", 1, author="author-p1"))
    town("DELETE", "/v1/posts/p1", "operator")
    assert cards(Browser(town).get("/a/author-p1").text) == ["other"]
    town("DELETE", "/v1/viewers/author-p1", "operator")
    assert Browser(town).get("/a/author-p1").status_code == 404


def test_a_post_and_its_own_repost_stand_once(town: Api) -> None:
    publish(town, post("mine", 1, author="author-p1", repost_of="p1", text=""))
    assert cards(Browser(town).get("/a/author-p1").text) == ["p1"]


def test_a_simulated_author_has_a_bio_until_they_are_erased(town: Api, home: Path) -> None:
    bio = "Sings <b>bass</b>."
    save_world(
        home,
        World({"en": "Nobody here is real."}, (Person("author-p1", "Élodie", "en", bio, ()),), {}),
    )
    page = Browser(town).get("/a/author-p1").text
    assert "Sings &lt;b&gt;bass&lt;/b&gt;." in page
    town("POST", "/v1/actions", "vic", **lines(action("vic", "p1", "follow", account="author-p1")))
    town("DELETE", "/v1/viewers/author-p1", "operator")
    assert "Sings" not in Browser(town, "vic").get("/a/author-p1").text


def test_a_cursor_that_is_none_is_refused(browse: Open) -> None:
    assert browse().get("/a/author-p1?at=x").status_code == 422
    assert browse().get(f"/a/author-p1?at={2**70}").status_code == 422
    assert browse().get("/a/author-p1?at=9999999999999999&after=p1").status_code == 200
