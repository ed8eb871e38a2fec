"""Deepening: the language model reads on while feeds are served, and its failures cost nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.read.models import Scripted
from tests.serve.conftest import Api, lines, post
from tests.serve.test_live import factory, until

from ariane.engine import Engine
from ariane.read import read
from ariane.read.deepen import ENOUGH
from ariane.read.llm import LanguageReader
from ariane.serve.deepening import HOUR, IDLE, LONGEST_PAUSE, Deepening
from ariane.serve.http import create_app
from ariane.serve.live import Live
from ariane.serve.metrics import Metrics
from ariane.serve.settings import ServeSettings
from ariane.settings import FILE
from ariane.types import BudgetError, ModelDownError, ModelGarbageError, Post

ENCODER = "use@0.2.1"


def with_model(monkeypatch: pytest.MonkeyPatch, does: Any) -> Scripted:
    model = Scripted(does)
    monkeypatch.setattr(Engine, "deeper", LanguageReader(ENCODER, model))
    return model


@contextmanager
def serving(home: Path, settings: ServeSettings) -> Iterator[Api]:
    app = create_app(home, replace(settings, refresh_seconds=0.05))
    with TestClient(app):
        yield Api(app)


def test_posts_are_read_again_while_the_server_runs(
    home: Path, settings: ServeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_model(monkeypatch, lambda _: {"topics": ["garden"], "claim": "rumour"})
    monkeypatch.setattr("ariane.serve.deepening.IDLE", 0.05)
    with serving(home, settings) as api:
        api("POST", "/v1/posts", "operator", **lines(post("p1")))

        def topics() -> str:
            return str([item["topics"] for item in api("GET", "/v1/feeds/for-you").json()["items"]])

        until(lambda: "garden" in topics())
        until(lambda: "ariane_posts_deepened_total 1.0" in api("GET", "/metrics").text)


def test_no_feed_waits_for_a_model_that_hangs(
    home: Path, settings: ServeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = threading.Event(), threading.Event()

    def hang(_: Any) -> dict[str, Any]:
        asked.set()
        answered.wait(30)
        return {}

    with_model(monkeypatch, hang)
    monkeypatch.setattr("ariane.serve.deepening.IDLE", 0.05)
    with serving(home, settings) as api:
        api("POST", "/v1/posts", "operator", **lines(post("p1")))
        assert asked.wait(30)
        api("POST", "/v1/posts", "operator", **lines(post("p2")))
        until(lambda: len(api("GET", "/v1/feeds/for-you").json()["items"]) == 2)
        answered.set()


def test_without_a_model_and_after_a_failure_it_waits_long(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, metrics = Live(factory(home)), Metrics()
    deepening = Deepening(live, metrics, 1)
    assert deepening.turn() == LONGEST_PAUSE
    with live.engine() as engine:
        engine.store.write([Post("p", "ann", "words", 1)])
        read(engine.store, engine.reader, engine.classify)
    with_model(monkeypatch, lambda _: BudgetError("Spent."))
    assert deepening.turn() == LONGEST_PAUSE
    live.close()


@contextmanager
def posts_to_read(home: Path, count: int) -> Iterator[tuple[Deepening, float]]:
    """Deepening over so many posts, and the seconds for a turn that tries as many as go at once."""
    live = Live(factory(home))
    with live.engine() as engine:
        engine.store.write([Post(f"p{n}", "ann", f"Number {n}.", n) for n in range(count)])
        read(engine.store, engine.reader, engine.classify)
        pause = HOUR * engine.settings.llm.concurrency / engine.settings.read.deepen
    yield Deepening(live, Metrics(), 1), pause
    live.close()


def test_it_reads_so_many_an_hour(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_model(monkeypatch, lambda _: {})
    with posts_to_read(home, 9) as (deepening, pause):
        assert deepening.turn() == pause
        assert [deepening.turn() for _ in range(3)][-1] == IDLE


def test_what_fails_counts_to_the_hour(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def mostly_garbage(_: Any) -> Any:
        return {} if len(model.seen) % 4 == 0 else ModelGarbageError("It says nothing.")

    model = with_model(monkeypatch, mostly_garbage)
    with posts_to_read(home, 9) as (deepening, pause):
        assert deepening.turn() == pause


@pytest.mark.parametrize("error", [ModelGarbageError("It says nothing."), ModelDownError("Down.")])
def test_a_model_that_gives_nothing_is_left_alone(
    error: Exception, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_model(monkeypatch, lambda _: error)
    with posts_to_read(home, 20) as (deepening, _):
        assert [deepening.turn() for _ in range(3)] == [LONGEST_PAUSE] * 3


def test_failures_in_a_row_are_counted_over_turns(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four fail in the first turn, and the next one ends at the fifth."""
    with_model(monkeypatch, lambda _: ModelDownError("Down."))
    failed = []
    with posts_to_read(home, 20) as (deepening, _):
        for _ in range(2):
            deepening.turn()
            failed.append(deepening._metrics.posts_not_deepened._value.get())
    assert failed == [4, ENOUGH]


def test_photographs_take_nothing_of_the_hour(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_model(monkeypatch, lambda _: {})
    with posts_to_read(home, 4) as (deepening, pause):
        with deepening._live.engine() as engine:
            now = round(time.time() * 1000)
            engine.store.write([Post(f"photograph{n}", "ann", "", now) for n in range(12)])
            read(engine.store, engine.reader, engine.classify)
        assert [deepening.turn() for _ in range(2)] == [pause, IDLE]
        assert deepening._metrics.posts_deepened._value.get() == 4


def test_a_model_in_this_process_is_asked_one_at_a_time(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = with_model(monkeypatch, lambda _: {})
    path = home / FILE
    here = '\n[llm]\nkind = "transformers"\nmodel = "here"\n'
    path.write_text(path.read_text().replace("\n[llm]\n", here))
    with posts_to_read(home, 9) as (deepening, _):
        deepening.turn()
    assert len(model.seen) == 1
