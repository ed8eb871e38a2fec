"""Access: who is asking, and what the routes demand of them.

A viewer's feed, reasons, wishes, actions and export are theirs: another viewer is refused. The
operator may act for anyone, which answering a person's request by letter needs. A receipt that is
not the caller's is answered as one that does not exist, so that ids tell nothing.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import Depends, Request, Response, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.requests import HTTPConnection
from starlette.types import Scope

from ariane.serve.limits import client_address
from ariane.serve.problems import Refusal
from ariane.serve.tokens import (
    COOKIE_AUDIENCE,
    DAY,
    NOBODY,
    BadToken,
    Caller,
    Tokens,
)

COOKIE = "ariane_reader"
ANONYMOUS = "anonymous/"
"""How the ids of anonymous readers begin."""

bearer = HTTPBearer(
    scheme_name="token",
    bearerFormat="JWT",
    description="A token that names a viewer or the operator: `ariane token`.",
    auto_error=False,
)


cookie = APIKeyCookie(
    name=COOKIE,
    scheme_name="reader",
    description="An anonymous reader's consented cookie: POST /v1/anonymous.",
    auto_error=False,
)


def identify(connection: HTTPConnection, tokens: Tokens) -> Caller:
    """Who sent this: by token, else by consented cookie, else nobody; BadToken on a wrong token."""
    header = connection.headers.get("authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise BadToken("The Authorization header is not `Bearer TOKEN`; send it so.")
        return tokens.verify(token.strip())
    kept = connection.cookies.get(COOKIE)
    if kept is None:
        return NOBODY
    try:
        return tokens.verify(kept, COOKIE_AUDIENCE)
    except BadToken:
        return NOBODY  # an expired cookie makes a reader anonymous, not refused


def bucket(scope: Scope, tokens: Tokens) -> str | None:
    """Whose rate limit a request counts against: a viewer's, or its address's; None: no one's.

    The operator is not limited. An anonymous reader counts by address, because anyone can be
    any number of them.
    """
    try:
        caller = identify(HTTPConnection(scope), tokens)
    except BadToken:
        caller = NOBODY
    if caller.role == "operator":
        return None
    if caller.viewer is None or caller.viewer.startswith(ANONYMOUS):
        return client_address(scope)
    return f"viewer {caller.viewer}"


def _identified(request: Request) -> Caller:
    try:
        return identify(request, request.app.state.service.tokens)
    except BadToken as error:
        raise Refusal(401, str(error)) from None


def caller(
    request: Request,
    _: Annotated[object, Security(bearer)],
    __: Annotated[object, Security(cookie)],
) -> Caller:
    """Who is asking; 401 where a token was sent that is not valid."""
    return _identified(request)


AnyCaller = Annotated[Caller, Depends(caller)]

ALSO_NOBODY: dict[str, Any] = {"security": [{}]}
"""Said in the OpenAPI document of a route that takes a token but needs none."""


def operator(request: Request, _: Annotated[object, Security(bearer)]) -> Caller:
    """The operator; 401 for nobody, 403 for a viewer."""
    asking = _identified(request)
    if asking.role == "nobody":
        raise Refusal(401, "This needs the operator's token: `ariane token --operator`.")
    if asking.role != "operator":
        raise Refusal(403, "This needs the operator's token; this one names a viewer.")
    return asking


Operator = Annotated[Caller, Depends(operator)]


def own(asking: Caller, viewer: str | None) -> str:
    """The viewer that a personal route is about: the one named, or else the caller.

    401 for nobody, 403 for another viewer, 422 where the operator names no one.
    """
    if asking.role == "nobody":
        raise Refusal(401, "This needs the viewer's token: `ariane token VIEWER`.")
    if viewer is None:
        if asking.viewer is None:
            raise Refusal(422, "The operator's token names no viewer; add ?viewer=ID.")
        return asking.viewer
    if not asking.may_see(viewer):
        raise Refusal(403, "This belongs to another viewer; use a token that names them.")
    return viewer


def give_cookie(response: Response, tokens: Tokens, days: int, secure: bool) -> str:
    """Name an anonymous reader by a signed cookie that no script and no other site can use."""
    viewer = ANONYMOUS + secrets.token_hex(16)
    value = tokens.issue(Caller("viewer", viewer), days * DAY, COOKIE_AUDIENCE)
    response.set_cookie(
        COOKIE, value, max_age=days * DAY, httponly=True, samesite="strict", secure=secure
    )
    return viewer
