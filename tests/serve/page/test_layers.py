"""Layers: nothing is sent from another site; errors are pages for people and JSON for machines."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from tests.serve.conftest import HERE, Api, action, lines
from tests.serve.page.conftest import HTML, SCRIPT, Browser, Open

POSTS = [
    "/do",
    "/reply",
    "/wishes",
    "/wishes/undo",
    "/sign-in",
    "/sign-out",
    "/remember",
    "/mode",
    "/language",
    "/seen",
    "/w/abc/replay",
    "/a/author-p1",
]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": HERE},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"{HERE}:8001"},
    ],
)
def test_what_another_site_sends_is_refused(browse: Open, headers: dict[str, str]) -> None:
    vic = browse("vic")
    for path in POSTS:
        answer = vic.post(path, headers)
        assert answer.status_code == 403
        assert "<h1>" in answer.text
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": HERE}, {"Sec-Fetch-Site": "none"}, {}]
)
def test_what_this_site_sends_is_taken(browse: Open, headers: dict[str, str]) -> None:
    answer = browse().post("/language", headers, language="fr", to="/docs")
    assert (answer.status_code, answer.headers["location"]) == (303, "/docs")


def test_the_api_is_guarded_too_where_a_cookie_speaks_for_the_reader(browse: Open) -> None:
    vic = browse("vic")
    body = lines(action("vic", "p1"))
    evil = {"Origin": "https://evil.example", **body["headers"]}
    refused = vic.client.post("/v1/actions", content=body["content"], headers=evil)
    assert refused.status_code == 403
    assert refused.json()["error"]["status"] == 403
    assert vic.client.post("/v1/actions", **body).json()["taken"] == 1


def test_a_token_of_its_own_borrows_nothing(api: Api) -> None:
    body = lines(action("vic", "p1"))
    headers = {"Origin": "https://app.example", **body["headers"]}
    assert api("POST", "/v1/actions", "vic", content=body["content"], headers=headers).is_success


@pytest.mark.parametrize(("language", "words"), [("en", "nothing at this"), ("fr", "rien à cette")])
def test_an_error_is_a_page_in_the_readers_language(
    browse: Open, language: str, words: str
) -> None:
    answer = browse().get("/nowhere", **{"Accept-Language": language})
    assert answer.status_code == 404
    assert words in answer.text
    assert 'href="/"' in answer.text
    assert "style-src 'self'" in answer.headers["content-security-policy"]


def test_machines_keep_their_json(browse: Open) -> None:
    client = browse().client
    assert client.get("/nowhere").json()["error"]["status"] == 404
    assert client.get("/v1/nowhere", headers=HTML).json()["error"]["status"] == 404


def test_a_script_is_told_in_a_place_of_its_own(browse: Open) -> None:
    answer = browse().get("/p/nothing", **SCRIPT)
    assert answer.headers["hx-retarget"] == "#told"
    assert "<html" not in answer.text


def test_a_fault_of_a_page_tells_its_id_alone(town: Api) -> None:
    @town.app.get("/broken-page")
    def broken(request: Request) -> None:
        raise RuntimeError(f"the secret of {request.url}")

    answer = Browser(town).get("/broken-page")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "In the log under" in answer.text


def test_a_wrong_method_is_a_page_that_says_which_are_right(browse: Open) -> None:
    answer = browse().get("/do")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


def test_too_much_at_once_says_when_to_come_again(browse: Open) -> None:
    answer = browse().post("/wishes", words="x" * 5_000_000)
    assert answer.status_code == 413
    assert "<h1>" in answer.text


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"a=1&a=2", "application/x-www-form-urlencoded", 422),
        (b"a=%ff", "application/x-www-form-urlencoded", 422),
        (b"&".join(b"f%d=1" % n for n in range(60)), "application/x-www-form-urlencoded", 422),
        (b"{}", "application/json", 415),
        (b"x", "multipart/form-data; boundary=x", 415),
    ],
)
def test_what_is_no_form_is_refused(browse: Open, content: bytes, kind: str, status: int) -> None:
    headers = HTML | {"Content-Type": kind}
    answer = browse().client.post("/language", content=content, headers=headers)
    assert answer.status_code == status


def test_pages_are_kept_by_no_cache_and_static_files_for_good(browse: Open) -> None:
    nobody = browse()
    page = nobody.get("/")
    assert page.headers["cache-control"] == "no-store"
    assert "'unsafe" not in page.headers["content-security-policy"]
    for name in ("page.css", "page.js", "htmx.min.js", "icon.svg"):
        address = page.text.split(f"/static/{name}?")[1].split('"')[0]
        answer = nobody.get(f"/static/{name}?{address}")
        assert "immutable" in answer.headers["cache-control"]
    assert nobody.get("/static/page.py").status_code == 404
    assert nobody.get("/static/..%2Fvisit.py").status_code == 404


def test_nothing_on_a_page_is_inline_or_from_elsewhere(browse: Open) -> None:
    for path in ("/", "/sign-in", "/wishes", "/docs", "/p/p1"):
        text = browse("vic").get(path).text
        assert " style=" not in text
        assert "<style" not in text
        assert " onclick" not in text
        assert 'src="http' not in text
        assert '<link rel="stylesheet" href="/static/' in text


def test_the_list_of_routes_says_what_a_body_holds(browse: Open) -> None:
    listed = browse().get("/docs").text
    assert "target, direction, strength?" in listed  # a wish's keys
    assert "application/json" in listed  # a batch of events
