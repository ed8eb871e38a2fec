"""A sentence of wishes, and what stands at a place of it: looking ahead, without reading on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from ariane.steer.clauses import Said
from ariane.steer.phrases import ENGLISH, FRENCH, MEANINGS, PLAIN, WHOLE, Degree, Mark, Push
from ariane.steer.targets import Named, aspect
from ariane.steer.words import Word, cleaned, words

Meaning: TypeAlias = Push | Degree | Mark

_PHRASE: Final = max(map(len, MEANINGS))

_LINKS: Final = ("l", "le", "la", "les", "the")
_ARTICLES: Final = ("de", "du", "des", "d", "l", "la", "le", "les")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A cleaned text, its words, and whether more of them are French than English."""

    text: str
    said: Sequence[Word]
    french: bool

    @classmethod
    def of(cls, said: str) -> Sentence:
        """What was said, cleaned and parted into words."""
        text = cleaned(said)
        found = words(text)
        flat = [word.folded for word in found]
        french = sum(word in FRENCH for word in flat) > sum(word in ENGLISH for word in flat)
        return cls(text, found, french)

    def quoted(self, start: int, after: int) -> str:
        """The text of these words; all of it where there are none."""
        part = self.said[start:after]
        return self.text[part[0].start : part[-1].end] if part else self.text

    def aspect(self, place: int) -> Named | None:
        """The longest aspect that the words from `place` on name."""
        return aspect(self.said, place, self.french)

    def meaning(
        self, place: int, pending: Said | None, *, named: bool, begun: bool
    ) -> tuple[Meaning | None, int]:
        """What the words from `place` on mean where they stand, and how many of them.

        It depends on the direction that is being said, on whether something is being `named`, and
        on whether a clause has `begun`.
        """
        meant, length = self._phrase(place)
        if meant is None:
            return None, 0
        word, follows = self.said[place].folded, self._folded(place + 1)
        ne = pending is not None and pending.ne
        if word == "plus" and ne and not (pending and pending.negated):
            return Push(1 if follows in ("que", "qu") else -1, WHOLE), length
        if word == "plus" and length == 1 and not self.french:
            return Mark("and") if named else Push(1, PLAIN), length
        if word == "or" and self.french:
            return Mark("noun"), length
        if isinstance(meant, Mark) and meant.part == "que":
            opens = pending is None and not begun and follows in _ARTICLES
            return Push(1, WHOLE) if ne or opens else Mark("filler"), length
        return meant, length

    def linked(self, place: int, mark: Mark, named: str | None) -> bool:
        """Whether a phrase goes on after "of" or an article, as in droits de l'homme.

        `place` is after the mark, `named` the target before it: "" for a plain word, None for none.
        """
        if named is None:
            return False
        before = self.said[place - 1].folded
        linking = mark.part == "of" or (
            before in _LINKS and self.said[place - 2].folded in ("de", "of")
        )
        if not linking or named.partition(":")[0] in ("tone", "intent", "format"):
            return False
        while self._folded(place) in _LINKS:
            place += 1
        if place >= len(self.said) or self.said[place].kind != "word":
            return False
        known = self.aspect(place)
        plain = self._phrase(place)[0] is None and known is None
        topic = known is not None and known.target.startswith("topic:")
        return (plain or topic) and not (topic and bool(named))

    def handle(self, place: int) -> str | None:
        """A handle after "from" or "by": one word in small letters, or with digits and dots."""
        if place >= len(self.said):
            return None
        word = self.said[place]
        raw = self.text[word.start : word.end]
        named = (word.folded,) in MEANINGS or self.aspect(place)
        follows = self.said[place + 1] if place + 1 < len(self.said) else None
        alone = follows is None or follows.kind == "mark" or (follows.folded,) in MEANINGS
        fits = word.kind == "word" and raw == raw.lower() and raw[0].isalpha()
        return raw if fits and alone and not named else None

    def goes_on(self, place: int) -> bool:
        """Whether this part of the sentence says more than fillers from `place` on."""
        for word in self.said[place:]:
            meant = MEANINGS.get((word.folded,))
            if word.kind == "mark" or (isinstance(meant, Mark) and meant.part in ("and", "but")):
                return False
            if not (isinstance(meant, Mark) and meant.part in ("filler", "please")):
                return True
        return False

    def ends(self, place: int) -> bool:
        """Whether only marks and courtesies follow."""
        return all(
            word.kind == "mark" or isinstance(MEANINGS.get((word.folded,)), Mark)
            for word in self.said[place:]
        )

    def _folded(self, place: int) -> str:
        return self.said[place].folded if place < len(self.said) else ""

    def _phrase(self, place: int) -> tuple[Meaning | None, int]:
        """The longest phrase of the vocabulary at `place`, and its number of words."""
        for length in range(min(_PHRASE, len(self.said) - place), 0, -1):
            part = self.said[place : place + length]
            if all(word.kind == "word" for word in part):
                meant = MEANINGS.get(tuple(word.folded for word in part))
                if meant is not None and not (isinstance(meant, Mark) and self._initials(part)):
                    return meant, length
        return None, 0

    def _initials(self, part: Sequence[Word]) -> bool:
        """AI and US are names where ai and us are not, unless the whole sentence is in capitals."""
        raw = self.text[part[0].start : part[0].end].rstrip("'’")
        return len(part) == 1 and len(raw) > 1 and raw.isupper() and not self.text.isupper()
