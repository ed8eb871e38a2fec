from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from ariane.guard.classify import LEAST_CONFIDENCE, Classifier, prototypes
from ariane.read.encoder import SentenceEncoder
from ariane.read.reader import EncoderReader
from ariane.store.sqlite import SqliteStore
from ariane.types import HARMS, ArianeError, Label, Post


@pytest.fixture(scope="module")
def reader() -> EncoderReader:
    return EncoderReader(SentenceEncoder())


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier()


def labels(
    reader: EncoderReader, classifier: Classifier, text: str, rev: int = 1, at: int = 5
) -> tuple[Label, ...]:
    post = Post("p", "a", text, at, rev=rev)
    return classifier(post, reader.read([post])[0])


@pytest.mark.parametrize("value", HARMS)
def test_every_harm_has_a_dozen_prototypes_in_each_language(value: str) -> None:
    counts = Counter((one.value, one.language) for one in prototypes())
    assert counts[value, "en"] >= 12
    assert counts[value, "fr"] >= 12
    assert counts["", "en"] >= 60
    assert counts["", "fr"] >= 60


def test_no_prototype_is_there_twice() -> None:
    assert max(Counter(one.text for one in prototypes()).values()) == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("You WON a free phone! Click http://win.example to claim your prize today!!!", "spam"),
        ("Gagnez 300 € par jour depuis votre canapé, cliquez sur le lien, places limitées", "spam"),
        ("You disgusting pig, nobody wants you here, get lost and die", "harassment"),
        ("Ferme ta gueule sale conne, personne ne veut de toi", "harassment"),
        ("Just kill yourself tonight, nobody will miss you", "self-harm"),
        ("Suicide-toi, rends service à tout le monde", "self-harm"),
        ("Uncensored hardcore sex video, naked women on my page", "sexual"),
    ],
)
def test_plain_harm_is_labelled(
    reader: EncoderReader, classifier: Classifier, text: str, value: str
) -> None:
    found = {label.value: label.confidence for label in labels(reader, classifier, text)}
    assert found.get(value, 0.0) >= 0.8


@pytest.mark.parametrize(
    "text",
    [
        "The bakery on Mill Street opens at seven.",
        "Le conseil vote le budget ce soir.",
        "We plant the hedge on Sunday, bring gloves.",
        "I'm gay and I run the chess club.",
        "Quelqu'un connaît un bon plombier ?",
        "",
    ],
)
def test_ordinary_posts_get_the_mark_and_nothing_that_acts_on_adults(
    reader: EncoderReader, classifier: Classifier, text: str
) -> None:
    found = {label.value: label.confidence for label in labels(reader, classifier, text)}
    assert found.pop("classified") == 1.0
    assert all(confidence < 0.85 for confidence in found.values())


def test_labels_name_their_source_and_stand_from_publication(
    reader: EncoderReader, classifier: Classifier
) -> None:
    for label in labels(reader, classifier, "Claim your free prize now! http://x.example", at=77):
        assert label.source == f"ariane/{classifier.name}"
        assert (label.subject, label.at, label.negates) == ("p", 77, False)
        assert label.confidence >= LEAST_CONFIDENCE


def test_an_edit_takes_back_what_no_longer_holds(
    reader: EncoderReader, classifier: Classifier, tmp_path: object
) -> None:
    spam, plain = "Claim your free prize NOW at http://win.example !!!", "The soup is ready."
    store = SqliteStore(f"{tmp_path}/ariane.db")
    standing = []
    for rev, text in enumerate([spam, plain, spam], start=1):
        post = Post("p", "a", text, 5, rev=rev)
        store.write([post])
        reading = reader.read([post])[0]
        store.write_readings([reading], classifier(post, reading))
        found = store.candidates(["p"], at=100)["p"]
        standing.append({label.value for label in found.labels})
    store.close()
    assert [("spam" in values) for values in standing] == [True, False, True]
    assert all("classified" in values for values in standing)


def test_revisions_that_are_times_are_when_their_labels_begin(
    reader: EncoderReader, classifier: Classifier
) -> None:
    edited = 1_700_000_000_000
    found = labels(reader, classifier, "Soup", rev=edited, at=edited - 1_000)
    assert {label.at for label in found} == {edited}


def test_vectors_of_another_encoder_are_refused(
    reader: EncoderReader, classifier: Classifier
) -> None:
    post = Post("p", "a", "text", 0)
    reading = reader.read([post])[0]
    with pytest.raises(ArianeError, match="other@1"):
        classifier(post, replace(reading, by="other@1+aspects@0"))


def test_the_same_reading_gives_the_same_labels(
    reader: EncoderReader, classifier: Classifier
) -> None:
    post = Post("p", "a", "You idiot", 0)
    reading = reader.read([post])[0]
    assert classifier(post, reading) == classifier(post, reading)
    assert np.isfinite([label.confidence for label in classifier(post, reading)]).all()
