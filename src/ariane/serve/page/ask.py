"""Ask: a question in plain words, and its answer with marks that lead to what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ariane.ask import Question
from ariane.ask.meant import Meant
from ariane.ask.nouns import QUESTION
from ariane.ask.turns import TURNS, spoken
from ariane.engine import Engine
from ariane.serve.answers import Answering, told, understood
from ariane.serve.chat_models import RECEIPT
from ariane.serve.page.acts import remembered
from ariane.serve.page.answered import Page, answered
from ariane.serve.page.begun import flowing
from ariane.serve.page.cards import Faces
from ariane.serve.page.errors import Told
from ariane.serve.page.forms import Form
from ariane.serve.page.guarded import guarded
from ariane.serve.page.render import frame, html, render, show
from ariane.serve.page.text import CONTROLS
from ariane.serve.page.visit import Visit, Visiting
from ariane.serve.page.words import say
from ariane.serve.service import Serving, now
from ariane.serve.values import Id
from ariane.steer.keep import MOST, TooManyWishesError
from ariane.types import Decision, NotFoundError, Wish

router = APIRouter(include_in_schema=False)

LOOKED_AT: Final = 5
"""Posts of an account among which one must be shown for its name to be."""

_ID: Final[TypeAdapter[str]] = TypeAdapter(Id)

Receipt = Annotated[str | None, Query(pattern=RECEIPT)]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a question is about beside its words: a post as it was shown, an account, or neither."""

    post: str | None = None
    account: str | None = None
    request: str | None = None
    name: str = ""
    text: str = ""


@router.get("/ask")
async def box(
    serving: Serving,
    visit: Visiting,
    post: Id | None = None,
    account: Id | None = None,
    request: Receipt = None,
) -> HTMLResponse:
    """The box to ask in: about everything, a post, or an account."""

    def job(engine: Engine) -> HTMLResponse:
        subject = _subject(engine, visit, Subject(post, account, request))
        return show(engine, visit, "ask.html", here="ask/", subject=subject, asked="", thread="")

    return await serving.work(job)


@router.post("/ask")
async def ask(request: Request, form: Form, serving: Serving, visit: Visiting) -> Response:
    """The answer, on a page that begins before the answer is there."""
    words = _line(form.get("question", ""))
    if not 0 < len(words) <= QUESTION:
        raise Told(422, "ask.length", most=QUESTION)
    about = _about(form)
    earlier = _earlier(form)

    def asked() -> Question:
        return Question(
            words,
            now(),
            visit.viewer,
            spoken(words) or visit.language,
            about.post,
            about.account,
            about.request,
            visit.personal,
            earlier,
        )

    question, wanted = await understood(serving, asked)
    items, wishes = told(serving, question, wanted), list[Wish]()
    if wanted.after is Meant.WISH:  # it is shown at the side, which is sent first
        items, wishes = await _kept(items)

    def job(engine: Engine) -> Page:
        around, subject = frame(engine, visit), _subject(engine, visit, about)
        values = {"frame": around, "here": "ask/", "subject": subject, "asked": words}
        values |= {"turns": earlier, "thread": "\n".join([*earlier, words][-TURNS:])}
        ids = {wish.id for wish in wishes}
        kept = [chip for chip in around.wishes if chip.id in ids]
        return Page(render(visit, "ask.html", **values), kept)

    page = await serving.work(job)
    return flowing(answered(request, visit, question, page, items))


@router.post("/ask/undo")
async def undo(form: Form, serving: Serving, visit: Visiting) -> Response:
    """Take back a wish that a question was."""
    viewer = remembered(visit)

    def job(engine: Engine) -> Response:
        engine.store.delete_wish(viewer, form.get("wish", ""))
        if not visit.fragment:
            return RedirectResponse("/wishes", 303)
        undone = render(visit, "told.html", sentence=say(visit.language, "wish.undone"), fault=None)
        return html(undone + _steer(visit, engine))

    return await serving.work(job)


def _steer(visit: Visit, engine: Engine) -> str:
    """The chips at the side anew, beside what was asked for."""
    return render(visit, "steer_part.html", frame=frame(engine, visit), again="/ask", beside=True)


async def _kept(items: Answering) -> tuple[Answering, list[Wish]]:
    """An answer that is all there, and the wishes that were kept of it."""
    try:
        async with aclosing(items) as telling:
            whole = [one async for one in telling]
    except TooManyWishesError:
        raise Told(422, "wish.many", most=MOST) from None

    async def again() -> Answering:
        for one in whole:
            yield one

    return again(), [one for one in whole if isinstance(one, Wish)]


def _earlier(form: Mapping[str, str]) -> tuple[str, ...]:
    """The reader's last questions, which their page sends along: none of them is kept here."""
    lines = map(_line, form.get("earlier", "").split("\n"))
    return tuple(line[:QUESTION] for line in lines if line)[-TURNS:]


def _line(text: str) -> str:
    return " ".join(CONTROLS.sub("", text).split())


def _about(form: Mapping[str, str]) -> Subject:
    """The subject that a form names."""
    try:
        post, account, request = (
            _ID.validate_python(form[name]) if form.get(name) else None
            for name in ("post", "account", "request")
        )
    except ValidationError:
        raise Told(422, "error.422") from None
    return Subject(post, account, request)


def _subject(engine: Engine, visit: Visit, about: Subject) -> Subject:
    """The same with its name and text, as far as this reader may see them.

    Raises NotFoundError for a post that is not shown to them.
    """
    asking = engine.ask(visit.viewer, at=now(), profiled=False)
    viewer = engine.store.viewer(asking)
    if about.post is not None:
        item = guarded(engine, asking, viewer, [about.post]).shown.get(about.post)
        if item is None:
            raise NotFoundError(f"There is no post {about.post}.")
        covered = any(verdict.decision is Decision.INTERSTITIAL for verdict in item.verdicts)
        post = item.candidate.post
        text = "" if covered else CONTROLS.sub("", post.text)
        name = Faces(engine).of(post.author).name
        return Subject(about.post, None, about.request, name, text)
    if about.account is not None:
        first = engine.store.published(about.account, asking.at, LOOKED_AT)
        shown = guarded(engine, asking, viewer, [name for _, name in first]).shown
        name = Faces(engine).of(about.account).name if shown else ""
        return Subject(None, about.account, None, name)
    return Subject()
