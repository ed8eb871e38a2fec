"""Words that name what a wish is about → targets: aspects by vocabulary, the rest as words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize

from ariane.steer.phrases import OWN_LANGUAGE
from ariane.steer.vocabulary import ABOUT
from ariane.steer.words import Word

LONGEST: Final = 4
"""The most words of a phrase that becomes one word wish."""

_APART: Final = ("tone", "intent", "format", "language")
"""Kinds that qualify what they stand beside: "angry rants" are both angry and rants."""

_ASPECTS: Final[tuple[dict[tuple[str, ...], str], ...]] = tuple(
    {
        tuple(phrase.split()): f"{kind}:{name}"
        for kind, names in reversed(tuple(ABOUT.items()))
        for name, both in names.items()
        for phrase in both[language].split("|")
    }
    for language in (0, 1)
)


@dataclass(frozen=True, slots=True)
class Named:
    """A piece of what a wish is about, by place among the words: an aspect, or "" for a word."""

    first: int
    after: int
    target: str


def aspect(words: Sequence[Word], place: int, french: bool) -> Named | None:
    """The longest aspect that the words from `place` on name, in the sentence's language first."""
    for length in range(min(LONGEST, len(words) - place), 0, -1):
        part = words[place : place + length]
        if any(word.kind != "word" for word in part):
            continue
        flat = [word.folded for word in part]
        for language in (french, not french):
            for last in _singulars(flat[-1]):
                key = (*flat[:-1], last)
                if language != french and length == 1 and last in OWN_LANGUAGE:
                    continue
                target = _ASPECTS[language].get(key)
                if target:
                    return Named(place, place + length, target)
    return None


def _singulars(word: str) -> tuple[str, ...]:
    plain = word.removesuffix("'s")
    shorter = plain[:-1] if len(plain) > 2 and plain[-1] in "sx" else plain
    return plain, shorter, shorter[:-2] + "y" if shorter.endswith("ie") else shorter


def targets(text: str, words: Sequence[Word], run: Sequence[Named]) -> list[str]:
    """The targets of pieces side by side: each aspect its own, or all of them one phrase.

    A topic beside a plain word is something narrower ("climate denial"): a word wish of both.
    """
    found: list[str] = []
    rest = list(run)
    if any(not one.target for one in rest):
        while rest and rest[0].target.startswith(_APART):
            found.append(rest.pop(0).target)
        last = []
        while rest and rest[-1].target.startswith(_APART):
            last.append(rest.pop().target)
        return [*found, *_phrase(text, words, rest), *reversed(last)]
    kinds = {one.target.partition(":")[0] for one in rest}
    if {"topic", "language"} <= kinds:
        return _phrase(text, words, rest)
    return [one.target for one in rest]


def _phrase(text: str, words: Sequence[Word], run: Sequence[Named]) -> list[str]:
    if not run:
        return []
    inside = text[words[run[0].first].start : words[run[-1].after - 1].end]
    return [word_target(inside)]


def word_target(phrase: str) -> str:
    """A wish about a word or phrase, folded as it will be matched."""
    return f"word:{normalize('NFKC', phrase).casefold().strip()}"
