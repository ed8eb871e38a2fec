"""Problems: every answer of 4xx and 5xx has one shape, and one sentence.

Under `/v1` the shape is `{"error": {"sentence": …, "status": …}}`. Under `/xrpc` it is the one that
the AT Protocol prescribes, `{"error": NAME, "message": SENTENCE}`.
"""

from __future__ import annotations

import json
import logging
import math
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ariane.types import CallError, NotFoundError, WithdrawnError

log = logging.getLogger(__name__)

XRPC = "/xrpc/"

MEANING: Mapping[int, str] = {
    400: "The feed or the cursor is none of this server's.",
    401: "No token, or one that is not valid here.",
    403: "The token names someone who may not do this.",
    404: "Nothing here by that name, or not for this caller.",
    408: "The body took too long to arrive.",
    410: "The evidence was erased, edited or deleted: the receipt is withdrawn.",
    413: "The body is too large.",
    415: "The body's content type is not taken.",
    421: "The request names a host that is not this server's.",
    422: "A value does not fit.",
    429: "Too many requests from this client; see Retry-After.",
    500: "The server failed; the id names the line in its log.",
    503: "The server is full, slow or not ready; see Retry-After.",
}
"""What each status says, for the OpenAPI document."""

XRPC_NAMES: Mapping[int, str] = {
    401: "AuthenticationRequired",
    404: "NotFound",
    413: "PayloadTooLarge",
    429: "RateLimitExceeded",
    500: "InternalServerError",
    503: "NotEnoughResources",
}
"""The AT Protocol's names of statuses; every other one is an InvalidRequest."""

ROUTING: Mapping[int, str] = {
    404: "There is nothing at this address; /docs lists what there is.",
    405: "This address does not take that method; /docs lists what it takes.",
    422: "The body could not be parsed; send JSON in UTF-8.",
}
"""The sentences of refusals that the framework makes by itself."""

FEW: Final = 10
"""So many faults of one request are all told."""

COMMON = (408, 413, 421, 422, 429, 500, 503)
"""Statuses that any route can answer with."""


class Fault(BaseModel):
    """What went wrong: a sentence that names the wrong value and the remedy.

    `id` names the line in the log, `not_understood` those words of a wish that were not understood.
    """

    sentence: str
    status: int
    id: str | None = None
    not_understood: str | None = None


class Problem(BaseModel):
    """The body of every 4xx and 5xx answer under /v1."""

    error: Fault


class XrpcProblem(BaseModel):
    """The body of every 4xx and 5xx answer under /xrpc."""

    error: str
    message: str


class Refusal(Exception):
    """An answer of 4xx or 5xx; `name` is its AT Protocol name where it has one of its own."""

    def __init__(
        self,
        status: int,
        sentence: str,
        *,
        name: str = "",
        headers: Mapping[str, str] | None = None,
        not_understood: str = "",
    ) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.name = status, sentence, name
        self.not_understood = not_understood
        self.headers = dict(headers or {})


FORESEEN: Final = (Refusal, CallError, WithdrawnError, RequestValidationError, HTTPException)
"""Errors that are answers."""


def later(status: int, sentence: str, seconds: float) -> Refusal:
    """A refusal that says when to try again."""
    return Refusal(status, sentence, headers={"Retry-After": str(max(1, math.ceil(seconds)))})


def said(*statuses: int, xrpc: bool = False) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can answer with these statuses."""
    model = XrpcProblem if xrpc else Problem
    return {status: {"model": model, "description": MEANING[status]} for status in statuses}


def answer(path: str, refusal: Refusal, fault_id: str | None = None) -> Response:
    """A refusal as a response, in the shape of the protocol that `path` belongs to."""
    if path.startswith(XRPC):
        name = refusal.name or XRPC_NAMES.get(refusal.status, "InvalidRequest")
        content: dict[str, Any] = {"error": name, "message": refusal.sentence}
    else:
        told = {"id": fault_id, "not_understood": refusal.not_understood}
        fault = {"sentence": refusal.sentence, "status": refusal.status}
        content = {"error": fault | {key: value for key, value in told.items() if value}}
    headers = dict(refusal.headers)
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, refusal.status, headers, "application/json")


def _faults(errors: Sequence[Any]) -> str:
    """What does not fit, each with where it stands; of very many the first ones."""
    told = [
        f"{'.'.join(str(part) for part in one['loc'])}: {str(one['msg']).rstrip('.')}"
        for one in errors[:FEW]
    ]
    others = [f"and {len(errors) - FEW} more"] if len(errors) > FEW else []
    return f"{'; '.join([*told, *others])}."


def refusal_of(error: Exception) -> Refusal:
    """What an error of a route means to its caller."""
    match error:
        case Refusal():
            return error
        case NotFoundError():
            return Refusal(404, str(error))
        case WithdrawnError():
            return Refusal(410, str(error))
        case RequestValidationError():
            return Refusal(422, _faults(error.errors()))
        case HTTPException():
            status = 422 if error.status_code == 400 else error.status_code
            sentence = ROUTING.get(status, str(error.detail))
            return Refusal(status, sentence, headers=error.headers)
        case _:
            return Refusal(422, str(error))


def status_of(error: Exception) -> tuple[int, str | None]:
    """The status that an error has, and the id under which it is logged if nobody foresaw it."""
    if isinstance(error, FORESEEN):
        return refusal_of(error).status, None
    return 500, logged("GET")


def logged(method: str) -> str:
    """Log the error that is being handled, under an id which tells nothing else."""
    fault_id = secrets.token_hex(8)
    log.exception("fault %s: %s", fault_id, method)
    return fault_id


def install(app: FastAPI) -> None:
    """Make every error that a route may raise answer in the house's shape."""

    def refuse(request: Request, error: Exception) -> Response:
        return answer(request.url.path, refusal_of(error))

    for kind in FORESEEN:
        app.add_exception_handler(kind, refuse)


class Faults:
    """The last resort: an unexpected error is logged under an id, and only the id goes out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer 500 where it failed before its answer began."""
        begun = False

        async def watch(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception:
            fault_id = logged(scope.get("method", scope["type"]))
            if begun or scope["type"] != "http":
                raise
            refusal = Refusal(500, f"The server failed; its log has the cause under {fault_id}.")
            await answer(scope["path"], refusal, fault_id)(scope, receive, send)
