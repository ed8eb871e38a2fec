"""A second opinion: what the student holds of what a language model said of a post.

A model names an aspect wrongly now and then; the student, which was fitted on all that it named,
knows what it names posts like this one. By Bayes, P(true | text, said) is as P(true | text), which
the student tells, times P(said | true), with a rate of errors that are spread evenly over the other
names (Northcutt, Jiang and Chuang 2021, "Confident learning"). Only the post's own vector is asked,
so that no other post has a say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ariane.heads import Head
from ariane.read.aspects import ASPECTS, student
from ariane.types import Reading, Vector

DOUBTS, TEACHER = "doubts", "teacher"
"""Where a run's heads keep the doubts, as JSON, and the reader of whom they are."""

_BY: Final = " with aspects@"


@dataclass(frozen=True, slots=True)
class Doubt:
    """The share of an aspect's names that the model gets wrong, and what the student's
    log-probabilities are multiplied by to be those of the truth."""

    error: float
    sharpness: float


class Opinion:
    """A student's heads and its doubts of its teacher, by aspect; `name` is the student's."""

    def __init__(
        self, heads: Mapping[str, Head], doubts: Mapping[str, Doubt], name: str, teacher: str
    ) -> None:
        self._heads, self._doubts, self.name, self._teacher = heads, doubts, name, teacher

    def otherwise(self, reading: Reading) -> dict[str, str]:
        """The aspects of which another name than the teacher's is the likeliest, with that name.

        Of what another model read it has no opinion.
        """
        found = dict[str, str]()
        if reading.by != self._teacher:
            return found
        for aspect, doubt in self._doubts.items():
            head, said = self._heads[aspect], named(reading)[aspect]
            if said in head.classes:
                best = likeliest(head, doubt, reading.vector[np.newaxis], [said])[0]
                if best != said:
                    found[aspect] = best
        return found

    def corrects(self, by: str) -> str:
        """The name of a reading by this model after the correction."""
        return f"{by} with {self.name}"


def uncorrected(by: str) -> str:
    """The name of the model's own reading behind one that may be corrected."""
    return by.rpartition(_BY)[0] or by


def named(reading: Reading) -> dict[str, str]:
    """A name, or "", for each aspect; of topics the first."""
    first = reading.topics[0][0] if reading.topics else ""
    return dict(zip(ASPECTS, (first, reading.tone, reading.intent, reading.format), strict=True))


def likeliest(head: Head, doubt: Doubt, vectors: Vector, said: Sequence[str]) -> list[str]:
    """The likeliest name of each row of (n, width), given what the model said of it."""
    told = [head.classes.index(name) for name in said]
    given = np.full((len(told), len(head.classes)), doubt.error / (len(head.classes) - 1))
    given[np.arange(len(told)), told] = 1.0 - doubt.error
    belief = head.probabilities(vectors).astype(np.float64) ** doubt.sharpness * given
    return [head.classes[k] for k in belief.argmax(axis=1)]


def opinion(encoder: str, run: Path) -> Opinion | None:
    """The second opinion of a run that `ariane train reader` made; None where it kept no doubts.

    Raises ArianeError where the run is damaged or for another encoder.
    """
    heads, about = student(encoder, run)
    kept: dict[str, dict[str, float]] = json.loads(about.get(DOUBTS, "{}"))
    doubts = {aspect: Doubt(**doubt) for aspect, doubt in kept.items()}
    if not doubts:
        return None
    return Opinion(heads, doubts, f"aspects@{about['version']}", about[TEACHER])
