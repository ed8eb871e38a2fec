"""Receipts: a served feed, for the one whom it was served to; to anyone else there is none."""

from __future__ import annotations

from ariane.engine import Engine
from ariane.serve.tokens import Caller
from ariane.types import Feed, NotFoundError, WithdrawnError


def receipt_for(engine: Engine, request: str, asking: Caller) -> Feed:
    """The receipt of a request, for a caller who may see it.

    The receipt of an anonymous request holds nothing personal: whoever knows its id, which cannot
    be guessed, may read it. Raises WithdrawnError where the caller's own was withdrawn.
    """
    try:
        owner = engine.store.served_to(request)
    except WithdrawnError:
        if asking.role == "operator":
            raise
        raise _absent(request) from None
    except NotFoundError:
        raise _absent(request) from None
    if owner is not None and not asking.may_see(owner):
        raise _absent(request)
    return engine.store.receipt(request)


def check_cursor(engine: Engine, request: str, viewer: str | None) -> None:
    """Raise NotFoundError unless this request was served to this viewer.

    One whose evidence is gone may still be gone on from: the store knows what it showed to whom.
    """
    try:
        owner = engine.store.served_to(request)
    except (NotFoundError, WithdrawnError):
        raise _absent(request) from None
    if owner != viewer:
        raise _absent(request)


def _absent(request: str) -> NotFoundError:
    return NotFoundError(f"There is no request {request} of this caller; check its id and token.")
