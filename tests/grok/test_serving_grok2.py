"""`ariane grok serve` on the small Grok, as OpenAI's client, LangChain and plain HTTP see it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import openai
import pytest
import uvicorn
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI, OpenAI

from ariane.__main__ import main
from ariane.grok.serving_grok2 import ended

SMALL = Path(__file__).parents[2] / "models" / "small-grok"
HELLO: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Bonjour"}]
NAME = "small-grok"


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Any, dict[str, Any]]]:
    """What the command hands to uvicorn."""
    given: list[tuple[Any, dict[str, Any]]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uvicorn, "run", lambda app, **how: given.append((app, how)))
        assert main(["grok", "serve", str(SMALL), "--dtype", "float32"]) == 0
    yield given[0]


@pytest.fixture(scope="module")
def url(served: tuple[Any, dict[str, Any]]) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(served[0], port=0, log_level="warning"))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/v1"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=url, api_key="none", max_retries=0)


def test_it_binds_to_this_machine_alone(served: tuple[Any, dict[str, Any]]) -> None:
    assert served[1] == {"host": "127.0.0.1", "port": 8000}


def test_several_processes_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["grok", "serve", str(SMALL)]) == 1
    assert "2 processes cannot serve one model" in capsys.readouterr().err


def test_one_model_is_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [NAME]


def test_a_chat_is_the_same_whole_and_streamed(client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"model": NAME, "messages": HELLO, "max_tokens": 12, "temperature": 0}
    whole = client.chat.completions.create(**asked)
    assert whole.model == NAME
    assert whole.choices[0].message.content
    assert "<|" not in whole.choices[0].message.content
    assert whole.usage is not None
    assert whole.usage.completion_tokens <= 12
    pieces = list(client.chat.completions.create(**asked, stream=True))
    assert len(pieces) > 3
    text = "".join(piece.choices[0].delta.content or "" for piece in pieces)
    assert text == whole.choices[0].message.content
    assert pieces[-1].choices[0].finish_reason == whole.choices[0].finish_reason


def test_a_completion_is_the_same_whole_and_streamed(client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"model": NAME, "prompt": "La jeune femme", "max_tokens": 12}
    whole = client.completions.create(**asked, temperature=0)
    pieces = client.completions.create(**asked, temperature=0, stream=True)
    assert whole.choices[0].text
    assert "".join(piece.choices[0].text for piece in pieces) == whole.choices[0].text
    (listed,) = client.completions.create(**{**asked, "prompt": [asked["prompt"]]}).choices
    assert listed.finish_reason in ("stop", "length")


def test_words_are_drawn_unless_the_temperature_is_0(client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"model": NAME, "prompt": "La jeune femme", "max_tokens": 12}
    said = {client.completions.create(**asked, seed=seed).choices[0].text for seed in range(3)}
    assert len(said) == 3


def test_langchain_asks_and_streams(url: str) -> None:
    how: dict[str, Any] = {"base_url": url, "api_key": "none", "model": NAME, "max_retries": 0}
    chat = ChatOpenAI(**how, max_tokens=8, temperature=0)
    chain = ChatPromptTemplate.from_messages([("system", "Be brief."), ("user", "{said}")]) | chat
    whole = chain.invoke({"said": "Bonjour"})
    assert whole.content
    assert whole.response_metadata["model_name"] == NAME
    streamed = "".join(str(piece.content) for piece in chain.stream({"said": "Bonjour"}))
    assert streamed == whole.content
    assert OpenAI(**how, max_tokens=8, temperature=0).invoke("La jeune femme")


DONE = "data: [DONE]"
CHATS, TEXTS = "/chat/completions", "/completions"
ASKED: dict[str, Any] = {"model": NAME, "messages": HELLO, "max_tokens": 2}
MISSING = "missing_required_parameter"
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
PICTURE = {"role": "user", "content": [IMAGE]}
WORDS_OF_AN_IMAGE = {"role": "user", "content": [{"type": "image_url", "text": "Hi"}]}
LONG = {"role": "user", "content": "mot " * 2000}
JSON = {"type": "json_object"}
RESPONSE, TEMPLATE, GENERATION = ("response_format", "chat_template_kwargs", "generation_config")
TOOL = {"role": "tool", "content": "x"}


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        (CHATS, {"messages": HELLO}, (400, MISSING, "model")),
        (CHATS, {"model": NAME}, (400, MISSING, "messages")),
        (CHATS, {**ASKED, "messages": []}, (400, MISSING, "messages")),
        (CHATS, {**ASKED, "messages": ["Bonjour"]}, (400, None, "messages")),
        (CHATS, {**ASKED, "messages": [{"role": "user"}]}, (400, None, "messages")),
        (CHATS, {**ASKED, "messages": [{"role": "user", "content": 3}]}, (400, None, "messages")),
        (CHATS, {**ASKED, "messages": [PICTURE]}, (400, None, "messages")),
        (CHATS, {**ASKED, "messages": [TOOL]}, (400, None, "messages")),
        (CHATS, {**ASKED, "model": "gpt-5"}, (404, "model_not_found", "model")),
        (CHATS, {**ASKED, "colour": "red"}, (422, None, None)),
        (CHATS, [ASKED], (400, None, None)),
        (TEXTS, {"prompt": "La"}, (400, MISSING, "model")),
        (TEXTS, {"model": NAME}, (400, MISSING, "prompt")),
        (TEXTS, {"model": NAME, "prompt": ["a", "b"]}, (400, None, "prompt")),
        (CHATS, {**ASKED, "messages": [WORDS_OF_AN_IMAGE]}, (400, None, "messages")),
        (CHATS, {**ASKED, "messages": [{"role": 5, "content": "x"}]}, (400, None, "messages")),
        (CHATS, {**ASKED, "max_tokens": 0}, (400, "invalid_value", "max_tokens")),
        (CHATS, {**ASKED, "max_tokens": "x"}, (400, "invalid_value", "max_tokens")),
        (CHATS, {**ASKED, "temperature": -1}, (400, "invalid_value", "temperature")),
        (CHATS, {**ASKED, "temperature": "hot"}, (400, "invalid_value", "temperature")),
        (CHATS, {**ASKED, "top_p": 5}, (400, "invalid_value", "top_p")),
        (CHATS, {**ASKED, "seed": "a"}, (400, "invalid_value", "seed")),
        (CHATS, {**ASKED, "stop": [], "stream": True}, (400, "invalid_value", "stop")),
        (CHATS, {**ASKED, "n": 2}, (400, "unsupported_parameter", "n")),
        (CHATS, {**ASKED, "response_format": JSON}, (400, "unsupported_parameter", RESPONSE)),
        (CHATS, {**ASKED, "chat_template_kwargs": {}}, (400, "unknown_parameter", TEMPLATE)),
        (CHATS, {**ASKED, "generation_config": "{}"}, (400, "unknown_parameter", GENERATION)),
        (CHATS, {**ASKED, "messages": [LONG]}, (400, "context_length_exceeded", None)),
        (TEXTS, {"model": NAME, "prompt": "mot " * 2000}, (400, "context_length_exceeded", None)),
        ("/embeddings", {"model": NAME, "input": "La"}, (404, None, None)),
        ("/responses", {"model": NAME, "input": "La"}, (404, None, None)),
    ],
)
def test_errors_have_the_shape_of_openai(
    url: str, path: str, body: Any, expected: tuple[int, str | None, str | None]
) -> None:
    status, code, param = expected
    answer = httpx.post(url + path, json=body, timeout=60)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)


def test_a_stream_ends_as_openais_and_its_errors_have_their_shape() -> None:
    async def stream() -> Any:
        yield 'data: {"id": "1"}\n\ndata: {"id": "2"}\n\n'
        yield 'data: {"error": "a "quoted" word"}\n\n'

    async def read() -> str:
        return "".join([part async for part in ended(stream())])

    first, second, error, end, rest = asyncio.run(read()).split("\n\n")
    assert (first, second, end, rest) == ('data: {"id": "1"}', 'data: {"id": "2"}', DONE, "")
    said = json.loads(error.removeprefix("data: "))["error"]
    assert (said["message"], said["type"]) == ('a "quoted" word', "server_error")


def test_a_reply_stays_within_the_models_positions(url: str) -> None:
    asked = {"model": NAME, "prompt": "a" * 1020, "max_tokens": 1000, "stream": True}
    answer = httpx.post(f"{url}/completions", json=asked, timeout=60)
    assert answer.status_code == 200
    assert answer.text.endswith(f"{DONE}\n\n")
    usage = json.loads(answer.text.split("\n\n")[-3].removeprefix("data: "))["usage"]
    assert usage["total_tokens"] <= 1024


def test_a_missing_model_is_a_bad_request_to_the_client(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.post("/chat/completions", body={"messages": HELLO}, cast_to=object)
    assert caught.value.code == "missing_required_parameter"


@pytest.mark.parametrize("path", ["/reset", "/load_model", "/v1/systemone"])
def test_nobody_loads_or_unloads_a_model_from_outside(url: str, path: str) -> None:
    answer = httpx.post(url.removesuffix("/v1") + path, json={"model": "a/b"}, timeout=60)
    assert answer.status_code == 404
