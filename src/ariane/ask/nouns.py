"""What is asked and answered: a question, sentences, and what each of them can be checked by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from ariane.types import Wish

QUESTION: Final = 500
"""Signs of a question at most."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a reader asks: of all that they may see, or of one post or one account.

    `request` names the served page on which they saw the post. `at` is in UTC milliseconds.
    `earlier` are their own questions before it, the oldest first. Where not `wishing`, a wish is
    answered as a question.
    """

    text: str
    at: int
    viewer: str | None = None
    language: str = "en"
    post: str | None = None
    account: str | None = None
    request: str | None = None
    profiled: bool = True
    earlier: tuple[str, ...] = ()
    wishing: bool = True


@dataclass(frozen=True, slots=True)
class Citation:
    """What a sentence can be checked by: words of a post as they stand in it, or a receipt."""

    number: int
    kind: Literal["post", "receipt"]
    id: str
    author: str = ""
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence of an answer; one that cites nothing says nothing about the world.

    `by` is the model that worded it, "" where it was put together by rule.
    """

    text: str
    cites: tuple[Citation, ...] = ()
    by: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The sentences of an answer, and the wishes that the question was."""

    lines: tuple[Line, ...]
    wishes: tuple[Wish, ...] = ()
