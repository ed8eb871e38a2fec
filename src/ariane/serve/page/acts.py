"""Acts: what a reader does to a post or its author, at once and so that it can be undone."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ariane.engine import Engine
from ariane.ingest.wire import event
from ariane.serve.batch import Batch
from ariane.serve.page.cards import Card, Dealer, dealt
from ariane.serve.page.done import ON_AUTHORS, ON_POSTS, Done, done_now
from ariane.serve.page.errors import Told
from ariane.serve.page.forms import Form
from ariane.serve.page.guarded import guarded
from ariane.serve.page.render import html, render
from ariane.serve.page.visit import Visit, Visiting, local
from ariane.serve.posts import taken
from ariane.serve.receipts import receipt_for
from ariane.serve.service import Serving, now
from ariane.serve.values import moment
from ariane.types import ActionKind, Delete, NotFoundError, WithdrawnError

router = APIRouter(include_in_schema=False)

LONGEST = 1000
"""The most characters of a reply."""

AWAY = (ActionKind.NOT_INTERESTED, ActionKind.MUTE, ActionKind.BLOCK)
"""What takes a card out of sight."""


@router.post("/do")
async def do(form: Form, serving: Serving, visit: Visiting) -> Response:
    """Do or undo something to a post or its author; a script gets what takes the button's place."""
    kind, post = _kind(form), form.get("post", "")
    viewer = remembered(visit)

    def job(engine: Engine) -> Response:
        author = _author(engine, viewer, post)
        target = author if kind in ON_AUTHORS else post
        if "undo" in form:
            undo(engine, viewer, kind, target, form["undo"])
        else:
            act(engine, viewer, kind, post=post, target=target, request=form.get("request"))
        if not visit.fragment:
            return RedirectResponse(local(form.get("to")), 303)
        return _answer(engine, visit, kind, post, form)

    return await serving.work(job)


@router.post("/reply")
async def reply(form: Form, serving: Serving, visit: Visiting) -> Response:
    """Publish an answer to a post, and tell the feed that it was answered."""
    viewer, post, text = remembered(visit), form.get("post", ""), form.get("text", "").strip()
    if visit.anonymous:
        raise Told(403, "reply.account")
    if not 0 < len(text) <= LONGEST:
        raise Told(422, "reply.length", most=LONGEST)
    name = f"post/{secrets.token_hex(12)}"

    def job(engine: Engine) -> Response:
        ask = engine.ask(viewer, at=now(), profiled=False)
        shown = guarded(engine, ask, engine.store.viewer(ask), [post]).shown
        if post not in shown:
            raise NotFoundError(f"There is no post {post}.")
        parent = shown[post].candidate.post
        root = parent.root or parent.id
        written = {"type": "post", "id": name, "author": viewer, "text": text, "source": "page"}
        written |= {"reply_to": post, "root": root, "at": moment(ask.at).isoformat()}
        take(
            engine,
            written,
            _action(viewer, ActionKind.REPLY, ask.at, form.get("request"), post=post),
        )
        return RedirectResponse(f"/p/{quote(name)}", 303)

    answer = await serving.work(job)
    serving.background.wake()
    return answer


def remembered(visit: Visit) -> str:
    """The viewer who acts; refused where nobody is remembered."""
    if visit.viewer is None:
        raise Told(401, "act.nobody")
    return visit.viewer


def take(engine: Engine, *wire: Mapping[str, Any]) -> None:
    """Take events in exactly as the API does."""
    events = tuple(event(one, settings=engine.settings.ingest) for one in wire)
    taken(engine, Batch(events, ()))


def _kind(form: Mapping[str, str]) -> ActionKind:
    for kind in (*ON_POSTS, *ON_AUTHORS):
        if kind.value == form.get("kind"):
            return kind
    raise Told(422, "error.422")


def _author(engine: Engine, viewer: str, post: str) -> str:
    """The author of a post that this viewer may see, were no one muted or blocked."""
    ask = engine.ask(viewer, at=now(), profiled=False)
    seeing = replace(engine.store.viewer(ask), mutes=frozenset(), blocks=frozenset())
    shown = guarded(engine, ask, seeing, [post]).shown
    if post not in shown:
        raise NotFoundError(f"There is no post {post}.")
    return shown[post].candidate.post.author


def _action(
    viewer: str, kind: ActionKind, at: int, request: str | None, **target: str
) -> dict[str, Any]:
    """A new action in the wire format."""
    name = f"page-{secrets.token_hex(12)}"
    wire = {"type": "action", "id": name, "viewer": viewer, "kind": kind.value}
    wire |= {"at": moment(at).isoformat(), **target}
    return wire | ({"request": request} if request else {})


def act(
    engine: Engine,
    viewer: str,
    kind: ActionKind,
    *,
    target: str,
    post: str | None = None,
    request: str | None = None,
) -> None:
    """Take an action in, once: what stands already is not done twice.

    `target` is the post, or the author, in whose case `post` is where it was done.
    """
    if (kind, target) in done_now(engine, viewer, now()).actions:
        return
    on = {"account" if kind in ON_AUTHORS else "post": target} | ({"post": post} if post else {})
    take(engine, _action(viewer, kind, now(), request, **on))


def undo(engine: Engine, viewer: str, kind: ActionKind, target: str, action: str) -> None:
    """It was never done; a follow, mute or block ends with every action that makes it."""
    if kind in ON_AUTHORS:
        ids = engine.store.standing(viewer, kind, target)
    else:
        ids = [action] if engine.store.did(viewer, action) else []
    at = now()
    engine.store.write([Delete("action", one, at, viewer) for one in ids])


def _answer(
    engine: Engine, visit: Visit, kind: ActionKind, post: str, form: Mapping[str, str]
) -> HTMLResponse:
    """What takes the place of the button or of the card."""
    card = _card(engine, visit, post, form)
    if kind not in AWAY:
        return html(render(visit, "toggle.html", card=card, kind=kind.value))
    return html(render(visit, "card.html", card=card, focus=True))


def _card(engine: Engine, visit: Visit, post: str, form: Mapping[str, str]) -> Card:
    """The card as it now stands: with its place and reason where its page is known."""
    done = done_now(engine, visit.viewer, now())
    to = local(form.get("to"))
    try:
        feed = receipt_for(engine, form.get("request", ""), visit.asking)
        cards = dealt(engine, feed, done, visit.language, to.partition("#")[0])
        found = next((card for card in cards if card.post.id == post), None)
        if found is not None:
            return found
    except (NotFoundError, WithdrawnError):
        pass  # a post of a thread, or of a page whose receipt is gone
    return _alone(engine, visit, post, to, done)


def _alone(engine: Engine, visit: Visit, post: str, to: str, done: Done) -> Card:
    """The card of a post that stands on no page, also where its author was just muted."""
    ask = engine.ask(visit.viewer, at=now(), profiled=False)
    viewer = replace(engine.store.viewer(ask), mutes=frozenset(), blocks=frozenset())
    beside = guarded(engine, ask, viewer, [post])
    if post not in beside.shown:
        raise NotFoundError(f"There is no post {post}.")
    return Dealer(engine, visit.language, done, beside).card(beside.shown[post], to)
