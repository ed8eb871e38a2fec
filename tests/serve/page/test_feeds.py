"""Feeds as pages: without scripts and with, for everyone who may come, in both languages."""

from __future__ import annotations

import re
from html import unescape

import pytest
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from tests.serve.conftest import HERE, Api, action, lines, post
from tests.serve.page.conftest import SCRIPT, Browser, Open, cards

from ariane.serve.feeds import serve_page
from ariane.serve.problems import later
from ariane.types import FOR_YOU, Feed

EVERYONE = [None, "operator", "vic", "anonymous/1", "other"]
PATHS = ["/", "/f/for-you", "/f/following", "/p/p1", "/wishes", "/sign-in", "/docs"]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_page_is_there_for_everyone(browse: Open, language: str) -> None:
    for who in EVERYONE:
        browser = browse(who)
        for path in PATHS:
            answer = browser.get(path, **{"Accept-Language": language})
            assert answer.status_code == 200
            assert f'<html lang="{language}">' in answer.text
            assert answer.text.count("<h1") == 1
            assert 'class="skip" href="#main"' in answer.text


def test_a_feed_that_is_not_there_is_a_page_that_says_so(browse: Open) -> None:
    for path in ("/f/nothing", "/p/nothing", "/w/nothing/p1", "/f/for-you?page=x", "/?after=x"):
        assert browse("vic").get(path).status_code == 404


def test_a_page_is_begun_before_its_posts_are_arranged(
    town: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    class Watched:
        """The application, its messages noted as they go out."""

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async def watch(message: Message) -> None:
                sent.append(message.get("body", b"").decode())
                await send(message)

            await town.app(scope, receive, watch)

    arranged: list[str] = []

    def late(*args: object, **kwargs: object) -> Feed:
        arranged.append("".join(sent))
        return serve_page(*args, **kwargs)  # type: ignore[arg-type] - passed on as it came

    monkeypatch.setattr("ariane.serve.page.feeds.serve_page", late)
    text = TestClient(Watched(), HERE).get("/", headers={"Accept": "text/html"}).text
    assert 'class="rail"' in arranged[0]
    assert text.startswith(arranged[0])
    assert arranged[0].count("<article") == 0 < text.count("<article")
    assert text.count("<main") == text.count("</html>") == 1


def test_a_page_that_was_begun_tells_what_failed_in_it(
    town: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, said in (
        (RuntimeError("the secret"), "In the log under"),
        (later(503, "Full.", 1), "try again in a few seconds"),
    ):

        def fail(*_: object, _error: Exception = error, **__: object) -> Feed:
            raise _error

        monkeypatch.setattr("ariane.serve.page.feeds.serve_page", fail)
        text = Browser(town, "vic").get("/").text
        assert said in text
        assert "secret" not in text
        assert text.count("<main") == text.count("</html>") == text.count('class="rail"') == 1


def test_pages_follow_one_another_without_a_repeat(town: Api) -> None:
    town("POST", "/v1/posts", "operator", **lines(*[post(f"q{n}", n + 20) for n in range(50)]))
    for who in (None, "vic"):
        browser = Browser(town, who)
        seen, path = [], "/"
        for _ in range(5):
            text = browser.get(path).text
            seen += cards(text)
            following = re.search(r'<nav class="more-posts" hx-get="([^"]+)"', text)
            if following is None:
                break
            path = unescape(following[1])
        assert len(seen) == len(set(seen)) >= 62
        assert "at the end" in text


def test_a_script_gets_the_new_cards_alone(browse: Open) -> None:
    vic = browse("vic")
    request = vic.request()
    whole = vic.get(f"/f/for-you?after={request}").text
    part = vic.get(f"/f/for-you?after={request}", **SCRIPT).text
    assert "<html" in whole
    assert "<html" not in part
    assert part.startswith('<div class="batch"')


def test_a_page_is_shown_again_as_it_was_served(town: Api) -> None:
    vic = Browser(town, "vic")
    text = vic.get("/").text
    request = re.search(r'name="request" value="([^"]+)"', text)
    assert request
    town("POST", "/v1/posts", "operator", **lines(post("brand-new", 0)))
    again = vic.get(f"/f/for-you?page={request[1]}").text
    assert cards(again) == cards(text)
    assert vic.get(f"/f/following?page={request[1]}").status_code == 404


def test_nobody_sees_a_page_that_was_served_to_another(browse: Open) -> None:
    request = browse("vic").request()
    for who in (None, "other"):
        for path in (f"/f/for-you?page={request}", f"/?after={request}", f"/w/{request}/p1"):
            assert browse(who).get(path).status_code == 404
    assert browse("vic").get(f"/w/{request}/p1").status_code == 200


def test_names_come_from_accounts_and_nothing_of_them_is_markup(town: Api) -> None:
    hostile = '<script>alert(1)</script>" onmouseover="x\' {{ 7*7 }} \u202eevil'
    town(
        "POST",
        "/v1/posts",
        "operator",
        **lines(
            post(
                "hostile<i>",
                1,
                text=f"{hostile} javascript:alert(1) https://x.example/'\"<b>",
                media=[{"url": "https://tracker.example/a.png", "alt": hostile}],
            ),
            {"type": "account", "id": "author-hostile<i>", "name": hostile},
        ),
    )
    for path in ("/", "/p/hostile%3Ci%3E"):
        text = Browser(town, "vic").get(path).text
        assert "<script>alert" not in text
        assert 'onmouseover="x' not in text
        assert "<i>" not in text
        assert 'href="javascript' not in text
        assert "tracker.example" not in text
        assert "\u202e" not in re.sub(r'<ul class="media">.*?</ul>', "", text, flags=re.DOTALL)
        assert "{{ 7*7 }}" in unescape(text)
        assert 'href="https://x.example/' in text
        assert 'rel="nofollow noopener noreferrer"' in text
        assert "&lt;b&gt;Bold" in text or "hostile" in path


def test_a_following_feed_without_anyone_says_how_to_fill_it(browse: Open) -> None:
    assert "Follow someone" in browse("vic").get("/f/following").text


def test_every_feed_of_the_operator_is_a_tab_by_its_title(town: Api) -> None:
    body = {"title": {"en": "French <science>", "fr": "Sciences"}, "languages": ["fr"]}
    assert town("PUT", "/v1/feeds/science/spec", "operator", json=body).is_success
    english, french = Browser(town), Browser(town)
    french.client.headers["Accept-Language"] = "fr"
    assert "French &lt;science&gt;" in english.get("/f/science").text
    assert "<h1>Sciences</h1>" in french.get("/f/science").text


def test_what_is_chosen_for_every_page_is_kept(browse: Open) -> None:
    vic = browse("vic")
    assert vic.post("/language", language="fr", to="/wishes").headers["location"] == "/wishes"
    assert '<html lang="fr">' in vic.get("/").text
    assert vic.post("/language", language="de").status_code == 422
    assert vic.post("/mode", mode="some").status_code == 422


def test_not_personalised_is_one_tap_and_reads_no_history(town: Api) -> None:
    vic = Browser(town, "vic")
    town("POST", "/v1/actions", "vic", **lines(action("vic", "p3", id="a1")))
    assert "p3" not in vic.cards()
    assert vic.post("/mode", mode="plain", to="/").status_code == 303
    text = vic.get("/").text
    assert "p3" in cards(text)
    assert 'aria-checked="false"' in text
    assert "data-request" not in text
    served = town("GET", "/v1/viewers/vic", "vic").json()["receipts"]
    assert [receipt["ask"]["profiled"] for receipt in served][-1] is False
    vic.post("/mode", mode="personal", to="/")
    assert 'aria-checked="true"' in vic.get("/").text


def test_what_was_looked_at_is_told_of_the_remembered_only(browse: Open) -> None:
    assert "data-request" not in browse().get("/").text
    assert "data-request" not in browse("operator").get("/").text
    assert "data-request" in browse("vic").get("/").text


def test_feeds_of_pages_are_counted(town: Api) -> None:
    Browser(town).get("/")
    assert f'ariane_feeds_total{{feed="{FOR_YOU.name}"' in town("GET", "/metrics").text


def test_a_repost_shows_what_was_reposted_and_by_whom(town: Api) -> None:
    share = post("share", 0, repost_of="p1", text="", author="vera")
    town("POST", "/v1/posts", "operator", **lines(share))
    follow = {"type": "action", "viewer": "vic", "account": "vera", "kind": "follow"}
    town("POST", "/v1/actions", "operator", **lines(follow | {"at": post("x", 5)["at"]}))
    text = Browser(town, "vic").get("/f/following").text
    assert cards(text) == ["p1"]
    assert "vera reposted" in text


def test_a_warning_stands_before_what_a_policy_covers_and_a_mark_beside(town: Api) -> None:
    labels = [
        {"type": "label", "subject": "p1", "value": "porn", "source": "mod", "at": post("x")["at"]},
        {"type": "label", "subject": "p2", "value": "spam", "source": "mod", "at": post("x")["at"]},
    ]
    town("POST", "/v1/posts", "operator", **lines(*labels))
    english, french = Browser(town), Browser(town)
    french.client.headers["Accept-Language"] = "fr"
    assert '<details class="veil">' in english.get("/p/p1").text
    assert "from a label given by mod" in english.get("/p/p1").text
    assert "une étiquette donnée par mod" in french.get("/p/p1").text


def test_media_are_described_never_fetched_and_unseen_ones_say_why(town: Api) -> None:
    media = [{"url": "https://a.example/x.png", "alt": "Two gulls"}]
    town("POST", "/v1/posts", "operator", **lines(post("pictured", 0, media=media)))
    text = Browser(town).get("/p/pictured").text
    assert "Two gulls" in text
    assert "a.example" not in text
    assert "<img" not in text
    assert "media-note" in text
