"""The feed in a browser: it is read on and on, acted on at once, and says why."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import ReadAs

from ariane.serve.page.feeds import SIZE

pytestmark = [pytest.mark.slow, pytest.mark.browser]

READERS = [
    ("new", 390, "fr", "dark"),
    ("new", 1280, "en", "light"),
    ("old", 390, "en", "light"),
    ("old", 1280, "fr", "dark"),
    ("remembered", 390, "fr", "light"),
    ("remembered", 1280, "en", "dark"),
]
"""Every reader at every width and in every language, every width in every language."""

everyone = pytest.mark.parametrize("reader", READERS, ids=lambda reader: "-".join(map(str, reader)))


@everyone
def test_three_pages_scroll_by_without_a_repeat(
    read_as: ReadAs, reader: tuple[str, int, str, str]
) -> None:
    at = read_as(*reader)
    page = at.go()
    expect(page.locator("html")).to_have_attribute("lang", at.language)
    expect(at.cards()).to_have_count(SIZE)
    for pages in (2, 3):
        at.cards().last.scroll_into_view_if_needed()
        page.mouse.wheel(0, 20_000)
        expect(page.locator(".batch")).to_have_count(pages)
    posts = at.posts()
    assert len(posts) == len(set(posts)) > 2 * SIZE
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@everyone
def test_a_like_shows_at_once_and_outlives_a_reload(
    read_as: ReadAs, reader: tuple[str, int, str, str]
) -> None:
    at = read_as(*reader)
    page = at.go()
    like = page.locator(".act-like").first
    name = like.get_attribute("id")
    post = at.posts()[0]
    expect(like).to_have_attribute("aria-pressed", "false")
    like.click()
    expect(page.locator(f"#{name}")).to_have_attribute("aria-pressed", "true")
    at.go(f"/p/{post}")
    expect(page.locator(f"#{name}")).to_have_attribute("aria-pressed", "true")
    page.reload()
    page.locator(f"#{name}").click()
    expect(page.locator(f"#{name}")).to_have_attribute("aria-pressed", "false")


@everyone
def test_what_does_not_interest_goes_at_once_says_what_follows_and_comes_back(
    read_as: ReadAs, reader: tuple[str, int, str, str]
) -> None:
    at = read_as(*reader)
    page = at.go()
    text = at.cards().first.locator(".text").inner_text()
    at.cards().first.locator(".dismiss button").click()
    gone = page.locator("article.gone")
    expect(gone).to_contain_text(at.say("gone.not_interested"))
    assert len(gone.locator("p").inner_text()) > len(at.say("gone.not_interested")) + 30
    expect(page.get_by_text(text, exact=True)).to_have_count(0)
    expect(gone.get_by_role("button")).to_be_focused()
    gone.get_by_role("button", name=at.say("do.undo")).click()
    expect(gone).to_have_count(0)
    expect(at.cards().first.locator(".text")).to_have_text(text, use_inner_text=True)


@pytest.mark.parametrize("reader", READERS[2:4], ids=["en", "fr"])
def test_why_opens_with_its_sentence_its_causes_and_posts_as_evidence_and_replays(
    read_as: ReadAs, reader: tuple[str, int, str, str]
) -> None:
    at = read_as(*reader)
    page = at.go()
    why = page.locator("details.why").first
    why.locator("summary").first.click()
    expect(why.locator(".causes .reason").first).to_be_visible()
    expect(why.get_by_text(at.say("why.causes"))).to_be_visible()
    expect(why.locator(".causes .cause").first).to_be_visible()
    expect(why.locator(".show-me .chip").first).to_be_visible()
    why.get_by_role("button", name=at.say("why.replay")).click()
    replayed = why.locator(".replayed")
    expect(replayed).to_contain_text(at.say("replay.same"))
    held, claims = (int(found) for found in re.findall(r"\d+", replayed.inner_text()))
    assert held == claims > 0


def test_the_evidence_of_a_reason_is_what_the_reader_did(read_as: ReadAs) -> None:
    at = read_as("old", 1280, "fr")
    page = at.go()
    whys = page.locator("details.why")
    for number in range(10):
        whys.nth(number).locator("summary").first.click()
        expect(whys.nth(number).locator(".replay")).to_be_visible()
        if whys.nth(number).locator(".proofs a").count():
            break
    proof = whys.nth(number).locator(".proofs a").first
    quoted = proof.locator("q").inner_text()
    proof.click()
    expect(page.locator(".main-place .text")).to_contain_text(quoted.rstrip("…")[:40])


def test_nobody_reads_without_being_remembered_and_is_asked_before_an_act(read_as: ReadAs) -> None:
    at = read_as("nobody", 390, "fr", "dark")
    page = at.go()
    expect(at.cards()).to_have_count(SIZE)
    assert at.context.cookies() == []
    assert page.locator("[data-request]").count() == 0
    page.locator(".hello").get_by_role("button", name=at.say("remember.do")).click()
    expect(page.locator(".switch")).to_be_visible()
    assert [cookie["name"] for cookie in at.context.cookies()] == ["ariane_reader"]


def test_keys_alone_reach_a_like_and_a_reason(read_as: ReadAs) -> None:
    at = read_as("old", 1280)
    page = at.go()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")

    def until(selector: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{selector} was not reached")

    until(".act-like")
    page.keyboard.press("Enter")
    like = page.locator(".act-like").first
    expect(like).to_have_attribute("aria-pressed", "true")
    expect(like).to_be_focused()
    until(".why > summary")
    page.keyboard.press("Enter")
    expect(page.locator("details.why").first.locator(".causes .reason").first).to_be_visible()
    expect(page.locator("details.why").first.locator(".replay")).to_be_visible()
