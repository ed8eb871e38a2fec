"""Counted: open routes cost the store one count in a few seconds."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.serve.conftest import Api, lines, post

from ariane.serve.counted import SECONDS, Counted
from ariane.types import Counts


class Counting:
    """A store that tells how often it was counted."""

    def __init__(self) -> None:
        self.times = 0
        self.go = threading.Event()

    def counts(self) -> Counts:
        self.times += 1
        self.go.wait()
        return Counts(self.times, 0, 0, 0, 0, 0)


def test_a_count_holds_for_seconds() -> None:
    now = 0.0
    counting = Counting()
    counting.go.set()
    counted = Counted(lambda: now)
    assert [counted(counting).posts for _ in range(3)] == [1, 1, 1]  # type: ignore[arg-type]
    now = SECONDS
    assert [counted(counting).posts for _ in range(3)] == [2, 2, 2]  # type: ignore[arg-type]


def test_many_who_ask_at_once_cost_one_count() -> None:
    counting = Counting()
    counted = Counted(lambda: 0.0)
    with ThreadPoolExecutor(8) as pool:
        found = [pool.submit(counted, counting) for _ in range(8)]  # type: ignore[arg-type]
        counting.go.set()
        assert {one.result().posts for one in found} == {1}


def test_open_routes_count_once(api: Api) -> None:
    assert api("GET", "/v1/health/ready").json()["posts"] == 12
    api("POST", "/v1/posts", "operator", **lines(post("new")))
    assert api("GET", "/v1/health/ready").json()["posts"] == 12
    assert "12 posts" in api("GET", "/").text
