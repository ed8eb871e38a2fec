"""How well harms are told from innocence; run with `-s` to see the figures of docs/guard.md.

None of these sets was used in training. HateCheck is a test of functions: it is never to be tuned
on.
"""

from __future__ import annotations

import csv
import lzma
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ariane.guard.classify import Classifier
from ariane.heads import Head
from ariane.read.encoder import SentenceEncoder
from ariane.types import Vector

DATA = Path(os.environ.get("ARIANE_DATA", "")) / "text"
POLIS = DATA.parent / "polis"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("ARIANE_DATA" not in os.environ, reason="ARIANE_DATA is not set"),
]


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return SentenceEncoder()


@pytest.fixture(scope="module")
def heads() -> dict[str, Head]:
    return Classifier().heads


def test_sms_spam(encoder: SentenceEncoder, heads: dict[str, Head]) -> None:
    with lzma.open(DATA / "SMSSpamCollection.xz", "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t", 1) for line in file if "\t" in line]
    truth = np.array([kind == "spam" for kind, _ in rows])
    scores = heads["spam"].probabilities(encoder.encode([text for _, text in rows]))[:, 1]
    area = auc(truth, scores)
    print(f"\nSMS spam: AUC {area:.3f}; {rates(truth, scores)}")
    assert area >= 0.96


def test_tweeteval_offensive(encoder: SentenceEncoder, heads: dict[str, Head]) -> None:
    with tarfile.open(DATA / "tweeteval_offensive_hate_irony_emotion.tar.xz") as archive:
        texts, truth = (
            archive.extractfile(f"tweeteval/offensive.test.{part}.txt").read().decode("utf-8")  # type: ignore[union-attr]
            for part in ("text", "labels")
        )
    vectors = encoder.encode([line for line in texts.split("\n") if line])
    report("TweetEval-offensive", np.array(truth.split()) == "1", vectors, heads, 0.65)


def test_hatecheck(encoder: SentenceEncoder, heads: dict[str, Head]) -> None:
    with lzma.open(DATA / "hatecheck_en.csv.xz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    vectors = encoder.encode([row["test_case"] for row in rows])
    truth = np.array([row["label_gold"] == "hateful" for row in rows])
    report("HateCheck", truth, vectors, heads, 0.5)


def test_real_statements_are_left_alone(encoder: SentenceEncoder, heads: dict[str, Head]) -> None:
    texts = list(statements())
    vectors = encoder.encode(texts)
    for value, head in heads.items():
        scores = head.probabilities(vectors)[:, 1]
        shares = {limit: float((scores >= limit).mean()) for limit in (0.4, 0.6, 0.85, 0.97)}
        print(f"\nPolis, {len(texts)} statements, {value}: {shares}")
        assert shares[0.85] <= 0.005


def statements() -> Iterator[str]:
    for path in sorted(POLIS.glob("*/comments.csv.xz")):
        with lzma.open(path, "rt", encoding="utf-8", newline="") as file:
            yield from (row["comment-body"] for row in csv.DictReader(file))


def report(
    name: str, truth: np.ndarray, vectors: Vector, heads: dict[str, Head], floor: float
) -> None:
    scores = heads["harassment"].probabilities(vectors)[:, 1]
    area = auc(truth, scores)
    said = scores >= 0.5
    f1 = np.mean([f_measure(truth == side, said == side) for side in (True, False)])
    print(f"\n{name}: AUC {area:.3f}, macro-F1 {f1:.3f}; {rates(truth, scores)}")
    assert area >= floor


def rates(truth: np.ndarray, scores: np.ndarray) -> str:
    parts = [
        f"at {limit}: {(scores[truth] >= limit).mean():.3f} found, "
        f"{(scores[~truth] >= limit).mean():.4f} false"
        for limit in (0.85, 0.97)
    ]
    return "; ".join(parts)


def auc(truth: np.ndarray, scores: np.ndarray) -> float:
    """Mann and Whitney's U over the pairs, ties counting half."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positives = int(truth.sum())
    above = ranks[truth].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(truth) - positives)))


def f_measure(truth: np.ndarray, said: np.ndarray) -> float:
    return float(2 * (truth & said).sum() / max(1, truth.sum() + said.sum()))
