"""Write: a language model's sentences, each let through only if what it cites bears it out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from itertools import chain
from typing import Any, Final

from ariane.ask.nouns import QUESTION, Citation, Line, Question
from ariane.forms import folded, formed, plain_words
from ariane.material import material, to_machines
from ariane.types import LanguageModel, Message, Post

PROMPT: Final = "answer-3"
"""The instructions, by name and number; others get another number."""

SHOWN: Final = 1_000
"""Signs of each post that are shown."""

LOOKED_AT: Final = 4 * SHOWN
"""Signs of a post among which those are, before what is unseen is left out."""

LINES: Final = 5
LONGEST: Final = 400
"""Sentences of an answer, and signs of a sentence or a quotation, at most."""

ANSWER: Final = 700
"""Tokens of an answer at most."""

QUOTED: Final = 8
"""Signs that a quotation has at least: fewer would be found anywhere."""

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


def written(
    model: LanguageModel, question: Question, cited: Sequence[tuple[Citation, Post]]
) -> Iterator[Line]:
    """Sentences as they come, those that hold.

    Raises LanguageModelError, maybe after some of them.
    """
    shown = {one.number: (one, post) for one, post in cited if not to_machines(post.text)}
    if not shown:
        return
    count = 0
    for told in _objects(model.stream(messages(question, shown.values()), limit=ANSWER)):
        line = checked(told, shown)
        if line is not None:
            yield replace(line, by=model.name)
            count += 1
        if count == LINES:
            return


def messages(question: Question, cited: Iterable[tuple[Citation, Post]]) -> list[Message]:
    """What the model is shown: the instructions, and question and posts as JSON.

    Authors are not: a name is words of a stranger too, and each citation bears it anyway.
    """
    posts = [{"n": one.number, "text": material(post.text, SHOWN)} for one, post in cited]
    asked = {
        "earlier": [material(text, QUESTION) for text in question.earlier],
        "question": material(question.text, QUESTION),
        "posts": posts,
    }
    instructions = files(__package__).joinpath("prompts", f"{PROMPT}.md").read_text("utf-8")
    return [
        Message("system", instructions),
        Message("user", json.dumps(asked, ensure_ascii=False)),
    ]


def checked(told: Mapping[str, Any], shown: Mapping[int, tuple[Citation, Post]]) -> Line | None:
    """A sentence with its citations; None where the first of them does not bear it out.

    That post holds all of its telling words, and its quotation. It denies what its quotation does,
    in as many of the same words, and so do the whole sentences in which that stands. A further
    post is cited if it holds and denies the same alone; no quotation says which of its sentences
    those are, and all of it counts. So no post puts words into a sentence that bears another's
    name.
    """
    text, quote, numbers = told.get("text"), told.get("quote"), told.get("cites")
    if not (isinstance(text, str) and isinstance(quote, str) and isinstance(numbers, list)):
        return None
    cites = [shown[n] for n in dict.fromkeys(filter(_counts, numbers)) if n in shown]
    line = " ".join(material(text, LONGEST).split())
    held = [(one, post.text[:LOOKED_AT]) for one, post in cites if _holds(post, line)]
    if not held or held[0][0] is not cites[0][0]:
        return None
    (one, first), *others = held
    for start, end in _places(quote, first):
        around = _sentences(first, start, end)
        if _denials(first[start:end]) == _denials(around) == _denials(line):
            more = (other for other, seen in others if _denials(seen) == _denials(line))
            return Line(line, (replace(one, quote=first[start:end]), *more))
    return None


def _holds(post: Post, line: str) -> bool:
    """Whether a post has all the telling words of a sentence that has some."""
    return _tells(post.text[:LOOKED_AT]) >= _tells(line) > set()


def _counts(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _objects(pieces: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    """The JSON objects in a text that comes in pieces, one a line; other lines are passed over.

    So is what a model thinks before it answers, where it marks that by `<think>`. Where the mark
    stands in the prompt, its thoughts are read as its sentences are, and checked as they are.
    """
    held, thinking = "", False
    for piece in chain(pieces, "\n"):
        *whole, held = (held + piece).split("\n")
        for line in whole:
            _, ended, said = line.rpartition("</think>")
            thinking = (thinking or "<think>" in line) and not ended
            if not thinking:
                yield from _object(said)


def _object(line: str) -> Iterator[Mapping[str, Any]]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict):
        yield value


def _places(quote: str, text: str) -> Iterator[tuple[int, int]]:
    """Where a quotation stands in a text, spaces and case aside, and cuts none of its words."""
    words = quote.split()
    if len(quote) > LONGEST or len("".join(words)) < QUOTED:
        return
    whole = [found.span() for found in WORD.finditer(_joined(text))]
    for found in re.finditer(r"\s+".join(map(re.escape, words)), text, re.IGNORECASE):
        if not any(start < edge < end for start, end in whole for edge in found.span()):
            yield found.span()


def _sentences(text: str, start: int, end: int) -> str:
    """The whole sentences of a text in which a place of it stands."""
    ends = [0, *(found.end() for found in END.finditer(text)), len(text)]
    return text[max(one for one in ends if one <= start) : min(one for one in ends if one >= end)]


def _joined(text: str) -> str:
    """A text in which hyphens join the words of a number; each sign stays where it is."""
    return APART.sub(lambda found: re.sub(r"\s", "-", found[0]), text)


def _words(text: str) -> list[str]:
    return WORD.findall(folded(_joined(NUMBERED.sub("", text.translate(APOSTROPHES)))))


def _tells(text: str) -> set[str]:
    telling = (word for word in _words(text) if _denial(word) is None)
    return {formed(word, accents=False) for word in telling} - FUNCTION


def _denials(text: str) -> list[str]:
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
