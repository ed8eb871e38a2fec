"""Post → Reading by a language model: what an encoder cannot tell, over the reading that stands.

Each post is a question of its own, so that nothing written in one reaches another's reading; a post
that it answers is left out where that may speak to machines. The model can only fill the form
that `prompts/` publishes. The vector stays the encoder's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Final

from ariane.llm import Question
from ariane.material import material, to_machines
from ariane.read.opinion import Opinion
from ariane.types import CLAIMS, HARMS, HOUSE, Label, LanguageModel, Message, Post, Reading

PROMPT: Final = "reading-1"
"""The instructions, by name and number; others get another number, so that readings tell."""

LONGEST: Final = 2_000
"""Signs of a post that are shown; as many as the encoder reads."""

BESIDE: Final = 500
"""Signs that are shown of a post that it answers or reposts."""

GIST: Final = 140

ANSWER: Final = 400
"""Tokens of an answer at most."""

SHARES: Final = ((0.9,), (0.6, 0.3), (0.5, 0.3, 0.15))
"""What one, two or three topics count: the model gives an order, not probabilities."""

CONFIDENCE: Final = 0.7
"""How sure a label is: enough to keep a post from minors, not to take it from adults."""


@dataclass(frozen=True, slots=True)
class Given:
    """A post to be read, its reading so far, and the posts that it answers and reposts."""

    post: Post
    reading: Reading
    answers: Post | None = None
    reposts: Post | None = None


class LanguageReader:
    """Reads what a reader over this encoder has read; its readings keep that vector.

    `name` changes with the encoder, the model and the instructions, not with the encoder's heads,
    nor with the student whose second opinion is heard.
    """

    def __init__(self, encoder: str, model: LanguageModel, opinion: Opinion | None = None) -> None:
        self.encoder, self.model, self.opinion = encoder, model, opinion
        self.name = f"{encoder}+{model.name}/{PROMPT}"

    def question(self, given: Given) -> Question:
        """What the model is asked about a post."""
        return Question(tuple(messages(given)), schema(), ANSWER)

    def reading(self, given: Given, answer: str) -> tuple[Reading, tuple[Label, ...]]:
        """The deeper reading that an answer is, and the labels that were drawn from it."""
        reading = _filled(given.reading, json.loads(answer), self.name)
        return reading, _labels(given, reading, self.model.name)

    def heard(self, reading: Reading) -> tuple[Reading, ...]:
        """The model's reading, and after it the corrected one where the student holds otherwise.

        Both are kept: the last is in force, and a student learns from the first.
        """
        held = self.opinion.otherwise(reading) if self.opinion else {}
        if not self.opinion or not held:
            return (reading,)
        return reading, _corrected(reading, held, self.opinion.corrects(reading.by))

    def same(self, reading: Reading) -> Reading:
        """The reading of a post without words, which no model need be asked about."""
        return replace(reading, by=self.name, depth=1)


def messages(given: Given) -> list[Message]:
    """What the model is shown: the instructions, and the post as JSON."""
    shown: dict[str, Any] = {"post": _shown(given.post, LONGEST)}
    for name in ("answers", "reposts"):
        other: Post | None = getattr(given, name)
        if other is not None and other.words and not to_machines(other.words):
            shown[name] = _shown(other, BESIDE)
    return [
        Message("system", instructions()),
        Message("user", json.dumps(shown, ensure_ascii=False)),
    ]


@cache
def instructions() -> str:
    """The published instructions."""
    return files(__package__).joinpath("prompts", f"{PROMPT}.md").read_text(encoding="utf-8")


@cache
def schema() -> dict[str, Any]:
    """The published form, as a JSON schema."""
    text = files(__package__).joinpath("prompts", f"{PROMPT}.schema.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _shown(post: Post, most: int) -> dict[str, str]:
    shown = {"text": material(post.words, most)}
    return shown | ({"language": post.lang} if post.lang else {})


def _filled(base: Reading, form: Mapping[str, Any], name: str) -> Reading:
    return replace(
        base,
        topics=_shared(list(dict.fromkeys(form["topics"]))),
        tone=form["tone"],
        intent=form["intent"],
        format=form["format"],
        by=name,
        depth=1,
        entities=tuple(dict.fromkeys(_lines(form["entities"]))),
        claim=form["claim"] if form["claim"] in CLAIMS else "",
        gist=next(_lines([form["gist"]]), ""),
        labels=tuple(dict.fromkeys(form["labels"])),
    )


def _corrected(reading: Reading, held: Mapping[str, str], name: str) -> Reading:
    """The reading with other names for some aspects; a first topic gives way to the likelier."""
    aspects: dict[str, Any] = {**held, "by": name}
    if "topic" in held:
        first = aspects.pop("topic")
        others = [topic for topic, _ in reading.topics[1:] if topic != first]
        aspects["topics"] = _shared([first, *others])
    return replace(reading, **aspects)


def _shared(topics: Sequence[str]) -> tuple[tuple[str, float], ...]:
    return tuple(zip(topics, SHARES[len(topics) - 1] if topics else (), strict=True))


def _lines(texts: Sequence[str]) -> Iterator[str]:
    """Texts of the model as single lines: it may have copied what its post held."""
    for text in texts:
        line = " ".join(material(text, GIST).split())
        if line:
            yield line


def _labels(given: Given, reading: Reading, model: str) -> tuple[Label, ...]:
    """A label for each harm that was named; of a post that was read before, also the others back.

    It was edited, or another model read it, whose labels end with the first of these.
    """
    source, post = f"{HOUSE}reader@{model}/{PROMPT}", given.post
    before = post.rev > 1 or given.reading.depth > 0
    return tuple(
        Label(post.id, harm, source, post.since, CONFIDENCE)
        if harm in reading.labels
        else Label(post.id, harm, source, post.since, negates=True)
        for harm in HARMS
        if harm in reading.labels or before
    )
