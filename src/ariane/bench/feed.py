"""`arrange` and `for_you`, stage by stage, on 100,000 live posts and 10,000 viewers.

The peer is the same engine on its last rung, recent-and-safe, which asks no model; both answer the
same viewers in one run. Then the engine is its own peer, while posts are to be read by a language
model that is not there, or that never answers: no request waits for either.
"""

from __future__ import annotations

import resource
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Final, ParamSpec, TypeVar

import numpy as np

from ariane import feed
from ariane.bench.community import ENCODER, Community, build
from ariane.engine import Engine, load, open_store, settle
from ariane.home import runs
from ariane.llm import LanguageModelSettings
from ariane.rank.model import RankerConfig, RankerModel
from ariane.rank.recent import RecentRanker
from ariane.read.deepen import deepen
from ariane.read.llm import LanguageReader

Given = ParamSpec("Given")
Made = TypeVar("Made")

STAGES: Final = ("retrieve", "guard", "rank", "compose", "arrange", "why")
"""The functions of `feed.py` that are timed where they are called."""

DEAD: Final = "a dead address"
SERVERS: Final = (DEAD, "a server that never answers")
"""Where a language model is, and is not."""

TURN: Final = 20
"""Requests in a turn of one of them, so that what else the machine does falls on all."""


@dataclass
class Clock:
    """Milliseconds by stage, one number a request."""

    requests: list[dict[str, float]]

    @contextmanager
    def request(self) -> Iterator[None]:
        """Time one request, wall and processor."""
        self.requests.append(dict.fromkeys(STAGES, 0.0))
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.requests[-1]["for_you"] = 1e3 * (time.perf_counter() - wall)
        self.requests[-1]["processor"] = 1e3 * (time.process_time() - cpu)

    def timed(self, stage: str, function: Callable[Given, Made]) -> Callable[Given, Made]:
        """The same function, its first call of each request counted (guard: both)."""
        calls = 2 if stage == "guard" else 1
        seen: dict[int, int] = {}

        def run(*arguments: Given.args, **named: Given.kwargs) -> Made:
            request = len(self.requests)
            seen[request] = seen.get(request, 0) + 1
            start = time.perf_counter()
            result = function(*arguments, **named)
            if self.requests and seen[request] <= calls:
                self.requests[-1][stage] += 1e3 * (time.perf_counter() - start)
            return result

        return run


@contextmanager
def _watched(clock: Clock) -> Iterator[None]:
    """The real main path, with a clock on each of its stages."""
    own = {stage: getattr(feed, stage) for stage in STAGES}
    try:
        for stage, function in own.items():
            setattr(feed, stage, clock.timed(stage, function))
        yield
    finally:
        for stage, function in own.items():
            setattr(feed, stage, function)


def run(*, quick: bool = False) -> list[dict[str, float | str]]:
    """Rows of milliseconds (p50, p95, p99) by stage, with the peer's, and memory in MiB."""
    size = Community(1_000, 50, 10_000) if quick else Community()
    asks, rounds = (20, 1) if quick else (300, 5)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        home = Path(folder)
        viewers = build(home, size)
        _rank_with(home, "nano" if quick else "small")
        engine = load(home)
        engine.refresh()
        settle()
        built = time.perf_counter() - started
        peer = replace(engine, ranker=RecentRanker())
        mine, theirs = _measure(engine, viewers, asks), _measure(peer, viewers, asks)
        beside = _beside(engine, viewers, rounds)
        engine.store.close()
    rows = [_row(stage, mine, theirs) for stage in (*STAGES, "for_you", "processor")]
    rows += [
        _row(stage, beside[server], beside[""]) | {"stage": f"{stage}, [llm] at {server}, ms"}
        for server in SERVERS
        for stage in ("for_you", "processor")
    ]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [*rows, {"stage": "peak memory, MiB", "p50": peak}, {"stage": "build, s", "p50": built}]


def _rank_with(home: Path, size: str) -> None:
    """A ranker of this size, its weights random: as dear as a trained one."""
    RankerModel(replace(RankerConfig.sized(size), name="ranker-1")).save(runs(home) / "ranker-1")
    store = open_store(home)
    store.promote("ranker", "ranker-1")
    store.close()


def _beside(engine: Engine, viewers: list[str], rounds: int) -> dict[str, list[dict[str, float]]]:
    """What requests take without a model ("") and at each server, turn by turn."""
    taken = dict[str, list[dict[str, float]]]()
    for number in range(rounds):
        for server in ("", *SERVERS):
            with _reading_on(engine, server) if server else nullcontext(engine) as its:
                taken.setdefault(server, []).extend(_measure(its, viewers, TURN, number))
    return taken


@contextmanager
def _reading_on(engine: Engine, server: str) -> Iterator[Engine]:
    """The engine with such a model, by which a thread has posts read, as a running server does."""
    with socket.create_server(("127.0.0.1", 0)) as door:  # takes connections and says nothing
        url = f"http://127.0.0.1:{door.getsockname()[1]}/v1"
        if server == DEAD:
            door.close()
        llm = LanguageModelSettings(kind="url", url=url, model="none")
        its = replace(engine, settings=replace(engine.settings, llm=llm))
        assert its.llm is not None
        reader, now = LanguageReader(ENCODER, its.llm), time.time_ns() // 1_000_000
        asked = partial(deepen, its.store, reader, at=now, most=llm.concurrency)
        thread = Thread(target=asked, name="ariane-bench-deepen")
        thread.start()
        yield its
    thread.join()  # soon, now that the door is shut


def _measure(
    engine: Engine, viewers: list[str], asks: int, seed: int = 1
) -> list[dict[str, float]]:
    clock = Clock([])
    rng = np.random.default_rng(seed)
    with _watched(clock):
        for viewer in rng.choice(viewers, asks):
            ask = engine.ask(str(viewer), at=time.time_ns() // 1_000_000)
            with clock.request():
                feed.for_you(engine, ask)
    return clock.requests[asks // 10 :]  # the first ones warm the caches


def _row(
    stage: str, mine: list[dict[str, float]], theirs: list[dict[str, float]]
) -> dict[str, float | str]:
    own = np.percentile([request[stage] for request in mine], (50, 95, 99))
    peer = np.percentile([request[stage] for request in theirs], (50, 95, 99))
    row: dict[str, float | str] = {"stage": f"{stage}, ms"}
    row |= dict(zip(("p50", "p95", "p99"), map(float, own), strict=True))
    row |= {"peer p50": float(peer[0]), "peer p99": float(peer[2])}
    return row | {"p50 ratio": float(own[0] / peer[0]) if peer[0] else float("nan")}
