"""People: signing in and out, and an anonymous reader's consent to be remembered."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from unicodedata import normalize

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ariane.engine import Engine
from ariane.evaluate.world import Person
from ariane.serve.access import ANONYMOUS, COOKIE, give_cookie
from ariane.serve.page.errors import Told
from ariane.serve.page.forms import Form
from ariane.serve.page.render import show
from ariane.serve.page.visit import Visit, Visiting, local
from ariane.serve.service import Service, Serving, now
from ariane.serve.tokens import COOKIE_AUDIENCE, DAY, LONGEST_ID, OPERATOR, BadToken, Caller
from ariane.serve.values import moment
from ariane.types import Account

router = APIRouter(include_in_schema=False)

NAME = 80
"""The most letters of a new person's name."""

OLDEST = 1900

FIRST = 12
"""People who are introduced at once; the others stand behind a button."""


@router.get("/sign-in")
async def sign_in_page(serving: Serving, visit: Visiting, to: str | None = None) -> HTMLResponse:
    """Who reads: someone of the town, someone new, by a token, or nobody in particular."""

    def job(engine: Engine) -> HTMLResponse:
        people = _introduced(engine, visit)
        first, others = people[:FIRST], people[FIRST:]
        return show(engine, visit, "sign_in.html", to=local(to), first=first, others=others)

    return await serving.work(job)


@router.post("/sign-in")
async def sign_in(form: Form, request: Request, serving: Serving, visit: Visiting) -> Response:
    """Name the reader by the signed cookie; without a token only where accounts are open."""
    days = serving.settings.cookie_days
    if form.get("token", "").strip():
        caller, seconds = _by_token(serving, form["token"].strip())
        seconds = min(seconds, days * DAY)
    elif not visit.open_accounts:
        raise Told(403, "sign.closed")
    else:
        caller = await serving.work(lambda engine: _by_choice(engine, form))
        seconds = days * DAY
    back = RedirectResponse(local(form.get("to")), 303)
    secure = request.url.scheme == "https"
    value = serving.tokens.issue(caller, seconds, COOKIE_AUDIENCE)
    back.set_cookie(COOKIE, value, max_age=seconds, httponly=True, samesite="strict", secure=secure)
    return back


@router.post("/sign-out")
async def sign_out() -> RedirectResponse:
    """Forget who reads here. What is held about a remembered reader is ended on My data."""
    back = RedirectResponse("/", 303)
    back.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return back


@router.post("/remember")
async def remember(form: Form, request: Request, serving: Serving, visit: Visiting) -> Response:
    """An anonymous reader's consent: one cookie by which their feed knows them."""
    back = RedirectResponse(local(form.get("to")), 303)
    if visit.asking.role == "nobody":
        secure = request.url.scheme == "https"
        give_cookie(back, serving.tokens, serving.settings.cookie_days, secure)
    return back


def _introduced(engine: Engine, visit: Visit) -> list[Person]:
    """The simulated people who can be read as and say something of themselves.

    Those of the reader's language come first; who was erased is offered no more.
    """
    if visit.world is None or not visit.open_accounts:
        return []
    told = [person for person in visit.world.people if person.bio]
    held = [person for person in told if engine.store.account(person.id) is not None]
    return sorted(held, key=lambda person: person.lang not in (visit.language, "both"))


def _by_token(serving: Service, token: str) -> tuple[Caller, int]:
    """Whom a token names, and for how long it is still good."""
    try:
        return serving.tokens.verify(token), serving.tokens.seconds_left(token)
    except BadToken:
        raise Told(422, "sign.token.bad") from None


def _by_choice(engine: Engine, form: Mapping[str, str]) -> Caller:
    """The operator, an account that there is, or a new one."""
    if form.get("operator"):
        return OPERATOR
    account = form.get("account", "").strip()
    if account:
        if len(account) > LONGEST_ID or account.startswith(ANONYMOUS):
            raise Told(404, "sign.none", account=account[:60])
        if engine.store.account(account) is None:
            raise Told(404, "sign.none", account=account[:60])
        return Caller("viewer", account)
    if "name" in form:
        return Caller("viewer", _new(engine, form))
    raise Told(422, "sign.nothing")


def _new(engine: Engine, form: Mapping[str, str]) -> str:
    """A new account of this name; its id begins as the name does."""
    name = " ".join(form["name"].split())
    if not 0 < len(name) <= NAME or not name.isprintable():
        raise Told(422, "sign.no_name")
    year = form.get("birth_year", "").strip()
    last = moment(now()).year
    if year and not (year.isascii() and year.isdigit() and OLDEST <= int(year) <= last):
        raise Told(422, "sign.bad_year", first=OLDEST, last=last)
    plain = normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "reader"
    account = f"{slug}-{secrets.token_hex(3)}"
    engine.store.write([Account(account, name, int(year) if year else None, at=now())])
    return account
