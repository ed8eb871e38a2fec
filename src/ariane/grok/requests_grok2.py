"""What may be asked of `ariane grok serve`, and how a request is refused, both as OpenAI has them.

What this server cannot do is refused, never left out in silence; what changes no word of an answer
is taken and left aside.
"""

from __future__ import annotations

import reprlib
from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import HTTPException
from fastapi.responses import JSONResponse
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
)

REPLY = 1024
"""Tokens of a reply at most, where a request does not say."""

CODES = {
    "missing": "missing_required_parameter",
    "extra_forbidden": "unknown_parameter",
    "value_error": "unsupported_parameter",
}
"""OpenAI's codes for what pydantic finds; the rest is `invalid_value`."""

NEEDED = {"model", "messages", "prompt"}
"""What is missing where it is empty."""

WORDS, PARTS = "(words)", "(parts)"
"""The two forms of a message's content, as pydantic's places name them."""


def _only(*neutral: Any) -> AfterValidator:
    """Lets pass what asks for nothing, as None; anything else would not be done."""

    def check(value: Any) -> None:
        if value is not None and value not in neutral:
            raise ValueError("this server does not do it: leave it out")

    return AfterValidator(check)


def _single(value: Any) -> Any:
    """A list of one prompt is that prompt."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _form(content: Any) -> str:
    return PARTS if isinstance(content, list) else WORDS


# JSON can write half of a character (a lone surrogate), which no tokenizer reads: a pattern, even
# an empty one, has pydantic read the text.
Words = Annotated[str, Field(pattern="")]
Name = Annotated[Words, Field(min_length=1)]
Aside = Annotated[Any, Field(exclude=True)]
Reply = Annotated[int, Field(ge=1)]
Token = Annotated[str, Field(pattern="^[0-9]{1,9}$")]
Bias = Annotated[float, Field(ge=-100, le=100)]


class Strict(BaseModel):
    """A value as it is, with no field but those it has."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Part(Strict):
    """A piece of a message's text."""

    type: Literal["text"]
    text: Words


def _joined(content: str | list[Part]) -> str:
    return content if isinstance(content, str) else " ".join(part.text for part in content)


Parts = Annotated[list[Part], Field(min_length=1)]
Content = Annotated[
    Annotated[Words, Tag(WORDS)] | Annotated[Parts, Tag(PARTS)],
    Discriminator(_form),
    AfterValidator(_joined),
]
Role = Annotated[
    Literal["system", "developer", "user", "assistant"],
    AfterValidator(lambda role: "system" if role == "developer" else role),
]


class Message(Strict):
    """One turn, in words; who a user is by `name` is not told to the model."""

    role: Role
    content: Content
    name: Aside = None
    annotations: Aside = None
    audio: Annotated[Any, _only()] = None
    function_call: Annotated[Any, _only()] = None
    refusal: Annotated[Any, _only("")] = None
    tool_calls: Annotated[Any, _only([])] = None


class Asked(Strict):
    """What both bodies have."""

    model: Name
    stream: bool | None = None
    max_tokens: Reply | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: (
        Annotated[list[Name], BeforeValidator(_several), Field(min_length=1, max_length=4)] | None
    ) = None
    n: Annotated[Any, _only(1)] = None
    # Transformers multiplies by 1 + this, and counts the prompt's words too: not what OpenAI does.
    frequency_penalty: Annotated[Any, _only(0)] = None
    presence_penalty: Annotated[Any, _only(0)] = None
    # The usage is on the last piece of every stream.
    stream_options: Aside = None
    user: Aside = None

    @abstractmethod
    def words(self) -> int:
        """Characters of the prompt."""

    def body(self, room: int) -> dict[str, Any]:
        """What Transformers' handlers are given, where a reply has room for so many tokens."""
        asked = self.model_dump(exclude_none=True)
        most = asked.pop("max_completion_tokens", asked.get("max_tokens", REPLY))
        return asked | {"max_tokens": min(most, room)}


class Chat(Asked):
    """The body of `/v1/chat/completions`."""

    messages: Annotated[list[Message], Field(min_length=1)]
    max_completion_tokens: Reply | None = None
    logit_bias: dict[Token, Bias] | None = None
    logprobs: Annotated[Any, _only(False)] = None
    top_logprobs: Annotated[Any, _only(0)] = None
    tools: Annotated[Any, _only([])] = None
    tool_choice: Annotated[Any, _only("none", "auto")] = None
    functions: Annotated[Any, _only([])] = None
    function_call: Annotated[Any, _only("none", "auto")] = None
    response_format: Annotated[Any, _only({"type": "text"})] = None
    modalities: Annotated[Any, _only(["text"])] = None
    reasoning_effort: Annotated[Any, _only("none")] = None
    verbosity: Annotated[Any, _only()] = None
    audio: Annotated[Any, _only()] = None
    prediction: Annotated[Any, _only()] = None
    web_search_options: Annotated[Any, _only()] = None
    metadata: Aside = None
    parallel_tool_calls: Aside = None
    prompt_cache_key: Aside = None
    prompt_cache_retention: Aside = None
    safety_identifier: Aside = None
    service_tier: Aside = None
    store: Aside = None

    def words(self) -> int:
        """Characters of all messages."""
        return sum(len(message.content) for message in self.messages)

    def body(self, room: int) -> dict[str, Any]:
        """What the handler is given; a bias of nothing is none."""
        asked = super().body(room)
        return asked if self.logit_bias else {k: v for k, v in asked.items() if k != "logit_bias"}


class Text(Asked):
    """The body of `/v1/completions`."""

    prompt: Annotated[Name, BeforeValidator(_single)]
    best_of: Annotated[Any, _only(1)] = None
    echo: Annotated[Any, _only(False)] = None
    logit_bias: Annotated[Any, _only({})] = None
    logprobs: Annotated[Any, _only()] = None
    suffix: Annotated[Any, _only("")] = None

    def words(self) -> int:
        """Characters of the prompt."""
        return len(self.prompt)


def refusal(
    status: int, message: str, code: str | None = None, param: str | None = None
) -> HTTPException:
    """An answer of 4xx or 5xx whose detail is an error as OpenAI writes it."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    detail = {"message": message, "type": kind, "param": param, "code": code}
    return HTTPException(status, detail)


def answer(refused: HTTPException) -> JSONResponse:
    """A refusal as it is sent."""
    return JSONResponse({"error": refused.detail}, refused.status_code, refused.headers)


def unreadable(faults: Sequence[Any]) -> HTTPException:
    """The refusal of a body in which pydantic found these faults, by the first of them."""
    fault = faults[0]
    place = [step for step in fault["loc"][1:] if step not in (WORDS, PARTS)]
    if fault["type"] == "json_invalid" or not place:
        return refusal(400, "The body is no JSON object.")
    param = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)[1:]
    empty = param in NEEDED and fault["input"] in (None, "", [])
    code = CODES.get("missing" if empty else fault["type"], "invalid_value")
    said = {
        "missing_required_parameter": f"Missing required parameter: '{param}'.",
        "unknown_parameter": f"Unknown parameter: '{param}'.",
    }
    given = f"'{param}' is {reprlib.repr(fault['input'])}"
    why = fault["msg"].removeprefix("Value error, ")
    why = why[:1].lower() + why[1:]
    return refusal(400, said.get(code, f"{given}: {why}."), code, param)
