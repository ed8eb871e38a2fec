"""Why: reasons come from the receipt, and replay tests them."""

from __future__ import annotations

import pytest
from tests.serve.conftest import Api, action, lines


@pytest.fixture
def page(api: Api) -> dict[str, object]:
    api("POST", "/v1/actions", "v1", **lines(action("v1", "p3"), action("v1", "p4")))
    found: dict[str, object] = api("GET", "/v1/feeds/for-you?size=4", "v1").json()
    return found


def test_the_receipt_says_what_the_page_said(api: Api, page: dict[str, object]) -> None:
    why = api("GET", f"/v1/why/{page['request']}", "v1").json()
    said = [reason for item in page["items"] for reason in item["reasons"]]  # type: ignore[attr-defined]
    assert sorted(why["reasons"], key=str) == sorted(said, key=str)
    assert why["feed"] == "for-you"
    assert why["model"] == page["model"]


def test_one_post_has_its_own_reasons(api: Api, page: dict[str, object]) -> None:
    item = page["items"][1]  # type: ignore[index]
    path = f"/v1/why/{page['request']}/{item['post']['id']}"
    assert api("GET", path, "v1").json()["reasons"] == item["reasons"]
    assert api.problem("GET", f"/v1/why/{page['request']}/elsewhere", "v1")[0] == 404


def test_a_receipt_replays(api: Api, page: dict[str, object]) -> None:
    found = api("POST", f"/v1/why/{page['request']}/replay", "v1").json()
    assert found["same_page"] is True
    assert found["held"] == found["claims"]
    assert found["failures"] == []


def test_a_receipt_whose_evidence_is_gone_is_withdrawn(api: Api, page: dict[str, object]) -> None:
    shown = page["items"][0]["post"]["id"]  # type: ignore[index]
    api("DELETE", f"/v1/posts/{shown}", "operator")
    for method, tail in (("GET", ""), ("GET", f"/{shown}"), ("POST", "/replay")):
        assert api.problem(method, f"/v1/why/{page['request']}{tail}", "v1")[0] == 410
        for other in (None, "v2"):
            assert api.problem(method, f"/v1/why/{page['request']}{tail}", other)[0] == 404


def test_an_anonymous_page_explains_itself_to_who_holds_it(api: Api) -> None:
    request = api("GET", "/v1/feeds/for-you").json()["request"]
    assert api("GET", f"/v1/why/{request}").json()["reasons"]
    assert api("GET", f"/v1/why/{request}", "v2").status_code == 200


def test_a_request_that_never_was_is_not_found(api: Api) -> None:
    assert api.problem("GET", "/v1/why/never", "v1")[0] == 404
    assert api.problem("GET", "/v1/why/n%20ever", "v1")[0] == 422
