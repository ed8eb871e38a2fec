"""Turns: what a question means after the asker's earlier ones; nobody else's words carry over."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from ariane.ask.meant import CONFIRMED, MOMENT, WHY, Meant, folded, meant, subject
from ariane.ask.nouns import QUESTION, Question
from ariane.read.language import language
from ariane.types import Wish

TURNS: Final = 3
"""Earlier questions that are read."""

AGAIN: Final = re.compile(
    r"""^(?: and | but | also | what\ about | how\ about | what\ of
    | et | mais | aussi | qu\ en\ est-il | quid )\b""",
    re.VERBOSE,
)
"""How questions begin that ask the same of something else."""

BACK: Final = re.compile(
    r"\b(?:it|they|them|he|she|him|her|il|ils|elle|elles|lui|eux|ca|cela|celle-ci|celui-ci)\b"
    r"|\b(?:this|that|those|these)$"
)
"""What stands for something that was named before."""

IMPERSONAL: Final = re.compile(
    r"\b(?:is it \w+ that|il y a|y a-t-il|est-il \w+ qu\w*|(?:est-ce|c est \w+) qu\w*|il faut)\b"
)
"""What looks like it and is not."""

SHORT: Final = 2
"""Telling words of a question that has a word for something else; with more it says it itself."""

SPOKEN: Final = re.compile(
    r"(?:and |et )?(?:in|en) (?:(?P<en>english|anglais)|(?P<fr>french|francais))"
    r"(?:,? please| s il (?:te|vous) plait)?"
)
"""A question that only names the language of its answer."""

FRENCH: Final = frozenset(
    re.findall(
        r"\w+",
        "ca cela de des du est et faux la le les moins ou pourquoi qu quand que qui quoi un une "
        "vrai",
    )
)
"""Words that tell French where a question is too short for its language to be told otherwise."""

ENGLISH: Final = frozenset(
    re.findall(
        r"\w+",
        "about and any are at by did does for from has have how in is its my new of out says that "
        "the their there they this to today was were what when where which who why will with your",
    )
)
"""Words that French does not have: beside one of them those of French tell nothing."""

CAPITAL: Final = "[A-ZÀ-ÖØ-Þ]"
NAME: Final = re.compile(
    rf"\b{CAPITAL}{{2,}}\b|\bDes(?= {CAPITAL})|\b(?:D[eu]|L[ae]|Les) {CAPITAL}\w*(?=\W+\w)"
    rf"|(?<=\w ){CAPITAL}[\w-]*"
)
"""Names, which are of no language: "LA", "Des Moines", "Le Pen" before more, what has a capital."""

DAY: Final = 86_400_000
WEEK: Final = 7 * DAY
TIME: Final = re.compile(
    r"\b(?:(?P<today>today|aujourd[’' ]hui)|(?P<yesterday>yesterday|hier)"
    r"|(?P<week>this week|cette semaine))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which posts were published: after `since`, until `until` (UTC milliseconds)."""

    since: int
    until: int

    def __contains__(self, at: int) -> bool:
        return self.since < at <= self.until


@dataclass(frozen=True, slots=True)
class Sought:
    """What a question is about and after; `beside` is what was asked about before.

    `whole` is a question that says all of it by itself, as it stands; `leans` is whether earlier
    ones say a part of it.
    """

    theme: str = ""
    beside: str = ""
    whole: str = ""
    after: Meant = Meant.POSTS
    wishes: tuple[Wish, ...] = ()
    span: Span | None = None
    leans: bool = False


def sought(question: Question) -> Sought:
    """What a question means, after the asker's last questions before it.

    Earlier wishes say nothing about it, and are not made again.
    """
    known: Sought | None = None
    for text in question.earlier[-TURNS:]:
        turn = _next(known, replace(question, text=text[:QUESTION], earlier=(), wishing=True))
        known = known if turn.after is Meant.WISH else turn
    return _next(known, replace(question, text=question.text[:QUESTION], earlier=()))


def spoken(text: str) -> str | None:
    """The language that a question only names: "and in French?" is "fr"."""
    found = SPOKEN.fullmatch(_plain(text))
    return found.lastgroup if found else None


def language_of(*texts: str) -> str | None:
    """The language of the first of some questions that says one (ISO 639-1)."""
    return next(filter(None, map(_language, texts)), None)


def _language(text: str) -> str | None:
    told = spoken(text) or language(text[:QUESTION])
    if told is not None:
        return told
    plain = text if text.isupper() else NAME.sub(" ", text)
    english = ENGLISH.intersection(re.findall(r"\w+", plain.casefold()))  # « thé » is not "the"
    return "fr" if not english and FRENCH.intersection(re.findall(r"\w+", folded(plain))) else None


def _next(known: Sought | None, question: Question) -> Sought:
    """What a question means after what the one before it did."""
    after, wishes = meant(question)
    if after is Meant.WISH:
        return Sought(after=after, wishes=wishes)
    span = _span(question)
    about = MOMENT.sub(" ", question.text) if after is Meant.FEED else question.text
    theme = "" if spoken(question.text) else subject(TIME.sub(" ", about))
    whole = question.text if after is Meant.POSTS else ""
    alone = Sought(theme, whole=whole, after=after, span=span)
    if known is None:
        return alone
    plain = _plain(question.text)
    own = " ".join(word for word in theme.split() if not _asks(word))
    back = BACK.search(IMPERSONAL.sub(" ", plain)) is not None and len(own.split()) <= SHORT
    again = AGAIN.match(plain) is not None or spoken(question.text) is not None
    if not (back or again or (not own and after is Meant.POSTS)):
        return alone
    if not own:
        kept = after if after in (Meant.WHY, Meant.CONFIRMED) else known.after
        return replace(known, whole="", after=kept, span=span or known.span, leans=True)
    feed = Meant.FEED in (after, known.after)
    return Sought(
        theme=own if again else f"{own} {known.theme}",
        beside=known.theme if again else known.beside,
        after=Meant.FEED if feed else after,
        span=span or known.span,
        leans=True,
    )


def _plain(text: str) -> str:
    """A question folded, without its marks at either end."""
    return re.sub(r"^\W+|\W+$", "", folded(text))


def _asks(word: str) -> bool:
    """Whether a word asks why or whether it is true, of whatever was named before."""
    plain = folded(word)
    return bool(WHY.fullmatch(plain) or CONFIRMED.fullmatch(plain))


def _span(question: Question) -> Span | None:
    """The time that a question names; days are UTC's."""
    found = TIME.search(question.text)
    if found is None:
        return None
    if found["yesterday"]:
        midnight = question.at // DAY * DAY
        return Span(midnight - DAY - 1, midnight - 1)
    return Span(question.at - (DAY if found["today"] else WEEK), question.at)
