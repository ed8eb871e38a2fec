"""`kill -9` while posts are read: what was written is whole, and only the rest is read again."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ariane.guard.classify import Classifier
from ariane.read import read
from ariane.read.reader import EncoderReader
from ariane.store.sqlite import SqliteStore
from ariane.types import Candidate, Post

CODE = """
import sys
from ariane.guard.classify import Classifier
from ariane.read import read
from ariane.read.encoder import SentenceEncoder
from ariane.read.reader import EncoderReader
from ariane.store.sqlite import SqliteStore
def told(count):
    print(count, flush=True)
store, reader = SqliteStore(sys.argv[1]), EncoderReader(SentenceEncoder())
read(store, reader, Classifier(), batch=25, progress=told)
print("done", flush=True)
"""

TEXTS = ("the vote", "un chat noir", "WIN free crypto now, click here", "you stupid idiot", "rain")
POSTS = [Post(f"p{n}", "a", f"{TEXTS[n % 5]} {n}", n) for n in range(500)]


def held(store: SqliteStore) -> dict[str, Candidate]:
    """The posts that were read."""
    found = store.candidates([post.id for post in POSTS], at=len(POSTS))
    return {name: one for name, one in found.items() if one.reading is not None}


def flat(one: Candidate) -> tuple[object, ...]:
    seen = one.reading
    assert seen is not None
    topic = [name for name, _ in seen.topics[:1]]
    labels = sorted(label.value for label in one.labels)
    return topic, seen.tone, seen.intent, seen.format, seen.language, seen.by, labels


@pytest.mark.slow
def test_what_was_read_before_a_kill_is_held_with_its_labels(
    tmp_path: Path, reader: EncoderReader
) -> None:
    whole, killed = SqliteStore(tmp_path / "whole.db"), SqliteStore(tmp_path / "killed.db")
    for store in (whole, killed):
        store.write(POSTS)
    read(whole, reader, Classifier())
    expected = held(whole)
    rng, kills, acknowledged = random.Random(1), 0, 0
    while True:
        command = [sys.executable, "-c", CODE, str(tmp_path / "killed.db")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        heard = [process.stdout.readline().strip() for _ in range(rng.randint(1, 6))]
        if "done" not in heard:
            process.send_signal(signal.SIGKILL)
        process.communicate()
        acknowledged += max((int(line) for line in heard if line.isdigit()), default=0)
        found = held(killed)
        assert len(found) >= acknowledged  # and so nothing acknowledged was read a second time
        assert all(flat(found[name]) == flat(expected[name]) for name in found)
        if "done" in heard:
            break
        kills += 1
    assert kills >= 3
    assert found.keys() == expected.keys()
    assert any(one.labels for one in found.values())
    for name, one in found.items():
        mine, other = one.reading, expected[name].reading
        assert mine is not None
        assert other is not None
        np.testing.assert_allclose(mine.vector, other.vector, atol=1e-5)
    whole.close()
    killed.close()
