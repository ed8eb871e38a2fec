"""Without scripts the page does the same, a form at a time."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import ReadAs

from ariane.serve.page.feeds import SIZE

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.mark.parametrize(
    ("who", "width", "language"), [("new", 390, "fr"), ("old", 1280, "en")], ids=["new", "old"]
)
def test_reading_liking_asking_why_and_wishing_need_no_script(
    read_as: ReadAs, who: str, width: int, language: str
) -> None:
    at = read_as(who, width, language, scripts=False)
    page = at.go()
    expect(at.cards()).to_have_count(SIZE)
    first = at.posts()

    page.locator(".act-like").first.click()
    expect(page.locator(".act-like").first).to_have_attribute("aria-pressed", "true")
    assert at.posts() == first

    at.cards().nth(1).locator(".dismiss button").click()
    expect(page.locator("article.gone")).to_contain_text(at.say("gone.not_interested"))
    page.locator("article.gone").get_by_role("button").click()
    expect(page.locator("article.gone")).to_have_count(0)

    why = page.locator("details.why").first
    why.locator("summary").first.click()
    expect(why.locator(".reason")).to_be_visible()
    why.get_by_role("link", name=at.say("why.more")).click()
    expect(page.locator(".causes .cause").first).to_be_visible()
    page.get_by_role("button", name=at.say("why.replay")).click()
    expect(page.locator("main")).to_contain_text(at.say("replay.same"))

    at.go()
    page.locator("#words").fill("plus de sciences, moins de sport")
    page.get_by_role("button", name=at.say("wish.send"), exact=True).click()
    expect(page.locator(".chips .chip")).to_have_count(2)
    page.locator(".chips .chip").first.click()
    expect(page.locator(".chips .chip")).to_have_count(1)

    seen = at.posts()
    page.get_by_role("link", name=at.say("feed.more"), exact=True).click()
    expect(at.cards().first).to_be_visible()
    assert not set(at.posts()) & set(seen)
