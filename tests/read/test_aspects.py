from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from ariane.read.aspects import (
    ASPECTS,
    LEAST_PROBABILITY,
    MOST_TOPICS,
    TOPICS,
    Aspects,
    digest,
    prototypes,
    shipped,
)
from ariane.read.encoder import SentenceEncoder
from ariane.types import Vector


class Letters:
    """A second encoder: letter frequencies, projected."""

    name = "letters@1"
    width = 32

    def encode(self, texts: Sequence[str]) -> Vector:
        counts = np.array([[text.count(chr(97 + k)) for k in range(26)] for text in texts])
        mixed = counts @ np.random.default_rng(0).standard_normal((26, self.width))
        return (mixed / (np.linalg.norm(mixed, axis=1, keepdims=True) + 1e-9)).astype(np.float32)


def test_there_are_24_topics_and_8_of_each_other_aspect_named_in_two_languages() -> None:
    assert {aspect: len(names) for aspect, names in ASPECTS.items()} == {
        "topic": 24,
        "tone": 8,
        "intent": 8,
        "format": 8,
    }
    for names in ASPECTS.values():
        assert all(set(shown) == {"en", "fr"} for shown in names.values())
        for language in ("en", "fr"):
            assert len({shown[language] for shown in names.values()}) == len(names)


@pytest.mark.parametrize("aspect", ASPECTS)
def test_every_class_has_a_dozen_prototypes_in_each_language(aspect: str) -> None:
    counts = Counter((getattr(one, aspect), one.language) for one in prototypes())
    for name in ASPECTS[aspect]:
        assert counts[name, "en"] >= 12
        assert counts[name, "fr"] >= 12
    assert {name for name, _ in counts} - {""} == set(ASPECTS[aspect])


def test_no_prototype_is_there_twice() -> None:
    assert max(Counter(one.text for one in prototypes()).values()) == 1


def test_the_shipped_heads_were_fitted_on_the_prototypes_as_they_are() -> None:
    heads, about = shipped()
    assert about == {"encoder": SentenceEncoder.name, "prototypes": digest()}
    assert {aspect: set(head.classes) for aspect, head in heads.items()} == {
        aspect: set(names) for aspect, names in ASPECTS.items()
    }


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("My vet says the cat needs an operation on her paw", "animals"),
        ("Les glaciers fondent et la canicule bat encore un record", "climate"),
        ("Which chords does the second verse use?", "music"),
        ("Le gardien arrête le penalty à la dernière minute", "sport"),
        ("Cómo preparar una sopa de lentejas", "food"),
        ("Der Zug fällt heute wieder aus", "transport"),
    ],
)
def test_a_plain_post_gets_its_topic_in_any_language(
    encoder: SentenceEncoder, text: str, topic: str
) -> None:
    understood = Aspects(encoder).understand(encoder.encode([text]))[0]
    assert understood.topics[0][0] == topic


def test_topics_are_few_most_probable_first_and_known(encoder: SentenceEncoder) -> None:
    texts = ["Cycling to work with the dog, and bread for lunch", "hm", "La la la"]
    for understood in Aspects(encoder).understand(encoder.encode(texts)):
        parts = [part for _, part in understood.topics]
        assert len(parts) <= MOST_TOPICS
        assert parts == sorted(parts, reverse=True)
        assert all(LEAST_PROBABILITY <= part <= 1 for part in parts)
        assert {name for name, _ in understood.topics} <= set(TOPICS)


def test_tone_intent_and_format_are_named_where_they_are_plain(encoder: SentenceEncoder) -> None:
    texts = [
        "I am furious. Third cancelled train this week, this is a disgrace!",
        "Does anyone know where I can have my bike repaired?",
        "Concert de la chorale samedi à 20 h à l'église, entrée libre.",
    ]
    angry, asking, event = Aspects(encoder).understand(encoder.encode(texts))
    assert angry.tone == "angry"
    assert asking.intent == "ask"
    assert event.format == "event"


def test_what_is_not_sure_has_no_name(encoder: SentenceEncoder) -> None:
    vectors = np.random.default_rng(0).standard_normal((200, encoder.width)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    tones = Counter(one.tone for one in Aspects(encoder).understand(vectors))
    assert tones[""] > 20
    assert set(tones) <= {"", *ASPECTS["tone"]}


def test_another_encoder_gets_heads_of_its_own() -> None:
    aspects = Aspects(Letters())
    understood = aspects.understand(Letters().encode(["a sentence about nothing at all"]))
    assert len(understood) == 1
    assert aspects.name == f"aspects@{digest()}"
