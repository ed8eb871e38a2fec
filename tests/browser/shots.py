"""The documentation's pictures of the page: `python -m tests.browser.shots OUT [URL]`.

Without URL they are taken of the town as the tests serve it, with a ranker of random weights; with
it, of a server with open accounts, such as `ariane demo` starts.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright
from tests.browser.reader import Reader
from tests.browser.served import chromium, make, served

MOST: Final = 200 * 1024
"""Bytes of a picture."""

THEMES: Final = {"light": "", "dark": "-dark"}
"""Themes, and how the names of their pictures end."""

WISHES: Final = {
    "en": "more science, less sport until Sunday",
    "fr": "plus de sciences, moins de sport jusqu’à dimanche",
}


def feed(at: Reader) -> None:
    """For You, with a wish."""
    at.go()
    at.page.locator("#words").fill(WISHES[at.language])
    at.page.locator(".wish button").click()
    expect(at.page.locator(".chips .chip")).to_have_count(2)
    at.go()


def why(at: Reader) -> None:
    """A reason, opened on its post."""
    at.go()
    reason = at.page.locator("details.why").nth(1)
    reason.locator("summary").first.click()
    expect(reason.locator(".replay")).to_be_visible()
    reason.locator("xpath=ancestor::article").evaluate(
        "card => scrollTo(0, card.getBoundingClientRect().top + scrollY - 70)"
    )


def phone(at: Reader) -> None:
    """For You in a hand."""
    at.go()


def how(at: Reader) -> None:
    """How this feed works."""
    at.go("/how")


def ask(at: Reader) -> None:
    """A question, and its answer."""
    at.go("/ask")
    at.page.locator("#question").fill("what do people say about the tram?")
    at.page.keyboard.press("Enter")
    expect(at.page.locator("#answer .written")).to_be_visible()


def me(at: Reader) -> None:
    """One's own data."""
    at.go("/me")


def operator(at: Reader) -> None:
    """The operator's page."""
    at.go("/operator")


SHOTS: Final = {
    "feed": (feed, 1280, "en"),
    "feed-fr": (feed, 1280, "fr"),
    "why": (why, 1280, "en"),
    "ask": (ask, 1280, "en"),
    "how": (how, 1280, "en"),
    "me": (me, 1280, "en"),
    "operator": (operator, 1280, "en"),
    "phone": (phone, 390, "en"),
}
"""Names of pictures, and what is on them: how one comes there, the width, the language."""


def shoot(browser: Browser, url: str, out: Path) -> None:
    """Every picture in both themes, as one person of the town for each language."""
    people = {language: _someone(browser, url, language) for language in WISHES}
    for name, (shot, width, language) in SHOTS.items():
        for theme, end in THEMES.items():
            who = "operator" if shot is operator else people[language]
            at = Reader(browser, url, who, width, language, theme)
            shot(at)
            _write(at.page.screenshot(animations="disabled"), out / f"{name}{end}.png")
            for fault in at.leave():
                print(f"{name}: {fault}", file=sys.stderr)


def _someone(browser: Browser, url: str, language: str) -> str:
    """The first person of the town who is offered to be read as and writes in a language."""
    at = Reader(browser, url)
    at.go("/sign-in")
    button = at.page.locator(".people form", has=at.page.locator(f".bio[lang={language}]")).first
    name = button.locator("input[name=account]").input_value()
    at.leave()
    return name


def _write(png: bytes, path: Path) -> None:
    """A picture as small as it may be: in fewer colours only where it is too large with all."""
    image = Image.open(BytesIO(png)).convert("RGB")
    image.save(path, optimize=True)
    if path.stat().st_size > MOST:
        image.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path} {path.stat().st_size // 1024} KB")


def main(out: Path, url: str | None = None) -> None:
    """Take the pictures of a server that there is, or of one that is started for them."""
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        if url is None:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "town"
            make(home)
            url = stack.enter_context(served(home))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium())
        stack.callback(browser.close)
        shoot(browser, url.rstrip("/"), out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
