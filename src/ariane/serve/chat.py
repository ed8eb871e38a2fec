"""Chat: questions about posts and one's own feed, answered with citations.

`/v1/ask` in this API's own shape; `/v1/chat/completions` and `/v1/models` in OpenAI's, so that its
clients need only an address and a token.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from ariane.ask import Line, Question
from ariane.ask.notes import listed, marked, model_of, sources, written_by
from ariane.ask.nouns import QUESTION
from ariane.ask.turns import TURNS, Sought, language_of
from ariane.serve.access import ALSO_NOBODY, AnyCaller, own
from ariane.serve.answers import told, understood
from ariane.serve.chat_models import (
    MODEL,
    About,
    AnswerOut,
    AskIn,
    Choice,
    Chunk,
    ChunkChoice,
    CitationOut,
    Completion,
    CompletionIn,
    Delta,
    LineOut,
    MessageOut,
    Model,
    Models,
    path_of,
)
from ariane.serve.models import WishOut
from ariane.serve.problems import (
    COMMON,
    FORESEEN,
    Refusal,
    answer,
    logged,
    refusal_of,
    said,
)
from ariane.serve.service import Service, Serving, now
from ariane.serve.tokens import Caller
from ariane.serve.values import Absent, Id
from ariane.types import LANGUAGES, Wish

router = APIRouter(prefix="/v1", tags=["ask"])

Whose = Annotated[Id | Absent, Query(description="For the operator: as whom it is asked.")]

EVENTS = "text/event-stream"
STREAMED: dict[int | str, dict[str, Any]] = {
    200: {"content": {EVENTS: {"schema": {"type": "string"}}}, "description": "An answer."}
}


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text of an answer; the last piece has what the marks refer to."""

    text: str
    citations: list[CitationOut] | None = None


@router.post("/ask", summary="Ask", openapi_extra=ALSO_NOBODY, responses=said(401, 403, *COMMON))
async def post_ask(
    body: AskIn, serving: Serving, asking: AnyCaller, viewer: Whose = None
) -> AnswerOut:
    """Ask about all that one may see, one's own feed, a post, or an account.

    Every sentence cites the posts or the receipt that it rests on. `by` names the language model
    that worded the answer and `ai` is true then; else, and where `words` is false, posts are
    quoted. A question that is a wish is kept. It counts as five requests.
    """
    words, earlier = _line(body.question), [_line(text) for text in body.earlier]
    asked = partial(_question, body, words, _who(asking, viewer), earlier, body.keep)
    question, wanted = await understood(serving, asked)
    async with aclosing(told(serving, question, wanted, body.words)) as items:
        whole = [one async for one in items]
    lines = [one for one in whole if isinstance(one, Line)]
    by = model_of(lines)
    return AnswerOut(
        lines=[LineOut.of(line) for line in lines],
        citations=_cited(lines, question),
        wishes=[WishOut.of(one) for one in whole if isinstance(one, Wish)],
        by=by,
        ai=bool(by),
    )


@router.get("/models", summary="What OpenAI's API has", responses=said(*COMMON, openai=True))
async def get_models() -> Models:
    """The one name that `/v1/chat/completions` answers to."""
    return Models(data=[Model()])


@router.post(
    "/chat/completions",
    summary="Ask, in OpenAI's shape",
    openapi_extra=ALSO_NOBODY,
    responses=STREAMED | said(400, 401, 403, 404, *COMMON, openai=True),
    response_model=Completion,
)
async def post_completion(
    body: CompletionIn, request: Request, serving: Serving, asking: AnyCaller, viewer: Whose = None
) -> Completion | Response:
    """Answer the last message of the user, as their own last ones before it say what it means.

    The text bears marks such as [1], and ends with the list of what they cite and with who wrote
    it; `citations` has the same for machines. `post`, `account`, `request`, `language`,
    `profiled` and `keep` may be given as in `/v1/ask`. It counts as five requests.
    """
    *earlier, last = _asked(body)
    # after the turn of a tool, what was wished was kept before
    keep = body.keep and body.messages[-1].role == "user"
    asked = partial(_question, body, last, _who(asking, viewer), earlier[-TURNS:], keep)
    question, wanted = await understood(serving, asked)
    pieces = _pieces(serving, question, wanted, str(request.base_url).rstrip("/"))
    name = f"chatcmpl-{secrets.token_hex(16)}"
    if body.stream:
        first = await anext(pieces)  # what can be refused is, while there is a status to do it with
        return StreamingResponse(_events(request.url.path, name, first, pieces), media_type=EVENTS)
    async with aclosing(pieces) as whole:
        parts = [part async for part in whole]
    message = MessageOut(content="".join(part.text for part in parts))
    return Completion(
        id=name,
        created=now() // 1000,
        choices=[Choice(message=message)],
        citations=parts[-1].citations or [],
    )


def _who(asking: Caller, viewer: str | None) -> str | None:
    """As whom a question is asked: nobody and the operator too; 403 for another viewer."""
    return asking.viewer if viewer is None else own(asking, viewer)


def _question(
    about: About, words: str, viewer: str | None, earlier: Sequence[str], keep: bool
) -> Question:
    """What is asked, in the language of the question where none is named."""
    language = about.language or language_of(words, *reversed(earlier))
    return Question(
        words,
        now(),
        viewer,
        language=language if language in LANGUAGES else LANGUAGES[0],
        post=about.post,
        account=about.account,
        request=about.request,
        profiled=about.profiled,
        earlier=tuple(earlier),
        wishing=keep,
    )


def _asked(body: CompletionIn) -> list[str]:
    """The user's own messages, the question last; a refusal of OpenAI's where there is none."""
    if body.model != MODEL:
        sentence = f"There is no model '{body.model[:100]}' here; the one there is is '{MODEL}'."
        raise Refusal(404, sentence, name="model_not_found", param="model")
    words = [one.words() for one in body.messages if one.role == "user"]
    if not words:
        sentence = "There is no message of the user in 'messages'; add one."
        raise Refusal(400, sentence, name="invalid_value", param="messages")
    if len(words[-1]) > QUESTION:
        sentence = f"The last message has more than {QUESTION} characters; ask in fewer."
        raise Refusal(400, sentence, name="string_above_max_length", param="messages")
    return words


def _line(text: str) -> str:
    return " ".join(text.split())


def _cited(lines: Iterable[Line], question: Question) -> list[CitationOut]:
    return [CitationOut.of(one, question.post) for one in sources(lines)]


async def _pieces(
    serving: Service, question: Question, wanted: Sought, base: str
) -> AsyncGenerator[Piece, None]:
    """The text of an answer as it comes: sentences, then what they cite and who wrote them."""
    lines, language = list[Line](), question.language
    async with aclosing(told(serving, question, wanted)) as items:
        async for one in items:
            if isinstance(one, Line):
                before = "\n" if lines else ""
                lines.append(one)
                yield Piece(before + marked(one))
    cited = sources(lines)
    list_of = listed(cited, lines, language, lambda one: base + path_of(one, question.post))
    end = [*list_of, written_by(model_of(lines), language)]
    yield Piece("\n\n" + "\n".join(end), _cited(lines, question))


async def _events(
    path: str, name: str, first: Piece, pieces: AsyncGenerator[Piece, None]
) -> AsyncIterator[str]:
    """The same as server-sent events; an error ends them as one of their own."""
    at = now() // 1000

    def event(delta: Delta, citations: list[CitationOut] | None = None, end: bool = False) -> str:
        choice = ChunkChoice(delta=delta, finish_reason="stop" if end else None)
        chunk = Chunk(id=name, created=at, choices=[choice], citations=citations)
        return f"data: {chunk.model_dump_json()}\n\n"

    yield event(Delta(role="assistant", content=""))
    yield event(Delta(content=first.text), first.citations)
    try:
        async with aclosing(pieces) as rest:
            async for piece in rest:
                yield event(Delta(content=piece.text), piece.citations)
    except Exception as error:
        yield f"data: {bytes(answer(path, _refusal(error)).body).decode()}\n\n"
        return
    yield event(Delta(), end=True)
    yield "data: [DONE]\n\n"


def _refusal(error: Exception) -> Refusal:
    """What an error is to the client of a stream that has begun."""
    if isinstance(error, FORESEEN):
        return refusal_of(error)
    return Refusal(500, f"The server failed; its log has the cause under {logged('POST')}.")
