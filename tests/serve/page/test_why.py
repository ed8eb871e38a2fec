"""Why: causes with their places and evidence, the score, and the replay, over a real ranker."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.homes import community, with_ranker
from tests.serve.conftest import Api, action, lines
from tests.serve.page.conftest import SCRIPT, Browser, Open

from ariane.serve.http import create_app
from ariane.serve.settings import ServeSettings


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A synthetic community, ranked by random weights: every post has its own score."""
    home = tmp_path_factory.mktemp("ranked") / "home"
    community(home)
    with_ranker(home)
    api = Api(create_app(home, ServeSettings(burst=100_000, timeout_seconds=60)))
    yield api
    api.service.workers.close()
    api.service.look_ups.close()
    api.service.live.close()


def first(browser: Browser) -> tuple[str, str]:
    """The request of a page, and its first post."""
    text = browser.get("/").text
    found = re.search(r'href="/w/([^/]+)/([^"]+)"', text)
    assert found
    return found[1], found[2]


def moved(browser: Browser) -> tuple[str, str]:
    """The request of a page, and its first post that actions moved, not exploration or chance."""
    request, _ = first(browser)
    page = browser.get(f"/f/for-you?page={request}").text
    for post in dict.fromkeys(re.findall(rf'href="/w/{request}/([^"]+)"', page)):
        if 'class="proofs"' in browser.get(f"/w/{request}/{post}").text:
            return request, post
    raise AssertionError(f"no post of request {request} was moved by an action")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_post_says_why_with_bars_evidence_and_terms(ranked: Api, language: str) -> None:
    viewer = Browser(ranked, "v1")
    viewer.client.headers["Accept-Language"] = language
    request, post = moved(viewer)
    whole = viewer.get(f"/w/{request}/{post}").text
    part = viewer.get(f"/w/{request}/{post}", **SCRIPT).text
    assert "<html" in whole
    assert "<html" not in part
    for text in (whole, part):
        assert '<ol class="causes">' in text
        assert '<rect class="bar-fill"' in text
        assert '<ul class="proofs">' in text
        assert "post " in text.split('class="proofs"')[1]
        assert 'name="direction" value="-1"' in text
        assert 'class="score"' in text
    assert ("Its score" if language == "en" else "Son score") in whole
    assert f"/f/for-you?page={request}" in whole


@pytest.mark.parametrize(
    ("language", "reader", "readers"),
    [
        ("en", "expects you to do", "expects readers in general to do"),
        ("fr", "que vous ferez", "les lecteurs en général feront"),
    ],
)
def test_whose_actions_the_model_expects_is_said_truly(
    ranked: Api, language: str, reader: str, readers: str
) -> None:
    viewer = Browser(ranked, "v1")
    viewer.client.headers["Accept-Language"] = language
    request, post = first(viewer)
    assert reader in viewer.get(f"/w/{request}/{post}").text
    viewer.post("/mode", mode="plain")
    request, post = first(viewer)
    plain = viewer.get(f"/w/{request}/{post}").text
    assert readers in plain
    assert reader not in plain
    assert ("readers in general" if language == "en" else "en général") in viewer.get("/").text


def test_without_a_model_a_score_is_only_how_new_a_post_is(api: Api) -> None:
    viewer = Browser(api, "v1")
    request, post = first(viewer)
    text = viewer.get(f"/w/{request}/{post}").text
    assert "No model scored this page" in text
    assert "how new it is" in text
    assert "a like" not in text.split('class="score"')[1].split("</details>")[0]


def test_the_reason_that_was_printed_is_there_without_a_script(ranked: Api) -> None:
    text = Browser(ranked, "v1").get("/").text
    card = text.split("<article")[1].split("</article>")[0]
    assert '<p class="reason"' in card
    assert 'class="gist"' in card


def test_a_page_is_replayed_with_a_script_and_without(ranked: Api) -> None:
    viewer = Browser(ranked, "v1")
    request, _ = first(viewer)
    whole = viewer.post(f"/w/{request}/replay").text
    part = viewer.post(f"/w/{request}/replay", SCRIPT).text
    for text in (whole, part):
        assert "same posts came out" in text
        held = re.search(r"(\d+) of (\d+) claims hold", text)
        assert held
        assert held[1] == held[2]


def test_nobody_sees_or_replays_anothers_reasons(ranked: Api) -> None:
    request, post = first(Browser(ranked, "v1"))
    for who in (None, "v2"):
        assert Browser(ranked, who).get(f"/w/{request}/{post}").status_code == 404
        assert Browser(ranked, who).post(f"/w/{request}/replay").status_code == 404
    assert Browser(ranked, "operator").get(f"/w/{request}/{post}").status_code == 200


def test_an_anonymous_page_explains_itself_to_whoever_knows_its_id(ranked: Api) -> None:
    request, post = first(Browser(ranked))
    text = Browser(ranked).get(f"/w/{request}/{post}").text
    assert 'class="show-me"' not in text
    assert "nothing about you was used" in text or "it is new" in text


def test_a_post_that_is_not_on_the_page_has_no_reason_there(ranked: Api) -> None:
    request, _ = first(Browser(ranked, "v1"))
    assert Browser(ranked, "v1").get(f"/w/{request}/nothing").status_code == 404


def test_reasons_whose_evidence_is_gone_are_withdrawn(town: Api, browse: Open) -> None:
    town("POST", "/v1/actions", "vic", **lines(action("vic", "p1", id="a1")))
    vic = browse("vic")
    request = vic.request()
    town("DELETE", "/v1/actions/a1", "vic")
    answer = vic.get(f"/w/{request}/p2")
    assert answer.status_code == 410
    assert "withdrawn" in answer.text


def test_a_page_without_a_model_says_so(browse: Open, home: Path) -> None:
    vic = browse("vic")
    request, post = first(vic)
    assert vic.get(f"/w/{request}/{post}").status_code == 200
    assert "No trained ranker" in vic.get("/").text
