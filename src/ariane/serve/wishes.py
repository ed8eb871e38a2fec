"""Wishes: how a viewer steers their feed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query

from ariane.engine import Engine
from ariane.serve.access import AnyCaller, own
from ariane.serve.models import Done, WishIn, WishOut
from ariane.serve.problems import COMMON, said
from ariane.serve.service import Serving, now
from ariane.serve.values import Absent, Id
from ariane.types import CallError, NotFoundError, Wish

router = APIRouter(prefix="/v1/wishes", tags=["wishes"])

MOST = 200
"""The most wishes that a viewer may have in force."""

Whose = Annotated[Id | Absent, Query(description="For the operator: whose wishes.")]
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:-]{1,100}$", description="The wish's id.")]


@router.get("", summary="A viewer's wishes", responses=said(401, 403, *COMMON))
async def get_wishes(serving: Serving, asking: AnyCaller, viewer: Whose = None) -> list[WishOut]:
    """The wishes in force of the viewer whom the token names."""
    whose = own(asking, viewer)

    def job(engine: Engine) -> list[WishOut]:
        return [WishOut.of(wish) for wish in engine.store.wishes(whose, now())]

    return await serving.work(job)


@router.put("/{wish}", summary="Wish for more or less", responses=said(401, 403, 404, *COMMON))
async def put_wish(
    wish: Name, body: WishIn, serving: Serving, asking: AnyCaller, viewer: Whose = None
) -> WishOut:
    """Keep a wish; the same id again replaces it. It holds from the next page on."""
    whose = own(asking, viewer)

    def job(engine: Engine) -> WishOut:
        kept = body.wish(wish)
        _check_room(engine.store.wishes(whose, now()), [kept])
        engine.store.write_wish(whose, kept)
        return WishOut.of(kept)

    return await serving.work(job)


@router.delete("/{wish}", summary="Take a wish back", responses=said(401, 403, 404, *COMMON))
async def delete_wish(
    wish: Name, serving: Serving, asking: AnyCaller, viewer: Whose = None
) -> Done:
    """Forget a wish."""
    whose = own(asking, viewer)

    def job(engine: Engine) -> Done:
        if not engine.store.delete_wish(whose, wish):
            raise NotFoundError(f"There is no wish {wish}; GET /v1/wishes lists them.")
        return Done(done=True)

    return await serving.work(job)


def keep(engine: Engine, viewer: str, made: Sequence[Wish]) -> list[Wish]:
    """Write wishes, each in the place of the one that there was on its target.

    Raises CallError where they would be more than MOST.
    """
    held = engine.store.wishes(viewer, now())
    ids = {one.target: one.id for one in held}
    kept = [replace(one, id=ids.get(one.target) or f"w-{secrets.token_hex(8)}") for one in made]
    _check_room(held, kept)
    for one in kept:
        engine.store.write_wish(viewer, one)
    return kept


def _check_room(held: Sequence[Wish], more: Sequence[Wish]) -> None:
    if len({one.id for one in (*held, *more)}) > MOST:
        raise CallError(f"There are {MOST} wishes already, which is the most; delete some.")
