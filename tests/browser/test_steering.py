"""Steering in a browser: wishes in plain words, personalisation on and off, one's own data."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import ReadAs
from tests.browser.reader import Reader

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def about(reader: Reader, target: str) -> int:
    """How many posts of the page offer more or less of a target: those that are of it."""
    offers = f".menu input[name=target][value='{target}']"
    return reader.cards().filter(has=reader.page.locator(offers)).count()


@pytest.mark.parametrize(
    ("who", "width", "words"),
    [
        ("new", 390, "plus de sciences, moins de sport"),
        ("old", 1280, "beaucoup plus de sciences, moins de sport"),
        ("remembered", 1280, "beaucoup plus de sciences et moins de sport jusqu’à dimanche"),
    ],
)
def test_a_wish_in_french_shows_its_chips_moves_the_feed_and_is_taken_back(
    read_as: ReadAs, who: str, width: int, words: str
) -> None:
    at = read_as(who, width, "fr")
    page = at.go()
    science, sport = about(at, "topic:science"), about(at, "topic:sports")
    page.locator("#words").fill(words)
    page.get_by_role("button", name=at.say("wish.send"), exact=True).click()
    chips = page.locator(".chips .chip")
    expect(chips).to_have_count(2)
    expect(page.locator(".chips .more")).to_contain_text("science")
    expect(page.locator(".chips .less")).to_contain_text("sport")
    page.get_by_role("link", name=at.say("wish.see")).click()
    expect(page.locator(".chips .chip")).to_have_count(2)
    assert about(at, "topic:science") > science
    assert about(at, "topic:sports") <= sport
    expect(page.locator(".gist", has_text=at.say("gist.wish")).first).to_be_visible()
    for left in (1, 0):
        chips.first.click()
        expect(chips).to_have_count(left)
    at.go()
    expect(chips).to_have_count(0)
    expect(page.locator(".gist", has_text=at.say("gist.wish"))).to_have_count(0)


def test_less_of_this_from_the_reason_of_a_post_becomes_a_chip(read_as: ReadAs) -> None:
    at = read_as("new", 1280)
    page = at.go()
    why = page.locator("details.why").first
    why.locator("summary").first.click()
    why.locator(".show-me .less").first.click()
    expect(page.locator(".chips .less")).to_have_count(1)
    expect(page.locator("#steer [role=status]")).to_contain_text(at.say("wish.kept"))


def test_what_is_no_wish_is_answered_with_an_example(read_as: ReadAs) -> None:
    at = read_as("new", 390, "fr")
    at.expected = "422"
    page = at.go()
    page.locator("#words").fill("il fait beau")
    page.get_by_role("button", name=at.say("wish.send"), exact=True).click()
    expect(page.locator("#told")).to_contain_text(at.say("wish.unclear"))
    expect(page.locator("#told")).to_be_in_viewport()


@pytest.mark.parametrize(("who", "width", "language"), [("old", 390, "fr"), ("new", 1280, "en")])
def test_personalisation_is_off_in_one_tap_and_back_in_another(
    read_as: ReadAs, who: str, width: int, language: str
) -> None:
    at = read_as(who, width, language)
    page = at.go()
    switch = page.get_by_role("switch")
    expect(switch).to_have_attribute("aria-checked", "true")
    assert page.locator("[data-request]").count() == 1
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(page.locator(".hello")).to_contain_text(at.say("mode.plain.detail"))
    assert page.locator("[data-request]").count() == 0
    expect(at.cards().first).to_be_visible()
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    assert page.locator("[data-request]").count() == 1


def test_a_reply_appears_in_its_thread(read_as: ReadAs) -> None:
    at = read_as("old", 390, "fr", "dark")
    page = at.go()
    at.cards().first.locator(".act-reply").click()
    said = "Merci, voilà qui m’aide beaucoup <b>vraiment</b>."
    page.locator("#text").fill(said)
    page.get_by_role("button", name=at.say("reply.send")).click()
    expect(page.locator(".main-place .text")).to_have_text(said, use_inner_text=True)
    page.locator(".place:not(.main-place) .when").last.click()
    expect(page.locator(".main-place")).not_to_contain_text(said)
    expect(page.get_by_text(said)).to_be_visible()


def test_one_s_data_is_taken_along_as_json(read_as: ReadAs) -> None:
    at = read_as("new", 390, "fr")
    page = at.go()
    liked = at.posts()[0]
    page.locator(".act-like").first.click()
    expect(page.locator(".act-like").first).to_have_attribute("aria-pressed", "true")
    at.go("/me")
    with page.expect_download() as begun:
        page.get_by_role("link", name=at.say("me.export")).click()
    assert begun.value.suggested_filename.endswith(".json")
    held = json.loads(begun.value.path().read_text(encoding="utf-8"))
    assert [(one["kind"], one["post"]) for one in held["actions"] if one["kind"] == "like"] == [
        ("like", liked)
    ]


@pytest.mark.parametrize(("who", "width", "language"), [("old", 1280, "fr"), ("new", 390, "en")])
def test_erasing_asks_first_and_then_forgets(
    read_as: ReadAs, who: str, width: int, language: str
) -> None:
    at = read_as(who, width, language)
    page = at.go()
    page.locator(".act-like").first.click()
    expect(page.locator(".act-like").first).to_have_attribute("aria-pressed", "true")
    at.go("/me")
    page.get_by_role("link", name=at.say("me.erase"), exact=True).click()
    erase = page.get_by_role("button", name=at.say("me.erase.do"))
    erase.click()  # unconfirmed: the browser holds it back
    expect(erase).to_be_visible()
    page.get_by_label(at.say("me.erase.confirm")).check()
    erase.click()
    expect(page.get_by_role("status").filter(has_text=at.say("me.erased"))).to_be_visible()
    assert "ariane_reader" not in [cookie["name"] for cookie in at.context.cookies()]


@pytest.mark.parametrize(("width", "language"), [(390, "fr"), (1280, "en")])
def test_one_signs_in_as_someone_of_the_town_changes_language_and_signs_out(
    read_as: ReadAs, width: int, language: str
) -> None:
    at = read_as("nobody", width, language)
    page = at.go("/")
    page.get_by_role("link", name=at.say("nav.sign_in")).first.click()
    person = page.locator(".people button").first
    name = person.locator(".name").inner_text()
    person.click()
    expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "true")
    page.locator(".who > summary").click()
    if width > 600:
        expect(page.locator(".who-name")).to_contain_text(name)
    page.keyboard.press("Escape")
    expect(page.locator("details.who[open]")).to_have_count(0)
    page.get_by_role("button", name=at.say("nav.language.label")).click()
    expect(page.locator("html")).to_have_attribute("lang", "en" if language == "fr" else "fr")
    page.locator(".language button").click()
    expect(page.locator("html")).to_have_attribute("lang", language)
    page.locator(".who > summary").click()
    page.get_by_role("button", name=at.say("nav.sign_out")).click()
    expect(page.get_by_role("link", name=at.say("nav.sign_in")).first).to_be_visible()
    assert "ariane_reader" not in [cookie["name"] for cookie in at.context.cookies()]
