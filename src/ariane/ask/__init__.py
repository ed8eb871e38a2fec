"""Question → Answer: sentences that cite the posts and receipts which they rest on.

The asker's words alone decide what is looked for. A language model, where there is one, only words
what posts say; only sentences that their citations bear out go out, and where none does, the posts
are quoted. Nothing is written: whoever calls keeps the wishes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

from ariane.ask.confirm import confirmed
from ariane.ask.extract import citations, quoted
from ariane.ask.find import about, feed, meant_by, newest, speaking, thread
from ariane.ask.meant import Meant
from ariane.ask.nouns import Answer, Citation, Line, Question
from ariane.ask.reasons import reasons
from ariane.ask.turns import TURNS, Sought, sought
from ariane.ask.words import say
from ariane.ask.write import written
from ariane.engine import Engine
from ariane.types import Ask, LanguageModel, LanguageModelError, Post, Viewer, Wish

__all__ = ["Answer", "Citation", "Line", "Question", "ask", "stream"]

log = logging.getLogger(__name__)

MOST = 5
"""Posts that an answer rests on."""

WITH_ANSWERS = 2
"""Posts that are told with the first answer to them, so that a rumour does not stand alone."""


def ask(engine: Engine, question: Question, model: LanguageModel | None = None) -> Answer:
    """The whole answer to a question."""
    told = list(stream(engine, question, sought(question), model))
    lines = tuple(one for one in told if isinstance(one, Line))
    return Answer(lines, tuple(one for one in told if isinstance(one, Wish)))


def stream(
    engine: Engine, question: Question, wanted: Sought, model: LanguageModel | None = None
) -> Iterator[Line | Wish]:
    """An answer sentence by sentence, or the wishes that the question is.

    `wanted` is what the question means (`sought`). Without a model, and where it fails or none of
    its sentences holds, posts are quoted.
    """
    if not question.text.strip():
        yield Line(say(question.language, "no answer"))
        return
    asking = engine.ask(
        question.viewer, at=question.at, language=question.language, profiled=question.profiled
    )
    viewer = engine.store.viewer(asking)
    if question.post is not None:
        post = meant_by(engine, asking, viewer, question.post)
        if post is None:
            yield Line(say(question.language, "no post"))
            return
        question = replace(question, post=post)
    if wanted.after is Meant.WISH:
        yield from wanted.wishes
    elif wanted.after is Meant.WHY:
        yield from reasons(engine, question)
    elif wanted.after is Meant.CONFIRMED:
        yield from confirmed(engine, asking, viewer, question)
    else:
        posts = _posts(engine, asking, viewer, question, wanted)
        if not posts and wanted.after is Meant.FEED and wanted.theme:
            everywhere = replace(wanted, after=Meant.POSTS)
            posts = _posts(engine, asking, viewer, question, everywhere)
            if posts:
                yield _nothing_in_feed(question, wanted)
                wanted = everywhere
        found = _answered(engine, asking, viewer, posts)
        yield from _told(engine, question, wanted, found, model)


def _told(
    engine: Engine,
    question: Question,
    wanted: Sought,
    posts: list[Post],
    model: LanguageModel | None,
) -> Iterator[Line]:
    """What posts say: in a model's words as far as they hold, else in their own."""
    if not posts:
        yield _nothing(question, wanted)
        return
    cited = citations(engine.store, posts, wanted.theme)
    question = replace(question, earlier=question.earlier[-TURNS:] if wanted.leans else ())
    if model is not None:
        held = False
        for line in _worded(model, question, list(zip(cited, posts, strict=True))):
            held = True
            yield line
        if held:
            return
    opening = "found feed" if wanted.after is Meant.FEED else "found"
    yield Line(say(question.language, opening))
    yield from quoted(cited, question.language)


def _worded(
    model: LanguageModel, question: Question, cited: list[tuple[Citation, Post]]
) -> Iterator[Line]:
    """A model's sentences as far as it comes; whatever fails in it is told in the log."""
    began = False
    try:
        for line in written(model, question, cited):
            began = True
            yield line
        return
    except LanguageModelError as error:
        log.warning("an answer is quoted or cut short, since the model failed: %s", error)
    except Exception:
        log.exception("an answer is quoted or cut short, since the model failed unforeseen")
    if began:
        yield Line(say(question.language, "cut short"))


def _posts(
    engine: Engine, asking: Ask, viewer: Viewer, question: Question, wanted: Sought
) -> list[Post]:
    """The posts that answer, best first; all of where they are looked for if no theme is named."""
    among: list[str] | None = None
    if question.post is not None:
        among = thread(engine, asking.at, question.post)
    elif question.account is not None:
        among = newest(engine, asking, question.account, wanted.span)
    elif wanted.after is Meant.FEED:
        among = feed(engine, asking, viewer)
    if wanted.theme:
        found = about(engine, asking, viewer, wanted, among)
        if found or question.post is None:
            return [one.post for one in found]
    wide = feed(engine, asking, viewer) if among is None else among
    items = speaking(engine, asking, viewer, wide, span=wanted.span)
    return [item.candidate.post for item in items]


def _answered(engine: Engine, asking: Ask, viewer: Viewer, posts: list[Post]) -> list[Post]:
    """The first posts, the best of them with the first answer to each: it may set them right."""
    best = posts[:WITH_ANSWERS]
    replies = engine.store.replies([post.id for post in best], asking.at)
    first = [names[0] for names in replies.values() if names]
    allowed = speaking(engine, asking, viewer, first, chosen=True)
    shown = {one.candidate.post.id: one.candidate.post for one in allowed}
    found: dict[str, Post] = {}
    for post in posts:
        found[post.id] = post
        if post in best:
            found |= {name: shown[name] for name in replies.get(post.id, [])[:1] if name in shown}
    return list(found.values())[:MOST]


def _nothing(question: Question, wanted: Sought) -> Line:
    """That there is no post that answers."""
    language, theme = question.language, wanted.theme
    if wanted.after is Meant.FEED and not (wanted.span and theme):
        return _nothing_in_feed(question, wanted)
    if wanted.span is not None:
        return Line(say(language, "nothing then"))
    if question.account is not None and not theme:
        return Line(say(language, "no account"))
    return Line(say(language, "nothing about" if theme else "nothing", subject=theme))


def _nothing_in_feed(question: Question, wanted: Sought) -> Line:
    """That the feed has no post that answers; others may."""
    name = "nothing feed" if wanted.theme else "empty feed"
    when = "" if wanted.span is None else " then"
    return Line(say(question.language, name + when, subject=wanted.theme))
