"""The door to any server of OpenAI's chat completions, through OpenAI's own client.

No error here repeats what the server says: servers quote keys and texts.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import openai
from httpx2 import (
    ConnectError,
    ConnectTimeout,
    HTTPError,
    PoolTimeout,
    ProxyError,
    Timeout,
    TimeoutException,
)
from openai import OpenAI
from pydantic import BaseModel, ConfigDict, Field

from ariane.llm.bounded import BoundedClient
from ariane.llm.door import FailedError, Said
from ariane.llm.fitting import with_schema
from ariane.llm.settings import STREAM_TIMES, LanguageModelSettings
from ariane.types import (
    LanguageModelError,
    Message,
    ModelDownError,
    ModelGarbageError,
    ModelRefusedError,
    ModelSlowError,
)

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
# The environment's organization and project are for OpenAI, which this server need not be.
HEADERS: Mapping[str, Any] = {
    "Accept-Encoding": "identity",
    "OpenAI-Organization": openai.omit,
    "OpenAI-Project": openai.omit,
}
DISPENSABLE = frozenset({"temperature", "stream_options"})
"""Options that a question can do without where a server refuses them."""

OVERLOADED = frozenset({408, 409, 425, 429})
UNAVAILABLE = 503
"""The one failure of a server that says that it did not begin; after others it may be owed."""

UNCONNECTED = (ConnectError, ConnectTimeout, PoolTimeout, ProxyError)
LONGEST_WAIT = 120.0
"""Seconds that a server may ask for; one that asks for more is not asked again."""


class _Usage(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    prompt_tokens: int | None = Field(None, ge=0)
    completion_tokens: int | None = Field(None, ge=0)
    total_tokens: int | None = Field(None, ge=0)

    @property
    def answered(self) -> int | None:
        """The tokens of the answer, thoughts with it, which some servers count in the sum alone."""
        if self.completion_tokens is None:
            return None
        return max(self.completion_tokens, (self.total_tokens or 0) - (self.prompt_tokens or 0))


class _Turn(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    content: str | None = None
    refusal: str | None = None


class _Whole(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    message: _Turn
    finish_reason: str | None = None


class _Part(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    delta: _Turn
    finish_reason: str | None = None


class _Reply(BaseModel):
    """What is read of an answer; other fields are the server's own affair."""

    model_config = ConfigDict(from_attributes=True)

    choices: list[_Whole] = Field(min_length=1)
    usage: _Usage | None = None


class _Chunk(BaseModel):
    """What is read of a piece of a streamed answer."""

    model_config = ConfigDict(from_attributes=True)

    choices: list[_Part] = Field(default_factory=list)
    usage: _Usage | None = None


class UrlDoor:
    """One model at one address; `say`, `flow` and `doubt` are a `Door`'s."""

    def __init__(self, settings: LanguageModelSettings) -> None:
        self.name = settings.model
        self._settings = settings
        self._holds = settings.schema != "prompt"
        self._limit, self._refused_options = "max_tokens", set[str]()
        key = os.environ.get(settings.key, "").strip()
        if key:
            _warn_of_plain(settings)
        seconds = settings.timeout_seconds
        whole, streamed = (
            BoundedClient(self.name, settings.answer_bytes, seconds * times)
            for times in (1, STREAM_TIMES)
        )
        self._client = OpenAI(
            api_key=key or "none",  # the client wants one; servers without keys ignore it
            base_url=settings.url,
            max_retries=0,  # each attempt is booked, so that who books makes them
            timeout=Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
            default_headers=HEADERS,
            http_client=whole,
        )
        self._streaming = self._client.with_options(http_client=streamed)

    def say(
        self, messages: Sequence[Message], schema: Mapping[str, Any] | None, limit: int
    ) -> Said:
        """One answer; a server that refuses schemas gets them in the prompt from then on."""
        with self._typed():
            if schema is None:
                return self._said(messages, limit)
            if not self._holds:
                return self._said(with_schema(messages, schema), limit)
            try:
                return self._said(messages, limit, response_format=_format(schema))
            except (openai.BadRequestError, openai.UnprocessableEntityError):
                if self._settings.schema == "server":
                    raise
            said = self._said(with_schema(messages, schema), limit)
            self._holds = False  # the same question without the schema was answered
            return said

    def flow(self, messages: Sequence[Message], limit: int) -> Generator[Said]:
        """One answer in pieces; one that ends without saying why it ended broke off."""
        chunk, why, usage, refused = None, None, None, False
        counted = {"stream": True, "stream_options": {"include_usage": True}}
        with self._typed(), self._post(self._streaming, messages, limit, **counted) as stream:
            for event in stream:
                chunk = _Chunk.model_validate(event)
                usage = chunk.usage or usage
                for part in chunk.choices[:1]:
                    why = part.finish_reason or why
                    refused = refused or _refuses(part.delta, why)
                    if part.delta.content and not refused:
                        yield _counted(part.delta.content, None, usage)
            if chunk is None:
                raise ValueError("no event of a stream")
        if why is None and not refused:
            error = ModelDownError(f"{self.name} broke off in the middle of an answer; ask again.")
            raise FailedError(error, None, None, wait=0.0)
        yield _answered("", why, usage, refused)

    def doubt(self) -> None:
        """Put schemas into the prompt from now on, unless the settings trust the server."""
        if self._settings.schema == "auto":
            self._holds = False

    def _said(self, messages: Sequence[Message], limit: int, **more: object) -> Said:
        read = _Reply.model_validate(self._post(self._client, messages, limit, **more))
        first = read.choices[0]
        refused = _refuses(first.message, first.finish_reason)
        return _answered(first.message.content or "", first.finish_reason, read.usage, refused)

    def _post(self, client: OpenAI, messages: Sequence[Message], limit: int, **more: object) -> Any:  # noqa: ANN401
        turns: Any = [{"role": one.role, "content": one.text} for one in messages]
        create: Any = client.chat.completions.create
        while True:
            options = {self._limit: limit, "temperature": 0, **more}
            for refused in self._refused_options:
                options.pop(refused, None)
            try:
                return create(model=self.name, messages=turns, **options)
            except openai.BadRequestError as error:
                if not self._gave_way(_named(error), options):
                    raise

    def _gave_way(self, refused: str | None, options: Mapping[str, Any]) -> bool:
        """Whether an option that a server names as refused was one that can be done without."""
        if refused not in options:
            return False
        if refused == "max_tokens":
            self._limit = "max_completion_tokens"
        elif refused in DISPENSABLE:
            self._refused_options.add(refused)
        return refused == "max_tokens" or refused in DISPENSABLE

    @contextmanager
    def _typed(self) -> Iterator[None]:
        """Errors of the client, of the connection and of the answer's shape, as ours."""
        name, url = self.name, self._settings.url
        try:
            yield
        except (openai.APITimeoutError, TimeoutException) as error:
            slow = ModelSlowError(
                f"{name} at {url} did not answer within {self._settings.timeout_seconds:g} "
                "seconds; raise [llm] timeout_seconds, or ask for less."
            )
            raise _broken(slow, error) from None
        except openai.APIStatusError as error:
            raise self._refused(error) from None
        except (openai.APIError, HTTPError) as error:
            down = ModelDownError(
                f"{name} at {url} cannot be reached or broke off ({type(error).__name__}); "
                "see that its server runs."
            )
            raise _broken(down, error) from None
        except ModelGarbageError as error:
            raise FailedError(error, None, None) from None
        except (ValueError, TypeError, RecursionError):
            garbage = ModelGarbageError(
                f"what {url} answers is no chat completion; check that [llm] url is the address "
                "of OpenAI's API there, which mostly ends in /v1."
            )
            raise FailedError(garbage, None, None) from None

    def _refused(self, error: openai.APIStatusError) -> FailedError:
        status = error.status_code
        if status < 500 and status not in OVERLOADED:
            return FailedError(self._declined(status))
        down = ModelDownError(
            f"{self.name} at {self._settings.url} fails or is overloaded ({status}); wait."
        )
        cost = 0 if status < 500 or status == UNAVAILABLE else None
        return FailedError(down, cost, cost, _wait(error.response.headers.get("retry-after", "")))

    def _declined(self, status: int) -> ModelRefusedError:
        name, url, key = self.name, self._settings.url, self._settings.key
        if status in {401, 403}:
            if os.environ.get(key):
                return ModelRefusedError(f"{url} ({status}) does not take the key in {key}.")
            return ModelRefusedError(f"{url} ({status}) wants a key; put it into {key}.")
        if status == 404:
            return ModelRefusedError(
                f"{url} (404) has no {name}; check [llm] model, and that url ends as it should."
            )
        if 300 <= status < 400:
            return ModelRefusedError(
                f"{url} ({status}) sends elsewhere, where nobody goes with a key and posts; "
                "give its last address in [llm] url."
            )
        return ModelRefusedError(
            f"{name} at {url} declines the question ({status}); it may be too long for it, "
            "or hold an option that it does not know."
        )


def _answered(text: str, why: str | None, usage: _Usage | None, refused: bool) -> Said:
    """A whole answer; FailedError with what it cost where it is a refusal."""
    said = _counted(text, why, usage)
    if refused:
        error = ModelRefusedError("the model declines to answer; ask otherwise, or another model.")
        raise FailedError(error, said.tokens_in, said.tokens_out)
    return said


def _counted(text: str, why: str | None, usage: _Usage | None) -> Said:
    if usage is None:
        return Said(text, why == "length")
    return Said(text, why == "length", usage.prompt_tokens, usage.answered)


def _refuses(turn: _Turn, why: str | None) -> bool:
    return bool(turn.refusal) or why == "content_filter"


def _broken(error: LanguageModelError, cause: Exception) -> FailedError:
    """A failure of the connection: nothing is owed where there was none."""
    cost = 0 if isinstance(cause.__cause__, UNCONNECTED) else None
    return FailedError(error, cost, cost, wait=0.0)


def _wait(asked: str) -> float | None:
    """Seconds that a server asks to be left alone; None where that is too long."""
    try:
        seconds = float(asked)
    except ValueError:  # none, or a date
        return 0.0
    return max(0.0, seconds) if seconds <= LONGEST_WAIT else None


def _named(error: openai.BadRequestError) -> str | None:
    """The option that a server refuses; some name it in their sentence alone."""
    named: object = error.param  # whatever stands in the server's JSON
    if isinstance(named, str) and named:
        return named
    return "max_tokens" if "max_tokens" in error.message else None


def _format(schema: Mapping[str, Any]) -> dict[str, Any]:
    inner = {"name": "answer", "strict": True, "schema": dict(schema)}
    return {"type": "json_schema", "json_schema": inner}


def _warn_of_plain(settings: LanguageModelSettings) -> None:
    parts = urlsplit(settings.url)
    if parts.scheme == "http" and not _loopback(parts.hostname or ""):
        log.warning("the key in %s goes to %s unencrypted; use https.", settings.key, settings.url)


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
