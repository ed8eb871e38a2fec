"""Extract: an answer in the posts' own words, where no model writes or its words do not hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from ariane.ask.nouns import Citation, Line
from ariane.ask.words import say
from ariane.forms import plain_words
from ariane.material import material
from ariane.types import Post, Store

LONGEST: Final = 280
"""Signs of a quotation."""

NAME: Final = 60
"""Signs of an author's name."""

SENTENCE: Final = re.compile(r"\S[^\n]*?(?:(?<=[.!?…])[»”\"')]*(?=\s|$)|(?=\n|$))")
"""Sentences of a line. Each sign is looked at a few times at most, since strangers wrote them."""


def citations(store: Store, posts: Iterable[Post], subject: str) -> list[Citation]:
    """A citation a post, numbered from 1: the words of it that say most about the subject."""
    return [
        Citation(number, "post", post.id, author_of(store, post), quote_of(post.text, subject))
        for number, post in enumerate(posts, start=1)
    ]


def quoted(cited: Iterable[Citation], language: str) -> Iterator[Line]:
    """A line for each citation that quotes something: who wrote, and their words."""
    for one in cited:
        if one.quote:
            yield Line(say(language, "said", author=one.author, quote=one.quote), (one,))


def quote_of(text: str, subject: str) -> str:
    """The sentences of a text that share most words with the subject, as they stand in it.

    They stand together, in at most LONGEST signs, which a longer sentence is cut to; what is cut
    off shares nothing.
    """
    sentences = [found.span() for found in SENTENCE.finditer(text)]
    if not sentences:
        return ""
    asked = set(plain_words(subject))
    said = (text[start : min(end, start + LONGEST)] for start, end in sentences)
    shared = [len(asked & set(plain_words(sentence))) for sentence in said]
    best = shared.index(max(shared))
    first, last = sentences[best]
    for start, end in sentences[best + 1 :]:
        if end - first > LONGEST:
            break
        last = max(last, end) if start >= last else last
    return text[first : min(last, first + LONGEST)].strip()


def author_of(store: Store, post: Post) -> str:
    """The name of a post's author; strangers chose it, so it is bounded and plain."""
    account = store.account(post.author)
    return material((account.name if account else None) or post.author, NAME)
