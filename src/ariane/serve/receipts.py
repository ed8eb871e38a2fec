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
        feed = engine.store.receipt(request)
    except WithdrawnError:
        if asking.role == "operator" or _served_to(engine, request, asking.viewer):
            raise
        raise _absent(request) from None
    except NotFoundError:
        raise _absent(request) from None
    if feed.ask.viewer is not None and not asking.may_see(feed.ask.viewer):
        raise _absent(request)
    return feed


def check_cursor(engine: Engine, request: str, viewer: str | None) -> None:
    """Raise NotFoundError unless this request was served to this viewer.

    One whose evidence is gone may still be gone on from: the store knows what it showed to whom.
    """
    try:
        feed = engine.store.receipt(request)
    except WithdrawnError:
        return
    if feed.ask.viewer != viewer:
        raise _absent(request)


def _served_to(engine: Engine, request: str, viewer: str | None) -> bool:
    """Whether a withdrawn receipt is this viewer's; the store then names no owner."""
    held = engine.store.export(viewer)["receipts"] if viewer is not None else ()
    return any(receipt["ask"]["id"] == request for receipt in held)


def _absent(request: str) -> NotFoundError:
    return NotFoundError(f"There is no request {request} of this caller; check its id and token.")
