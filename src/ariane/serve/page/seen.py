"""Seen: what a remembered, profiled reader had before their eyes, and for how long."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from ariane.engine import Engine
from ariane.serve.page.acts import take
from ariane.serve.page.errors import Told
from ariane.serve.page.forms import Form
from ariane.serve.page.visit import Visiting
from ariane.serve.receipts import receipt_for
from ariane.serve.service import Serving, now
from ariane.serve.values import moment
from ariane.types import ActionKind, Feed

router = APIRouter(include_in_schema=False)

LINGERED: Final = 5.0
"""Seconds from which a look counts as dwelling."""

LONGEST: Final = 600.0
"""Seconds of one look that are counted; a page that is left open is not looked at."""


@router.post("/seen", status_code=204)
async def seen(form: Form, serving: Serving, visit: Visiting) -> Response:
    """Take in which places of a served page were looked at, and for how many seconds each.

    `request` names the page; every other field is a place on it, and the seconds. The same look
    told twice counts once. Of who is not remembered or not profiled, nothing is kept.
    """
    viewer = visit.viewer
    if viewer is None or not visit.personal:
        return Response(status_code=204)
    looks = dict(_looks(form))

    def job(engine: Engine) -> None:
        feed = receipt_for(engine, form.get("request", ""), visit.asking)
        if feed.ask.viewer == viewer and feed.ask.profiled:
            take(engine, *_wire(viewer, feed, looks))

    await serving.work(job)
    return Response(status_code=204)


def _looks(form: Mapping[str, str]) -> Iterator[tuple[int, float]]:
    for name, value in form.items():
        if name == "request":
            continue
        try:
            place, seconds = int(name), float(value)
        except ValueError:
            raise Told(422, "error.422") from None
        if not math.isfinite(seconds) or seconds < 0:
            raise Told(422, "error.422")
        yield place, min(seconds, LONGEST)


def _wire(viewer: str, feed: Feed, looks: Mapping[int, float]) -> Iterator[dict[str, Any]]:
    at = moment(now()).isoformat()
    for place, seconds in looks.items():
        if not 1 <= place <= len(feed.page.items):
            continue
        post = feed.page.items[place - 1].candidate.post.id
        lingered = seconds >= LINGERED
        kind = ActionKind.DWELL if lingered else ActionKind.IMPRESSION
        yield {
            "type": "action",
            "id": _name(feed.ask.id, post),
            "viewer": viewer,
            "kind": kind.value,
            "post": post,
            "at": at,
            "seconds": round(seconds, 1),
            "request": feed.ask.id,
        }


def _name(request: str, post: str) -> str:
    return "seen-" + blake2b(f"{request}\0{post}".encode(), digest_size=12).hexdigest()
