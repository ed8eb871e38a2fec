"""Tables whose columns are the wire's keys: what a row says as an event, and CSV."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ariane.ingest.delimited import Delimited
from ariane.ingest.lines import SHOWN
from ariane.ingest.source import BrokenSourceError, Records, Reject, Source
from ariane.ingest.wire import SHAPES, event
from ariane.types import CallError, Event

TRUTHS: Mapping[str, bool] = {"true": True, "false": False, "1": True, "0": False}


def read(source: Source) -> Records:
    """The events of a CSV source, from its start position on."""
    table = Delimited(source)
    kind = kind_of(table.columns, source.place)
    return Records(_events(table, kind, source), table.position, table.close)


def _events(table: Delimited, kind: str | None, source: Source) -> Iterator[Event | Reject]:
    for row in table:
        if isinstance(row, Reject):
            yield row
        else:
            yield taken(row.number, row.values, kind, source)


def kind_of(columns: Sequence[str], place: str) -> str | None:
    """The one type of line that these columns fit; None where a `type` column tells it by row.

    Raises BrokenSourceError where they fit none.
    """
    known = {key for shape in SHAPES.values() for key in shape.keys}
    if "type" in columns and not (unknown := set(columns) - known - {"type"}):
        return None
    for kind, shape in SHAPES.items():
        if set(shape.required) <= set(columns) <= set(shape.keys):
            return kind
    if "type" in columns:
        raise BrokenSourceError(
            f"{place} has the column {min(unknown)!r}, which is no key of the wire; rename it."
        )
    raise BrokenSourceError(
        f"{place} has the columns {', '.join(columns)}, which fit no type of event; "
        "name them by the wire's keys, or add a type column."
    )


def taken(number: int, row: Mapping[str, Any], kind: str | None, source: Source) -> Event | Reject:
    """One row as its event; an empty or null cell is a key that is not there."""
    kind = kind or str(row.get("type", ""))
    required = SHAPES[kind].required if kind in SHAPES else {}
    line: dict[str, Any] = {"type": kind}
    for key, value in row.items():
        if key != "type" and value is not None and (value != "" or key in required):
            line[key] = _cell(key, value)
    try:
        return event(line, settings=source.settings, at=source.now())
    except CallError as error:
        return Reject(number, str(error), json.dumps(row, ensure_ascii=False, default=str)[:SHOWN])


def _cell(key: str, value: object) -> object:
    """A cell as JSON would have it; what cannot be converted is left for the wire to name."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat() if value.tzinfo else value.isoformat()
    convert = CONVERT.get(key)
    if convert is None or not isinstance(value, str | float):
        return _without_nulls(value)
    try:
        return convert(value)
    except (ValueError, RecursionError):
        return value


def _whole(value: str | float) -> object:
    number = float(value)
    return int(value) if isinstance(value, str) or number.is_integer() else value


def _flag(value: str | float) -> object:
    return TRUTHS.get(value.lower(), value) if isinstance(value, str) else value


def _list(value: str | float) -> object:
    return json.loads(value) if isinstance(value, str) else value


def _without_nulls(value: object) -> object:
    if not isinstance(value, list):
        return value
    items = [item for item in value if item is not None]
    return [
        {key: cell for key, cell in item.items() if cell is not None}
        if isinstance(item, dict)
        else item
        for item in items
    ]


CONVERT: Mapping[str, Callable[[str | float], object]] = {
    "rev": _whole,
    "birth_year": _whole,
    "seconds": float,
    "confidence": float,
    "hides_from_algorithms": _flag,
    "negates": _flag,
    "media": _list,
}
"""The keys whose cells are no strings on the wire; a column of numbers with gaps holds floats."""
