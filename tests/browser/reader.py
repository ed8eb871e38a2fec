"""A reader at a real browser: what they do, and whatever went wrong meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request

from ariane.serve.page.words import say

HEIGHT: Final = {390: 844, 1280: 900}
"""Pixels, by width: a phone and a laptop."""

NOTED: Final = """
window.noted = { shift: 0, moved: [], broken: [], largest: NaN };
let touched = false; // from then on, things move because they were asked to
for (const kind of ["pointerdown", "keydown", "wheel"])
  addEventListener(kind, () => (touched = true), { capture: true, passive: true });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (touched || entry.hadRecentInput) continue;
    noted.shift += entry.value;
    for (const { node, previousRect: from, currentRect: to } of entry.sources)
      noted.moved.push(`${node?.className || node?.nodeName} ${from.y} to ${to.y}, ` +
        `${from.height} to ${to.height} high, at ${Math.round(entry.startTime)} ms`);
  }
}).observe({ type: "layout-shift", buffered: true });
new PerformanceObserver((list) => (noted.largest = list.getEntries().at(-1).startTime))
  .observe({ type: "largest-contentful-paint", buffered: true });
addEventListener("securitypolicyviolation", (event) =>
  noted.broken.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
"""Notes layout shifts and the largest paint until the first touch or key, and breaches of the
content security policy."""


@dataclass
class Reader:
    """One person with a browser of their own: `who` is "new", "operator", "nobody", "remembered" or
    the id of an account."""

    browser: Browser
    url: str
    who: str = "nobody"
    width: int = 1280
    language: str = "en"
    theme: str = "light"
    scripts: bool = True
    expected: str | None = None
    """A status of an answer that is looked for, so that the browser's complaint is no fault."""
    faults: list[str] = field(default_factory=list)
    context: BrowserContext = field(init=False)
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        size: Any = {"width": self.width, "height": HEIGHT[self.width]}
        theme: Any = self.theme
        self.context = self.browser.new_context(
            base_url=self.url,
            viewport=size,
            locale={"en": "en-GB", "fr": "fr-FR"}[self.language],
            color_scheme=theme,
            java_script_enabled=self.scripts,
            has_touch=self.width < 600,
        )
        self.context.set_default_timeout(20_000)
        if self.scripts:
            self.context.add_init_script(NOTED)
        self.context.on("request", self._asked)
        self.context.on("console", self._said)
        self.context.on("weberror", lambda error: self.faults.append(f"script: {error.error}"))
        self._sign_in()
        self.page = self.context.new_page()

    def _sign_in(self) -> None:
        """As a form of the page does, in the cookies of this browser."""
        form = {
            "new": {"name": "Robin Nouveau", "birth_year": "1990"},
            "operator": {"operator": "1"},
        }.get(self.who, {"account": self.who})
        if self.who != "nobody":
            path = "/remember" if self.who == "remembered" else "/sign-in"
            answer = self.context.request.post(self.url + path, form=form, max_redirects=0)
            assert answer.status == 303, answer.text()

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).scheme not in ("data", "blob") and not request.url.startswith(
            self.url
        ):
            self.faults.append(f"asked elsewhere: {request.url}")

    def _said(self, message: ConsoleMessage) -> None:
        if self.expected is not None and f"status of {self.expected}" in message.text:
            return
        if message.type in ("error", "warning"):
            where = message.page and message.page.url
            self.faults.append(f"{message.type}: {message.text} on {where}")

    def say(self, key: str, **values: object) -> str:
        """A sentence of the page in this reader's language."""
        return say(self.language, key, **values)

    def go(self, path: str = "/") -> Page:
        """Open a page of the site."""
        self.note()
        self.page.goto(path)
        return self.page

    def cards(self) -> Locator:
        """The posts of the page."""
        return self.page.locator("article.card")

    def posts(self) -> list[str]:
        """The posts of a feed by id, in order."""
        hidden = self.page.locator("article.card .act-like").locator("xpath=ancestor::form")
        return [
            str(value)
            for value in hidden.locator("input[name=post]").evaluate_all(
                "inputs => inputs.map((input) => input.value)"
            )
        ]

    def shift(self) -> float:
        """How much the page that is open moved by itself."""
        return float(self.page.evaluate("noted.shift"))

    def note(self) -> None:
        """Keep what the page that is open noted, before it goes."""
        if self.scripts and self.page.url.startswith(self.url):
            noted = self.page.evaluate("window.noted")
            self.faults += [f"policy: {one}" for one in noted["broken"]]
            if noted["shift"] >= 0.1:
                what = "; ".join(noted["moved"])
                self.faults.append(f"layout shift {noted['shift']:.3f} on {self.page.url}: {what}")

    def leave(self) -> list[str]:
        """Close the browser; everything that went wrong."""
        self.note()
        self.context.close()
        return self.faults
