"""Reading → Labels, once, at take-in: one head a harm, over the reader's vector.

The heads are fitted on `prototypes.jsonl`, original posts in English and French: violating ones,
and innocent ones that look like them (counter-speech, quoting, reporting, asking for help). Every
classified post gets the label `classified`, so that a post without it is known to be unchecked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Final

from ariane.guard.policies import CLASSIFIED
from ariane.heads import Head, fit, load
from ariane.types import HARMS, HOUSE, ArianeError, Encoder, Label, Post, Reading

LEAST_CONFIDENCE: Final = 0.4
"""Below this a label says nothing: even odds, where harmful posts are a few in a thousand."""


@dataclass(frozen=True, slots=True)
class Prototype:
    """One example post; `value` is "" where it is innocent."""

    text: str
    language: str
    value: str


class Classifier:
    """Labels with source "ariane/NAME"; `name` changes with the prototypes and the encoder."""

    def __init__(self) -> None:
        with as_file(files(__package__).joinpath("heads.safetensors")) as path:
            self.heads, about = load(path)
        self._encoder = about["encoder"]
        self.name = f"guard@{about['version']}"

    def __call__(self, post: Post, reading: Reading) -> tuple[Label, ...]:
        """The labels of one post; of an edited one also what they take back of its past.

        Raises ArianeError for a reading whose vector another encoder made.
        """
        if reading.by.partition("+")[0] != self._encoder:
            raise ArianeError(
                f"{self.name} classifies vectors of {self._encoder}, not of {reading.by}: fit its "
                "heads for that encoder with python -m ariane.train.reader."
            )
        at, source = post.since, HOUSE + self.name
        labels = [Label(post.id, CLASSIFIED, source, at)]
        for value, head in self.heads.items():
            confidence = float(head.probabilities(reading.vector[None])[0, 1])
            if confidence >= LEAST_CONFIDENCE:
                labels.append(Label(post.id, value, source, at, confidence))
            elif post.rev > 1:
                labels.append(Label(post.id, value, source, at, negates=True))
        return tuple(labels)


def prototypes() -> list[Prototype]:
    """The example posts, in the order of the file."""
    lines = files(__package__).joinpath("prototypes.jsonl").read_text("utf-8").splitlines()
    return [Prototype(**json.loads(line)) for line in lines]


def train(encoder: Encoder, ordinary: Sequence[tuple[str, str]]) -> tuple[dict[str, Head], str]:
    """One two-class head a harm, and the version of what they were fitted on.

    `ordinary` are (text, language) of more innocent posts, without which everyday subjects that no
    prototype mentions look suspect.
    """
    examples = prototypes()
    innocent = [Prototype(text, language, "") for text, language in ordinary]
    every = examples + innocent
    vectors = encoder.encode([example.text for example in every])
    languages = [example.language for example in every]
    heads = {
        value: fit(
            vectors, [value if example.value == value else "" for example in every], languages
        )
        for value in HARMS
    }
    said = json.dumps([encoder.name, [(one.text, one.value) for one in every]])
    return heads, hashlib.sha256(said.encode()).hexdigest()[:8]
