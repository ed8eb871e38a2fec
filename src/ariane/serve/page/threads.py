"""Threads: a post with what it answers and what answers it, behind the same guard as feeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from ariane.engine import Engine
from ariane.serve.page.cards import Card, Dealer
from ariane.serve.page.done import done_now
from ariane.serve.page.guarded import Guarded, avoided, guarded
from ariane.serve.page.render import show
from ariane.serve.page.visit import Visit, Visiting
from ariane.serve.page.words import say
from ariane.serve.service import Serving, now
from ariane.serve.values import Id
from ariane.types import NotFoundError, Verdict

router = APIRouter(include_in_schema=False)

ABOVE: Final = 12
"""The most posts that are shown above one that answers them."""

BELOW: Final = 200
"""The most answers that are shown."""

DEPTH: Final = 4
"""Answers to answers are drawn in, this deep at most."""


@dataclass(frozen=True, slots=True)
class Place:
    """One post of a thread: its card, or why it is not shown; how deep; whether it is the one."""

    card: Card | None = None
    withheld: str = ""
    depth: int = 0
    main: bool = False
    joined: bool = False


@router.get("/p/{post:path}")
async def thread(
    post: Id, serving: Serving, visit: Visiting, request: Id | None = None
) -> HTMLResponse:
    """A post with its thread, and a form to answer it."""

    def job(engine: Engine) -> HTMLResponse:
        places = _places(engine, visit, post)
        return show(engine, visit, "thread.html", places=places, request=request)

    return await serving.work(job)


def _places(engine: Engine, visit: Visit, post: str) -> list[Place]:
    ask = engine.ask(visit.viewer, at=now(), profiled=False)
    viewer = engine.store.viewer(ask)
    above = _above(engine, post)
    below = _below(engine, post, ask.at)
    beside = guarded(engine, ask, viewer, [*above, post, *(name for name, _ in below)])
    if post not in beside.shown and post not in beside.withheld:
        raise NotFoundError(f"There is no post {post}.")
    done = done_now(engine, visit.viewer, ask.at)
    dealer = Dealer(engine, visit.language, done, beside)
    counts = engine.store.replies([*above, post, *(name for name, _ in below)], ask.at)

    def place(name: str, depth: int, main: bool, joined: bool) -> Place:
        if name in beside.withheld:
            return Place(
                withheld=withheld_for(beside.withheld[name], visit.language),
                depth=depth,
                main=main,
                joined=joined,
            )
        to = f"/p/{quote(post)}"
        card = dealer.card(beside.shown[name], to, replies=len(counts.get(name, ())))
        return Place(card, "", depth, main, joined)

    return [
        *(place(name, 0, False, True) for name in above if _held(beside, name)),
        place(post, 0, True, False),
        *(place(name, depth, False, False) for name, depth in below if _held(beside, name)),
    ]


def _held(beside: Guarded, name: str) -> bool:
    return name in beside.shown or name in beside.withheld


def _above(engine: Engine, post: str) -> list[str]:
    """What a post answers, the first of them first."""
    found: list[str] = []
    name: str | None = post
    while name is not None and len(found) <= ABOVE:
        held = engine.store.posts([name]).get(name)
        name = held.reply_to if held and held.reply_to not in (*found, post) else None
        if name is not None:
            found.append(name)
    return found[::-1]


def _below(engine: Engine, post: str, at: int) -> list[tuple[str, int]]:
    """What answers a post, each followed by its own answers, and how deep it stands."""
    children: dict[str, list[str]] = {}
    level: Sequence[str] = [post]
    known = {post}
    while level and len(known) < BELOW:
        found = engine.store.replies(level, at)
        children |= found
        level = [name for names in found.values() for name in names if name not in known]
        level = level[: BELOW - len(known) + 1]
        known.update(level)
    ordered: list[tuple[str, int]] = []
    stack = [(name, 0) for name in reversed(children.get(post, []))]
    told = {post}
    while stack and len(ordered) < BELOW:
        name, depth = stack.pop()
        if name not in told and name in known:
            told.add(name)
            ordered.append((name, min(depth, DEPTH)))
            stack += [(child, depth + 1) for child in reversed(children.get(name, []))]
    return ordered


def withheld_for(verdict: Verdict, language: str) -> str:
    """Why a post of the thread is not shown."""
    if avoided(verdict):
        return say(language, "thread.avoided")
    said = verdict.statement.get(language) or verdict.statement.get("en")
    return said or say(language, "thread.members")
