"""Authors: who wrote a post, what they published, and to follow, mute or block them.

Their posts stand behind the same guard as threads. Only who published something has a page, since
who only reads is nobody's to look at; a reader finds themself too, and whoever they follow, mute or
block, so that it can be undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, TypeAlias
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ariane.engine import Engine
from ariane.guard.rules import MEMBERS
from ariane.serve.page.acts import act, remembered, undo
from ariane.serve.page.cards import Card, Dealer, Face, Faces, beside_posts, lost
from ariane.serve.page.done import ON_AUTHORS, Done, done_now
from ariane.serve.page.errors import Told
from ariane.serve.page.forms import Form
from ariane.serve.page.guarded import guarded
from ariane.serve.page.render import html, key, render, show
from ariane.serve.page.threads import withheld_for
from ariane.serve.page.visit import Visit, Visiting
from ariane.serve.page.words import say
from ariane.serve.service import Serving, now
from ariane.serve.values import Id
from ariane.types import ActionKind, Ask, NotFoundError, Ranked, Viewer

router = APIRouter(include_in_schema=False)

SIZE: Final = 20

LAST: Final = 2**63 - 1
"""The last moment that a store can hold, in milliseconds; the first is as long before 1970."""

At = Annotated[
    int | None, Query(ge=-LAST, le=LAST, description="When the last post before was published.")
]
After = Annotated[Id | None, Query(description="The last post of the page before.")]


Start: TypeAlias = tuple[int, str]
"""Where a page begins: after this post, by its time and id."""


@dataclass(frozen=True, slots=True)
class Author:
    """An account as its page shows it.

    `face` is None for a reader who may not see who it is; `bio` is what a simulated person says of
    themselves, in the language `lang`; `done` is what the reader did to them.
    """

    id: str
    face: Face | None
    bio: str
    lang: str
    own: bool
    done: Mapping[ActionKind, str]

    @property
    def avoided(self) -> ActionKind | None:
        """By what the reader asked to see nothing of them."""
        kinds = (ActionKind.BLOCK, ActionKind.MUTE)
        return next((kind for kind in kinds if kind in self.done), None)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A page of an author's posts, where the next one begins, and what was withheld of it."""

    cards: tuple[Card, ...] = ()
    next: str | None = None
    withheld: int = 0
    reasons: tuple[str, ...] = ()
    members: bool = False


@dataclass(frozen=True, slots=True)
class Sight:
    """Who looks, when, and all that they did: what an author's page depends on."""

    engine: Engine
    visit: Visit
    ask: Ask
    done: Done

    @classmethod
    def of(cls, engine: Engine, visit: Visit) -> Sight:
        """The sight of a visit, now."""
        ask = engine.ask(visit.viewer, at=now(), profiled=False)
        return cls(engine, visit, ask, done_now(engine, visit.viewer, ask.at))


@router.get("/a/{account:path}")
async def author(
    account: Id, serving: Serving, visit: Visiting, at: At = None, after: After = None
) -> HTMLResponse:
    """An author and their posts, newest first; `at` and `after` say where the page before ended."""

    def job(engine: Engine) -> HTMLResponse:
        start = None if at is None else (at, after or "")
        values = _page(Sight.of(engine, visit), account, start)
        if visit.fragment and start is not None:
            return html(render(visit, "cards.html", **values))
        return show(engine, visit, "author.html", **values)

    return await serving.work(job)


@router.post("/a/{account:path}")
async def do(account: Id, form: Form, serving: Serving, visit: Visiting) -> Response:
    """Follow, mute or block an author, or undo it; a script gets what the page now shows."""
    viewer = remembered(visit)
    kind = next((one for one in ON_AUTHORS if one.value == form.get("kind")), None)
    if kind is None or account == viewer:
        raise Told(422, "error.422")

    def job(engine: Engine) -> Response:
        _check(Sight.of(engine, visit), account)
        if "undo" in form:
            undo(engine, viewer, kind, account, form["undo"])
        else:
            act(engine, viewer, kind, target=account)
        if not visit.fragment:
            return RedirectResponse(_address(account), 303)
        values = _page(Sight.of(engine, visit), account)
        return html(render(visit, "author_part.html", **values))

    return await serving.work(job)


def _page(sight: Sight, account: str, start: Start | None = None) -> dict[str, Any]:
    """What the templates show, with the posts that come after `start`."""
    _check(sight, account)
    found = _author(sight, account)
    shelf = Shelf() if found.avoided else _shelf(sight, account, start)
    return {
        "author": replace(found, face=None, bio="") if shelf.members else found,
        "shelf": shelf,
        "cards": shelf.cards,
        "next": shelf.next,
        "counts": False,
        "end": say(sight.visit.language, "author.end"),
        "again": _address(account),
    }


def _check(sight: Sight, account: str) -> None:
    """Raise NotFoundError for who has no page before this reader."""
    related = any((kind, account) in sight.done.actions for kind in ON_AUTHORS)
    if related or account == sight.visit.viewer:
        return
    if not sight.engine.store.published(account, sight.ask.at, 1):
        raise NotFoundError(f"There is no author {account}.")


def _author(sight: Sight, account: str) -> Author:
    world, held = sight.visit.world, sight.engine.store.account(account)
    person = world.person(account) if world and held else None  # who was erased has no bio either
    return Author(
        id=account,
        face=Faces(sight.engine).of(account),
        bio=person.bio if person else "",
        lang=person.lang if person else "",
        own=account == sight.visit.viewer,
        done={
            kind: done for kind in ON_AUTHORS if (done := sight.done.actions.get((kind, account)))
        },
    )


def _shelf(sight: Sight, account: str, start: Start | None) -> Shelf:
    viewer, (at, after) = sight.engine.store.viewer(sight.ask), start or (sight.ask.at, "")
    held = sight.engine.store.published(account, min(at, sight.ask.at), SIZE + 1, after)
    names = [name for _, name in held[:SIZE]]
    found = guarded(sight.engine, sight.ask, viewer, names)
    verdicts, language = list(found.withheld.values()), sight.visit.language
    members = not found.shown and MEMBERS in verdicts
    more = len(held) > SIZE and not members
    items = [found.shown[name] for name in names if name in found.shown]
    return Shelf(
        cards=_cards(sight, viewer, items, _address(account, start)),
        next=_address(account, held[SIZE - 1]) if more else None,
        withheld=sum(bool(verdict.statement) for verdict in verdicts),
        reasons=tuple(dict.fromkeys(withheld_for(verdict, language) for verdict in verdicts)),
        members=members,
    )


def _cards(sight: Sight, viewer: Viewer, items: list[Ranked], here: str) -> tuple[Card, ...]:
    """The cards of these posts at this address; one that was reposted too stands here once."""
    posts = [item.candidate.post for item in items]
    beside = beside_posts(sight.engine, sight.ask, viewer, posts)
    counts = sight.engine.store.replies([one.repost_of or one.id for one in posts], sight.ask.at)
    dealer = Dealer(sight.engine, sight.visit.language, sight.done, beside)
    cards: dict[str, Card] = {}
    for item in items:
        name = item.candidate.post.repost_of or item.candidate.post.id
        if not lost(item, beside):
            to = f"{here}#p{key(name)}"
            card = dealer.card(item, to, replies=len(counts.get(name, ())))
            cards.setdefault(card.post.id, card)
    return tuple(cards.values())


def _address(account: str, last: Start | None = None) -> str:
    """An author's page, or the part of it that follows a post."""
    start = f"?{urlencode({'at': last[0], 'after': last[1]})}" if last else ""
    return f"/a/{quote(account)}{start}"
