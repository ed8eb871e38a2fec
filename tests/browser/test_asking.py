"""Asking in a browser: in French, as the answer comes, and from it to what it rests on."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from tests.ask.models import Slow
from tests.ask.test_ask import good
from tests.browser.conftest import ReadAs
from tests.browser.reader import Reader
from tests.serve.test_chat import STOPS, Make, listening, make, written

__all__ = ["make", "written"]

pytestmark = [pytest.mark.slow, pytest.mark.browser]

QUESTION = "qu’est-ce que les gens disent du tribunal ?"


@pytest.mark.parametrize(
    ("who", "width", "scripts"),
    [("old", 1280, True), ("nobody", 390, True), ("old", 390, False)],
    ids=["wide", "phone", "plain"],
)
def test_a_question_in_french_is_answered_and_its_citation_followed(
    read_as: ReadAs, who: str, width: int, scripts: bool
) -> None:
    at = read_as(who, width, "fr", scripts=scripts)
    page = at.go()
    page.locator(".places").get_by_role("link", name=at.say("ask.title")).click()
    page.get_by_label(at.say("ask.label")).fill(QUESTION)
    page.keyboard.press("Enter")
    answer = page.locator("#answer")
    expect(answer).to_contain_text("aucune IA n’a écrit ceci")
    expect(answer.locator("h2")).to_have_text(QUESTION)
    first = answer.locator("p", has=page.locator(".cite")).first
    said = first.inner_text().split("«")[1].split("»")[0].strip().split("\n")[0]
    first.locator(".cite").click()
    expect(page.locator(".main-place .text").first).to_contain_text(said[:60])


def test_a_post_is_asked_about_from_its_menu(read_as: ReadAs) -> None:
    at = read_as("old", 1280, "fr")
    page = at.go()
    at.cards().first.locator(".menu > summary").click()
    at.cards().first.get_by_role("link", name=at.say("ask.post")).click()
    page.locator("#question").fill("pourquoi je vois ça ?")
    page.get_by_role("button", name=at.say("ask.send"), exact=True).click()
    page.locator("#answer .cite").first.click()
    expect(page.locator(".causes .cause").first).to_be_visible()


def test_a_wish_that_was_asked_is_shown_and_taken_back(read_as: ReadAs) -> None:
    at = read_as("new", 1280, "fr")
    page = at.go("/ask")
    page.locator("#question").fill("moins de politique")
    page.get_by_role("button", name=at.say("ask.send"), exact=True).click()
    expect(page.locator("#answer .chip")).to_have_count(1)
    expect(page.locator("#steer .chip")).to_have_count(1)
    page.locator("#answer .chip").click()
    expect(page.locator("#answer")).to_contain_text(at.say("wish.undone"))
    expect(page.locator("#steer .chip")).to_have_count(0)


def test_an_answer_is_seen_as_it_comes_without_a_script(make: Make, browser: Browser) -> None:
    model = Slow(lambda shown: good(shown) * 2)
    with listening(make(model)) as url:
        at = Reader(browser, url, width=390, scripts=False)
        page = at.go("/ask")
        page.locator("#question").fill(STOPS)
        page.keyboard.press("Enter")
        answer = page.locator("#answer")
        expect(answer.locator(".waiting")).to_be_visible()  # the model has said nothing yet
        expect(answer.locator("h2")).to_have_text(STOPS)
        for sentences in (1, 2):
            expect(answer.locator(".written")).to_have_count(0)
            model.go.release()
            expect(answer.locator(".cite")).to_have_count(sentences)
            expect(answer.locator(".waiting")).to_be_hidden()
        expect(answer.locator(".written")).to_be_visible()
        assert at.leave() == []
