"""What was said → its words with their places; apostrophes as both languages use them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from unicodedata import category, combining, normalize

_BIDI: Final = (
    "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)

_QUOTES: Final = {'"': '"', "“": "”", "„": "“", "«": "»"}

_SIGNS: Final = {"+": "+", "-": "-", "−": "-", "–": "-"}

_WORD: Final = re.compile(r"[^\W_][\w+#&'’.-]*|[^\w\s]|_\w*")

_ELIDED: Final = ("l", "d", "j", "n", "s", "m", "t", "c", "qu", "y", "jusqu", "puisqu", "lorsqu")

_ENCLITIC: Final = ("moi", "nous", "en", "le", "la", "les", "vous", "toi")


@dataclass(frozen=True, slots=True)
class Word:
    """One word: its folded form, where it stands, and "quoted", "author", "mark" or "word"."""

    folded: str
    start: int
    end: int
    kind: str = "word"


def cleaned(said: str) -> str:
    """The text without control, bidi and broken characters, its spaces single."""
    kept = (
        " " if character.isspace() else character
        for character in said
        if character.isspace() or not (category(character) in "CcCs" or character in _BIDI)
    )
    return " ".join("".join(kept).split())


def folded(text: str) -> str:
    """Lower case without accents: how words are looked up."""
    parts = normalize("NFKD", text.replace("’", "'").replace("œ", "oe").replace("Œ", "oe"))
    return "".join(c for c in parts.casefold() if not combining(c))


def words(text: str) -> list[Word]:
    """The words and marks of a cleaned text, in order; each character is looked at a few times."""
    found: list[Word] = []
    place = 0
    closed = {quote: text.rfind(close) for quote, close in _QUOTES.items()}
    while place < len(text):
        here = text[place]
        if here == " ":
            place += 1
        elif here in _QUOTES and closed[here] > place:
            place = _quoted(text, place, found)
        elif here == "@" and place + 1 < len(text) and not text[place + 1].isspace():
            end = _stop(text, place + 1, ' ,;"“”«»()!?')
            name = text[place + 1 : end].replace("’", "'").removesuffix("'s").rstrip(".:'")
            end = place + 1 + len(name)
            found.append(Word(name, place, max(end, place + 1), "author" if name else "mark"))
            place = max(end, place + 1)
        elif here in _SIGNS and text[place + 1 : place + 2].strip():
            found.append(Word(_SIGNS[here], place, place + 1))
            place += 1
        else:
            place = _plain(text, place, found)
    return found


def _stop(text: str, place: int, marks: str) -> int:
    while place < len(text) and text[place] not in marks:
        place += 1
    return place


def _quoted(text: str, place: int, found: list[Word]) -> int:
    close = text.find(_QUOTES[text[place]], place + 1)
    if close < 0:
        return _plain(text, place, found)
    if text[place + 1 : close].strip():
        found.append(Word(text[place + 1 : close].strip(), place, close + 1, "quoted"))
    return close + 1


def _plain(text: str, place: int, found: list[Word]) -> int:
    match = _WORD.match(text, place)
    if match is None:
        return place + 1
    if not (match[0][0].isalnum() or match[0][0] == "_"):
        sign = _SIGNS.get(match[0])
        symbol = category(match[0]) in ("So", "Sk")
        kind = "word" if sign or symbol else "mark"
        found.append(Word(sign or match[0], place, match.end(), kind))
        return match.end()
    whole = match[0].rstrip(".'’-&")
    found.extend(_parts(whole, place))
    return place + len(whole)


def _parts(whole: str, place: int) -> Iterator[Word]:
    """A word apart from its elided article (l'art) and from pronouns behind it (montre-moi)."""
    for _ in range(3):
        head, mark, tail = whole.replace("’", "'").partition("'")
        if not (mark and tail and folded(head) in _ELIDED):
            break
        yield Word(folded(head), place, place + len(head) + 1)
        whole, place = whole[len(head) + 1 :], place + len(head) + 1
    head, mark, tail = whole.rpartition("-")
    if mark and head and folded(tail) in _ENCLITIC:
        yield Word(folded(head), place, place + len(head))
        yield Word(folded(tail), place + len(head) + 1, place + len(whole))
    else:
        yield Word(folded(whole), place, place + len(whole))
