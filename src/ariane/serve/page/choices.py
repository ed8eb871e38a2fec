"""What a reader chooses for every page: the language, and whether it is personalised."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse

from ariane.serve.page.errors import Told
from ariane.serve.page.forms import Form
from ariane.serve.page.visit import LANGUAGE, MODE, PLAIN, keep, local
from ariane.types import LANGUAGES

router = APIRouter(include_in_schema=False)


@router.post("/language")
async def choose_language(request: Request, form: Form) -> RedirectResponse:
    """Keep the language, and go back."""
    chosen = form.get("language", "")
    if chosen not in LANGUAGES:
        raise Told(422, "error.422")
    back = RedirectResponse(local(form.get("to")), 303)
    keep(back, request, LANGUAGE, chosen)
    return back


@router.post("/mode")
async def choose_mode(request: Request, form: Form) -> RedirectResponse:
    """Keep whether pages are personalised, and go back."""
    chosen = form.get("mode", "")
    if chosen not in (PLAIN, "personal"):
        raise Told(422, "error.422")
    back = RedirectResponse(local(form.get("to")), 303)
    if chosen == PLAIN:
        keep(back, request, MODE, PLAIN)
    else:
        back.delete_cookie(MODE, httponly=True, samesite="lax")
    return back
