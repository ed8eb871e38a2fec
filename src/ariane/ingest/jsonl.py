"""JSONL: one event of the wire a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ariane.ingest.lines import SHOWN, Line, Lines
from ariane.ingest.source import Records, Reject, Source
from ariane.ingest.wire import event
from ariane.types import CallError, Event


def read(source: Source) -> Records:
    """The events of a JSONL source, from its start position on."""
    lines = Lines(source)
    return Records(_events(lines, source), lines.position, lines.close)


def _events(lines: Lines, source: Source) -> Iterator[Event | Reject]:
    for line in lines:
        if not line.whole and source.growing:
            return  # the rest of it is still being written
        if not line.raw.strip():
            continue
        try:
            yield event(_parsed(line, source), settings=source.settings, at=source.now())
        except CallError as error:
            shown = line.raw[:SHOWN].decode("utf-8", "replace")
            yield Reject(line.number, str(error), shown)


def _parsed(line: Line, source: Source) -> dict[str, Any]:
    if line.cut:
        most = source.settings.line_bytes
        raise CallError(f"the line is longer than {most:,} bytes; shorten it.")
    try:
        value = json.loads(line.raw.decode("utf-8"), object_pairs_hook=each_key_once)
    except UnicodeDecodeError as error:
        wrong = line.raw[error.start]
        raise CallError(
            f"byte 0x{wrong:02X} at column {error.start + 1} is not UTF-8; convert the file."
        ) from None
    except RecursionError:
        raise CallError("the line nests too deeply; events are flat objects.") from None
    except ValueError as error:
        raise CallError(f"the line is not JSON ({error}); write one object a line.") from None
    if not isinstance(value, dict):
        raise CallError(f"the line is a {type(value).__name__}; write one JSON object a line.")
    return value


def each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs of a JSON object as a dict; CallError for a key that stands twice."""
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise CallError(f"key {twice[:60]!r} stands twice in one object; keep one.")
    return values
