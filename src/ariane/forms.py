"""Forms: the singular and the plural of a word are one, in English and French.

A few endings and no dictionary: what is told apart or taken together here is so everywhere, and
can be read off the tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from unicodedata import normalize

ENDINGS: Final = (
    ("eaux", "eau"),
    ("aux", "al"),
    ("eux", "eu"),
    ("oux", "ou"),
    ("ies", "y"),
    ("ie", "y"),
    ("sses", "ss"),
    ("sse", "ss"),
    ("ss", "ss"),
    ("xes", "x"),
    ("xe", "x"),
    ("ches", "ch"),
    ("che", "ch"),
    ("shes", "sh"),
    ("she", "sh"),
    ("oes", "o"),
    ("oe", "o"),
    ("s", ""),
)
"""Endings and what stands in their place; the first that leaves LEAST letters is taken.

Where English adds -es and French -e or -es, the singular that could have either is cut too: box,
boxes and boxe are one.
"""

LEAST: Final = 3
"""The fewest letters that are left of a word."""

EXCEPTIONS: Final[Mapping[str, str]] = {
    "men": "man",
    "women": "woman",
    "children": "child",
    "buses": "bus",
    "gases": "gas",
    "viruses": "virus",
    "travaux": "travail",
    "yeux": "oeil",
    **{
        word: word
        for word in (
            *("aids", "corps", "cours", "dans", "fois", "hers", "mais", "mois", "même", "mêmes"),
            *("news", "ours", "paris", "pays", "vers", "virus"),
        )
    },
}
"""Plurals that no ending tells, and words that would become another one if they were cut."""

_WORD: Final = re.compile(r"[^\W\d_]+")
_ACCENTS: Final = re.compile("[\u0300-\u036f]")


def folded(text: str) -> str:
    """A text without capitals, with one apostrophe and no ligatures."""
    plain = normalize("NFKC", text).casefold()
    return plain.replace("’", "'").replace("œ", "oe").replace("æ", "ae")


def accented(text: str) -> bool:
    """Whether a folded text has accents."""
    return _bare(text) != text


@lru_cache(maxsize=1024)
def formed(text: str, accents: bool) -> str:
    """A text folded, each of its words in the form that its singular and plural share.

    Without `accents` they do not count: élection and election are one.
    """
    return _WORD.sub(lambda found: _form(found[0], accents), folded(text))


def plain_words(text: str) -> list[str]:
    """The words of a text, folded, without accents, in the form of singular and plural."""
    return re.findall(r"\w+", formed(text, accents=False))


@lru_cache(maxsize=16_384)
def _form(word: str, accents: bool) -> str:
    if word not in EXCEPTIONS and not accents:
        word = _bare(word)
    if word in EXCEPTIONS:
        return EXCEPTIONS[word]
    for ending, left in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) + len(left) >= LEAST:
            return word[: len(word) - len(ending)] + left
    return word


def _bare(text: str) -> str:
    """Without the accents of Latin, Greek and Cyrillic letters; no other script's marks go."""
    return normalize("NFC", _ACCENTS.sub("", normalize("NFD", text)))
