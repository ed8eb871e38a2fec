"""What a request to the server may ask: everything else is refused in the shape of OpenAI's errors.

Transformers' handlers take some values without a look: a wrong one would end in an error of the
server's, which clients try again, or in an answer to something else than was asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fastapi import HTTPException

ALLOWED: Mapping[str, tuple[type | tuple[type, ...], float, float]] = {
    "max_tokens": (int, 1, math.inf),
    "max_completion_tokens": (int, 1, math.inf),
    "temperature": ((int, float), 0, 2),
    "top_p": ((int, float), 1e-6, 1),
    "frequency_penalty": ((int, float), -2, 2),
    "presence_penalty": ((int, float), -2, 2),
    "seed": (int, -(2**63), 2**63 - 1),
}
"""Of each number its type, the least and the most."""

NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "presence_penalty": (0,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "echo": (False,),
    "tools": ([],),
    "functions": ([],),
    "tool_choice": ("none", "auto"),
    "function_call": ("none", "auto"),
    "response_format": ({"type": "text"},),
    "logit_bias": ({},),
    "modalities": (["text"],),
    "audio": (),
    "prediction": (),
    "web_search_options": (),
    "suffix": ("",),
}
"""What would change an answer and is not there; these values, and null, ask for nothing."""

REPLY = 1024
"""Tokens of a reply where a request names no limit."""

FORBIDDEN = ("chat_template_kwargs", "generation_config")
"""Transformers' own fields, which let a client run any template and generate without end."""


def refusal(
    status: int, message: str, code: str | None = None, param: str | None = None
) -> HTTPException:
    """An answer of 4xx whose detail is an error as OpenAI writes it."""
    kind = "invalid_request_error"
    detail = {"message": message, "type": kind, "param": param, "code": code}
    return HTTPException(status, detail)


def check(body: Mapping[str, Any]) -> None:
    """Raise `refusal` where a field has a value that cannot be served."""
    for name in FORBIDDEN:
        if name in body:
            raise refusal(400, f"Unknown parameter: '{name}'.", "unknown_parameter", name)
    for name, (kind, least, most) in ALLOWED.items():
        value = body.get(name)
        sound = isinstance(value, kind) and not isinstance(value, bool)
        if value is not None and not (sound and least <= value <= most):
            ends = f"from {least} to {most}" if most < math.inf else f"of {least} or more"
            raise refusal(
                400, f"'{name}' is {value!r}: give a number {ends}.", "invalid_value", name
            )
    for name, values in NEUTRAL.items():
        if body.get(name) is not None and body[name] not in values:
            raise refusal(
                400, f"'{name}' is not supported: leave it out.", "unsupported_parameter", name
            )
    _check_stop(body.get("stop"))


def _check_stop(stop: Any) -> None:
    words = [stop] if isinstance(stop, str) else stop
    if words is None:
        return
    sound = isinstance(words, list) and all(isinstance(word, str) and word for word in words)
    if not sound or not words:
        raise refusal(400, "'stop' is a text, or a list of texts.", "invalid_value", "stop")


def is_text(message: Any) -> bool:
    """Whether this is a message in words; an image would be dropped without a word."""
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        return False
    content = message.get("content")
    if not isinstance(content, list):
        return isinstance(content, str)
    return all(
        isinstance(one, dict) and one.get("type") == "text" and isinstance(one.get("text"), str)
        for one in content
    )


def words_of(message: Mapping[str, Any]) -> dict[str, str]:
    """A message with its parts joined, as Transformers' handler joins them."""
    content = message["content"]
    if isinstance(content, list):
        content = " ".join(part["text"] for part in content)
    return {"role": message["role"], "content": content}


def fit(body: dict[str, Any], asked: int, positions: int) -> None:
    """Keep a reply within the model's positions; raises `refusal` where nothing is left."""
    if asked >= positions:
        raise refusal(
            400,
            f"The model reads {positions} tokens, and the request has {asked}: shorten it.",
            "context_length_exceeded",
        )
    names = [name for name in ("max_tokens", "max_completion_tokens") if body.get(name)]
    for name in names or ["max_tokens"]:
        body[name] = min(body.get(name) or REPLY, positions - asked)
