"""The first run: from nothing to a feed on real people's reactions, with each step and its time."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from typing import Any, Final

import torch

from ariane.demo.polis import polis
from ariane.demo.town import take_in
from ariane.engine import Engine, load, open_store
from ariane.evaluate import evaluate, plan
from ariane.evaluate.world import World, liking, load_world
from ariane.home import init, new_run, runs
from ariane.ingest import ingest
from ariane.read import read
from ariane.report.promote import KEY, REPORT, promote, sign, signing_key, trained
from ariane.settings import FILE
from ariane.train import train_ranker, train_retriever
from ariane.types import CallError, Store

__all__ = ["run"]

Say = Callable[[str], None]

WORKERS: Final = 2
"""Trainings at once."""


def run(
    home: Path,
    data: str,
    path: Path | None,
    *,
    size: str,
    compare: bool,
    progress: Say,
    **others: object,
) -> dict[str, Any]:
    """Take in, read, train, evaluate and promote; the evaluation's result as JSON values.

    Done again on the same home it takes in what is new, and trains only where no ranker is live.
    With `compare`, and always on real people, the ranker is trained three times more, without what
    is in question. `others` are tables of a new home's settings, as for `init`.
    """
    if data not in ("town", "polis"):
        raise CallError(f"{data} is no data set of the demo; there are town and polis.")
    if data == "town" and path is not None:
        raise CallError(f"the town lies in the package; leave {path} out, or say --data polis.")
    if not (home / FILE).exists():
        init(home, **others)
    engine = load(home)
    with _step("take in", progress):
        if data == "town":
            progress(f"{take_in(engine.store, home, time.time_ns() // 1_000_000)} new")
        else:
            source = polis(path, home, progress)
            taken = ingest(engine.store, str(source), kind="polis", rejects=home / "rejects.jsonl")
            progress(f"{taken.taken} new, {taken.same} held already, {taken.rejected} rejected")
    with _step("read", progress):
        progress(f"{read(engine.store, engine.reader, engine.classify)} posts")
    result = _live(engine) or _learn(engine, size, compare or data == "polis", progress)
    with _step("index", progress):
        fresh = load(home)
        fresh.refresh()
        fresh.store.close()
    progress(f"now try: ariane feed {_viewer(engine.store)} --home {home}")
    engine.store.close()
    return result


def _planted(world: World | None) -> Callable[[str, str], float] | None:
    """How much each person truly likes each post, where that is known."""
    if world is None:
        return None
    people = {person.id: person for person in world.people}
    return lambda viewer, post: liking(people[viewer], world.truths[post])


def _viewer(store: Store) -> str:
    """The viewer who did most of those who still have half of the posts to see, or anyone."""
    done = Counter(action.viewer for action in store.actions())
    most = store.counts().posts / 2
    return max(
        (name for name in done if done[name] <= most), key=done.__getitem__, default="anyone"
    )


def _learn(engine: Engine, size: str, compare: bool, progress: Say) -> dict[str, Any]:
    """Train both models, evaluate the ranker, promote.

    Trainings run side by side, each in a process of its own with one thread.
    """
    store, key = engine.store, signing_key(engine.home / KEY)
    retriever, ranker = new_run(engine.home, "retriever"), new_run(engine.home, "ranker")
    chosen = plan(store)
    with (
        tempfile.TemporaryDirectory(dir=engine.home) as folder,
        ProcessPoolExecutor(WORKERS, get_context("spawn"), _alone) as pool,
    ):
        rankers = partial(_rank, engine.home, size, chosen.until)
        with _step("train", progress):
            jobs = {"ranker": pool.submit(rankers, ranker)}
            if compare:
                for name, reading, withhold in (
                    ("blind", False, frozenset[str]()),
                    ("cold", True, chosen.withheld),
                    ("both", False, chosen.withheld),
                ):
                    jobs[name] = pool.submit(
                        rankers, Path(folder) / name, reading=reading, withhold=withhold
                    )
            jobs["retriever"] = pool.submit(_retrieve, engine.home, retriever)
            done = {name: job.result() for name, job in jobs.items()}
        with _step("evaluate", progress):
            result = evaluate(
                store,
                ranker,
                blind=done.get("blind"),
                cold=(done["cold"], done["both"]) if compare else None,
                known=_planted(load_world(engine.home)),
                progress=progress,
            )
    sign(ranker, "ranker", result, key)
    sign(retriever, "retriever", trained(retriever), key)
    promote(store, "retriever", retriever, key)
    promote(store, "ranker", ranker, key)
    return result


def _alone() -> None:
    """One thread a process, since these matrices are too small to share; it ends with the demo."""
    torch.set_num_threads(1)
    demo = parent_process()
    if demo is not None:
        Thread(target=_end_with, args=(demo,), daemon=True).start()


def _end_with(demo: BaseProcess) -> None:
    demo.join()
    os._exit(1)


def _rank(
    home: Path,
    size: str,
    until: Mapping[str, int],
    run: Path,
    *,
    reading: bool = True,
    withhold: frozenset[str] = frozenset(),
) -> Path:
    """Train one ranker, in a worker."""
    store = open_store(home)
    try:
        return train_ranker(
            store,
            run,
            size=size,
            until=until,
            reading=reading,
            withhold=withhold,
            progress=partial(_say, run.name),
        )
    finally:
        store.close()


def _retrieve(home: Path, run: Path) -> Path:
    """Train the retriever, in a worker."""
    store = open_store(home)
    try:
        return train_retriever(store, run, progress=partial(_say, run.name))
    finally:
        store.close()


def _say(name: str, line: str) -> None:
    sys.stderr.write(f"   [{name}] {line}\n")


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
