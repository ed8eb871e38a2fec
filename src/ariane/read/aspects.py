"""What a text is about, and how it says it: 24 topics, 8 tones, 8 intents and 8 formats.

The heads are fitted on `prototypes.jsonl`, original posts in English and French written for this
purpose; an encoder that puts translations near each other carries them to its other languages.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from ariane.heads import Head, fit, load
from ariane.types import ArianeError, Encoder, Vector

Names = Mapping[str, Mapping[str, str]]

TOPICS: Final[Names] = {
    "politics": {"en": "Politics", "fr": "Politique"},
    "justice": {"en": "Justice & police", "fr": "Justice et police"},
    "economy": {"en": "Economy & money", "fr": "Économie et argent"},
    "work": {"en": "Work", "fr": "Travail"},
    "city": {"en": "Housing & cities", "fr": "Logement et ville"},
    "transport": {"en": "Transport", "fr": "Transports"},
    "climate": {"en": "Climate & environment", "fr": "Climat et environnement"},
    "science": {"en": "Science", "fr": "Science"},
    "technology": {"en": "Technology", "fr": "Technologie"},
    "health": {"en": "Health", "fr": "Santé"},
    "education": {"en": "Education", "fr": "Éducation"},
    "family": {"en": "Family & relationships", "fr": "Famille et relations"},
    "food": {"en": "Food", "fr": "Cuisine"},
    "garden": {"en": "Gardening", "fr": "Jardin"},
    "making": {"en": "Crafts & DIY", "fr": "Bricolage et artisanat"},
    "animals": {"en": "Animals", "fr": "Animaux"},
    "travel": {"en": "Travel & outdoors", "fr": "Voyage et randonnée"},
    "sport": {"en": "Sport", "fr": "Sport"},
    "games": {"en": "Games", "fr": "Jeux"},
    "music": {"en": "Music", "fr": "Musique"},
    "screen": {"en": "Films & series", "fr": "Films et séries"},
    "books": {"en": "Books", "fr": "Livres"},
    "art": {"en": "Art & stage", "fr": "Art et scène"},
    "history": {"en": "History", "fr": "Histoire"},
}

TONES: Final[Names] = {
    "neutral": {"en": "matter-of-fact", "fr": "factuel"},
    "warm": {"en": "warm", "fr": "chaleureux"},
    "enthusiastic": {"en": "enthusiastic", "fr": "enthousiaste"},
    "funny": {"en": "funny", "fr": "drôle"},
    "ironic": {"en": "ironic", "fr": "ironique"},
    "angry": {"en": "angry", "fr": "en colère"},
    "sad": {"en": "sad", "fr": "triste"},
    "worried": {"en": "worried", "fr": "inquiet"},
}

INTENTS: Final[Names] = {
    "inform": {"en": "informs", "fr": "informe"},
    "ask": {"en": "asks", "fr": "demande"},
    "argue": {"en": "gives an opinion", "fr": "donne un avis"},
    "tell": {"en": "tells something lived", "fr": "raconte du vécu"},
    "advise": {"en": "gives advice", "fr": "conseille"},
    "promote": {"en": "announces or offers", "fr": "annonce ou propose"},
    "mobilise": {"en": "calls to act", "fr": "appelle à agir"},
    "chat": {"en": "chats", "fr": "bavarde"},
}

FORMATS: Final[Names] = {
    "note": {"en": "short note", "fr": "publication courte"},
    "story": {"en": "story", "fr": "récit"},
    "list": {"en": "list", "fr": "liste"},
    "guide": {"en": "how-to", "fr": "mode d'emploi"},
    "review": {"en": "review", "fr": "critique"},
    "news": {"en": "news report", "fr": "nouvelle"},
    "quote": {"en": "quotation", "fr": "citation"},
    "event": {"en": "event", "fr": "événement"},
}

ASPECTS: Final[Mapping[str, Names]] = {
    "topic": TOPICS,
    "tone": TONES,
    "intent": INTENTS,
    "format": FORMATS,
}

WEIGHTS, CONFIG = "model.safetensors", "config.json"
"""The files of a run of heads."""

MOST_TOPICS = 3
LEAST_PROBABILITY = 0.15
"""At most three topics of a post are kept, none below this probability."""

PRECISION = 0.85
"""A tone, intent or format is named where, out of fold, this share of such names was right."""


@dataclass(frozen=True, slots=True)
class Prototype:
    """One example post, with its name on each aspect; "" where it is no example."""

    text: str
    language: str
    topic: str
    tone: str
    intent: str
    format: str


@dataclass(frozen=True, slots=True)
class Understood:
    """The aspects of one text, as in `Reading`."""

    topics: tuple[tuple[str, float], ...]
    tone: str
    intent: str
    format: str


UNREADABLE = Understood((), "", "", "")
"""What is understood of a post without text."""


class Aspects:
    """Calibrated heads over one encoder's vectors; `name` changes with what they were fitted on."""

    def __init__(self, encoder: Encoder, run: Path | None = None) -> None:
        """The heads of a run, else those of the package, for another encoder fitted here (seconds).

        Raises ArianeError where the run's are damaged or for another encoder.
        """
        if run is not None:
            self._heads, about = student(encoder.name, run)
            self.name = f"aspects@{about['version']}"
            return
        self._heads = untaught(encoder)
        self.name = f"aspects@{digest()}"

    def understand(self, vectors: Vector) -> list[Understood]:
        """One answer a row of (n, width); a name only where its head is sure of it."""
        topics = self._heads["topic"].probabilities(vectors)
        order = (-topics).argsort(axis=1, kind="stable")[:, :MOST_TOPICS]
        names = {aspect: _sure(self._heads[aspect], vectors) for aspect in ASPECTS}
        classes = self._heads["topic"].classes
        return [
            Understood(
                tuple(
                    (classes[k], float(topics[row, k]))
                    for k in order[row]
                    if topics[row, k] >= LEAST_PROBABILITY
                ),
                names["tone"][row],
                names["intent"][row],
                names["format"][row],
            )
            for row in range(len(vectors))
        ]


def student(encoder: str, run: Path) -> tuple[dict[str, Head], dict[str, str]]:
    """The heads of a run that `ariane train reader` made, and what is to be known about them.

    Raises ArianeError where they are damaged or for another encoder.
    """
    heads, about = load(run / WEIGHTS)
    if about["encoder"] != encoder or not heads.keys() >= ASPECTS.keys():
        raise ArianeError(
            f"{run} holds heads for {about['encoder']}, not for {encoder}; train it again."
        )
    return heads, about


def prototypes() -> list[Prototype]:
    """The example posts, in the order of the file."""
    lines = files(__package__).joinpath("prototypes.jsonl").read_text("utf-8").splitlines()
    return [Prototype(**json.loads(line)) for line in lines]


def digest() -> str:
    """Eight hexadecimal digits of the prototypes: what the readings of other ones do not share."""
    return hashlib.sha256(files(__package__).joinpath("prototypes.jsonl").read_bytes()).hexdigest()[
        :8
    ]


def train(encoder: Encoder) -> dict[str, Head]:
    """One head an aspect, fitted on the prototypes."""
    examples = prototypes()
    vectors = encoder.encode([example.text for example in examples])
    heads = {}
    for aspect in ASPECTS:
        rows = [row for row, example in enumerate(examples) if getattr(example, aspect)]
        heads[aspect] = fit(
            vectors[rows],
            [getattr(examples[row], aspect) for row in rows],
            [examples[row].language for row in rows],
            precision=PRECISION,
        )
    return heads


def shipped() -> tuple[dict[str, Head], dict[str, str]]:
    """The heads that come with the package, and which encoder and prototypes made them."""
    with as_file(files(__package__).joinpath("heads.safetensors")) as path:
        return load(path)


def untaught(encoder: Encoder) -> dict[str, Head]:
    """The heads of the package, for another encoder fitted here (seconds)."""
    kept, about = shipped()
    fitted = about["encoder"] == encoder.name and about["prototypes"] == digest()
    return kept if fitted else train(encoder)


def _sure(head: Head, vectors: Vector) -> list[str]:
    probabilities = head.probabilities(vectors)
    best = probabilities.argmax(axis=1)
    return [
        head.classes[k] if probabilities[row, k] >= head.sure else "" for row, k in enumerate(best)
    ]
