"""Ask: a question in plain words, and its answer with marks that lead to what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import TypeAdapter, ValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ariane.ask import Citation, Line, Question
from ariane.ask.notes import Notes, model_of, written_by
from ariane.engine import Engine
from ariane.serve.answers import LONGEST, told
from ariane.serve.chat_models import RECEIPT, path_of
from ariane.serve.page.acts import remembered
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
from ariane.serve.wishes import MOST
from ariane.types import CallError, Decision, NotFoundError, Wish

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


@dataclass(frozen=True, slots=True)
class Cited:
    """What a mark leads to; `beside` is whether its words do not stand in the answer itself."""

    number: int
    path: str
    name: str
    quote: str
    receipt: bool
    beside: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A sentence and its marks."""

    text: str
    cites: tuple[Cited, ...]


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
        return show(engine, visit, "ask.html", here="ask/", subject=subject, asked="")

    return await serving.work(job)


@router.post("/ask")
async def ask(form: Form, serving: Serving, visit: Visiting) -> HTMLResponse:
    """The answer; a script gets it alone."""
    words = " ".join(CONTROLS.sub("", form.get("question", "")).split())
    if not 0 < len(words) <= LONGEST:
        raise Told(422, "ask.length", most=LONGEST)
    about = _about(form)
    question = Question(
        words,
        now(),
        visit.viewer,
        visit.language,
        about.post,
        about.account,
        about.request,
        visit.personal,
    )
    lines, wishes = await _gathered(visit, question)

    def job(engine: Engine) -> HTMLResponse:
        answer = _answer(visit, question, lines) | {"asked": words}
        ids = {wish.id for wish in wishes}
        around = frame(engine, visit)
        answer["kept"] = [chip for chip in around.wishes if chip.id in ids]
        if visit.fragment:
            text = render(visit, "answer_part.html", **answer)
            return html(text + _steer(visit, engine) if wishes else text)
        answer["subject"] = _subject(engine, visit, about)
        return html(render(visit, "ask.html", frame=around, here="ask/", **answer))

    return await serving.work(job)


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


async def _gathered(visit: Visit, question: Question) -> tuple[list[Line], list[Wish]]:
    """The whole answer, and the wishes that were kept of it."""
    lines, wishes = list[Line](), list[Wish]()
    try:
        async with aclosing(told(visit.serving, question)) as items:
            async for one in items:
                if isinstance(one, Line):
                    lines.append(one)
                else:
                    wishes.append(one)
    except NotFoundError:
        raise
    except CallError:
        raise Told(422, "wish.many", most=MOST) from None
    return lines, wishes


def _answer(visit: Visit, question: Question, lines: list[Line]) -> dict[str, Any]:
    """What the templates show of an answer."""
    notes = Notes()
    numbered = [notes.of(line) for line in lines]
    whole = "\n".join(line.text for line in lines)
    cited = {one.number: _cited(one, question, visit.language, whole) for one in notes.all()}
    return {
        "lines": [
            Shown(line.text, tuple(cited[n] for n in dict.fromkeys(c.number for c in line.cites)))
            for line in numbered
        ],
        "sources": [one for one in cited.values() if one.beside],
        "by": model_of(lines),
        "written": written_by(model_of(lines), visit.language),
    }


def _cited(one: Citation, question: Question, language: str, whole: str) -> Cited:
    receipt = one.kind == "receipt"
    name = "" if receipt else say(language, "ask.source", number=one.number, name=one.author)
    return Cited(
        number=one.number,
        path=path_of(one, question.post),
        name=name or say(language, "ask.receipt", number=one.number),
        quote=one.quote,
        receipt=receipt,
        beside=receipt or (bool(one.quote) and one.quote not in whole),
    )


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
