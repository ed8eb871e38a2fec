"""The page to ask on: its parts as they come, in both languages, and for whom it answers."""

from __future__ import annotations

import re
import threading
from html import unescape
from typing import Any

import pytest
from tests.ask.models import Writer
from tests.ask.test_ask import good
from tests.serve.conftest import Api, lines, post
from tests.serve.page.conftest import SCRIPT, Browser, Open
from tests.serve.page.test_wishes import wishes
from tests.serve.test_chat import CHOSEN, STOPS, TRAM, Make, breaks, fill, make, written

from ariane.ask import Question
from ariane.ask.turns import Sought, sought

__all__ = ["make", "written"]

LIBRARY = "what about the library of p3?"
assert CHOSEN


def marks(page: str) -> list[str]:
    """Where the marks of an answer lead."""
    return [unescape(path) for path in re.findall(r'class="cite" href="([^"]+)"', page)]


@pytest.mark.parametrize("who", [None, "vic", "anonymous/1", "operator"])
def test_an_answer_s_marks_lead_to_the_posts(browse: Open, who: str | None) -> None:
    reader = browse(who)
    answer = reader.post("/ask", question=LIBRARY)
    assert answer.status_code == 200
    assert answer.text.rstrip().endswith("</html>")
    assert "The council of p3" in answer.text
    assert "no AI wrote this" in answer.text
    assert "/p/p3" in marks(answer.text)
    for path in marks(answer.text):
        assert reader.get(path).status_code == 200


def test_the_answer_is_in_the_reader_s_language(browse: Open) -> None:
    answer = browse("vic").post("/ask", {"Accept-Language": "fr"}, question=LIBRARY).text
    assert "Voici ce que disent des publications" in answer
    assert "aucune IA n’a écrit ceci" in answer


def test_the_box_is_reached_from_every_page_a_post_and_an_author(browse: Open) -> None:
    vic = browse("vic")
    for path in ("/", "/wishes", "/me", "/how", "/p/p1", "/a/author-p1", "/docs"):
        assert 'href="/ask"' in vic.get(path).text
    feed = vic.get("/").text
    about = re.search(r'href="(/ask\?post=[^"]+&amp;request=[^"]+)"', feed)
    assert about
    box = vic.get(unescape(about[1])).text
    assert 'name="post"' in box
    assert 'name="request"' in box
    assert 'href="/ask?post=p1"' in vic.get("/p/p1").text
    assert 'href="/ask?account=author-p1"' in vic.get("/a/author-p1").text


def test_a_question_is_about_a_post_or_an_account(browse: Open) -> None:
    vic = browse("vic")
    box = vic.get("/ask?post=p1").text
    assert "Élodie &lt;b&gt;Bold&lt;/b&gt;" in box
    assert "The council of p1" in box
    fields = {"post": "p1", "question": "what do they say?"}
    assert set(marks(vic.post("/ask", **fields).text)) == {"/p/p1", "/p/r1", "/p/r2"}
    assert "Élodie" in vic.get("/ask?account=author-p1").text
    asked = vic.post("/ask", account="author-p1", question="what do they say?")
    assert set(marks(asked.text)) == {"/p/p1", "/p/r1"}
    assert vic.get("/ask?post=nothing").status_code == 404


def test_why_leads_to_the_receipt(browse: Open) -> None:
    vic = browse("vic")
    request, shown = vic.request(), vic.cards()[0]
    fields = {"post": shown, "request": request, "question": "why do I see this?"}
    answer = vic.post("/ask", **fields).text
    path = f"/w/{request}/{shown}"
    assert path in marks(answer)
    assert vic.get(path).status_code == 200
    other = browse("other").post("/ask", **fields).text
    assert marks(other) == []


@pytest.mark.parametrize("script", [{}, SCRIPT], ids=["whole", "script"])
def test_a_wish_is_kept_shown_and_taken_back(town: Api, script: dict[str, str]) -> None:
    vic = Browser(town, "vic")
    answer = vic.post("/ask", question="less politics until Sunday")
    (wish,) = wishes(town)
    assert wish["target"] == "topic:politics"
    assert answer.text.count(f'value="{wish["id"]}"') == 2  # in the answer and at the side
    undone = vic.post("/ask/undo", script, wish=wish["id"])
    assert undone.status_code == (200 if script else 303)
    assert wishes(town) == []
    if script:
        assert "Taken back" in undone.text
        assert wish["id"] not in undone.text
        assert 'hx-swap-oob="true"' in undone.text


def test_nobody_is_told_how_a_wish_would_be_kept(browse: Open) -> None:
    for who in (None, "operator"):
        assert "sign in" in browse(who).post("/ask", question="less politics").text
        assert browse(who).post("/ask/undo", wish="x").status_code == 401


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"question": "  "},
        {"question": "x" * 501},
        {"question": "x", "post": "y" * 513},
        {"question": "x", "account": "\x01"},
    ],
)
def test_what_cannot_be_asked_is_refused(browse: Open, fields: dict[str, str]) -> None:
    answer = browse("vic").post("/ask", SCRIPT, **fields)
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (422, "#told")


def test_there_are_only_so_many_wishes(town: Api) -> None:
    fill(town)
    answer = Browser(town, "vic").post("/ask", question="less politics")
    assert (answer.status_code, "200 wishes" in answer.text) == (422, True)


def test_markup_and_scripts_of_strangers_are_text(town: Api) -> None:
    evil = post("evil", 1, text="Gnomes <script>alert(1)</script> steal the bells of the library.")
    town("POST", "/v1/posts", "operator", **lines(evil))
    answer = Browser(town).post("/ask", question="who stole the <b>bells</b>?").text
    assert "Gnomes" in answer
    assert "<script>alert" not in answer
    assert "<b>bells" not in answer
    assert "&lt;b&gt;bells" in answer


def test_a_post_turns_no_text_of_the_page_around(town: Api) -> None:
    text = "Gnomes \u202esteal\u2066 the bells of the library."
    town("POST", "/v1/posts", "operator", **lines(post("evil", 1, text=text)))
    answer = Browser(town).post("/ask", question="who stole the bells?").text
    assert "Gnomes steal the bells" in answer
    assert not {"\u202e", "\u2066"} & set(answer)


def test_what_a_page_asks_is_worked_out_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []

    def noted(question: Question) -> Sought:
        threads.append(threading.current_thread().name)
        return sought(question)

    monkeypatch.setattr("ariane.serve.answers.sought", noted)
    monkeypatch.setattr("ariane.ask.sought", noted)
    reader = Browser(make(Writer(good)), "vic")
    for question in (STOPS, "less politics"):
        assert reader.post("/ask", question=question).status_code == 200
    assert len(threads) == 2
    assert all(name.startswith("ariane-work") for name in threads)


def test_the_name_of_an_account_that_is_not_shown_is_not_told(town: Api) -> None:
    town("POST", "/v1/posts", "operator", **lines({"type": "account", "id": "q", "name": "Quiet"}))
    label: dict[str, Any] = {"type": "label", "subject": "author-p1", "source": "self"}
    label |= {"value": "!no-unauthenticated", "at": post("x")["at"]}
    town("POST", "/v1/posts", "operator", **lines(label))
    assert "Quiet" not in Browser(town).get("/ask?account=q").text
    assert "Élodie" not in Browser(town).get("/ask?account=author-p1").text
    assert Browser(town).get("/ask?post=p1").status_code == 404


def test_what_a_model_wrote_is_said_to_be_ai_s(make: Make) -> None:
    reader = Browser(make(Writer(good)), "vic")
    answer = reader.post("/ask", question=STOPS).text
    assert "Written by AI (writer), checked against its citations." in answer
    assert "will have twelve stops" in answer
    assert marks(answer) == ["/p/tram"]


def hidden(page: str) -> list[str]:
    """The questions that a page sends along with the next one."""
    found = re.search(r'name="earlier" value="([^"]*)"', page)
    return unescape(found[1]).split("\n") if found else []


def test_a_page_carries_the_questions_before(make: Make) -> None:
    reader = Browser(make(), "vic")
    assert hidden(reader.get("/ask").text) == []
    page = reader.post("/ask", question=TRAM).text
    assert hidden(page) == [TRAM]
    page = reader.post("/ask", question="why?", earlier="\r\n".join(hidden(page))).text
    assert set(marks(page)) == {"/p/tram", "/p/late"}
    assert hidden(page) == [TRAM, "why?"]
    french = reader.post("/ask", question="et en français ?", earlier=TRAM).text
    assert "Voici ce que disent" in french
    many = "\n".join(["<b>x</b>\x07" * 200] * 9)
    page = reader.post("/ask", question="a", earlier=many).text
    assert [len(one) for one in hidden(page)] == [500, 500, 1]
    assert "<b>x" not in page
    assert "\x07" not in page


def test_what_fails_when_the_page_has_begun_is_told_in_it(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ariane.serve.answers.stream", breaks)
    answer = Browser(make(), "vic").post("/ask", question=STOPS)
    assert (answer.status_code, "Twelve." in answer.text) == (200, True)
    assert "In the log under" in answer.text
    assert "secret" not in answer.text
    assert answer.text.count("</html>") == answer.text.count("</main>") == 1
