"""Transformers' own OpenAI-compatible server, holding one Grok-2.

`transformers serve` looks a model's class up in its own package, where Grok's is not, loads
whatever repository a request names, and does not ask for `model`. Its handlers are taken as they
are; what they are given, and the shape of errors, is ours.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from jinja2 import TemplateError
from openai.types import Model
from starlette.exceptions import HTTPException as StarletteHTTPException
from transformers.cli.serving.chat_completion import ChatCompletionHandler
from transformers.cli.serving.completion import CompletionHandler
from transformers.cli.serving.model_manager import ModelManager
from transformers.cli.serving.server import build_server
from transformers.cli.serving.utils import GenerationState

from ariane.grok.modeling_grok2 import Grok2ForCausalLM
from ariane.grok.serving_requests import check, fit, is_text, refusal, words_of

ROUTES = {"/v1/chat/completions", "/v1/completions", "/v1/models", "/health"}
"""What is served; Transformers' other routes load, unload or need models that are not here."""

ERROR = 'data: {"error": "'
"""How Transformers begins an error in a stream."""


class OneModel(ModelManager):
    """Holds one model under one name, and loads no other."""

    def __init__(self, name: str, model: Grok2ForCausalLM, tokenizer: Any) -> None:
        super().__init__(model_timeout=-1)
        self.name, self.held = name, (model, tokenizer)
        self.since = int(time.time())

    @staticmethod
    def process_model_name(model_id: str) -> str:
        """The name as it is, without a revision."""
        return model_id

    def load_model_and_processor(self, *_: Any, **__: Any) -> tuple[Grok2ForCausalLM, Any]:
        """The model and its tokenizer, which are loaded."""
        return self.held

    def get_gen_models(self, cache_dir: str | None = None) -> list[dict[str, Any]]:
        """The one model, as `/v1/models` lists it."""
        about = Model(id=self.name, created=self.since, object="model", owned_by="local")
        return [about.model_dump(exclude_none=True)]


class Checked:
    """What both handlers ask of a request before they look at it, and how their streams end."""

    needed = ""
    model_manager: OneModel

    async def handle_request(self, body: dict[str, Any], request_id: str) -> Any:
        """As Transformers' handler, a stream with OpenAI's errors and end."""
        answer = await super().handle_request(body, request_id)  # type: ignore[misc]
        if isinstance(answer, StreamingResponse):
            answer.body_iterator = ended(answer.body_iterator)
        return answer

    def _validate_request(self, body: dict[str, Any]) -> None:
        for name in ("model", self.needed):
            if body.get(name) in (None, "", []):
                raise refusal(
                    400,
                    f"Missing required parameter: '{name}'.",
                    "missing_required_parameter",
                    name,
                )
        if body["model"] != self.model_manager.name:
            raise refusal(
                404,
                f"The model '{body['model']}' is not here; there is '{self.model_manager.name}'.",
                "model_not_found",
                "model",
            )
        check(body)
        super()._validate_request(body)  # type: ignore[misc]
        model, tokenizer = self.model_manager.held
        fit(body, self.asked(tokenizer, body), model.config.max_position_embeddings)

    def asked(self, tokenizer: Any, body: Mapping[str, Any]) -> int:
        """How many tokens a request has; raises `refusal` where it is no text."""
        raise NotImplementedError


class Chats(Checked, ChatCompletionHandler):
    """`/v1/chat/completions`."""

    needed = "messages"

    def asked(self, tokenizer: Any, body: Mapping[str, Any]) -> int:
        """The tokens of the messages as the template writes them."""
        messages = body["messages"]
        if not isinstance(messages, list) or not all(is_text(one) for one in messages):
            raise refusal(
                400,
                "'messages' is a list of objects with role and content, and content is text.",
                None,
                "messages",
            )
        words = [words_of(message) for message in messages]
        made = tokenizer.apply_chat_template(words, add_generation_prompt=True, return_dict=True)
        return len(made["input_ids"])


class Completions(Checked, CompletionHandler):
    """`/v1/completions`; a list of one prompt is that prompt."""

    needed = "prompt"

    def asked(self, tokenizer: Any, body: Mapping[str, Any]) -> int:
        """The tokens of the prompt."""
        if not isinstance(body["prompt"], str):
            raise refusal(400, "'prompt' is one text.", None, "prompt")
        return len(tokenizer(body["prompt"])["input_ids"])

    def _validate_request(self, body: dict[str, Any]) -> None:
        if isinstance(body.get("prompt"), list) and len(body["prompt"]) == 1:
            body["prompt"] = body["prompt"][0]
        super()._validate_request(body)


async def ended(stream: Any) -> AsyncIterator[str]:
    """Transformers' stream, an error in OpenAI's shape instead of a bare word, and its end."""
    async with aclosing(stream) as parts:
        async for part in parts:
            lines = [_line(line) for line in part.split("\n\n") if line]
            yield "".join(f"{line}\n\n" for line in lines)
    yield "data: [DONE]\n\n"


def _line(line: str) -> str:
    if not line.startswith(ERROR):
        return line
    said = line.removeprefix(ERROR).removesuffix('"}')
    return f"data: {json.dumps({'error': failure(said)})}"


def failure(message: str) -> dict[str, Any]:
    """An error of the server's own."""
    return {"message": message, "type": "server_error", "param": None, "code": None}


def build(name: str, model: Grok2ForCausalLM, tokenizer: Any) -> FastAPI:
    """The application, for any ASGI server; requests wait for each other."""
    manager, state = OneModel(name, model, tokenizer), GenerationState()
    app: FastAPI = build_server(
        manager,
        Chats(manager, state),
        completion_handler=Completions(manager, state),
        response_handler=None,
        transcription_handler=None,
        systemone_handler=None,
        generation_state=state,
    )
    app.router.routes = [one for one in app.router.routes if getattr(one, "path", "") in ROUTES]
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(TemplateError, _unwritable)
    app.add_exception_handler(Exception, _failed)
    return app


def run(name: str, model: Grok2ForCausalLM, tokenizer: Any, host: str, port: int) -> None:
    """Serve until stopped."""
    uvicorn.run(build(name, model, tokenizer), host=host, port=port)


async def _refused(_: Request, error: Any) -> JSONResponse:
    held = error.detail
    if not isinstance(held, Mapping):
        held = refusal(error.status_code, str(held)).detail
    return JSONResponse({"error": held}, error.status_code)


async def _unreadable(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"error": refusal(400, "The body is no JSON object.").detail}, 400)


async def _unwritable(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": refusal(400, str(error), None, "messages").detail}, 400)


async def _failed(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": failure(str(error))}, 500)
