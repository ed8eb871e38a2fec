"""Batches: every line is an event or is set aside with its number; the rest goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ariane.ingest.settings import IngestSettings
from ariane.serve.batch import JSON, LINES, parse
from ariane.serve.problems import Refusal
from ariane.serve.settings import ServeSettings
from ariane.types import Post

SETTINGS = ServeSettings(batch_lines=5)
BOUNDS = IngestSettings(text_characters=20)
AT = "2026-05-01T12:00:00Z"
ACTION = {"type": "action", "viewer": "v", "post": "p", "kind": "like", "at": AT}


def post(name: str) -> dict[str, Any]:
    return {"type": "post", "id": name, "author": "a", "text": "Bonjour", "at": AT}


DOUBLED = json.dumps(post("p2")).encode()[:-1] + b', "text": "another"}'
LONG = post("p2") | {"text": "x" * 21}


def lines(*values: object) -> bytes:
    return "\n".join(json.dumps(value) for value in values).encode()


def test_lines_and_lists_say_the_same() -> None:
    events = parse(lines(post("p1"), ACTION) + b"\r\n\n", LINES, SETTINGS, BOUNDS).events
    assert events == parse(json.dumps([post("p1"), ACTION]).encode(), JSON, SETTINGS, BOUNDS).events
    assert events[:1] == parse(json.dumps(post("p1")).encode(), JSON, SETTINGS, BOUNDS).events
    assert isinstance(events[0], Post)


def test_a_bad_line_is_named_and_the_rest_goes_on() -> None:
    body = lines(post("p1"), {"type": "post", "id": "p2"}) + b"\n{broken\n" + lines(post("p3"))
    batch = parse(body, f"{LINES}; charset=utf-8", SETTINGS, BOUNDS)
    assert [event.id for event in batch.events if isinstance(event, Post)] == ["p1", "p3"]
    assert [one.line for one in batch.rejected] == [2, 3]
    assert "author" in batch.rejected[0].sentence


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 500_000,
        b"NaN",
        b'{"type": "post", "rev": Infinity}',
        b"\xff",
        b"7",
        b'"p"',
        b"[]",
        DOUBLED,
        json.dumps(LONG).encode(),
    ],
)
def test_a_line_that_is_no_event_costs_only_itself(line: bytes) -> None:
    batch = parse(line + b"\n" + lines(post("p1")), LINES, SETTINGS, BOUNDS)
    assert len(batch.events) == len(batch.rejected) == 1


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"x", "text/plain", 415),
        (b"x", "", 415),
        (b"x", JSON, 422),
        (b"\xff", JSON, 422),
        (b"[" * 100_000, JSON, 422),
        (b"[7]", JSON, 422),
        (b"7", LINES, 422),
        (b"[" + DOUBLED + b"]", JSON, 422),
        (json.dumps(LONG).encode(), JSON, 422),
        (lines(*[post(str(number)) for number in range(6)]), LINES, 422),
    ],
)
def test_a_body_without_an_event_is_refused(body: bytes, kind: str, status: int) -> None:
    with pytest.raises(Refusal) as caught:
        parse(body, kind, SETTINGS, BOUNDS)
    assert caught.value.status == status


@pytest.mark.parametrize(("body", "kind"), [(b"", LINES), (b"\n\n", LINES), (b"[]", JSON)])
def test_nothing_is_an_empty_batch(body: bytes, kind: str) -> None:
    batch = parse(body, kind, SETTINGS, BOUNDS)
    assert (batch.events, batch.rejected) == ((), ())


@given(st.binary(max_size=200), st.sampled_from([JSON, LINES]))
def test_no_body_is_more_than_refused(body: bytes, kind: str) -> None:
    try:
        parse(body, kind, SETTINGS, BOUNDS)
    except Refusal as refusal:
        assert refusal.status == 422
