"""Problems: every answer of 4xx and 5xx has one shape, and one sentence.

Under `/v1` the shape is `{"error": {"sentence": …, "status": …}}`. Under `/xrpc` it is the one that
the AT Protocol prescribes, `{"error": NAME, "message": SENTENCE}`. Where OpenAI's API is spoken it
is that one's, `{"error": {"message": SENTENCE, "type": …, "param": …, "code": …}}`.
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
    400: "A feed, a cursor or a parameter is not as it should be.",
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

OPENAI: Final = ("/v1/chat/", "/v1/models")
"""Where OpenAI's API is spoken."""

OPENAI_CODES: Mapping[int, str] = {
    401: "invalid_api_key",
    413: "request_too_large",
    429: "rate_limit_exceeded",
}
"""What OpenAI's API calls a status, where it has a name of its own."""

OPENAI_FAULTS: Mapping[str, str] = {
    "missing": "missing_required_parameter",
    "json_invalid": "invalid_json",
    "string_too_long": "string_above_max_length",
    "too_long": "array_above_max_length",
    "too_short": "array_below_min_length",
}
"""Pydantic's faults of a value by OpenAI's names; any other is an invalid_value."""

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


class OpenAIFault(BaseModel):
    """What went wrong, and which parameter is at fault, if one is."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class OpenAIProblem(BaseModel):
    """The body of every 4xx and 5xx answer where OpenAI's API is spoken."""

    error: OpenAIFault


class Refusal(Exception):
    """An answer of 4xx or 5xx; `name` is what its protocol calls it where it has one of its own.

    `param` is the parameter that is at fault, for OpenAI's API.
    """

    def __init__(
        self,
        status: int,
        sentence: str,
        *,
        name: str = "",
        headers: Mapping[str, str] | None = None,
        not_understood: str = "",
        param: str | None = None,
    ) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.name = status, sentence, name
        self.not_understood, self.param = not_understood, param
        self.headers = dict(headers or {})


FORESEEN: Final = (Refusal, CallError, WithdrawnError, RequestValidationError, HTTPException)
"""Errors that are answers."""


def later(status: int, sentence: str, seconds: float) -> Refusal:
    """A refusal that says when to try again."""
    return Refusal(status, sentence, headers={"Retry-After": str(max(1, math.ceil(seconds)))})


def said(
    *statuses: int, xrpc: bool = False, openai: bool = False
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can answer with these statuses."""
    model = XrpcProblem if xrpc else OpenAIProblem if openai else Problem
    return {status: {"model": model, "description": MEANING[status]} for status in statuses}


def answer(path: str, refusal: Refusal, fault_id: str | None = None) -> Response:
    """A refusal as a response, in the shape of the protocol that `path` belongs to."""
    if path.startswith(XRPC):
        name = refusal.name or XRPC_NAMES.get(refusal.status, "InvalidRequest")
        content: dict[str, Any] = {"error": name, "message": refusal.sentence}
    elif path.startswith(OPENAI):
        content = {"error": openai_fault(refusal)}
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


def openai_fault(refusal: Refusal) -> dict[str, str | None]:
    """A refusal as OpenAI's API says it."""
    return {
        "message": refusal.sentence,
        "type": "invalid_request_error" if refusal.status < 500 else "server_error",
        "param": refusal.param,
        "code": refusal.name or OPENAI_CODES.get(refusal.status),
    }


def _openai_refusal(error: Exception) -> Refusal:
    """What an error means to a client of OpenAI's API: a value that does not fit is a 400 there."""
    if not isinstance(error, RequestValidationError):
        return refusal_of(error)
    first = error.errors()[0]
    code = OPENAI_FAULTS.get(str(first["type"]), "invalid_value")
    where = [str(part) for part in first["loc"][1:]]
    param = ".".join(where) or None
    if code == "missing_required_parameter":
        return Refusal(400, f"Missing required parameter: '{param}'.", name=code, param=param)
    if code == "invalid_json":
        return Refusal(400, "The body is no JSON; send one JSON object in UTF-8.", name=code)
    fault = str(first["msg"]).rstrip(".")
    return Refusal(400, f"Invalid value for '{param}': {fault}.", name=code, param=param)


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
        path = request.url.path
        refusal = _openai_refusal(error) if path.startswith(OPENAI) else refusal_of(error)
        return answer(path, refusal)

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
