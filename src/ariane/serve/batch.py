"""Batches: the body of a POST as events, each line good or set aside with its number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ariane.ingest.jsonl import each_key_once
from ariane.ingest.settings import IngestSettings
from ariane.ingest.wire import event
from ariane.serve.limits import too_deep
from ariane.serve.problems import Refusal
from ariane.serve.settings import ServeSettings
from ariane.types import CallError, Event

JSON = "application/json"
LINES = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that was not taken in (1-based, or its place in the list), and why."""

    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Batch:
    """The events of a body, and its lines that are none."""

    events: tuple[Event, ...]
    rejected: tuple[Rejected, ...]


def parse(body: bytes, content_type: str, settings: ServeSettings, bounds: IngestSettings) -> Batch:
    """A body of JSON lines, or of one JSON object or list, as events within `bounds`.

    Raises Refusal: 415 for another type, 422 where it is no such body, is too long, or no line of
    it is an event.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == LINES:
        numbered = _lines(body)
    elif kind == JSON:
        numbered = _list(body)
    else:
        raise Refusal(415, f"The content type {kind or 'none'} is not taken; send {LINES}.")
    events: list[Event] = []
    rejected: list[Rejected] = []
    for number, found in numbered:
        if len(events) + len(rejected) >= settings.batch_lines:
            raise Refusal(422, f"The batch has more than {settings.batch_lines} events; split it.")
        try:
            events.append(event(_object(found, settings), settings=bounds))
        except CallError as error:
            rejected.append(Rejected(number, str(error)))
    if rejected and not events:
        first = rejected[0]
        raise Refusal(422, f"No line is an event; line {first.line}: {first.sentence}")
    return Batch(tuple(events), tuple(rejected))


def _lines(body: bytes) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(body.split(b"\n"), start=1):
        if line.strip():
            yield number, line


def _list(body: bytes) -> Iterator[tuple[int, object]]:
    try:
        found = _loads(body)
    except CallError as error:
        raise Refusal(422, str(error)) from None
    items = found if isinstance(found, list) else [found]
    yield from enumerate(items, start=1)


def _object(found: object, settings: ServeSettings) -> dict[str, Any]:
    if isinstance(found, bytes):
        if too_deep(found, settings.json_depth):
            raise CallError(f"this is not JSON of at most {settings.json_depth} levels; mend it.")
        found = _loads(found)
    if not isinstance(found, dict):
        raise CallError("this is no JSON object; an event is one.")
    return found


def _loads(text: bytes) -> object:
    try:
        return json.loads(
            text.decode("utf-8"), parse_constant=_constant, object_pairs_hook=each_key_once
        )
    except (ValueError, RecursionError) as error:
        reason = str(error).partition(":")[0]
        raise CallError(f"this is not JSON in UTF-8 ({reason}); mend it.") from None


def _constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def body_schema(*types: str) -> dict[str, Any]:
    """The OpenAPI request body of a batch of these types of event."""
    item = {
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"enum": list(types)}},
        "description": "One event in the wire format; its keys are checked, unknown ones refused.",
    }
    return {
        "requestBody": {
            "required": True,
            "description": "Events, one JSON object a line, or as one JSON list.",
            "content": {
                LINES: {"schema": {"type": "string", "description": "JSON Lines."}},
                JSON: {"schema": {"anyOf": [{"type": "array", "items": item}, item]}},
            },
        }
    }
