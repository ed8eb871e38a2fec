"""Posts a second of the whole reading, beside the bare encoder on the same texts in one run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from ariane.guard.classify import Classifier
from ariane.guard.classify import prototypes as guard_prototypes
from ariane.read import read
from ariane.read.aspects import prototypes as read_prototypes
from ariane.read.encoder import SentenceEncoder
from ariane.read.reader import EncoderReader
from ariane.store.sqlite import SqliteStore
from ariane.types import Post

T = TypeVar("T")

BATCH = 256
ROUNDS = 3


def run(quick: bool = False) -> list[dict[str, float | str]]:
    """Rows of `stage`, `posts/s` (the fastest round) and `of encoder`, the share of its speed.

    The texts are the package's prototypes, short posts in English and French.
    """
    texts = [one.text for one in read_prototypes()] + [one.text for one in guard_prototypes()]
    texts = texts[:64] if quick else texts
    encoder, rounds = SentenceEncoder(), 1 if quick else ROUNDS
    reader, classifier = EncoderReader(encoder), Classifier()
    posts = [Post(f"p{n}", "a", text, n) for n, text in enumerate(texts)]
    stages: dict[str, Callable[[], object]] = {
        "bare encoder": lambda: [encoder.encode(part) for part in _batches(texts)],
        "reader": lambda: [reader.read(part) for part in _batches(posts)],
        "read, classify, store": lambda: _whole(reader, classifier, posts),
    }
    encoder.encode(texts[:8])  # loads the weights
    seconds = {stage: np.empty(rounds) for stage in stages}
    for number in range(rounds):
        for stage, work in stages.items():
            start = time.perf_counter()
            work()
            seconds[stage][number] = time.perf_counter() - start
    speed = {stage: len(texts) / float(took.min()) for stage, took in seconds.items()}
    return [
        {"stage": stage, "posts/s": rate, "of encoder": rate / speed["bare encoder"]}
        for stage, rate in speed.items()
    ]


def _batches(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[start : start + BATCH] for start in range(0, len(items), BATCH)]


def _whole(reader: EncoderReader, classifier: Classifier, posts: Sequence[Post]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "read.db")
        store.write(posts)
        done = read(store, reader, classifier, batch=BATCH)
        store.close()
    return done
