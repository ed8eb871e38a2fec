"""Wishes: typed in plain words or by a button, shown as chips, and taken back in one tap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

from fastapi import APIRouter
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ariane.engine import Engine
from ariane.serve.page.acts import remembered
from ariane.serve.page.errors import Told
from ariane.serve.page.forms import Form
from ariane.serve.page.render import frame, html, render, show
from ariane.serve.page.visit import Visit, Visiting, local
from ariane.serve.page.words import say
from ariane.serve.service import Serving, now
from ariane.steer import check_target, parse
from ariane.steer.keep import MOST, TooManyWishesError, keep
from ariane.types import CallError, Wish

router = APIRouter(include_in_schema=False)

STRENGTH = 0.5
"""What one tap on more or less is worth."""

LONGEST = 200
"""The most characters of a sentence of wishes, or of a target."""


@router.get("/wishes")
async def wishes(serving: Serving, visit: Visiting) -> HTMLResponse:
    """The wishes in force, and the box to write one in."""

    def job(engine: Engine) -> HTMLResponse:
        return show(engine, visit, "wishes.html", here="wishes/")

    return await serving.work(job)


@router.post("/wishes")
async def wish(form: Form, serving: Serving, visit: Visiting) -> Response:
    """Keep what was wished, in words or by target and direction; it holds from the next page on."""
    viewer = remembered(visit)

    def job(engine: Engine) -> Response:
        made = _said(form["words"]) if "words" in form else (_pressed(form),)
        try:
            keep(engine.store, viewer, made, now())
        except TooManyWishesError:
            raise Told(422, "wish.many", most=MOST) from None
        return _answer(engine, visit, form, say(visit.language, "wish.kept"))

    return await serving.work(job)


@router.post("/wishes/undo")
async def undo(form: Form, serving: Serving, visit: Visiting) -> Response:
    """Take a wish back; one that is not there any more is as good as taken back."""
    viewer = remembered(visit)

    def job(engine: Engine) -> Response:
        engine.store.delete_wish(viewer, form.get("wish", ""))
        return _answer(engine, visit, form, say(visit.language, "wish.undone"))

    return await serving.work(job)


def _said(words: str) -> tuple[Wish, ...]:
    """The wishes in a sentence."""
    said = " ".join(words.split())
    if not 0 < len(said) <= LONGEST:
        raise Told(422, "wish.length", most=LONGEST)
    try:
        return parse(said, now())
    except CallError:
        raise Told(422, "wish.unclear") from None


def _pressed(form: Mapping[str, str]) -> Wish:
    """The wish of a button: more or less of one target."""
    target, direction = form.get("target", ""), form.get("direction", "")
    try:
        check_target(target)
    except CallError:
        raise Told(422, "error.422") from None
    if direction not in ("1", "-1") or len(target) > LONGEST:
        raise Told(422, "error.422")
    towards = cast(Literal[-1, 1], int(direction))
    return Wish(target, target, towards, STRENGTH)


def _answer(engine: Engine, visit: Visit, form: Mapping[str, str], told: str) -> Response:
    """The chips anew for a script, with what was done said aloud; the page again otherwise."""
    if not visit.fragment:
        return RedirectResponse(local(form.get("to")), 303)
    again = local(form.get("to"))
    return html(
        render(visit, "steer_part.html", frame=frame(engine, visit), told=told, again=again)
    )
