"""The student: heads on the encoder, fitted on what a language model read.

The model then need read only a sample: the student reads the rest as the model would have, as far
as a vector tells, and what it is unsure of is asked about first (`read/deepen.py`). Of what the
model reads on it has a second opinion (`read/opinion.py`), and it learns how far to doubt it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np

from ariane.heads import FOLDS, Head, fit, save
from ariane.read.aspects import ASPECTS, CONFIG, PRECISION, WEIGHTS, prototypes, untaught
from ariane.read.opinion import DOUBTS, TEACHER, Doubt, likeliest, named, uncorrected
from ariane.train.doubt import doubt
from ariane.types import ArianeError, Encoder, Reading, Store, Vector

HELD_OUT: Final = 5
"""One post in so many is kept to measure on."""

FEWEST: Final = 200
"""Posts that a language model must have read: fewer tell less than the prototypes do."""

PAGE: Final = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What was read of a text: its vector, its language, and a name or "" for each aspect."""

    vector: Vector
    language: str
    names: dict[str, str]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often a head names what the model named, in one language, and how often the old one.

    `corrected` is the share of the model's names that the student's second opinion changes.
    """

    aspect: str
    language: str
    posts: int
    student: float
    before: float
    corrected: float


def train_student(
    store: Store,
    encoder: Encoder,
    out: Path,
    *,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Fit heads on the deeper readings in the store and save them, with agreement and doubts.

    A class that the model named too rarely is filled up with the prototypes of it. Raises
    ArianeError where a language model has read too little.
    """
    lessons, teacher = _lessons(store)
    if len(lessons) < FEWEST:
        raise ArianeError(
            f"A language model has read {len(lessons)} posts and a student needs {FEWEST}; name a "
            "model in [llm] and let `ariane read` go on."
        )
    kept = [lesson for lesson in lessons if not held_out(lesson.vector)]
    tested = [lesson for lesson in lessons if held_out(lesson.vector)]
    heads, doubts = fitted(kept, encoder), doubts_of(kept)
    found = agreement(heads, doubts, tested, untaught(encoder))
    say = progress or _quiet
    for one in found:
        say(
            f"{one.aspect}, {one.language}, {one.posts} posts: agrees on {one.student:.3f}, "
            f"the heads before on {one.before:.3f}; would correct {one.corrected:.3f}"
        )
    for aspect, its in doubts.items():
        say(f"{aspect}: the model is taken to be wrong on {its.error:.2f}")
    figures = {TEACHER: teacher, "agreement": [asdict(one) for one in found]}
    _save(out, heads, doubts, encoder.name, figures)
    return out


def fitted(lessons: Sequence[Lesson], encoder: Encoder) -> dict[str, Head]:
    """A head an aspect; what is named often is likelier before a text is read."""
    examples = prototypes()
    vectors = encoder.encode([example.text for example in examples])
    taught = [
        Lesson(vector, one.language, {aspect: getattr(one, aspect) for aspect in ASPECTS})
        for one, vector in zip(examples, vectors, strict=True)
    ]
    return {aspect: _head(aspect, lessons, taught) for aspect in ASPECTS}


def doubts_of(lessons: Sequence[Lesson]) -> dict[str, Doubt]:
    """How far to doubt the model's names of each aspect, where they tell."""
    found: dict[str, Doubt] = {}
    for aspect in ASPECTS:
        some = [lesson for lesson in lessons if lesson.names[aspect]]
        told = doubt(
            np.array([lesson.vector for lesson in some]),
            [lesson.names[aspect] for lesson in some],
            [lesson.language for lesson in some],
        )
        if told is not None:
            found[aspect] = told
    return found


def agreement(
    heads: Mapping[str, Head],
    doubts: Mapping[str, Doubt],
    lessons: Sequence[Lesson],
    before: Mapping[str, Head],
) -> list[Agreement]:
    """Per aspect and language with 20 posts or more, beside the heads before."""
    languages = Counter(lesson.language for lesson in lessons)
    return [
        Agreement(
            aspect,
            language,
            len(some),
            _agrees(heads[aspect], aspect, some),
            _agrees(before[aspect], aspect, some),
            _corrected(heads[aspect], doubts.get(aspect), aspect, some),
        )
        for aspect in ASPECTS
        for language in sorted(languages)
        if len(some := [x for x in lessons if x.language == language and x.names[aspect]]) >= 20
    ]


def _head(aspect: str, lessons: Sequence[Lesson], taught: Sequence[Lesson]) -> Head:
    named = [lesson for lesson in lessons if lesson.names[aspect]]
    counts = Counter(lesson.names[aspect] for lesson in named)
    rare = {name for name in ASPECTS[aspect] if counts[name] < FOLDS}
    every = named + [one for one in taught if one.names[aspect] in rare]
    return fit(
        np.stack([one.vector for one in every]),
        [one.names[aspect] for one in every],
        [one.language for one in every],
        precision=PRECISION,
        shares={name: counts[name] + 1.0 for name in ASPECTS[aspect]},
    )


def _agrees(head: Head, aspect: str, lessons: Sequence[Lesson]) -> float:
    best = head.probabilities(np.stack([one.vector for one in lessons])).argmax(axis=1)
    named = [head.classes[k] for k in best]
    return float(np.mean([a == b.names[aspect] for a, b in zip(named, lessons, strict=True)]))


def _corrected(head: Head, doubt: Doubt | None, aspect: str, lessons: Sequence[Lesson]) -> float:
    if doubt is None:
        return 0.0
    said = [one.names[aspect] for one in lessons]
    held = likeliest(head, doubt, np.stack([one.vector for one in lessons]), said)
    return float(np.mean([a != b for a, b in zip(held, said, strict=True)]))


def _lessons(store: Store) -> tuple[list[Lesson], str]:
    """What the model that read most named of live posts, and its name.

    Of a post without words nothing was named: nobody was asked about it.
    """
    found = [reading for reading in _deep(store) if any(named(reading).values())]
    most = Counter(reading.by for reading in found).most_common(1)
    teacher = most[0][0] if most else ""
    return [_lesson(reading) for reading in found if reading.by == teacher], teacher


def _deep(store: Store) -> Iterator[Reading]:
    """What a model read, as it said it: a student does not learn from its own corrections."""
    after = 0
    while rows := store.vectors(after, PAGE):
        after = rows[-1].sequence
        own: defaultdict[str, list[str]] = defaultdict(list)
        for post, reading in store.readings([row.post for row in rows]).items():
            if reading.depth:
                own[uncorrected(reading.by)].append(post)
        for by, some in own.items():
            yield from store.readings(some, by).values()


def _lesson(reading: Reading) -> Lesson:
    return Lesson(reading.vector, reading.language or "", named(reading))


def held_out(vector: Vector) -> bool:
    """Whether a post is kept to measure on, by what it says: copies of it are on the same side.

    The signs of its vector tell, which the last bits of another batch's do not move.
    """
    digest = blake2b(np.packbits(vector > 0).tobytes(), digest_size=4).digest()
    return int.from_bytes(digest, "big") % HELD_OUT == 0


def _save(
    out: Path,
    heads: Mapping[str, Head],
    doubts: Mapping[str, Doubt],
    encoder: str,
    trained: Mapping[str, Any],
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    said = b"".join(head.weights.tobytes() for head in heads.values())
    version = hashlib.sha256(said).hexdigest()[:8]
    kept = {aspect: asdict(one) for aspect, one in doubts.items()}
    about = {"encoder": encoder, "version": version}
    about |= {TEACHER: trained[TEACHER], DOUBTS: json.dumps(kept)}
    save(out / WEIGHTS, heads, about)
    config = {"architecture": "ariane-reader", "trained": {**trained, DOUBTS: kept}}
    (out / CONFIG).write_text(json.dumps(config, indent=2), encoding="utf-8")


def _quiet(_: str) -> None:
    """Say nothing."""
