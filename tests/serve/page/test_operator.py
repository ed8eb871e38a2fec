"""The operator's page: true figures, for the operator alone, and fresh without a reload."""

from __future__ import annotations

import re

import pytest
from tests.serve.conftest import Api, action, lines
from tests.serve.page.test_how import sound, trained

from ariane.serve.metrics import Metrics

__all__ = ["trained"]


def test_it_is_for_the_operator_alone(api: Api) -> None:
    nobody = api("GET", "/operator", follow_redirects=False)
    assert (nobody.status_code, nobody.headers["location"]) == (303, "/sign-in?to=/operator")
    assert api("GET", "/operator", "v1").status_code == 403
    assert api("GET", "/operator", "operator").status_code == 200


def test_it_tells_what_is_held_served_and_removed(api: Api) -> None:
    api("POST", "/v1/actions", "operator", **lines(action("v1", "p1")))
    for _ in range(3):
        assert api("GET", "/v1/feeds/for-you", "v1").status_code == 200
    assert api("GET", "/", "v1").status_code == 200
    page = api("GET", "/operator", "operator").text
    sound(page)
    assert re.search(r"<strong>12</strong>Posts .*0 read, 12 unread", page)
    assert re.search(r'/v1/feeds/\{name\}</code></th><td class="number">3</td>', page)
    assert re.search(r"For You</a></dt><dd>4</dd>", page)
    assert "No trained ranker is live" in page


def test_removals_are_counted_by_rule_and_policy(api: Api) -> None:
    muted = {"type": "action", "viewer": "v1", "account": "author-p1", "kind": "mute"}
    api("POST", "/v1/actions", "operator", **lines(muted | {"at": "2026-01-01T00:00:00Z"}))
    label = {"type": "label", "subject": "p2", "value": "scam", "source": "mods"}
    api("POST", "/v1/posts", "operator", **lines(label | {"at": "2026-01-01T00:00:00Z"}))
    api("GET", "/v1/feeds/for-you", "v1")
    page = api("GET", "/operator", "operator").text
    assert re.search(r"accounts that you muted .*muted@1</code></span></dt><dd>1</dd>", page)
    assert re.search(r"Spam and scams .*spam@1</code></span></dt><dd>1</dd>", page)


def test_a_script_gets_the_figures_alone(api: Api) -> None:
    part = api("GET", "/operator", "operator", headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith('<div id="figures" hx-get="/operator"')
    assert "<html" not in part
    assert "hx-get" not in api("GET", "/operator?live=false", "operator").text


def test_the_live_model_is_told_of_with_its_report(trained: Api) -> None:
    page = trained("GET", "/operator", "operator", headers={"Accept-Language": "fr"}).text
    assert "74,2\u00a0% des paires" in page
    assert "+0,100 … +0,300" in page
    sound(page)


@pytest.mark.parametrize(
    ("seconds", "p50", "p99"),
    [([0.001] * 100, 0.0025, 0.00495), ([0.03] * 50 + [0.7] * 50, 0.05, 0.99), ([99.0], 30, 30)],
)
def test_percentiles_are_those_of_the_buckets(seconds: list[float], p50: float, p99: float) -> None:
    metrics = Metrics()
    for each in seconds:
        metrics.seconds.labels("/x").observe(each)
    (row,) = metrics.latencies()
    assert (row.route, row.requests) == ("/x", len(seconds))
    assert row.p50 == pytest.approx(p50)
    assert row.p99 == pytest.approx(p99)
