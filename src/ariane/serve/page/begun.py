"""Begun: a page that takes time, whose frame is sent before the rest of it is made.

So a browser has fetched the styles and painted the frame by the time that the rest comes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable

from fastapi import Request
from starlette.responses import StreamingResponse

from ariane.serve.page.errors import error_page
from ariane.serve.page.layers import HEADERS
from ariane.serve.page.render import FLUSH
from ariane.serve.problems import status_of


def begun(request: Request, opening: str, page: Awaitable[str]) -> StreamingResponse:
    """A page with status 200 that goes out at once as far as `opening`, which ends at FLUSH.

    Where the rest fails an error is told in its place, so refuse what can be refused before.
    """
    return flowing(_parts(request, opening, page))


def flowing(parts: AsyncIterator[str]) -> StreamingResponse:
    """A page with status 200, each part of which goes out as soon as it is there."""
    return StreamingResponse(parts, headers=HEADERS, media_type="text/html")


async def _parts(request: Request, opening: str, page: Awaitable[str]) -> AsyncIterator[str]:
    yield opening
    try:
        whole = await page
    except Exception as error:
        whole = error_page(request, *status_of(error))
    yield whole.partition(FLUSH)[2]
