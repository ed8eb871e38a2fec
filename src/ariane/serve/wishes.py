"""Wishes: how a viewer steers their feed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from ariane.engine import Engine
from ariane.serve.access import AnyCaller, own
from ariane.serve.models import Done, WishIn, WishOut, WordsIn
from ariane.serve.problems import COMMON, Refusal, said
from ariane.serve.service import Serving, now
from ariane.serve.values import Absent, Id
from ariane.steer import NotUnderstoodError, parse
from ariane.steer.keep import check_room, keep
from ariane.types import NotFoundError

router = APIRouter(prefix="/v1/wishes", tags=["wishes"])

Whose = Annotated[Id | Absent, Query(description="For the operator: whose wishes.")]
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:-]{1,100}$", description="The wish's id.")]


@router.get("", summary="A viewer's wishes", responses=said(401, 403, *COMMON))
async def get_wishes(serving: Serving, asking: AnyCaller, viewer: Whose = None) -> list[WishOut]:
    """The wishes in force of the viewer whom the token names."""
    whose = own(asking, viewer)

    def job(engine: Engine) -> list[WishOut]:
        return [WishOut.of(wish) for wish in engine.store.wishes(whose, now())]

    return await serving.work(job)


@router.post("", summary="Wish in plain words", responses=said(401, 403, *COMMON))
async def post_words(
    body: WordsIn, serving: Serving, asking: AnyCaller, viewer: Whose = None
) -> list[WishOut]:
    """Keep the wishes of a sentence, such as “less politics until Sunday”; which they are.

    Asked again of the same target, a wish is replaced. Words that are not understood are answered
    with 422, quoted in `not_understood`, and then nothing is kept.
    """
    whose = own(asking, viewer)

    def job(engine: Engine) -> list[WishOut]:
        try:
            made = parse(body.words, now())
        except NotUnderstoodError as error:
            sentence = error.sentence(body.language)
            raise Refusal(422, sentence, not_understood=error.said) from None
        return [WishOut.of(wish) for wish in keep(engine.store, whose, made, now())]

    return await serving.work(job)


@router.put("/{wish}", summary="Wish for more or less", responses=said(401, 403, 404, *COMMON))
async def put_wish(
    wish: Name, body: WishIn, serving: Serving, asking: AnyCaller, viewer: Whose = None
) -> WishOut:
    """Keep a wish; the same id again replaces it. It holds from the next page on."""
    whose = own(asking, viewer)

    def job(engine: Engine) -> WishOut:
        kept = body.wish(wish)
        check_room(engine.store.wishes(whose, now()), [kept])
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
