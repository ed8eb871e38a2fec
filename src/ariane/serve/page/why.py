"""Why: a post's causes with the places that each gives, its score, its replay, and what to wish."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Final

import fastapi
from fastapi import APIRouter, Path
from starlette.responses import HTMLResponse, Response

from ariane.engine import Engine
from ariane.feed import arrange, replay
from ariane.serve.page.begun import begun
from ariane.serve.page.cards import About, Faces, about, gist, named
from ariane.serve.page.render import frame, html, opening, render, show
from ariane.serve.page.visit import Visit, Visiting
from ariane.serve.page.words import say
from ariane.serve.receipts import receipt_for
from ariane.serve.service import Serving, now
from ariane.serve.values import Id
from ariane.sight import as_seen
from ariane.targets import matched
from ariane.types import (
    PREDICTED,
    ArianeError,
    Feed,
    NotFoundError,
    Ranked,
    Reason,
)
from ariane.why import why_post
from ariane.why.sentences import sentence, shortened
from ariane.why.words import VERBS

router = APIRouter(include_in_schema=False)

Request = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,100}$")]

CAUSES: Final = 5
"""The most causes that are shown."""

EVIDENCE: Final = 4
"""The most posts that are shown as the evidence of a cause."""

TERMS: Final = 6
"""The most terms of a score that are shown one by one."""

KINDS: Final = frozenset(kind.value for kind in PREDICTED)
"""The terms of a score that are predicted actions."""

TASTES: Final = 10
"""The most planted tastes that are shown."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A post of the reader's own history, and what they did to it."""

    post: str
    did: str
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A cause: its sentence, where the post stands and would stand, and how long its bar is."""

    name: str
    sentence: str
    rank: int
    then: int | None
    share: int
    proofs: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A term of the score: its name, its amount, and how long its bar is, of 100."""

    name: str
    amount: float
    share: int


@dataclass(frozen=True, slots=True)
class Truth:
    """A planted taste, its weight, and whether it is true of this post."""

    name: str
    weight: float
    here: bool


@router.get("/w/{request}/{post:path}")
async def why(
    asked: fastapi.Request, request: Request, post: Id, serving: Serving, visit: Visiting
) -> Response:
    """Why one post of a served page stands where it stands, looked at closely."""

    def top(engine: Engine) -> str:
        _item(receipt_for(engine, request, visit.asking), post)
        return opening(engine, visit, "why.html")

    def job(engine: Engine) -> str:
        feed = receipt_for(engine, request, visit.asking)
        item = _item(feed, post)
        faces = Faces(engine)
        author = faces.of(item.candidate.post.author)
        reasons = _reasons(engine, feed, post)
        seen = replace(feed, reasons=reasons)
        values: dict[str, Any] = {
            "feed": feed,
            "post": item.candidate.post,
            "author": author,
            "rank": feed.page.items.index(item) + 1,
            "candidates": len(feed.page.ranked),
            "causes": _shown(reasons, as_seen(engine, seen, now()), visit.language),
            "parts": _parts(item, visit.language, by_time=feed.by_time),
            "score": item.score,
            "scored": _scored(feed),
            "moved": [one for one in feed.page.terms if one.post == post],
            "wishes": (
                *about(item, visit.language),
                About(f"author:{author.id}", author.name),
            ),
            "truths": _truths(faces, visit, item),
        }
        if visit.fragment:
            return render(visit, "why_part.html", **values)
        return render(visit, "why.html", frame=frame(engine, visit), **values)

    if visit.fragment:
        return html(await serving.work(job))
    return begun(asked, await serving.work(top), serving.work(job))


@router.post("/w/{request}/replay")
async def again(request: Request, serving: Serving, visit: Visiting) -> HTMLResponse:
    """Arrange the page again from its receipt, and test every claim that was printed with it."""

    def job(engine: Engine) -> HTMLResponse:
        receipt_for(engine, request, visit.asking)
        found = replay(engine, request)
        if visit.fragment:
            return html(render(visit, "replay_part.html", found=found))
        return show(engine, visit, "replay.html", found=found)

    return await serving.work(job)


def _item(feed: Feed, post: str) -> Ranked:
    """An item of the page; a repost is found by what it reposts too."""
    for item in feed.page.items:
        if post in (item.candidate.post.id, item.candidate.post.repost_of):
            return item
    raise NotFoundError(f"Post {post} is not on the page of request {feed.ask.id}.")


def _reasons(engine: Engine, feed: Feed, post: str) -> tuple[Reason, ...]:
    """The reason that was printed first, then what a closer look at the same receipt finds.

    Where the ranker of then is gone, what was printed stands alone.
    """
    printed = tuple(reason for reason in feed.reasons if reason.post == post)
    try:
        then = partial(arrange, engine.as_served(feed), feed.ask)
        found = why_post(then, feed.viewer, feed.page, post, engine.settings.why.runs_one_post)
    except ArianeError:
        found = ()
    told = {frozenset(reason.evidence) for reason in printed}
    more = [
        reason
        for reason in found
        if reason.rank_without is not None and frozenset(reason.evidence) not in told
    ]
    return (*printed, *more)[:CAUSES]


def _shown(reasons: tuple[Reason, ...], feed: Feed, language: str) -> list[Shown]:
    falls = [(reason.rank_without or reason.rank) - reason.rank for reason in reasons]
    longest = max(falls, default=0) or 1
    return [
        Shown(
            name=gist(reason, language),
            sentence=sentence(reason, feed, language),
            rank=reason.rank,
            then=reason.rank_without,
            share=max(2, round(100 * fall / longest)) if fall > 0 else 0,
            proofs=_proofs(reason, feed, language),
        )
        for reason, fall in zip(reasons, falls, strict=True)
    ]


def _proofs(reason: Reason, feed: Feed, language: str) -> tuple[Proof, ...]:
    """The first posts behind a reason, as far as they are still held."""
    history = {past.action.id: past for past in feed.viewer.history}
    pasts = [history[name] for name in reason.evidence if name in history]
    pasts.sort(key=lambda past: not past.action.kind.sign)  # what was done before what was seen
    found = {}
    for past in pasts:
        if past.post is not None and past.post.text.strip() and past.post.id not in found:
            did = VERBS[language][past.action.kind.value].partition("{posts}")[0].strip()
            found[past.post.id] = Proof(past.post.id, did, shortened(past.post.text, 140))
    return tuple(found.values())[:EVIDENCE]


def _scored(feed: Feed) -> str:
    """The key of what is true of this page's scores: whose actions were expected, if anyone's."""
    if feed.by_time:
        return "why.score.recent"
    return "why.score.detail" if feed.viewer.history else "why.score.readers"


def _parts(item: Ranked, language: str, *, by_time: bool) -> list[Part]:
    """The terms of a score, largest first; small ones together at the end.

    Where no model ranked, the kinds of action say nothing but how new the post is.
    """
    sums: dict[str, float] = {}
    for term in item.terms:
        name = "fresh" if by_time and term.name in KINDS else term.name
        sums[name] = sums.get(name, 0.0) + term.amount
    ordered = sorted(sums.items(), key=lambda pair: -abs(pair[1]))
    kept, rest = ordered[:TERMS], ordered[TERMS:]
    if rest:
        kept.append(("rest", sum(amount for _, amount in rest)))
    longest = max((abs(amount) for _, amount in kept), default=0.0) or 1.0
    return [
        Part(_term(name, language), amount, round(100 * abs(amount) / longest))
        for name, amount in kept
    ]


def _term(name: str, language: str) -> str:
    known = {*KINDS, "wish", "demote", "fresh", "rest"}
    return say(language, f"term.{name}") if name in known else name.replace("_", " ")


def _truths(faces: Faces, visit: Visit, item: Ranked) -> list[Truth]:
    """What the simulated person who reads really likes, in the order of how much it weighs."""
    person = visit.world.person(visit.viewer) if visit.world else None
    if visit.world is None or person is None:
        return []
    truth = visit.world.truths.get(item.candidate.post.id)
    found = [
        Truth(
            named(faces, taste.target, visit.language),
            taste.weight,
            truth.holds(taste.target)
            if truth is not None
            else matched(taste.target, item.candidate) > 0,
        )
        for taste in person.tastes
    ]
    return sorted(found, key=lambda one: (not one.here, -abs(one.weight)))[:TASTES]
