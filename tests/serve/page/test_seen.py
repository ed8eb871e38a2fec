"""Seen: looks are told of remembered, profiled readers alone, once, and within bounds."""

from __future__ import annotations

from typing import Any

import pytest
from tests.serve.conftest import Api
from tests.serve.page.conftest import Browser


def looks(api: Api, viewer: str = "vic") -> list[dict[str, Any]]:
    held: list[dict[str, Any]] = api("GET", f"/v1/viewers/{viewer}", "operator").json()["actions"]
    return held


def test_looks_are_taken_in_once_with_their_page_and_time(town: Api) -> None:
    vic = Browser(town, "vic")
    shown = vic.get("/").text
    request = shown.split('data-request="')[1].split('"')[0]
    fields = {"request": request, "1": "1.5", "2": "7.25", "3": "1e6", "99": "4", "0": "3"}
    for _ in range(2):
        assert vic.post("/seen", **fields).status_code == 204
    found = sorted((one["kind"], one["seconds"], one["request"]) for one in looks(town))
    assert found == [
        ("dwell", 7.2, request),
        ("dwell", 600.0, request),
        ("impression", 1.5, request),
    ]
    assert len(vic.cards()) == 11


def test_who_is_not_remembered_or_not_profiled_leaves_no_look(town: Api) -> None:
    vic = Browser(town, "vic")
    request = vic.request()
    assert Browser(town).post("/seen", request=request, **{"1": "2"}).status_code == 204
    vic.post("/mode", mode="plain")
    assert vic.post("/seen", request=request, **{"1": "2"}).status_code == 204
    plain = vic.request()
    vic.post("/mode", mode="personal")
    assert vic.post("/seen", request=plain, **{"1": "2"}).status_code == 204
    assert looks(town) == []


def test_nobody_looks_for_another(town: Api) -> None:
    request = Browser(town, "vic").request()
    assert Browser(town, "other").post("/seen", request=request, **{"1": "2"}).status_code == 404
    assert looks(town) == looks(town, "other") == []


@pytest.mark.parametrize(
    "fields", [{"x": "1"}, {"1": "x"}, {"1": "nan"}, {"1": "-1"}, {"1": "inf"}]
)
def test_what_is_no_look_is_refused(town: Api, fields: dict[str, str]) -> None:
    vic = Browser(town, "vic")
    assert vic.post("/seen", request=vic.request(), **fields).status_code == 422
