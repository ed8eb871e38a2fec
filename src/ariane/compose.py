"""Ranked posts → one page: order, variety, a share for fresh posts, and nothing twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from ariane.types import Ask, Moved, Page, Ranked, Removed

BY_HAND: Final = ("wish", "demote")
"""Terms that people set, beside what the ranker forecast."""


@dataclass(frozen=True)
class Mix:
    """How a page is put together from what ranks highest."""

    variety: Annotated[float, Field(ge=0, le=1)] = 0.3
    """0 is the bare ranking; 1 lets a full repeat cost as much as parts the page's two ends."""

    pool: PositiveInt = 100
    """How many of the highest ranked can reach the page, which is never longer than that."""

    authors: NonNegativeFloat = 0.5
    """What each earlier post of the same author counts, beside 1 for the same reading."""

    topics: NonNegativeFloat = 0.25
    """What it counts when all earlier posts of the page are on the same topic."""

    run: NonNegativeInt = 2
    """The most posts of one author in a row, as long as there is anyone else; 0 is no limit."""

    exploration: Annotated[float, Field(ge=0, le=1)] = 0.05
    """The share of places kept for fresh posts of authors that the page does not show."""


@dataclass(frozen=True, slots=True)
class _Pool:
    """What variety looks at: (posts,) scores and numbers of authors, (posts, posts) repeats."""

    score: NDArray[np.float64]
    author: list[int]
    by: NDArray[np.int64]
    likeness: NDArray[np.float32]
    same_author: NDArray[np.float64]
    same_topic: NDArray[np.float64]


def compose(mix: Mix, ask: Ask, ranked: Sequence[Ranked], removed: Sequence[Removed]) -> Page:
    """One page of `ask.size` posts; `ranked` is best first and only its first `pool` reach it.

    The feed's order "latest" is by time alone, and then so is `Page.ranked`. Of the same post, its
    reposts and equal texts, the highest is shown. Everything is kept in `Page.ranked`.
    """
    latest = ask.feed.order == "latest"
    order = sorted(ranked, key=_newest_first) if latest else list(ranked)
    reach = order[: mix.pool]
    pool = _once(reach)
    model = order[0].model if order else ""
    if latest or not pool:
        return Page(tuple(pool[: ask.size]), tuple(order), tuple(removed), model=model)
    varied = _varied(mix, pool, ask.size)
    final = _explored(mix, ask, pool, varied)
    plain, spread, page = (
        tuple(pool[i] for i in shown) for shown in (range(len(varied)), varied, final)
    )
    moved = (*_moves("variety", reach, plain, spread), *_moves("exploration", reach, spread, page))
    return Page(page, tuple(order), tuple(removed), moved, model)


def _newest_first(item: Ranked) -> tuple[int, str]:
    return -item.candidate.post.at, item.candidate.post.id


def _once(ranked: Sequence[Ranked]) -> list[Ranked]:
    """The first of every post, its reposts, and every text."""
    kept: list[Ranked] = []
    shown: set[tuple[str, str]] = set()
    for item in ranked:
        post = item.candidate.post
        keys = {("post", post.repost_of or post.id), ("post", post.id)}
        text = " ".join(post.text.split()).casefold()
        if text:
            keys.add(("text", text))
        if keys.isdisjoint(shown):
            kept.append(item)
        shown |= keys
    return kept


def _varied(mix: Mix, pool: Sequence[Ranked], size: int) -> list[int]:
    """Maximal marginal relevance (Carbonell and Goldstein 1998) over readings, authors, topics.

    A repeat costs `variety` × the distance between the highest and the lowest forecast score of
    as many posts as the page has; wishes and demotions, which may be huge, are left out of that.
    """
    size = min(size, len(pool))
    seen = _pool(mix, pool)
    worth = seen.score.copy()  # −inf once chosen
    forecast = [item.score - _set_by_hand(item) for item in pool[:size]]
    price = mix.variety * max(max(forecast) - min(forecast), 1e-9)
    nearest, authors, topics = np.zeros((3, len(pool)))
    chosen: list[int] = []
    for place in range(size):
        repeat = nearest + authors + topics / max(place, 1)
        value = worth - price * repeat
        tail = [seen.author[i] for i in chosen[-mix.run :]] if mix.run else []
        if len(tail) == mix.run and len(set(tail)) == 1:
            others = np.where(seen.by == tail[0], -np.inf, value)
            value = others if np.isfinite(others).any() else value
        last = int(value.argmax())
        chosen.append(last)
        worth[last] = -np.inf
        np.maximum(nearest, seen.likeness[last], out=nearest)
        authors += seen.same_author[last]
        topics += seen.same_topic[last]
    return chosen


def _pool(mix: Mix, pool: Sequence[Ranked]) -> _Pool:
    readings = [item.candidate.reading for item in pool]
    wide = max((r.vector.size for r in readings if r is not None), default=1)
    unread = np.zeros(wide, np.float32)
    vectors = np.array(
        [r.vector if r is not None and r.vector.size == wide else unread for r in readings]
    )
    # Rounded, so that machines whose last bits differ put the same posts on the page.
    likeness = np.maximum(np.round(vectors @ vectors.T, 4), 0.0)
    by = _codes([item.candidate.post.author for item in pool])
    on = _codes([r.topics[0][0] if r is not None and r.topics else None for r in readings])
    return _Pool(
        score=np.array([item.score for item in pool], np.float64),
        likeness=likeness,
        author=by.tolist(),
        by=by,
        same_author=mix.authors * (by[:, None] == by),
        same_topic=mix.topics * ((on[:, None] == on) & (on >= 0)),
    )


def _set_by_hand(item: Ranked) -> float:
    """What wishes and demotions add to a score."""
    return sum(term.amount for term in item.terms if term.name in BY_HAND)


def _codes(names: Sequence[str | None]) -> NDArray[np.int64]:
    """The same number for the same name, −1 for None."""
    numbers: dict[str, int] = {}
    return np.array(
        [-1 if name is None else numbers.setdefault(name, len(numbers)) for name in names],
        np.int64,
    )


def _explored(mix: Mix, ask: Ask, pool: Sequence[Ranked], varied: Sequence[int]) -> list[int]:
    """`varied` with fresh posts of other authors at evenly spaced places, drawn by the ask's id."""
    size = len(varied)
    count = int(mix.exploration * size + _draw(ask.id, ""))  # so that the share holds on average
    authors = {pool[i].candidate.post.author for i in varied}
    drawn = sorted(
        (i for i in range(len(pool)) if _may_explore(pool[i], authors)),
        key=lambda i: _draw(ask.id, pool[i].candidate.post.id),
    )
    picks: list[int] = []
    for i in drawn:
        author = pool[i].candidate.post.author
        if len(picks) < count and author not in authors:
            authors.add(author)
            picks.append(i)
    final = list(varied)
    for turn, pick in enumerate(picks):
        final.insert((turn * size + size // 2) // max(len(picks), 1), pick)
    return final[:size]


def _may_explore(item: Ranked, authors: set[str]) -> bool:
    """Fresh, by an author who is not on the page, and neither demoted nor wished away."""
    against = any(term.name in BY_HAND and term.amount < 0 for term in item.terms)
    fresh = "fresh" in item.candidate.sources
    return fresh and not against and item.candidate.post.author not in authors


def _draw(request: str, post: str) -> float:
    """A number in [0, 1) that the request and the post decide."""
    text = f"{request}\0{post}".encode(errors="surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=6).digest(), "big") / 2**48


def _moves(
    term: str, reach: Sequence[Ranked], before: Sequence[Ranked], after: Sequence[Ranked]
) -> list[Moved]:
    """What this term gave and cost the posts of the page before it and of the page after it.

    A post that a page does not show stands behind it, by its score, as where `why` counts.
    """
    then, now = _places(before, reach), _places(after, reach)
    told = dict.fromkeys(item.candidate.post.id for item in (*after, *before))
    gained = ((post, then[post] - now[post]) for post in told)
    return [Moved(post, term, places) for post, places in gained if places]


def _places(page: Sequence[Ranked], reach: Sequence[Ranked]) -> dict[str, int]:
    """Where every post stands: those shown first, then the rest."""
    posts = dict.fromkeys(item.candidate.post.id for item in (*page, *reach))
    return {post: place for place, post in enumerate(posts)}
