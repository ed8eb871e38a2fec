"""Which language model is asked, how long, and for how much."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from ariane.types import CallError

STREAM_TIMES = 10
"""How many times longer a streamed answer may take than one in one piece."""

VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class LanguageModelSettings:
    """One language model and what it may cost; without a `kind` there is none."""

    kind: Literal["", "url", "transformers"] = ""
    """Where the model is: url (any server of OpenAI's API), transformers (in this process), or
    "" for none."""

    url: str = ""
    """The API's address, such as https://api.x.ai/v1 or http://127.0.0.1:8080/v1."""

    model: str = ""
    """The model's name at that address; for transformers a directory, or a name on the hub."""

    key: str = "ARIANE_LLM_KEY"
    """The NAME of the environment variable that holds the key; never the key itself."""

    timeout_seconds: PositiveFloat = 60.0
    """The longest that one attempt at an answer may take; a streamed one may take ten times as
    long."""

    retries: Annotated[int, Field(ge=0, le=10)] = 2
    """How often a question is asked again when the server fails, is overloaded or does not answer;
    the wait doubles each time, or is what the server says."""

    concurrency: Annotated[int, Field(ge=1, le=64)] = 4
    """How many questions of one batch are under way at once; a model in this process is asked one
    at a time."""

    answer_bytes: PositiveInt = 4_194_304
    """The largest answer that is read from a server."""

    schema: Literal["auto", "server", "prompt"] = "auto"
    """Who holds an answer to its JSON schema: the server, the prompt alone, or (auto) the server
    until it shows that it does not; every answer is checked."""

    tokens_a_day: NonNegativeInt = 0
    """The most tokens of a day (UTC), questions and answers together; 0 is no limit."""

    money_a_day: NonNegativeFloat = 0.0
    """The most money of a day, in the currency of the prices; 0 is no limit."""

    price_in: NonNegativeFloat = 0.0
    """What a million tokens of questions cost; 0 where it is not known."""

    price_out: NonNegativeFloat = 0.0
    """What a million tokens of answers cost; 0 where it is not known."""

    @property
    def together(self) -> int:
        """How many questions of one batch are asked at once: those that wait get slow."""
        return 1 if self.kind == "transformers" else self.concurrency


def check(settings: LanguageModelSettings) -> LanguageModelSettings:
    """The same settings, if they name a model that could be asked; else CallError."""
    amounts = (settings.timeout_seconds, settings.money_a_day)
    if not all(isfinite(one) for one in (*amounts, settings.price_in, settings.price_out)):
        raise CallError("[llm] holds a number that is not finite; give finite ones.")
    if settings.money_a_day and not (settings.price_in and settings.price_out):
        raise CallError("[llm] money_a_day needs price_in and price_out; give what a token costs.")
    if not settings.kind:
        return settings
    if not settings.model:
        raise CallError("[llm] names no model; give its name or directory in `model`.")
    if settings.kind == "url":
        _check_url(settings)
    elif settings.schema == "server":
        raise CallError('[llm] schema = "server" needs a server; choose "prompt" or "auto".')
    return settings


def _check_url(settings: LanguageModelSettings) -> None:
    # A value that may be a key, or hold one, is not shown.
    if not VARIABLE.fullmatch(settings.key):
        raise CallError(
            "[llm] key is no name of an environment variable (A-Z, 0-9 and _); put the key itself "
            "into the environment, and the variable's name here."
        )
    try:
        parts = urlsplit(settings.url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise CallError("[llm] url is no http or https address; give one that ends in /v1.")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise CallError(
            "[llm] url holds a password, a query or a fragment, which logs would show; "
            "leave the address alone, and the key in the environment."
        )
