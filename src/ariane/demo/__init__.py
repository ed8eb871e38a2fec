"""The first run: from nothing to a feed on real people's reactions, with each step and its time."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ariane.demo.polis import polis
from ariane.engine import Engine, init, load, new_run, runs
from ariane.evaluate import evaluate, plan
from ariane.ingest import ingest
from ariane.read import read
from ariane.report.promote import KEY, REPORT, promote, sign, signing_key
from ariane.settings import FILE
from ariane.train import train_ranker, train_retriever
from ariane.types import CallError

__all__ = ["run"]

Say = Callable[[str], None]


def run(home: Path, data: str, path: Path | None, *, size: str, progress: Say) -> dict[str, Any]:
    """Take in, read, train, evaluate and promote; the evaluation's result as JSON values.

    Done again on the same home it takes in what is new, and trains only where no ranker is live.
    """
    if data != "polis":
        raise CallError(f"{data} is no data set of the demo; there is polis.")
    if not (home / FILE).exists():
        init(home)
    engine = load(home)
    with _step("data", progress):
        source = polis(path, home, progress)
    with _step("take in", progress):
        taken = ingest(engine.store, str(source), kind="polis", rejects=home / "rejects.jsonl")
        progress(f"{taken.taken} new, {taken.same} held already, {taken.rejected} rejected")
    with _step("read", progress):
        progress(f"{read(engine.store, engine.reader, engine.classify)} posts")
    result = _live(engine) or _learn(engine, size, progress)
    with _step("index", progress):
        fresh = load(home)
        fresh.refresh()
        fresh.store.close()
    engine.store.close()
    return result


def _learn(engine: Engine, size: str, progress: Say) -> dict[str, Any]:
    """Train both models, evaluate the ranker beside runs without what is in question, promote."""
    store, key = engine.store, signing_key(engine.home / KEY)
    retriever, ranker = new_run(engine.home, "retriever"), new_run(engine.home, "ranker")
    with _step("train the retriever", progress):
        train_retriever(store, retriever, progress=progress)
        sign(retriever, {}, key)
    chosen = plan(store)
    with _step("train the ranker", progress):
        train_ranker(store, ranker, size=size, until=chosen.until, progress=progress)
    with tempfile.TemporaryDirectory(dir=engine.home) as folder:
        others = {}
        for name, reading, withhold in (
            ("blind", False, frozenset[str]()),
            ("cold", True, chosen.withheld),
            ("cold-blind", False, chosen.withheld),
        ):
            with _step(f"train a ranker to compare with ({name})", progress):
                others[name] = train_ranker(
                    store,
                    Path(folder) / name,
                    size=size,
                    until=chosen.until,
                    reading=reading,
                    withhold=withhold,
                    progress=progress,
                )
        with _step("evaluate", progress):
            cold = (others["cold"], others["cold-blind"])
            result = evaluate(store, ranker, blind=others["blind"], cold=cold, progress=progress)
    sign(ranker, result, key)
    promote(store, "retriever", retriever, key)
    promote(store, "ranker", ranker, key)
    return result


def _live(engine: Engine) -> dict[str, Any] | None:
    """The figures that the live ranker was promoted with."""
    name = engine.store.promoted("ranker")
    path = runs(engine.home) / (name or "") / REPORT
    if name is None or not path.exists():
        return None
    figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["report"]["figures"]
    return figures


@contextmanager
def _step(name: str, progress: Say) -> Iterator[None]:
    progress(f"== {name}")
    begun = time.monotonic()
    yield
    progress(f"   {name}: {time.monotonic() - begun:.1f} s")
