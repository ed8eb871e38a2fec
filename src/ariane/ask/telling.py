"""Telling: what a text tells, taken apart to be compared: words, numbers, denials, sentences."""

from __future__ import annotations

import re
from typing import Final

from ariane.forms import folded, formed, plain_words

FUNCTION: Final = frozenset(
    plain_words(
        """
    a about according an and are as at be been being but by for from had has have he her his in
    into is it its of on or people person post posts said say saying says she that the their
    them there they this to was were which who will with writes wrote
    au aussi aux avec c ce ces cet cette d dans de des dit dire disent du elle elles en est et etait
    etaient été il ils l la le les leur leurs lui ont ou par personne personnes pour publication
    publications qu que qui s sa se selon ses son sont sur un une y à
    """
    )
)
"""Words that tell nothing alone; what is not among them tells something, however short it is."""

NOT: Final = frozenset(
    re.findall(
        r"\w+",
        """
    not cannot isnt arent wasnt werent doesnt didnt hasnt havent hadnt wont wouldnt cant couldnt
    shouldnt mustnt neednt shant aint
    """,
    )
)
"""What denies as "not" does, beside all that ends in n't; "dont" is French too."""

DENIES: Final = frozenset(
    re.findall(
        r"\S+",
        """
    ? no never nobody nothing none neither nor without hardly barely scarcely rarely seldom
    deny denies denied denying false falsely untrue wrong
    ne pas plus jamais aucun aucune rien ni sans non guère guere nul nulle rarement
    faux fausse fausses nie nient nié dément dement démentent démenti dementi
    """,
    )
)
"""What else turns what is said around, or leaves it open as a question does.

« Plus » does beside « ne », and elsewhere is not to be left out either.
"""

SCALE: Final = r"""
    (?: (?:hundred|thousand|million|billion|trillion|dozen|cent|millier|milliard
    |centaine|dizaine|douzaine)s? | mille )
"""
COUNT: Final = rf"""
    (?: {SCALE} | one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve
    | (?:thir|four|fif|six|seven|eigh|nine)teen | (?:twen|thir|for|fif|six|seven|eigh|nine)ty
    | une?|deux|trois|quatre|cinq|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize
    | vingts?|trente|(?:quar|cinqu|soix)ante )
"""
"""Words of numbers, in patterns; SCALE has those that multiply what stands before them."""

APART: Final = re.compile(
    rf"""
    (?<=\d) [ \u00a0\u202f] (?=(?:{SCALE}|bn|m|k)\b)          # 1.2 million
    | \b{COUNT} \s (?:(?:and|et) \s)? (?={COUNT}\b)          # two hundred and ten
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Where words of one number stand apart."""

NUMBERED: Final = re.compile(r"(?:№|\bn[°º]|\bno\.|\b(?-i:N)(?=\s))\s?(?=\d)", re.IGNORECASE)
"""What says that a number follows, and looks like a denial: No. 5, n° 3, the road N 12."""

WORD: Final = re.compile(
    r"""
    (?: (?<!\w) [-\u2212] (?=\d) )?                          # -5
    \w+
    (?: (?: (?<=n) ['’] (?=t\b)                              # isn't
        | (?<=\w) [-\u2013] (?=\w)                            # twenty-three
        | (?<=\d) [.,:/'’\u2044^·٫] (?=\d)             # 3.5  1,200  12:30  1/2  10^6
        | (?<=\d) [ \u00a0\u202f] (?=\d+\u2044\d)            # 1 1/2, as of 1 ½
        | (?<=\d) [ \u00a0\u202f]? h [ \u00a0\u202f]? (?=\d) # 18 h 45
        | (?<=\d) [ \u00a0\u202f]? [ap] \.? (?=m\b)          # 7 p.m.
        | (?<=\d) (?<!\d{4}) [ \u00a0\u202f] (?=\d{3}(?!\d)) # 1 200
        ) \w+ )*
    | [%‰€$£¥] | \?(?!\w)
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""What is compared: words, signs of units, and each number with all that belongs to it."""

APOSTROPHES: Final = str.maketrans("‘ʼ´′", "''''")
"""What is typed for one."""

END: Final = re.compile(r"(?:(?<=\w{3}\.)|(?<=[!?…]))[»”\"')]*(?=\s|$)|(?<![,:;])\n\s*\n")
"""Where a sentence ends; a point after one or two letters may be that of "Mr." or "p.m.".

A line end alone is none: "we will not" may stand above a list of what will not be.
"""


def sentences(text: str, start: int, end: int) -> str:
    """The whole sentences of a text in which a place of it stands."""
    ends = [0, *(found.end() for found in END.finditer(text)), len(text)]
    return text[max(one for one in ends if one <= start) : min(one for one in ends if one >= end)]


def spans(text: str) -> list[tuple[int, int]]:
    """Where each of its words and numbers stands in a text."""
    return [found.span() for found in WORD.finditer(_joined(text))]


def _joined(text: str) -> str:
    """A text in which hyphens join the words of a number; each sign stays where it is."""
    return APART.sub(lambda found: re.sub(r"\s", "-", found[0]), text)


def _words(text: str) -> list[str]:
    return WORD.findall(folded(_joined(NUMBERED.sub("", text.translate(APOSTROPHES)))))


def tells(text: str) -> set[str]:
    """The words that tell something, singular and plural one, accents aside."""
    telling = (word for word in _words(text) if _denial(word) is None)
    return {formed(word, accents=False) for word in telling} - FUNCTION


def denials(text: str) -> list[str]:
    """What denies in a text, sorted."""
    parts = (part for word in _words(text) for part in word.split("-"))
    return sorted(filter(None, map(_denial, parts)))


def _denial(word: str) -> str | None:
    """The denial that a word is: isn't and cannot are "not", and n' is « ne »."""
    if word in NOT or word.endswith("n't"):
        return "not"
    if word == "n":
        return "ne"
    return word if word in DENIES else None
