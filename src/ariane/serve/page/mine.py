"""My data: what is held about the reader in plain words, taken away, undone, or erased."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ariane.engine import Engine
from ariane.report.words import ACTIONS, numbered
from ariane.serve.access import COOKIE
from ariane.serve.page.acts import remembered
from ariane.serve.page.done import ON_AUTHORS
from ariane.serve.page.errors import Told
from ariane.serve.page.forms import Form
from ariane.serve.page.guarded import guarded
from ariane.serve.page.render import show
from ariane.serve.page.visit import Visit, Visiting
from ariane.serve.service import Serving, now
from ariane.serve.viewers import erased
from ariane.types import ActionKind, Decision, Delete, Post, Viewer

router = APIRouter(include_in_schema=False)

KINDS: Final = ("actions", "receipts", "wishes", "posts", "labels")
"""What is counted, by its name in the export."""

RECENT: Final = 20
"""Actions that are shown, and posts that were only seen."""

SEEN: Final = (ActionKind.IMPRESSION, ActionKind.DWELL)
"""What happens to a reader rather than is done."""

WORDS: Final = 140
"""Characters of a post that are shown."""

FILE: Final = "ariane-my-data.json"

COVERED: Final = (Decision.INTERSTITIAL, Decision.DROP)
"""Verdicts under which a post's words are not repeated here."""


@dataclass(frozen=True, slots=True)
class Held:
    """So much of one kind, and for how many days it is kept; 0 for as long as the person wants."""

    kind: str
    count: str
    days: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    """An account that the reader follows, mutes or blocks."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Recent:
    """One thing that the reader did; `post` is None where it is gone, `text` "" where covered."""

    id: str
    at: int
    what: str
    post: str | None
    text: str
    account: str


@router.get("/me")
async def me(serving: Serving, visit: Visiting, done: str = "") -> HTMLResponse:
    """What is held about the reader; for whoever is not remembered, how little that is."""

    def job(engine: Engine) -> HTMLResponse:
        viewer = visit.viewer
        values = _held(engine, visit, viewer) if viewer is not None else {}
        return show(engine, visit, "me.html", here="me/", erased=done == "erased", **values)

    return await serving.work(job)


@router.get("/me/export")
async def export(serving: Serving, visit: Visiting) -> Response:
    """All that is held, as a file; the same that GET /v1/viewers/ID answers."""
    viewer = remembered(visit)
    held = await serving.work(lambda engine: engine.store.export(viewer))
    headers = {
        "Content-Disposition": f'attachment; filename="{FILE}"',
        "Cache-Control": "no-store",
    }
    text = json.dumps(held, ensure_ascii=False, indent=1)
    return Response(text, media_type="application/json", headers=headers)


@router.post("/me/undo")
async def undo(form: Form, serving: Serving, visit: Visiting) -> RedirectResponse:
    """Undo one action by its id, or whatever follows, mutes or blocks an account."""
    viewer = remembered(visit)

    def job(engine: Engine) -> None:
        ids = _undone(engine, viewer, form)
        if not ids:
            raise Told(404, "me.undo.gone")
        engine.store.write([Delete("action", one, now(), viewer) for one in ids])

    await serving.work(job)
    return RedirectResponse("/me", 303)


@router.get("/me/erase")
async def ask_to_erase(serving: Serving, visit: Visiting) -> HTMLResponse:
    """What erasing would destroy, and a box to tick first."""
    remembered(visit)
    return await serving.work(lambda engine: show(engine, visit, "erase.html", here="me/"))


@router.post("/me/erase")
async def erase(form: Form, serving: Serving, visit: Visiting) -> Response:
    """Erase the reader, once that was confirmed; ask for it where it was not."""
    viewer = remembered(visit)
    if form.get("confirm") != "yes":
        return RedirectResponse("/me/erase", 303)
    await serving.work(lambda engine: erased(engine, viewer))
    back = RedirectResponse("/me?done=erased", 303)
    back.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return back


def _held(engine: Engine, visit: Visit, viewer: str) -> dict[str, Any]:
    """What the page says of a reader who is remembered."""
    held = engine.store.export(viewer)
    ask = engine.ask(viewer, at=now())
    keeps = engine.settings.store
    days = {"actions": keeps.keep_actions_days, "receipts": keeps.keep_receipts_days}
    shown = engine.store.viewer(ask)
    did = [action for action in held["actions"] if action["kind"] not in SEEN]
    saw = [action for action in held["actions"] if action["kind"] in SEEN]
    return {
        "account": held["account"],
        "held": [
            Held(kind, _number(visit, len(held[kind])), int(days.get(kind, 0))) for kind in KINDS
        ],
        "kinds": _kinds(visit, held["actions"]),
        "relations": [
            (kind.value, _people(engine, accounts))
            for kind, accounts in zip(
                ON_AUTHORS, (shown.follows, shown.mutes, shown.blocks), strict=True
            )
        ],
        "recent": _recent(engine, visit, shown, did),
        "shown": _recent(engine, visit, shown, saw),
    }


def _number(visit: Visit, count: int) -> str:
    return numbered(visit.language, "{count:,}", count=count)


def _what(visit: Visit, kind: str) -> str:
    return ACTIONS[kind][visit.language == "fr"]


def _kinds(visit: Visit, actions: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """How often the reader did what, the most frequent first."""
    counts = Counter(action["kind"] for action in actions).most_common()
    return [(_what(visit, kind), _number(visit, count)) for kind, count in counts]


def _people(engine: Engine, accounts: frozenset[str]) -> list[Person]:
    found = [Person(account, _name(engine, account)) for account in accounts]
    return sorted(found, key=lambda person: (person.name.casefold(), person.id))


def _name(engine: Engine, account: str) -> str:
    held = engine.store.account(account)
    return (held.name if held else None) or account


def _recent(
    engine: Engine, visit: Visit, viewer: Viewer, actions: list[dict[str, Any]]
) -> list[Recent]:
    """The last things that the reader did, newest first; the guard stands here too."""
    last = sorted(actions, key=lambda action: (action["at"], action["id"]))[: -RECENT - 1 : -1]
    ids = [action["post"] for action in last if action.get("post")]
    ask = engine.ask(viewer.id, at=now(), profiled=False)
    unmuted = Viewer(viewer.id, minor=viewer.minor)  # whom one muted, one may undo here
    beside = guarded(engine, ask, unmuted, ids)
    texts: dict[str, str] = {}
    for name, item in beside.shown.items():
        covered = any(verdict.decision in COVERED for verdict in item.verdicts)
        texts[name] = "" if covered else _clip(item.candidate.post)
    held = {*beside.shown, *beside.withheld}
    return [
        Recent(
            action["id"],
            action["at"],
            _what(visit, action["kind"]),
            post if (post := action.get("post")) in held else None,
            texts.get(post or "", ""),
            _name(engine, action["account"]) if action.get("account") else "",
        )
        for action in last
    ]


def _clip(post: Post) -> str:
    text = " ".join(post.text.split())
    return text if len(text) <= WORDS else text[: WORDS - 1].rstrip() + "…"


def _undone(engine: Engine, viewer: str, form: Mapping[str, str]) -> list[str]:
    """The ids of the actions that a form asks to undo."""
    action = form.get("action")
    if action is not None:
        return [action] if engine.store.did(viewer, action) else []
    kind = next((one for one in ON_AUTHORS if one.value == form.get("kind")), None)
    if kind is None:
        raise Told(422, "error.422")
    return engine.store.standing(viewer, kind, form.get("account", ""))
