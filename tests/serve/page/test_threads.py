"""Threads: what a post answers and what answers it, behind the same guard as feeds."""

from __future__ import annotations

from tests.serve.conftest import Api, lines, post
from tests.serve.page.conftest import Browser, Open, cards


def test_a_thread_is_shown_whole_from_any_of_its_posts(browse: Open) -> None:
    for name in ("p1", "r1", "r2"):
        assert cards(browse().get(f"/p/{name}").text) == ["p1", "r1", "r2"]


def test_names_with_slashes_and_signs_are_addresses_too(town: Api) -> None:
    name = "at://did:plc:x/app.bsky.feed.post/3k?a=b#c"
    town("POST", "/v1/posts", "operator", **lines(post("x", 0, id=name)))
    page = Browser(town).get("/").text
    address = page.split('class="when" href="')[1].split('"')[0]
    assert Browser(town).get(address).status_code == 200
    assert "The council of x" in Browser(town).get(address).text


def test_a_muted_author_is_not_shown_in_a_thread_and_said_to_be(browse: Open) -> None:
    vic = browse("vic")
    vic.post("/do", post="r1", kind="mute")
    text = vic.get("/p/p1").text
    assert cards(text) == ["p1", "r2"]
    assert "muted or blocked" in text


def test_a_post_that_gave_way_can_still_be_read_by_name(browse: Open) -> None:
    vic = browse("vic")
    vic.post("/do", post="p1", kind="not_interested")
    asked, answered = vic.get("/p/p1").text, vic.get("/p/r1").text
    assert "The council of p1" in asked
    assert "The council of p1" not in answered
    assert asked.count('name="undo"') == answered.count('name="undo"')


def test_what_a_policy_withholds_says_so_instead(town: Api) -> None:
    label = {"type": "label", "subject": "r1", "source": "mod", "at": post("x")["at"]}
    town("POST", "/v1/posts", "operator", **lines({**label, "value": "!takedown"}))
    text = Browser(town).get("/p/p1").text
    assert "r1" not in cards(text)
    assert "not shown" in text


def test_a_minor_sees_no_post_that_was_not_read(town: Api) -> None:
    town("PUT", "/v1/accounts/kid", "operator", json={"birth_year": 2015})
    kid = Browser(town, "kid")
    assert kid.cards() == []
    text = kid.get("/p/p1").text
    assert cards(text) == []
    assert "The council" not in text


def test_members_only_is_asked_of_readers_without_a_name(town: Api) -> None:
    label = {"type": "label", "subject": "author-p2", "source": "self", "at": post("x")["at"]}
    town("POST", "/v1/posts", "operator", **lines({**label, "value": "!no-unauthenticated"}))
    assert "signed-in readers only" in Browser(town).get("/p/p2").text
    assert cards(Browser(town, "vic").get("/p/p2").text) == ["p2"]


def test_a_circle_of_answers_ends(town: Api) -> None:
    one, other = post("one", 2, reply_to="other"), post("other", 1, reply_to="one")
    town("POST", "/v1/posts", "operator", **lines(one, other))
    assert Browser(town).get("/p/one").status_code == 200


def test_an_answer_to_what_is_gone_is_shown_alone(town: Api) -> None:
    town("POST", "/v1/posts", "operator", **lines(post("lost", 0, reply_to="never held")))
    text = Browser(town).get("/p/lost").text
    assert cards(text) == ["lost"]
    assert "Replying to a post" in Browser(town).get("/").text


def test_one_who_may_reply_finds_the_form_and_others_the_way_in(browse: Open) -> None:
    assert 'action="/reply"' in browse("vic").get("/p/p1").text
    for who in (None, "anonymous/1", "operator"):
        text = browse(who).get("/p/p1").text
        assert 'action="/reply"' not in text
        assert 'href="/sign-in' in text
