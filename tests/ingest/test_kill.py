"""`kill -9` in the middle of an ingestion: run again, the store is as if nothing had happened."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.ingest.events import NOW, written

from ariane.ingest import IngestSettings, ingest
from ariane.store.sqlite import SqliteStore
from ariane.types import Action, ActionKind, Delete, Event, Post

CODE = """
import sys
from ariane.ingest import IngestSettings, ingest
from ariane.store.sqlite import SqliteStore
def told(report):
    print(report.taken + report.same, flush=True)
small = IngestSettings(batch_events=200)
ingest(SqliteStore(sys.argv[1]), sys.argv[2], progress=told, settings=small)
print("done", flush=True)
"""


def corpus(seed: int) -> list[Event]:
    """Posts in several revisions, actions, repeats and deletes, in any order."""
    rng = random.Random(seed)
    events: list[Event] = []
    for number in range(8_000):
        kind = rng.random()
        name = f"p{rng.randrange(2_000)}"
        if kind < 0.4:
            rev = rng.randint(1, 3)
            events.append(Post(name, "a", f"{name} in revision {rev}", NOW - rev, rev))
        elif kind < 0.9:
            viewer = f"v{rng.randrange(50)}"
            events.append(Action(str(number), viewer, ActionKind.LIKE, NOW - number, name))
        elif kind < 0.95:
            events.append(Delete("post", name, NOW))
        else:
            events.append(rng.choice(events) if events else Post(name, "a", "first", NOW, 9))
    return events


def held(store: SqliteStore) -> tuple[object, ...]:
    ids = [f"p{number}" for number in range(2_000)]
    return store.counts(), store.posts(ids), sorted(store.actions(), key=lambda one: one.id)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_acknowledged_before_a_kill_is_held_and_the_rest_follows(
    tmp_path: Path, seed: int
) -> None:
    source, database = tmp_path / "events.jsonl", tmp_path / "killed.db"
    source.write_text(written(corpus(seed)))
    rng = random.Random(seed)
    kills, acknowledged = 0, 0
    while True:
        process = subprocess.Popen(
            [sys.executable, "-c", CODE, str(database), str(source)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        assert process.stdout is not None
        batches = rng.randint(1, 9)
        heard = [process.stdout.readline().strip() for _ in range(batches)]
        if "done" in heard:
            process.communicate()
            break
        if rng.random() < 0.5:  # sometimes within a batch, sometimes right after it
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += 1
        acknowledged += int(heard[-1])
        assert kills < 100
    assert kills >= 3
    assert acknowledged <= 8_000  # no acknowledged line was taken in a second time

    killed, whole = SqliteStore(database), SqliteStore(tmp_path / "whole.db")
    ingest(whole, str(source), settings=IngestSettings(batch_events=200))
    assert held(killed) == held(whole)
    assert killed.cursor(str(source)) == whole.cursor(str(source))
    killed.close()
    whole.close()
