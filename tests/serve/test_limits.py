"""Limits: buckets refill, bodies end, and depth is judged in linear time."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from ariane.serve import limits
from ariane.serve.limits import BodyLimit, Buckets, RateLimit, client_address, too_deep
from ariane.serve.settings import ServeSettings

SMALL = ServeSettings(body_bytes=100, body_seconds=0.05, json_depth=4, rate=1, burst=2)


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_empties_and_refills() -> None:
    clock = Clock()
    buckets = Buckets(rate=2, burst=3, clock=clock)
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("b") == 0
    clock.now = 0.5
    assert buckets.take("a") == 0
    assert buckets.take("a") == 0.5
    clock.now = 1000
    assert [bool(buckets.take("a")) for _ in range(4)] == [False, False, False, True]


def test_a_dear_request_costs_more_and_at_most_a_bucket() -> None:
    clock = Clock()
    buckets = Buckets(rate=2, burst=5, clock=clock)
    assert buckets.take("a", 4) == 0
    assert buckets.take("a", 4) == 1.5
    assert buckets.take("a") == 0
    assert buckets.take("b", 100) == 0
    assert buckets.take("b", 100) == 2.5


def test_the_idlest_client_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CLIENTS", 2)
    buckets = Buckets(rate=0.001, burst=1, clock=Clock())
    assert buckets.take("a") == buckets.take("b") == 0
    assert buckets.take("a") > 0
    assert buckets.take("c") == 0  # forgets b, which was idle longest
    assert buckets.take("a") > 0
    assert buckets.take("b") == 0


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_a_client_is_an_address_or_a_household(host: str, client: str) -> None:
    assert client_address({"client": (host, 1)}) == client


def test_a_request_without_an_address_is_local() -> None:
    assert client_address({"client": None}) == "local"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


def depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max((depth(item) for item in inner), default=0) + isinstance(value, dict | list)


@given(JSON, st.integers(1, 6), st.booleans())
def test_depth_is_judged_as_the_parser_would(value: Any, limit: int, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert too_deep(text, limit) == (depth(value) > limit)


@pytest.mark.parametrize("text", [b"[" * 1_000_000, b"[]" * 9 + b"[", b"]", b'"["]'])
def test_unbalanced_brackets_are_refused(text: bytes) -> None:
    assert too_deep(text, 4)


def asgi(app: Any, messages: list[Message], **scope: Any) -> list[Message]:
    """What an ASGI application sends when it is sent these messages."""
    sent: list[Message] = []
    waiting = list(messages)

    async def receive() -> Message:
        if not waiting:
            await asyncio.sleep(3600)
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    base = {"type": "http", "method": "POST", "path": "/v1/posts", "headers": [], "client": None}
    asyncio.run(app(base | scope, receive, send))
    return sent


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})


def part(body: bytes, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_in_parts_arrives_whole() -> None:
    sent = asgi(BodyLimit(echo, SMALL), [part(b"[1,", True), part(b"2", True), part(b"]")])
    assert sent[1]["body"] == b"[1,2]"


@pytest.mark.parametrize(
    ("messages", "headers", "status"),
    [
        ([part(b"x" * 60, True), part(b"x" * 60, True)], [], 413),
        ([], [(b"content-length", b"101")], 413),
        ([part(b"x", True)], [], 408),
        ([part(b"[[[[[]]]]]")], [], 422),
    ],
)
def test_a_body_beyond_a_limit_is_refused_unparsed(
    messages: list[Message], headers: list[tuple[bytes, bytes]], status: int
) -> None:
    sent = asgi(BodyLimit(echo, SMALL), messages, headers=headers)
    assert sent[0]["status"] == status
    assert "sentence" in json.loads(sent[1]["body"])["error"]


def test_depth_of_json_lines_is_left_to_each_line() -> None:
    headers = [(b"content-type", b"application/x-ndjson")]
    sent = asgi(BodyLimit(echo, SMALL), [part(b"[[[[[[")], headers=headers)
    assert sent[0]["status"] == 200


def test_a_client_that_leaves_gets_no_answer() -> None:
    assert asgi(BodyLimit(echo, SMALL), [part(b"x", True), {"type": "http.disconnect"}]) == []


def test_what_is_no_request_passes() -> None:
    passed = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        passed.append(scope["type"])

    for layer in (BodyLimit(inner, SMALL), RateLimit(inner, SMALL, lambda _: "a")):
        for _ in range(5):
            asgi(layer, [], type="lifespan")
    assert passed == ["lifespan"] * 10


def test_a_client_that_asks_too_often_is_told_when_to_return() -> None:
    layer = RateLimit(echo, SMALL, lambda scope: scope["client"][0])
    one, other = ("192.0.2.1", 1), ("192.0.2.2", 1)
    answers = [asgi(layer, [part(b"")], client=one)[0] for _ in range(3)]
    assert [answer["status"] for answer in answers] == [200, 200, 429]
    assert dict(answers[2]["headers"])[b"retry-after"] == b"1"
    assert asgi(layer, [part(b"")], client=other)[0]["status"] == 200
    assert asgi(layer, [part(b"")], client=one, path="/xrpc/x")[0]["status"] == 200


def test_a_replay_counts_as_several_requests() -> None:
    layer = RateLimit(echo, replace(SMALL, rate=0.001, burst=limits.REPLAY_TOKENS), lambda _: "a")
    statuses = [
        asgi(layer, [part(b"")], path=path)[0]["status"]
        for path in ("/v1/why/r/replay", "/v1/why/r")
    ]
    assert statuses == [200, 429]


def test_one_who_is_not_limited_is_never_refused() -> None:
    layer = RateLimit(echo, SMALL, lambda _: None)
    assert {asgi(layer, [part(b"")])[0]["status"] for _ in range(10)} == {200}
