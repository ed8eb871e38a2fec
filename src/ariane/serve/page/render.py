"""Rendering: templates to pages, with the frame that stands around every one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from ariane.engine import Engine
from ariane.serve.page.cards import Faces, named
from ariane.serve.page.layers import HEADERS
from ariane.serve.page.moments import day, full, iso, since
from ariane.serve.page.static import address
from ariane.serve.page.visit import Visit
from ariane.serve.page.words import aspect, counted, number, say
from ariane.serve.service import now
from ariane.types import FOR_YOU, ActionKind, Decision, Feed, FeedSpec

TEMPLATES: Final = Path(__file__).parent / "templates"

FLUSH: Final = "<!--flush-->"
"""Where the part of a page begins that takes time; the frame is all before it."""

HUES: Final = 8
"""How many colours faces have."""

environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.globals["static"] = address


def prepare() -> None:
    """Compile every template now, so that no reader waits for it."""
    for name in environment.list_templates():
        environment.get_template(name)


def _hue(name: str) -> int:
    return crc32(name.encode("utf-8", "replace")) % HUES


def _initial(name: str) -> str:
    """The first letter of a name."""
    return next((sign for sign in name if sign.isalnum()), "·").upper()


def key(name: str) -> str:
    """A name as a part of an element's id."""
    return blake2b(name.encode("utf-8", "replace"), digest_size=6).hexdigest()


def _held(done: Mapping[ActionKind, str], kind: str) -> str | None:
    """The id of the action of this kind, if it was done."""
    return next((action for one, action in done.items() if one.value == kind), None)


def _withheld(feed: Feed) -> int:
    """How many posts a policy took from a page."""
    return sum(
        one.verdict.decision is Decision.DROP and bool(one.verdict.statement)
        for one in feed.page.removed
    )


environment.filters |= {
    "hue": _hue,
    "initial": _initial,
    "key": key,
    "held": _held,
    "withheld": _withheld,
}


@dataclass(frozen=True, slots=True)
class Tab:
    """A named feed, to go to."""

    name: str
    title: str
    href: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A wish in force, to see and to take back."""

    id: str
    name: str
    direction: int
    until: str
    said: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a page: who is signed in, the feeds, the wishes in force, the model."""

    name: str | None = None
    tabs: tuple[Tab, ...] = ()
    wishes: tuple[Chip, ...] = ()
    posts: int = 0
    unread: int = 0
    model: str = ""


def frame(engine: Engine, visit: Visit) -> Frame:
    """The frame of a visit. It asks the store, so call it inside `serving.work`."""
    viewer = visit.viewer
    account = engine.store.account(viewer) if viewer is not None else None
    counts = visit.serving.counted(engine.store)
    return Frame(
        name=(account.name or account.id) if account else viewer,
        tabs=tuple(tab(spec, visit.language) for spec in engine.feeds.values()),
        wishes=_chips(engine, viewer, visit.language) if viewer is not None else (),
        posts=counts.posts,
        unread=counts.unread,
        model=engine.ranker.name,
    )


def _chips(engine: Engine, viewer: str, language: str) -> tuple[Chip, ...]:
    faces = Faces(engine)
    return tuple(
        Chip(
            wish.id,
            named(faces, wish.target, language),
            wish.direction,
            "" if wish.until is None else day(language, wish.until),
            wish.said,
        )
        for wish in engine.store.wishes(viewer, now())
    )


def tab(spec: FeedSpec, language: str) -> Tab:
    """A feed by its title in the reader's language."""
    title = spec.title.get(language) or spec.title.get("en") or spec.name
    return Tab(spec.name, title, "/" if spec.name == FOR_YOU.name else f"/f/{spec.name}")


def show(
    engine: Engine,
    visit: Visit,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,  # noqa: ANN401 - whatever the template names
) -> HTMLResponse:
    """A page in its frame; `values` are the template's. Call it inside `serving.work`."""
    text = render(visit, template, frame=frame(engine, visit), **values)
    return html(text, status, headers)


def opening(engine: Engine, visit: Visit, template: str, **values: Any) -> str:  # noqa: ANN401
    """A page up to FLUSH: its frame, which can be sent while the rest is being made."""
    given = _given(visit) | {"frame": frame(engine, visit)} | values
    parts = environment.get_template(template).generate(given)
    text = ""
    while FLUSH not in text:
        text += str(next(parts))
    return text.partition(FLUSH)[0]


def render(visit: Visit, template: str, **values: Any) -> str:  # noqa: ANN401 - as above
    """A template as text, without the frame unless one is given: a part of a page."""
    return environment.get_template(template).render(_given(visit) | values)


def _given(visit: Visit) -> dict[str, Any]:
    """What every template is given."""
    language, moment = visit.language, now()
    return {
        "frame": Frame(),
        "visit": visit,
        "language": language,
        "t": partial(say, language),
        "n": partial(counted, language),
        "aspect": partial(aspect, language),
        "since": partial(since, language, now=moment),
        "full": partial(full, language),
        "iso": iso,
        "number": partial(number, language),
    }


def html(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> HTMLResponse:
    """Text as the answer of a page."""
    return HTMLResponse(text, status, {**HEADERS, **(headers or {})})
