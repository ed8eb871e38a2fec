"""People: who reads, how they sign in and out, and consent to be remembered."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.serve.conftest import Api, lines
from tests.serve.page.conftest import Browser, Open

from ariane.evaluate.world import Person, Taste, Truth, World, save_world
from ariane.serve.access import COOKIE
from ariane.serve.settings import ServeSettings
from ariane.serve.tokens import COOKIE_AUDIENCE, Caller
from ariane.types import CallError


def reads_as(browser: Browser) -> Caller:
    kept = browser.client.cookies.get(COOKIE)
    return browser.api.service.tokens.verify(kept or "", COOKIE_AUDIENCE)


def test_a_token_signs_in_for_as_long_as_it_is_good(browse: Open) -> None:
    nobody = browse()
    token = nobody.api.token("vic")
    answer = nobody.post("/sign-in", token=f" {token} ", to="/f/following")
    assert (answer.status_code, answer.headers["location"]) == (303, "/f/following")
    assert reads_as(nobody).viewer == "vic"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert 3500 <= int(cookie.split("max-age=")[1].split(";")[0]) <= 3600
    assert "Vic Reader" in nobody.get("/").text


def test_the_operators_token_makes_the_operator(browse: Open) -> None:
    nobody = browse()
    nobody.post("/sign-in", token=nobody.api.token("operator"))
    assert reads_as(nobody).role == "operator"
    assert 'href="/operator"' in nobody.get("/").text


def test_a_wrong_token_or_none_signs_nobody_in(browse: Open) -> None:
    nobody = browse()
    cookie = nobody.api.service.tokens.issue(Caller("viewer", "vic"), 60, COOKIE_AUDIENCE)
    for token in ("nonsense", cookie):
        assert nobody.post("/sign-in", token=token).status_code == 422
    for fields in ({"account": "vic"}, {"operator": "1"}, {"name": "New"}, {}):
        assert nobody.post("/sign-in", **fields).status_code == 403
    assert COOKIE not in nobody.client.cookies


def test_signing_out_forgets_who_reads(browse: Open) -> None:
    reader = browse()
    reader.post("/sign-in", token=reader.api.token("vic"))
    assert reader.post("/sign-out").headers["location"] == "/"
    assert COOKIE not in reader.client.cookies


def test_nobody_is_remembered_without_consent(browse: Open) -> None:
    nobody = browse()
    for path in ("/", "/f/following", "/p/p1", "/sign-in", "/wishes"):
        assert "set-cookie" not in nobody.get(path).headers
    assert nobody.post("/remember", to="/wishes").headers["location"] == "/wishes"
    first = reads_as(nobody).viewer
    assert first is not None
    assert first.startswith("anonymous/")
    nobody.post("/remember")
    assert reads_as(nobody).viewer == first
    assert "without an account" in nobody.get("/").text


def test_where_accounts_are_open_anyone_reads_as_anyone(demo: Open) -> None:
    page = demo().get("/sign-in").text
    assert "without a proof" in page
    reader = demo()
    assert reader.post("/sign-in", account="vic").status_code == 303
    assert reads_as(reader).viewer == "vic"
    reader.post("/sign-in", operator="1")
    assert reads_as(reader).role == "operator"
    for account in ("nobody-here", "anonymous/1", "x" * 600):
        assert demo().post("/sign-in", account=account).status_code == 404
    assert demo().post("/sign-in").status_code == 422


def test_someone_new_has_a_name_an_empty_history_and_an_age(demo: Open) -> None:
    reader = demo()
    assert reader.post("/sign-in", name=" Zoé  d'Été ", birth_year="2015").status_code == 303
    viewer = reads_as(reader).viewer
    assert viewer is not None
    assert viewer.startswith("zoe-d-ete-")
    held = reader.api("GET", f"/v1/viewers/{viewer}", "operator").json()
    assert held["account"]["name"] == "Zoé d'Été"
    assert held["account"]["birth_year"] == 2015
    assert held["actions"] == []
    other = demo()
    other.post("/sign-in", name="日本")
    assert str(reads_as(other).viewer).startswith("reader-")


@pytest.mark.parametrize(
    ("name", "year"),
    [("", ""), (" ", ""), ("x" * 81, ""), ("a\x00", ""), ("A", "1815"), ("A", "9999"), ("A", "x")],
)
def test_a_new_name_and_year_are_checked(demo: Open, name: str, year: str) -> None:
    assert demo().post("/sign-in", name=name, birth_year=year).status_code == 422


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "example.org", "::"])
def test_accounts_are_open_on_this_machine_only(settings: ServeSettings, host: str) -> None:
    with pytest.raises(CallError, match="open_accounts"):
        replace(settings, open_accounts=True, host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_accounts_may_be_open_on_this_machine(settings: ServeSettings, host: str) -> None:
    assert replace(settings, open_accounts=True, host=host).open_accounts


@pytest.fixture
def simulated(home: Path, town: Api, demo: Open) -> Open:
    """That home, of simulated people: one likes science and what author-p1 writes."""
    tastes = (
        Taste("topic:science", 1.5),
        Taste("author:author-p1", 2.0),
        Taste("tone:angry", -1.0),
    )
    people = (
        Person("vic", "Vic Reader", "en", "Reads <everything>.", tastes),
        Person("lea", "Léa", "fr", "Jardine.", ()),
        Person("ghost", "Ghost", "en", "Ghost of the file.", ()),
    )
    lea = {"type": "account", "id": "lea", "name": "Léa"}
    town("POST", "/v1/posts", "operator", **lines(lea))
    truth = Truth("author-p1", "en", "science", "warm", "tell", "note")
    notice = {"en": "Nobody here is real.", "fr": "Personne ici n'est réel."}
    save_world(home, World(notice, people, {"p1": truth}))
    return demo


def test_a_simulated_town_says_so_on_every_page_and_introduces_its_people(simulated: Open) -> None:
    for path in ("/", "/f/following", "/p/p1", "/sign-in", "/wishes", "/docs"):
        assert "Nobody here is real." in simulated().get(path).text
        french = simulated().get(path, **{"Accept-Language": "fr"}).text
        assert "Personne ici n&#39;est réel." in french
    page = simulated().get("/sign-in").text
    assert "Reads &lt;everything&gt;." in page
    assert "Jardine." in page


def test_who_was_erased_or_never_came_in_is_not_offered(simulated: Open, town: Api) -> None:
    offered = 'name="account" value="vic"'
    assert offered in simulated().get("/sign-in").text
    assert town("DELETE", "/v1/viewers/vic", "operator").json() == {"done": True}
    page = simulated().get("/sign-in").text
    assert offered not in page
    assert "Reads &lt;everything&gt;." not in page
    assert simulated().post("/sign-in", account="vic").status_code == 404
    assert "Ghost of the file" not in page


def test_what_a_simulated_person_likes_is_shown_beside_the_reason(simulated: Open) -> None:
    vic = simulated("vic")
    request = vic.request()
    text = vic.get(f"/w/{request}/p1").text
    planted = text.split('class="truth"')[1].split("</details>")[0]
    assert planted.count('class="here"') == 2
    assert "+1.5" in planted
    assert "−1.0" in planted
    assert (
        "really likes" not in simulated("other").get(f"/w/{simulated('other').request()}/p1").text
    )


def test_a_home_of_real_people_has_no_notice(browse: Open) -> None:
    assert 'class="notice"' not in browse().get("/").text


def test_a_broken_world_is_no_world(home: Path, browse: Open) -> None:
    time.sleep(0.01)
    (home / "world.json").write_text("{")
    assert browse().get("/").status_code == 200


def test_the_cookie_of_one_home_is_nobodys_in_another(town: Api, tmp_path: Path) -> None:
    reader = Browser(town)
    reader.client.cookies.set(COOKIE, "forged")
    assert 'action="/remember"' in reader.get("/").text
