"""Reasons: why a post stands on the asker's page, from the receipt of that page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from ariane.ask.extract import author_of, quote_of
from ariane.ask.nouns import Citation, Line, Question
from ariane.ask.words import say
from ariane.engine import Engine
from ariane.feed import arrange
from ariane.sight import as_seen
from ariane.types import Feed, NotFoundError, Reason, WithdrawnError
from ariane.why import why_post
from ariane.why.sentences import sentence

MOST = 3
"""Reasons that are told."""

EVIDENCE = 3
"""Posts of the asker's own history that are cited for a reason."""


def reasons(engine: Engine, question: Question) -> Iterator[Line]:
    """A line for each reason, citing the receipt that it replays from and the posts behind it."""
    if question.post is None:
        return
    try:
        feed = _page(engine, question)
        found = _looked_at(engine, feed, _shown_as(feed, question.post))
    except NotFoundError:
        yield Line(say(question.language, "not shown"))
        return
    except WithdrawnError:
        yield Line(say(question.language, "withdrawn"))
        return
    told = as_seen(engine, replace(feed, reasons=found), question.at)
    for reason in found[:MOST]:
        yield Line(sentence(reason, told, question.language), _cited(engine, told, reason))


def _page(engine: Engine, question: Question) -> Feed:
    """The served page; NotFoundError unless it is the asker's own."""
    if question.request is None:
        raise NotFoundError("no page is named.")
    owner = engine.store.served_to(question.request)
    if owner is not None and owner != question.viewer:
        raise NotFoundError(f"{question.request} was served to someone else.")
    return engine.store.receipt(question.request)


def _shown_as(feed: Feed, post: str) -> str:
    """The post of a page that showed this one: itself, or a repost of it."""
    posts = (item.candidate.post for item in feed.page.items)
    return next((one.id for one in posts if post in (one.id, one.repost_of)), post)


def _looked_at(engine: Engine, feed: Feed, post: str) -> tuple[Reason, ...]:
    again = partial(arrange, engine.as_served(feed), feed.ask)
    return why_post(again, feed.viewer, feed.page, post, engine.settings.why.runs_one_post)


def _cited(engine: Engine, feed: Feed, reason: Reason) -> tuple[Citation, ...]:
    evidence = set(reason.evidence)
    posts = [
        past.post
        for past in feed.viewer.history
        if past.action.id in evidence and past.post is not None and past.post.text.strip()
    ]
    behind = [
        Citation(number, "post", post.id, author_of(engine.store, post), quote_of(post.text, ""))
        for number, post in enumerate(posts[:EVIDENCE], start=2)
    ]
    return (Citation(1, "receipt", feed.ask.id), *behind)
