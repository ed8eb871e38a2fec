"""Wishes: typed or pressed, visible, and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from tests.serve.conftest import Api
from tests.serve.page.conftest import SCRIPT, Browser, Open


def wishes(api: Api, viewer: str = "vic") -> list[dict[str, Any]]:
    held: list[dict[str, Any]] = api("GET", "/v1/wishes", viewer).json()
    return held


@pytest.mark.parametrize("words", ["less politics until Sunday", "moins de politique"])
def test_plain_words_become_a_chip_that_is_taken_back(town: Api, words: str) -> None:
    vic = Browser(town, "vic")
    answer = vic.post("/wishes", words=words, to="/f/for-you")
    assert (answer.status_code, answer.headers["location"]) == (303, "/f/for-you")
    (wish,) = wishes(town)
    assert (wish["target"], wish["direction"]) == ("topic:politics", -1)
    page = vic.get("/").text
    assert f'value="{wish["id"]}"' in page
    assert "politics" in page
    assert "politique" in vic.get("/", **{"Accept-Language": "fr"}).text
    assert vic.post("/wishes/undo", wish=wish["id"], to="/wishes").status_code == 303
    assert wishes(town) == []


def test_several_wishes_in_a_sentence_are_several_chips(town: Api) -> None:
    Browser(town, "vic").post("/wishes", words="plus de sciences, moins de sport")
    found = {(wish["target"], wish["direction"]) for wish in wishes(town)}
    assert found == {("topic:science", 1), ("topic:sport", -1)}


def test_a_press_wishes_for_more_or_less_and_the_last_word_holds(town: Api) -> None:
    vic = Browser(town, "vic")
    vic.post("/wishes", target="topic:science", direction="1")
    vic.post("/wishes", target="topic:science", direction="-1")
    (wish,) = wishes(town)
    assert wish["direction"] == -1


def test_a_script_gets_the_chips_anew(browse: Open) -> None:
    vic = browse("vic")
    made = vic.post("/wishes", SCRIPT, target="author:author-p1", direction="1", to="/")
    assert "<html" not in made.text
    assert "Élodie &lt;b&gt;Bold&lt;/b&gt;" in made.text
    assert "next page" in made.text
    name = made.text.split('name="wish" value="')[1].split('"')[0]
    gone = vic.post("/wishes/undo", SCRIPT, wish=name)
    assert "Taken back" in gone.text
    assert 'class="chip' not in gone.text


@pytest.mark.parametrize(
    "fields",
    [
        {"words": ""},
        {"words": "x" * 300},
        {"words": "grmbl frotz"},
        {"target": "colour:red", "direction": "1"},
        {"target": "topic:science", "direction": "2"},
        {"target": "word:" + "x" * 300, "direction": "1"},
        {},
    ],
)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_is_not_understood_is_said_so(
    town: Api, fields: dict[str, str], language: str
) -> None:
    answer = Browser(town, "vic").post("/wishes", {"Accept-Language": language}, **fields)
    assert answer.status_code == 422
    assert ("Cela n’a pas marché" if language == "fr" else "did not work") in answer.text
    assert wishes(town) == []


def test_nobody_wishes(browse: Open) -> None:
    for who in (None, "operator"):
        assert browse(who).post("/wishes", words="more science").status_code == 401
        assert browse(who).post("/wishes/undo", wish="x").status_code == 401


def test_nobody_takes_another_ones_wish_back(town: Api) -> None:
    Browser(town, "vic").post("/wishes", words="more science")
    name = wishes(town)[0]["id"]
    Browser(town, "other").post("/wishes/undo", wish=name)
    assert len(wishes(town)) == 1


def test_there_are_only_so_many(town: Api) -> None:
    for number in range(200):
        body = {"target": f"word:a{number}", "direction": 1}
        town("PUT", f"/v1/wishes/w{number}", "vic", json=body)
    answer = Browser(town, "vic").post("/wishes", words="more science")
    assert answer.status_code == 422
    assert "200 wishes" in answer.text


def test_wishes_are_seen_at_work_and_said_not_to_be_where_they_are_not(town: Api) -> None:
    vic = Browser(town, "vic")
    before = vic.cards().index("p7")
    vic.post("/wishes", target="word:p7", direction="1")
    assert vic.cards().index("p7") < before
    vic.post("/mode", mode="plain")
    assert "Not read while" in vic.get("/").text
