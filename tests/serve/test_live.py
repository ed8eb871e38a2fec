"""Live: engines are swapped under load, new posts are read, and failures stay in the background."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.serve.conftest import Api, lines, post

from ariane.engine import Engine, load
from ariane.serve.background import Background
from ariane.serve.http import create_app
from ariane.serve.live import Live
from ariane.serve.metrics import Metrics
from ariane.serve.resting import Resting
from ariane.serve.settings import ServeSettings
from ariane.types import (
    Action,
    ActionKind,
    ArianeError,
    Ask,
    Candidate,
    Forecast,
    Post,
    Ranker,
    Reader,
    Reading,
    Viewer,
)


class Named:
    """A ranker under another name."""

    def __init__(self, inner: Ranker, name: str) -> None:
        self._inner, self.name = inner, name

    def forecast(self, ask: Ask, viewer: Viewer, candidates: tuple[Candidate, ...]) -> Forecast:
        time.sleep(0.001)
        return replace(self._inner.forecast(ask, viewer, candidates), model=self.name)


def until(true: Callable[[], bool]) -> None:
    """Wait for something that another thread does; the suite's time-out ends a wait for ever."""
    while not true():
        time.sleep(0.01)


def factory(home: Path) -> Callable[[], Engine]:
    """Engines whose rankers are numbered."""
    made = iter(range(1_000_000))

    def make() -> Engine:
        engine = load(home)
        return replace(engine, ranker=Named(engine.ranker, f"ranker-{next(made)}"))

    return make


def test_a_hot_swap_under_load_fails_no_request(home: Path, settings: ServeSettings) -> None:
    api = Api(create_app(factory(home), settings))
    api("POST", "/v1/posts", "operator", **lines(*[post(f"p{n}", n + 1) for n in range(5)]))
    answers: list[tuple[int, str]] = []
    end = threading.Event()

    def read(who: str) -> None:
        mine = Api(api.app)
        while not end.is_set():
            answer = mine("GET", "/v1/feeds/for-you", who)
            answers.append((answer.status_code, answer.json().get("model", "")))

    readers = [threading.Thread(target=read, args=(f"v{number}",)) for number in range(3)]
    for reader in readers:
        reader.start()
    models = [api("POST", "/v1/engine/reload", "operator").json()["model"] for _ in range(10)]
    until(lambda: ("ranker-10") in {model for _, model in answers[-3:]})
    end.set()
    for reader in readers:
        reader.join()
    assert models == [f"ranker-{number}" for number in range(1, 11)]
    assert {status for status, _ in answers} == {200}
    assert {model for _, model in answers} <= {f"ranker-{number}" for number in range(11)}
    assert "ariane_engine_loads_total 10.0" in api("GET", "/metrics").text


def test_a_request_ends_with_the_engine_it_began_with(home: Path) -> None:
    live = Live(factory(home))
    with live.engine() as first:
        second = live.reload()
        assert second is not first
        assert first.store.counts().posts == 0  # still open
        with live.engine() as now:
            assert now is second
    with pytest.raises(ArianeError):
        first.store.counts()  # let go of when its last request ended
    assert second.store.counts().posts == 0
    live.close()


def test_engines_that_share_a_store_keep_it_open(home: Path) -> None:
    engine = load(home)
    live = Live(lambda: replace(engine))
    live.reload()
    assert engine.store.counts().posts == 0
    live.close()


def test_an_engine_that_cannot_be_loaded_leaves_the_old_one(api: Api, home: Path) -> None:
    (home / "ariane.toml").write_text("[nonsense]\n")
    assert api.problem("POST", "/v1/engine/reload", "operator")[0] == 422
    assert api("GET", "/v1/feeds/for-you").status_code == 200


def test_a_promotion_is_taken_up(home: Path) -> None:
    live, metrics = Live(factory(home)), Metrics()
    background = Background(live, metrics, 0.05)
    assert not live.stale()
    with live.engine() as engine:
        engine.store.promote("ranker", "absent")
    assert live.stale()
    background.turn()
    assert not live.stale()
    assert metrics.registry.get_sample_value("ariane_engine_loads_total") == 1
    live.close()


@pytest.mark.slow
def test_a_post_is_read_and_served_within_moments(home: Path, settings: ServeSettings) -> None:
    app = create_app(home, replace(settings, refresh_seconds=3600))  # only a POST wakes it
    with TestClient(app):
        api = Api(app)
        api("POST", "/v1/posts", "operator", **lines(post("p1")))
        until(lambda: api("GET", "/v1/health/ready").json()["unread"] == 0)
        items = api("GET", "/v1/feeds/for-you", "v1").json()["items"]
        assert [item["post"]["id"] for item in items] == ["p1"]
        assert items[0]["topics"]
        until(lambda: "ariane_posts_read_total 1.0" in api("GET", "/metrics").text)


def test_failures_in_the_background_break_no_request(
    home: Path, settings: ServeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = True

    def read(*_: object, **__: object) -> int:
        if failing:
            raise RuntimeError("the reader is broken")
        return 7

    monkeypatch.setattr("ariane.serve.background.read", read)
    app = create_app(home, replace(settings, refresh_seconds=0.01))
    with TestClient(app):
        api = Api(app)
        value = api.service.metrics.registry.get_sample_value
        until(lambda: (value("ariane_background_failures_total") or 0) >= 2)
        assert api("GET", "/v1/feeds/for-you").status_code == 200
        failing = False
        until(lambda: (value("ariane_posts_read_total") or 0) >= 7)


def test_a_model_that_cannot_be_loaded_keeps_no_post_unread(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ariane.serve.background.read", lambda *_, **__: 3)
    live, metrics = Live(factory(home)), Metrics()
    with live.engine() as engine:
        engine.store.promote("ranker", "absent")
    (home / "ariane.toml").write_text("[nonsense]\n")
    with pytest.raises(ArianeError, match="nonsense"):
        Background(live, metrics, 1).turn()
    assert metrics.registry.get_sample_value("ariane_posts_read_total") == 3
    live.close()


def test_a_post_that_cannot_be_read_is_tried_again_ever_later() -> None:
    class Clock:
        now = 0.0

        def __call__(self) -> float:
            return self.now

    clock = Clock()
    resting = Resting(clock)
    tries: list[float] = []
    for clock.now in range(0, 20_000, 10):
        rested = resting.now()
        tries += [] if "bad" in rested else [clock.now]
        resting.settle(rested, rested | {"bad"})
    assert tries[:4] == [0, 60, 180, 420]
    assert tries[-1] - tries[-2] == 3600
    clock.now += 3600
    resting.settle(resting.now(), set())
    assert len(resting) == 0


def test_an_unreadable_post_is_counted_and_not_tried_in_the_next_turn(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    class Broken:
        def __init__(self, inner: Reader) -> None:
            self._inner, self.name = inner, inner.name

        def read(self, posts: Sequence[Post]) -> list[Reading]:
            tried.extend(post.id for post in posts)
            if any(post.id == "bad" for post in posts):
                raise ValueError("no words")
            return self._inner.read(posts)

    engine = load(home)
    engine.store.write([Post("bad", "a", "…", 1), Post("good", "a", "The library is open.", 2)])
    monkeypatch.setitem(vars(engine), "reader", Broken(engine.reader))
    live, metrics = Live(lambda: engine), Metrics()
    background = Background(live, metrics, 1)
    background.turn()
    assert metrics.registry.get_sample_value("ariane_posts_unreadable") == 1
    assert metrics.registry.get_sample_value("ariane_posts_read_total") == 1
    before = len(tried)
    background.turn()
    assert len(tried) == before
    live.close()


def test_the_store_forgets_by_its_settings_once_an_hour(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ariane.serve.background.read", lambda *_, **__: 0)
    (home / "ariane.toml").write_text("[store]\nkeep_actions_days = 1\n")
    live = Live(lambda: load(home))
    background = Background(live, Metrics(), 1)
    with live.engine() as engine:
        engine.store.write([Action("a", "v", ActionKind.LIKE, 1, "p")])
        background.turn()
        assert not engine.store.did("v", "a")
        forgotten = iter(["the hour has not passed"])
        monkeypatch.setattr(type(engine.store), "retain", lambda *_: next(forgotten))
        background.turn()
        assert next(forgotten) == "the hour has not passed"
    live.close()


def test_a_long_read_ends_when_the_server_does(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    def read(*_: object, progress: Callable[[int], None], **__: object) -> int:
        for done in range(1_000_000):
            begun.set()
            progress(done)
            time.sleep(0.001)
        return 0

    monkeypatch.setattr("ariane.serve.background.read", read)
    live, metrics = Live(factory(home)), Metrics()
    background = Background(live, metrics, 1)
    background.start()
    begun.wait()
    background.stop()
    assert metrics.registry.get_sample_value("ariane_background_failures_total") == 0
    live.close()
