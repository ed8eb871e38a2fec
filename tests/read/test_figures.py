"""How well the aspects are read; run with `-s` to see the figures that docs/read.md prints."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from ariane import heads
from ariane.read.aspects import ASPECTS, Prototype, prototypes, shipped
from ariane.read.encoder import SentenceEncoder
from ariane.types import Vector

DATA = os.environ.get("ARIANE_DATA")
FLOOR = {"topic": 0.70, "tone": 0.60, "intent": 0.72, "format": 0.70}

OURS: Mapping[str, tuple[str, ...]] = {
    "politics": ("politics", "justice", "economy", "work"),
    "science/technology": ("science", "technology", "climate"),
    "travel": ("travel", "transport"),
    "sports": ("sport",),
    "health": ("health",),
    "entertainment": ("music", "screen", "games", "books", "art"),
}
"""SIB-200's topics as ours; its "geography" has none of its own here."""


@pytest.fixture(scope="module")
def examples(encoder: SentenceEncoder) -> tuple[list[Prototype], Vector]:
    found = prototypes()
    return found, encoder.encode([one.text for one in found])


@pytest.mark.slow
@pytest.mark.parametrize("aspect", ASPECTS)
def test_prototypes_out_of_fold(examples: tuple[list[Prototype], Vector], aspect: str) -> None:
    rows = [n for n, one in enumerate(examples[0]) if getattr(one, aspect)]
    chosen, vectors = [examples[0][n] for n in rows], examples[1][rows]
    names = [getattr(one, aspect) for one in chosen]
    classes = sorted(set(names))
    truth = np.array([classes.index(name) for name in names])
    languages = np.array([one.language for one in chosen])
    logits, _ = heads.out_of_fold(vectors, truth, languages.tolist(), len(classes))
    right = logits.argmax(axis=1) == truth
    f1 = macro_f1(truth, logits.argmax(axis=1), len(classes))
    parts = {language: right[languages == language].mean() for language in ("en", "fr")}
    print(f"\n{aspect}: accuracy en {parts['en']:.3f}, fr {parts['fr']:.3f}; macro-F1 {f1:.3f}")
    assert min(parts.values()) >= FLOOR[aspect] - 0.05
    assert right.mean() >= FLOOR[aspect] - 0.03


@pytest.mark.slow
@pytest.mark.skipif(not DATA, reason="ARIANE_DATA is not set, so that SIB-200 is not there")
@pytest.mark.parametrize("language", ["eng_Latn", "fra_Latn", "deu_Latn", "spa_Latn", "arb_Arab"])
def test_topics_of_sib_200(encoder: SentenceEncoder, language: str) -> None:
    with tarfile.open(Path(str(DATA)) / "text" / "sib200.tar.xz") as archive:
        file = archive.extractfile(f"sib200/{language}.test.tsv")
        assert file is not None
        rows = [line.split("\t") for line in file.read().decode("utf-8").splitlines()[1:]]
    kept = [(topic, text) for _, topic, text in rows if topic in OURS]
    topics, _ = shipped()
    probabilities = topics["topic"].probabilities(encoder.encode([text for _, text in kept]))
    columns = [[topics["topic"].classes.index(name) for name in names] for names in OURS.values()]
    sums = np.stack([probabilities[:, column].sum(axis=1) for column in columns], axis=1)
    said = [list(OURS)[k] for k in sums.argmax(axis=1)]
    accuracy = np.mean([a == b for a, (b, _) in zip(said, kept, strict=True)])
    print(f"\nSIB-200 {language}: accuracy {accuracy:.3f} over {len(kept)} sentences, six topics")
    assert accuracy >= 0.62


def macro_f1(truth: np.ndarray, said: np.ndarray, classes: int) -> float:
    both = [((said == k) & (truth == k)).sum() for k in range(classes)]
    either = [(said == k).sum() + (truth == k).sum() for k in range(classes)]
    return float(np.mean([2 * b / max(1, e) for b, e in zip(both, either, strict=True)]))
