"""Transformers' own OpenAI-compatible server, holding one Grok-2.

`transformers serve` looks a model's class up in its own package, where Grok's is not, loads
whatever repository a request names, and does not ask for `model`. Its handlers are taken as they
are; what they are given, how long they go on, and the shape of errors, is ours.
"""

from __future__ import annotations

import asyncio
import socket
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from threading import Event
from typing import Any

import torch
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from jinja2 import TemplateError
from openai.types import Model
from starlette.exceptions import HTTPException as StarletteHTTPException
from transformers.cli.serving.chat_completion import ChatCompletionHandler
from transformers.cli.serving.completion import CompletionHandler
from transformers.cli.serving.model_manager import ModelManager
from transformers.cli.serving.utils import X_REQUEST_ID, GenerateManager, GenerationState
from transformers.generation.stopping_criteria import StoppingCriteria, StoppingCriteriaList

from ariane.grok.admission_grok2 import KnownHosts, Places
from ariane.grok.modeling_grok2 import Grok2ForCausalLM
from ariane.grok.requests_grok2 import Asked, Chat, Text, answer, refusal, unreadable
from ariane.grok.streaming_grok2 import Pieces, Until, ended

PATIENCE = 5
"""Seconds that replies in progress have to end, once the server is told to stop."""


class OneModel(ModelManager):
    """Holds one model under one name, and loads no other."""

    def __init__(self, name: str, model: Grok2ForCausalLM, tokenizer: Any) -> None:
        super().__init__(model_timeout=-1)
        self.held = (model, tokenizer)
        self.about = Model(id=name, created=int(time.time()), object="model", owned_by="local")

    @staticmethod
    def process_model_name(model_id: str) -> str:
        """The name as it is, without a revision."""
        return model_id

    def load_model_and_processor(self, *_: Any, **__: Any) -> tuple[Grok2ForCausalLM, Any]:
        """The model and its tokenizer, which are loaded."""
        return self.held


class Over(StoppingCriteria):
    """Ends a reply once its own text holds one of some words, or nobody waits for it any more.

    Transformers' own finds a word that begins in the prompt too, and reads the whole vocabulary
    anew for each choice of words. `config` is the request's, whose stop words are taken over.
    """

    def __init__(self, tokenizer: Any, config: Any, prompt: int, left: Event) -> None:
        self.tokenizer, self.config, self.prompt, self.left = tokenizer, config, prompt, left
        self.words, config.stop_strings = tuple(config.stop_strings or ()), None
        # A token has a byte at least; one more, whose leading space some tokenizers drop.
        self.reach = max((len(word.encode()) for word in self.words), default=0) + 1

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        """Whether each of the replies (B,) is over, of ids (B, S)."""
        return torch.full((len(ids),), self.left.is_set() or self._found(ids[0]), device=ids.device)

    def _found(self, ids: torch.Tensor) -> bool:
        if not self.words:
            return False
        last = ids[max(self.prompt, len(ids) - self.reach) :]
        said = self.tokenizer.decode(last, skip_special_tokens=True)
        found = any(word in said for word in self.words)
        if found:  # else a word at the last token allowed would be told as an end by length
            self.config.max_new_tokens = None
        return found


def quieten(config: Any) -> None:
    """Give a request that samples nothing the settings of sampling that Transformers is silent at.

    It warns of any others. None will not do: `generate` puts the model's own in its place.
    """
    if not config.do_sample:
        config.temperature, config.top_k, config.top_p = 1.0, 50, 1.0


class OneAtATime(GenerateManager):
    """One generation after another, without its stop word, and only while somebody waits.

    Transformers' own breaks off streams alone, and sends the stop word too.
    """

    def generate_streaming(
        self, model: Any, processor: Any, inputs: Any, gen_config: Any, *rest: Any, **named: Any
    ) -> tuple[Any, Any]:
        """The queue of a reply's pieces, and what fills it."""
        quieten(gen_config)
        over = Over(processor, gen_config, inputs["input_ids"].shape[-1], Event())
        queue, streamer = super().generate_streaming(
            model,
            processor,
            {**inputs, "stopping_criteria": StoppingCriteriaList([over])},
            gen_config,
            *rest,
            **named,
        )
        return Pieces(queue, over.words), streamer

    async def generate_non_streaming(
        self, model: Any, processor: Any, inputs: Any, gen_config: Any, request_id: str
    ) -> tuple[str, int, Any]:
        """A whole reply, with the prompt's length and the reply's tokens; cancelled, it ends."""
        prompt: torch.Tensor = inputs["input_ids"]
        quieten(gen_config)
        left = Event()
        over = Over(processor, gen_config, prompt.shape[-1], left)

        def make() -> torch.Tensor:
            if left.is_set():
                return prompt
            made: torch.Tensor = model.generate(
                **inputs,
                generation_config=gen_config,
                stopping_criteria=StoppingCriteriaList([over]),
            )
            return made

        try:
            # The thread must never find its future cancelled: that would end the thread.
            made = await asyncio.shield(asyncio.wrap_future(self.submit(make)))
        finally:
            left.set()
        reply = made[0, prompt.shape[-1] :]
        text = processor.decode(reply, skip_special_tokens=True)
        return Until(over.words).add(text, last=True), prompt.shape[-1], reply

    async def rest(self) -> None:
        """Wait for the thread a little: Python crashes where it ends while a thread computes."""
        await asyncio.wait([asyncio.wrap_future(self.submit(int))], timeout=PATIENCE)


class OneThread(GenerationState):
    """Gives all handlers the same manager."""

    def __init__(self) -> None:
        super().__init__()
        self.manager = OneAtATime()

    def get_manager(self, model_id: str, use_cb: bool = False) -> OneAtATime:
        """The manager."""
        return self.manager


class Replies:
    """Answers what is asked of this model and has room in it."""

    def __init__(self, held: OneModel) -> None:
        self.name, (model, self.tokenizer) = held.about.id, held.held
        self.positions: int = model.config.max_position_embeddings
        self.vocabulary: int = model.config.vocab_size
        self.longest = max(map(len, self.tokenizer.get_vocab()))
        state = OneThread()
        self.chats, self.texts = ChatCompletionHandler(held, state), CompletionHandler(held, state)
        self.manager = state.manager

    @asynccontextmanager
    async def lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        """The time of a server, which ends when nothing is computed any more."""
        yield
        await self.manager.rest()

    async def chat(self, request: Request, asked: Chat) -> Response:
        """The next turn of a conversation."""
        if not self.tokenizer.chat_template:
            said = f"{self.name} has no chat template: ask /v1/completions to go on with a text."
            raise refusal(400, said, "invalid_value", "model")
        unknown = [token for token in asked.logit_bias or () if int(token) >= self.vocabulary]
        if unknown:
            said = f"'logit_bias' names token {unknown[0]} and there are {self.vocabulary}."
            raise refusal(400, said, "invalid_value", "logit_bias")
        return await self._reply(request, asked, "messages")

    async def text(self, request: Request, asked: Text) -> Response:
        """How a text goes on."""
        return await self._reply(request, asked, "prompt")

    async def _reply(self, request: Request, asked: Asked, param: str) -> Response:
        if asked.model != self.name:
            said = f"The model '{asked.model}' is not here; there is '{self.name}'."
            raise refusal(404, said, "model_not_found", "model")
        body = asked.body(self._room(asked, param))
        called = request.headers.get(X_REQUEST_ID) or str(uuid.uuid4())
        handler = self.chats if isinstance(asked, Chat) else self.texts
        response = await _unless_left(request, handler.handle_request(body, called))
        response.headers[X_REQUEST_ID] = called
        if isinstance(response, StreamingResponse):
            response.body_iterator = ended(response.body_iterator)
        return response

    def _room(self, asked: Asked, param: str) -> int:
        """How many tokens a reply may have; raises a refusal where there is room for none."""
        # A text too long whatever its tokens are is not read: that would hold up all others.
        read = asked.words() <= self.positions * self.longest
        room = self.positions - len(self._tokens(asked)) if read else 0
        if room < 1:
            many = f"{self.positions - room} tokens" if read else f"{asked.words()} characters"
            said = f"'{param}' has {many} and the model reads {self.positions} tokens: shorten it."
            raise refusal(400, said, "context_length_exceeded", param)
        return room

    def _tokens(self, asked: Asked) -> list[int]:
        if isinstance(asked, Text):
            ids: list[int] = self.tokenizer(asked.prompt)["input_ids"]
            return ids
        turns = asked.body(1)["messages"]
        made = self.tokenizer.apply_chat_template(turns, add_generation_prompt=True)
        return list(made["input_ids"])


async def _unless_left(request: Request, work: Awaitable[Response]) -> Response:
    """What comes of the work, which is given up once the client has left."""
    working, left = asyncio.ensure_future(work), asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait((working, left), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else Response(status_code=499)
    finally:
        working.cancel()
        left.cancel()


def build(
    name: str, model: Grok2ForCausalLM, tokenizer: Any, host: str = "localhost"
) -> KnownHosts:
    """The application, for any ASGI server at this host; requests wait for each other.

    Raises nothing for a request: it is answered, or refused in OpenAI's shape.
    """
    held = OneModel(name, model, tokenizer)
    replies = Replies(held)
    app = FastAPI(lifespan=replies.lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.post("/v1/chat/completions", response_model=None)(replies.chat)
    app.post("/v1/completions", response_model=None)(replies.text)
    app.get("/v1/models")(lambda: {"object": "list", "data": [held.about.model_dump()]})
    app.get("/health")(lambda: {"status": "ok"})
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(TemplateError, _unwritable)
    app.add_exception_handler(Exception, _failed)
    return KnownHosts(Places(app), host)


async def _refused(request: Request, error: Any) -> JSONResponse:
    if isinstance(error.detail, dict):
        return answer(error)
    said = f"{request.method} {request.url.path}: {error.detail}."
    return answer(refusal(error.status_code, said))


async def _unreadable(_: Request, error: Any) -> JSONResponse:
    return answer(unreadable(error.errors()))


async def _unwritable(_: Request, error: Exception) -> JSONResponse:
    return answer(refusal(400, str(error), "invalid_value", "messages"))


async def _failed(_: Request, error: Exception) -> JSONResponse:
    return answer(refusal(500, str(error)))


def run(
    name: str,
    load: Callable[[], tuple[Grok2ForCausalLM, Any]],
    host: str,
    port: int,
    tell: Callable[[str], None],
) -> None:
    """Take the port, load a model and its tokenizer, tell where they are served, and do so.

    It ends when it is stopped. Raises OSError where the address cannot be had, before the model is
    loaded, and what `load` raises.
    """
    with _bound(host, port) as held:
        model, tokenizer = load()
        config = uvicorn.Config(
            build(name, model, tokenizer, host), timeout_graceful_shutdown=PATIENCE
        )
        at = f"[{host}]" if ":" in host else host
        tell(f"{name} is served at http://{at}:{held.getsockname()[1]}/v1, without a password.")
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[held])


def _bound(host: str, port: int) -> socket.socket:
    """A socket at an address, which does not listen yet: a client is refused, and need not wait."""
    held = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind((host, port))
    except OSError as error:
        held.close()
        remedy = f"{error.strerror}: choose another with --host or --port"
        raise OSError(error.errno, remedy, f"{host}:{port}") from error
    return held
