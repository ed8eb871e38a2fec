"""Find: the posts that a question is about, among those that its asker may see."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np

from ariane.ask.turns import Sought, Span
from ariane.engine import Engine
from ariane.feed import arrange
from ariane.forms import plain_words
from ariane.sight import seen_by
from ariane.types import Ask, Post, Ranked, Reading, Vector, Viewer

LOOKED_AT: Final = 600
"""Posts that are compared word by word, of those whose vectors are nearest."""

FEED: Final = 100
"""Posts of the viewer's own feed that are looked through."""

ACCOUNT: Final = 200
"""The newest posts of an account that are looked through."""

THREAD: Final = 100
"""Posts of a thread that are looked through, of either side."""

NEAR: Final = 0.28
"""Nearness of vectors from which a post may be about the same; below it words must be shared."""

WORDS: Final = 0.5
"""What sharing all the words of the question weighs, beside 1 for the same vector."""

BESIDE: Final = 0.25
"""What being about what was asked before weighs, beside 1 for what is asked."""

LEAST: Final = 0.4
"""What a post must reach of what the best one does."""


@dataclass(frozen=True, slots=True)
class Found:
    """A post, and how much it is about what was asked."""

    post: Post
    score: float


def speaking(
    engine: Engine,
    ask: Ask,
    viewer: Viewer,
    ids: Iterable[str],
    *,
    span: Span | None = None,
    chosen: bool = False,
) -> list[Ranked]:
    """Those of these posts that the viewer may see and that say something, in their order.

    Of a time, if one is given. A repost without words stands for what it reposts, once, where that
    may be seen too and its author does not hide from algorithms, and counts by its own time; a
    picture alone speaks by its alternative text.
    """
    items = [
        item
        for item in seen_by(engine, ask, viewer, ids, chosen=chosen)
        if span is None or item.candidate.post.at in span
    ]
    posts = [item.candidate.post for item in items]
    bare = [post.repost_of for post in posts if post.repost_of and not post.words]
    reposted = seen_by(engine, ask, viewer, bare, chosen=True)
    shown = {item.candidate.post.id: item for item in (*reposted, *items)}
    names = dict.fromkeys(post.id if post.words else post.repost_of or post.id for post in posts)
    found = [shown[name] for name in names if name in shown]
    return [_worded(item) for item in found if item.candidate.post.words]


def _worded(item: Ranked) -> Ranked:
    """The same, its alternative texts in the place of its text where it has none."""
    post = item.candidate.post
    if post.text.strip():
        return item
    return replace(item, candidate=replace(item.candidate, post=replace(post, text=post.words)))


def meant_by(engine: Engine, ask: Ask, viewer: Viewer, post: str) -> str | None:
    """The post that one who names this one means, None where it is not shown to them.

    That is what a repost without words reposts, if it is shown.
    """
    for item in seen_by(engine, ask, viewer, [post], covered=True):
        named = item.candidate.post
        if named.words or named.repost_of is None:
            return post
        original = seen_by(engine, ask, viewer, [named.repost_of], covered=True)
        return original[0].candidate.post.id if original else post
    return None


def about(
    engine: Engine, ask: Ask, viewer: Viewer, wanted: Sought, among: Sequence[str] | None = None
) -> list[Found]:
    """Posts about a theme, best first: by nearness of meaning and by shared words.

    What it was about before only brings nearer what is about the theme. `among` are the only posts
    that count, where they are given.
    """
    query = _query(engine, wanted.theme, wanted.whole or wanted.theme)
    ids = nearest(engine, ask, query, wanted.span) if among is None else among
    items = speaking(engine, ask, viewer, ids, span=wanted.span, chosen=among is None)
    texts = [set(plain_words(item.candidate.post.words)) for item in items]
    found = _scored(items, texts, query, wanted.theme)
    if wanted.beside:
        other = _scored(items, texts, _query(engine, wanted.beside), wanted.beside)
        before = {one.post.id: BESIDE * one.score for one in other}
        found = [replace(one, score=one.score + before.get(one.post.id, 0.0)) for one in found]
    found.sort(key=lambda one: (-one.score, -one.post.at, one.post.id))
    best = found[0].score if found else 0.0
    return [one for one in found if one.score >= LEAST * best]


def _query(engine: Engine, *texts: str) -> Vector:
    """The direction between the vectors of some texts.

    A theme is nearer to posts that name it, a whole question to those that answer it.
    """
    middle: Vector = engine.encoder.encode(texts).sum(axis=0)
    return middle / (float(np.linalg.norm(middle)) or 1.0)


def _scored(
    items: Sequence[Ranked], texts: Sequence[set[str]], query: Vector, theme: str
) -> list[Found]:
    """Those of some posts that are near to a theme or share a word with it; `texts` are theirs."""
    rare = Rarity(Counter(word for words in texts for word in words), len(texts))
    asked = set(plain_words(theme))
    whole = sum(rare(word) for word in asked) or 1.0
    found = []
    for item, words in zip(items, texts, strict=True):
        near = _near(query, item.candidate.reading)
        shared = sum(rare(word) for word in asked & words) / whole
        if shared or near >= NEAR:
            found.append(Found(item.candidate.post, near + WORDS * shared))
    return found


def nearest(engine: Engine, ask: Ask, query: Vector, span: Span | None = None) -> list[str]:
    """The posts whose vectors are nearest to one, best first, of a time if one is given."""
    rows = engine.sources.files[0].rows()
    since, until = _bounds(ask, span)
    if rows.matrix is None or query.size != len(rows.matrix):
        return engine.store.recent(until, LOOKED_AT, since=since)
    live = rows.between(since, until)
    order = np.argsort(-(rows.vectors[live] @ (query @ rows.matrix)), kind="stable")
    return rows.ids(live[order[:LOOKED_AT]])


def feed(engine: Engine, ask: Ask, viewer: Viewer) -> list[str]:
    """The posts of the viewer's own feed as it would be now, best first."""
    page = arrange(engine, ask, viewer)
    ids = dict.fromkeys(item.candidate.post.id for item in (*page.items, *page.ranked))
    return list(islice(ids, FEED))


def newest(engine: Engine, ask: Ask, account: str, span: Span | None = None) -> list[str]:
    """The newest posts of an account, of a time if one is given."""
    since, until = _bounds(ask, span)
    return engine.store.recent(until, ACCOUNT, since=since, authors=[account])


def _bounds(ask: Ask, span: Span | None) -> tuple[int | None, int]:
    """The time after which and until which posts count."""
    return (None, ask.at) if span is None else (span.since, min(ask.at, span.until))


def thread(engine: Engine, at: int, post: str) -> list[str]:
    """A post, what it answers, and what answers it, those nearest to it first."""
    found: dict[str, None] = {post: None}
    above = engine.store.posts([post]).get(post)
    while above is not None and above.reply_to and len(found) < THREAD:
        if above.reply_to in found:
            break
        found[above.reply_to] = None
        above = engine.store.posts([above.reply_to]).get(above.reply_to)
    level = [post]
    while level and len(found) < 2 * THREAD:
        below = engine.store.replies(level, at)
        new = (name for names in below.values() for name in names if name not in found)
        level = list(islice(new, 2 * THREAD - len(found)))
        found |= dict.fromkeys(level)
    return list(found)


def _near(query: Vector, reading: Reading | None) -> float:
    if reading is None or reading.vector.size != query.size:
        return 0.0
    return max(0.0, float(reading.vector @ query))


@dataclass(frozen=True, slots=True)
class Rarity:
    """How much a word tells: inverse document frequency among the posts that are looked at."""

    counts: Counter[str]
    posts: int

    def __call__(self, word: str) -> float:
        """More for what few posts hold."""
        return math.log(1.0 + self.posts / (1.0 + self.counts[word]))
