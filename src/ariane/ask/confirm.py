"""Confirm: what others wrote of what a post says; whether it is true is not for a feed to say."""

from __future__ import annotations

from collections.abc import Iterator

from ariane.ask.extract import citations, quoted
from ariane.ask.find import about, speaking, thread
from ariane.ask.nouns import Line, Question
from ariane.ask.turns import Sought
from ariane.ask.words import say
from ariane.engine import Engine
from ariane.sight import seen_by
from ariane.types import Ask, Post, Ranked, Viewer

CORRECTIONS = 2
OTHERS = 3
"""Posts that are quoted: those that set it right, and others on the same."""

ALIKE = 2_000
"""Signs of the post that others are compared with."""


def confirmed(engine: Engine, asking: Ask, viewer: Viewer, question: Question) -> Iterator[Line]:
    """On what footing the post says it, what corrects it, and what else there is on the same."""
    if question.post is None:
        return
    language = question.language
    named = seen_by(engine, asking, viewer, [question.post], covered=True)
    if not named:  # it was there a moment ago
        yield Line(say(language, "no post"))
        return
    itself, reading = named[0].candidate.post, named[0].candidate.reading
    told = speaking(engine, asking, viewer, [question.post])
    cited = citations(engine.store, [one.candidate.post for one in told], "")
    if reading is not None and reading.claim and cited:
        yield Line(say(language, reading.claim), tuple(cited))
    yield Line(say(language, "unknown"))
    around = _others(engine, asking, viewer, itself)
    right = [one for one in around if _corrects(one)][:CORRECTIONS]
    rest = [one for one in around if one not in right][:OTHERS]
    for opening, items in (("corrected", right), ("beside", rest)):
        if items:
            posts = [one.candidate.post for one in items]
            yield Line(say(language, opening))
            yield from quoted(citations(engine.store, posts, itself.words), language)
    if not right and not rest:
        yield Line(say(language, "alone"))


def _corrects(item: Ranked) -> bool:
    return item.candidate.reading is not None and item.candidate.reading.claim == "correction"


def _others(engine: Engine, asking: Ask, viewer: Viewer, post: Post) -> list[Ranked]:
    """What answers the post and what else is on the same, other authors' words alone."""
    near = about(engine, asking, viewer, Sought(post.words[:ALIKE]))
    ids = [*thread(engine, asking.at, post.id), *(one.post.id for one in near)]
    items = speaking(engine, asking, viewer, [one for one in ids if one != post.id])
    others = [one for one in items if one.candidate.post.id != post.id]  # nor as a repost
    return [one for one in others if one.candidate.post.author != post.author]
