"""Every kind of page: no serious fault of accessibility, nothing wider than the window."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from tests.browser.conftest import ReadAs
from tests.browser.reader import Reader

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SEVERE = ("serious", "critical")


def feed(at: Reader) -> None:
    """The feed as busy as it gets: a reason and a menu open, a post put away, a wish."""
    page = at.go()
    if at.who == "nobody":
        return
    page.locator("#words").fill("plus de sciences, moins de sport")
    page.locator(".wish button").click()
    expect(page.locator(".chips .chip")).to_have_count(2)
    page.locator(".dismiss button").nth(2).click()
    expect(page.locator("article.gone")).to_be_visible()
    like = page.locator(".act-like[aria-pressed=false]").first.get_attribute("id")
    page.locator(f"#{like}").click()
    expect(page.locator(f"#{like}")).to_have_attribute("aria-pressed", "true")
    why = page.locator("details.why").first
    why.locator("summary").first.click()
    expect(why.locator(".replay")).to_be_visible()
    for more in why.locator("details summary").all():
        more.click()
    page.locator(".menu > summary").nth(1).click()


def why(at: Reader) -> None:
    """The page of a reason."""
    page = at.go()
    request = page.locator("article input[name=request]").first.input_value()
    at.go(f"/w/{quote(request)}/{at.posts()[0]}")


def thread(at: Reader) -> None:
    """A post that was answered."""
    page = at.go()
    answered = page.locator("a.answered")
    (answered.first if answered.count() else page.locator("a.when").first).click()
    expect(page.locator(".main-place")).to_be_visible()


def ask(at: Reader) -> None:
    """An answer with its marks, a box above it."""
    page = at.go("/ask")
    page.locator("#question").fill("moins de sport" if at.width < 600 else "what about the court?")
    page.keyboard.press("Enter")
    expect(page.locator("#answer .written")).to_be_visible()


def error(at: Reader) -> None:
    """An address with nothing at it."""
    at.expected = "404"
    at.go("/p/nothing")


PAGES: dict[str, Any] = {
    "feed": feed,
    "why": why,
    "thread": thread,
    "error": error,
    "ask": ask,
    "following": "/f/following",
    "wishes": "/wishes",
    "sign-in": "/sign-in",
    "how": "/how",
    "me": "/me",
    "erase": "/me/erase",
    "operator": "/operator",
    "routes": "/docs",
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    "look",
    [(390, "fr", "light"), (1280, "en", "dark")],
    ids=["phone-light", "wide-dark"],
)
def test_a_page_is_for_everyone(read_as: ReadAs, look: tuple[int, str, str], name: str) -> None:
    at = read_as("operator" if name == "operator" else "old", *look)
    way = PAGES[name]
    if callable(way):
        way(at)
    else:
        at.go(way)
    found = faults(at)
    at.page.emulate_media(color_scheme="dark" if at.theme == "light" else "light")
    assert found + faults(at) == []
    at.page.set_viewport_size({"width": 320, "height": 640})
    wide = at.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 320, f"{name} is {wide} pixels wide on a phone of 320"
    paint = at.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
    whole = at.page.evaluate("noted.largest")
    print(
        f"{name} {at.width}: first contentful paint {paint:.0f} ms, largest {whole:.0f} ms, "
        f"shift {at.shift():.3f}"
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_of_nobody_is_for_everyone(read_as: ReadAs, theme: str) -> None:
    at = read_as("nobody", 390, "en", theme)
    for path in ("/", "/me", "/sign-in"):
        at.go(path)
        assert faults(at) == []


def test_an_author_is_reached_from_a_card_followed_muted_and_left_again(read_as: ReadAs) -> None:
    at = read_as("new", 390, "fr")
    page = at.go()
    name = at.cards().first.locator(".by .name")
    author = name.inner_text()
    name.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(author)
    expect(at.cards().first.locator(".by .name")).to_have_text(author)
    for kind in ("follow", "mute"):
        page.locator(f"#{kind}-author").click()
        expect(page.locator(f"#{kind}-author")).to_have_text(at.say(f"author.do.{kind}.on"))
        expect(page.locator(f"#{kind}-author")).to_be_focused()
    expect(at.cards()).to_have_count(0)
    expect(page.locator(".empty")).to_contain_text(at.say("author.mute", name=author))
    assert faults(at) == []
    page.locator("#mute-author").click()
    expect(at.cards()).not_to_have_count(0)
    assert faults(at) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".back").click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text(author)


def faults(at: Reader) -> list[str]:
    """What axe-core calls serious or critical."""
    found = Axe().run(at.page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:160]} {node['failureSummary']}"
        for one in found
        if one["impact"] in SEVERE
        for node in one["nodes"][:4]
    ]
