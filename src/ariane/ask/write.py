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
from ariane.forms import formed, plain_words
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

DENIES: Final = frozenset(
    plain_words(
        """
    no not never nobody nothing none neither nor without cannot hardly barely scarcely
    isnt arent wasnt werent doesnt didnt hasnt havent hadnt wont wouldnt cant couldnt shouldnt aint
    n ne pas jamais aucun aucune rien ni sans non guère nul nulle
    """
    )
)
"""Words that turn what is said around; n't is known by its end, and "dont" is French too."""

WORD: Final = re.compile(
    r"""
    (?: (?<!\w) [-\u2212] (?=\d) )?                          # -5
    \w+
    (?: (?: (?<=n) ['’] (?=t\b)                              # isn't
        | (?<=\d) [.,:/'’\u2044\u2013-] (?=\d)               # 3.5  1,200  12:30  1/2  2026-11-23
        | (?<=\d) [ \u00a0\u202f]? h [ \u00a0\u202f]? (?=\d) # 18 h 45
        | (?<=\d) [ \u00a0\u202f]? [ap] \.? (?=m\b)          # 7 p.m.
        | (?<=\d) (?<!\d{4}) [ \u00a0\u202f] (?=\d{3}(?!\d)) # 1 200
        ) \w+ )*
    | [%‰€$£¥]
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""What is compared: words, signs of units, and each number with all that belongs to it."""

APOSTROPHES: Final = str.maketrans("‘ʼ´′", "''''")
"""What is typed for one."""

END: Final = re.compile(r"(?:(?<=\w{3}\.)|(?<=[!?…]))[»”\"')]*(?=\s|$)|\n\s*\n")
"""Where a sentence ends; a point after one or two letters may be that of "Mr." or "p.m."."""


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
    """A sentence with its citations; None where they do not bear it out.

    Its quotation stands in the first post that it cites, and each post that it cites holds all of
    its telling words alone: so no post puts words into a sentence that bears another's name. It
    denies something if, and only if, the sentences do in which the quotation stands; of a further
    post no quotation says which those are, and all of it counts.
    """
    text, quote, numbers = told.get("text"), told.get("quote"), told.get("cites")
    if not (isinstance(text, str) and isinstance(quote, str) and isinstance(numbers, list)):
        return None
    cites = [shown[n] for n in dict.fromkeys(filter(_counts, numbers)) if n in shown]
    line = " ".join(material(text, LONGEST).split())
    said = _words(line)
    seen = [post.text[:LOOKED_AT] for _, post in cites]
    if not seen or not all(_tells(_words(one)) >= _tells(said) > set() for one in seen):
        return None
    first, *others = seen
    if any(_denies(_words(one)) != _denies(said) for one in others):
        return None
    for start, end in _places(quote, first):
        if _denies(_words(_sentences(first, start, end))) == _denies(said):
            (one, _), *more = cites
            return Line(line, (replace(one, quote=first[start:end]), *(one for one, _ in more)))
    return None


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
    whole = [found.span() for found in WORD.finditer(text)]
    for found in re.finditer(r"\s+".join(map(re.escape, words)), text, re.IGNORECASE):
        if not any(start < edge < end for start, end in whole for edge in found.span()):
            yield found.span()


def _sentences(text: str, start: int, end: int) -> str:
    """The whole sentences of a text in which a place of it stands."""
    ends = [0, *(found.end() for found in END.finditer(text)), len(text)]
    return text[max(one for one in ends if one <= start) : min(one for one in ends if one >= end)]


def _words(text: str) -> list[str]:
    return WORD.findall(formed(text.translate(APOSTROPHES), accents=False))


def _tells(words: Iterable[str]) -> set[str]:
    return set(words) - FUNCTION - DENIES


def _denies(words: Iterable[str]) -> bool:
    return any(word in DENIES or word.endswith("n't") for word in words)
