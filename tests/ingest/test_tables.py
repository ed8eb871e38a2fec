"""Tables: CSV and Parquet rows are the events that the same wire lines would be."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ingest.events import LIKE, NOW, events, items, posts, source

from ariane.ingest import parquet, tables
from ariane.ingest.fields import EPOCH
from ariane.ingest.settings import IngestSettings
from ariane.ingest.source import BrokenSourceError, Reject
from ariane.ingest.wire import SHAPES, line
from ariane.types import Account, Action, Event, Media, Post

KEYS = ("type", *dict.fromkeys(key for shape in SHAPES.values() for key in shape.keys))
CELLS = frozenset({"media"})


def as_csv(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    for row in rows:
        cells = {
            key: json.dumps(value) if isinstance(value, list | bool) else value
            for key, value in row.items()
        }
        writer.writerow(cells)
    return text.getvalue().encode()


def as_parquet(rows: list[dict[str, Any]], schema: pa.Schema | None = None) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), sink)
    return sink.getvalue()


def with_json(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows whose lists are JSON texts, so that every column has one type."""
    return [{k: json.dumps(v) if k in CELLS else v for k, v in row.items()} for row in rows]


SCHEMA = pa.schema(
    [
        (key, {"rev": pa.int64(), "birth_year": pa.int32()}.get(key, pa.string()))
        for key in KEYS
        if key not in {"seconds", "confidence", "negates", "hides_from_algorithms"}
    ]
    + [("seconds", pa.float64()), ("confidence", pa.float64())]
    + [("negates", pa.bool_()), ("hides_from_algorithms", pa.bool_())]
)


@given(st.lists(events, max_size=6))
def test_a_csv_with_a_type_column_holds_the_same_events(some: list[Event]) -> None:
    body = as_csv([line(one) for one in some], KEYS)
    assert items(tables.read(source(body))) == some


@given(st.lists(events, max_size=6))
def test_a_parquet_with_a_type_column_holds_the_same_events(some: list[Event]) -> None:
    body = as_parquet(with_json([line(one) for one in some]), SCHEMA)
    assert items(parquet.read(source(body))) == some


@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_columns_alone_tell_the_type(kind: str) -> None:
    shape = SHAPES[kind]
    assert tables.kind_of(tuple(shape.required), "t.csv") == kind
    assert tables.kind_of(shape.keys, "t.csv") == kind


@pytest.mark.parametrize(
    ("columns", "error"),
    [
        (("id", "writer", "text", "at"), "has the columns id, writer, text, at, which fit no type"),
        (("type", "id", "colour"), "has the column 'colour', which is no key of the wire"),
        ((), "fit no type"),
    ],
)
def test_columns_that_fit_nothing_are_named(columns: tuple[str, ...], error: str) -> None:
    with pytest.raises(BrokenSourceError, match=error):
        tables.kind_of(columns, "t.csv")


def test_a_bad_row_of_a_csv_is_set_aside_with_its_line() -> None:
    body = b"id,author,text,at,rev\np1,a1,,2026-05-01T11:00:00Z,\np2,a1,hi,soon,\n"
    good, bad = items(tables.read(source(body)))
    assert isinstance(good, Post)
    assert (good.text, good.rev) == ("", 1)
    assert isinstance(bad, Reject)
    assert (bad.line, "post at 'soon'" in bad.error) == (3, True)
    assert json.loads(bad.text)["id"] == "p2"


@pytest.mark.parametrize(
    ("column", "cell", "error"),
    [
        ("rev", "two", "post rev is 'two'"),
        ("rev", "1.5", "post rev is '1.5'"),
        ("media", "[", "post media is '['"),
        ("media", "[" * 100_000, "post media is '[["),
        ("text", "caf\udce9", "post text holds U+DCE9"),
    ],
)
def test_a_cell_that_cannot_be_converted_is_named(column: str, cell: str, error: str) -> None:
    row = {"id": "p", "author": "a", "text": "t", "at": "2026-05-01T11:00:00Z", column: cell}
    body = (",".join(row) + "\n" + ",".join(row.values()) + "\n").encode("utf-8", "surrogateescape")
    (bad,) = items(tables.read(source(body)))
    assert isinstance(bad, Reject)
    assert error in bad.error


def test_the_flags_and_type_of_a_csv_are_read_as_people_write_them() -> None:
    body = b"id,hides_from_algorithms\na,true\nb,0\nc,FALSE\nd,\ne,maybe\n"
    *accounts, bad = items(tables.read(source(body)))
    flags = [one.hides_from_algorithms for one in accounts if isinstance(one, Account)]
    assert flags == [True, False, False, False]
    assert isinstance(bad, Reject)
    assert "'maybe'" in bad.error
    (unknown,) = items(tables.read(source(b"type,id\nvote,1\n")))
    assert isinstance(unknown, Reject)
    assert "type 'vote' is unknown" in unknown.error


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_parquet_times_with_a_zone_are_times_and_without_one_are_not(unit: str) -> None:
    at = EPOCH + timedelta(milliseconds=NOW - 1000)
    row = {key: value for key, value in LIKE.items() if key not in {"at", "type"}}
    columns = {key: pa.array([value]) for key, value in row.items()}

    def read(zone: str | None, moment: datetime) -> Event | Reject:
        sink = io.BytesIO()
        times = pa.array([moment], pa.timestamp(unit, zone))
        pq.write_table(pa.table(columns | {"at": times}), sink, version="2.6")
        (found,) = items(parquet.read(source(sink.getvalue())))
        return found

    found = read("UTC", at)
    assert isinstance(found, Action)
    assert found.at == NOW - 1000
    bad = read(None, at.replace(tzinfo=None))
    assert isinstance(bad, Reject)
    assert "is no ISO 8601 time with a zone" in bad.error


def test_parquet_media_may_be_a_list_of_structs_and_whole_numbers_floats() -> None:
    rows = [
        {"id": "p", "author": "a", "text": "t", "at": "2026-05-01T11:00:00Z", "rev": 2.0}
        | {"media": [{"url": "https://e.example/a.png", "alt": None, "width": 3}]},
        {"id": "q", "author": "a", "text": "t", "at": "2026-05-01T11:00:00Z", "rev": None},
    ]
    first, second = items(parquet.read(source(as_parquet(rows))))
    assert isinstance(first, Post)
    assert isinstance(second, Post)
    assert (first.rev, second.rev) == (2, 1)
    assert first.media == (Media("https://e.example/a.png", width=3),)


@settings(max_examples=25)
@given(st.lists(posts, min_size=1, max_size=9), st.data())
def test_parquet_goes_on_at_its_row_unless_the_file_is_another(
    some: list[Post], data: st.DataObject
) -> None:
    body = as_parquet(with_json([line(one) for one in some]), SCHEMA)
    records = parquet.read(source(body))
    count = data.draw(st.integers(1, len(some)))
    before = [next(records.items) for _ in range(count)]
    rest = items(parquet.read(source(body, start=records.position())))
    assert before + rest == some
    other = as_parquet(with_json([line(one) for one in some[:1]]), SCHEMA)
    if other != body:
        again = items(parquet.read(source(other, start=records.position())))
        assert again == some[:1]


def test_a_parquet_longer_than_one_batch_is_whole() -> None:
    rows = [
        {"viewer": "v", "post": f"p{n}", "kind": "like", "at": "2026-05-01T11:00:00Z"}
        for n in range(10_000)
    ]
    body = as_parquet(rows)
    records = parquet.read(source(body))
    for _ in range(9_000):
        next(records.items)
    rest = items(parquet.read(source(body, start=records.position())))
    assert [one.post for one in rest if isinstance(one, Action)] == [
        f"p{n}" for n in range(9_000, 10_000)
    ]


@pytest.mark.parametrize("cell", [2**62, -(2**62)])
def test_a_parquet_time_that_is_none_is_named(cell: int) -> None:
    row = {key: pa.array([value]) for key, value in LIKE.items() if key not in {"at", "type"}}
    sink = io.BytesIO()
    pq.write_table(pa.table(row | {"at": pa.array([cell], pa.timestamp("us", "UTC"))}), sink)
    with pytest.raises(BrokenSourceError, match="is no readable Parquet past row 0"):
        items(parquet.read(source(sink.getvalue())))


def test_a_row_group_that_unpacks_to_too_much_is_not_read() -> None:
    body = as_parquet([dict(LIKE, id=f"{n} {'x' * 1_000}") for n in range(1_000)])
    size = pq.ParquetFile(io.BytesIO(body)).metadata.row_group(0).total_byte_size
    assert len(body) < size / 4
    strict = IngestSettings(row_group_bytes=size - 1)
    with pytest.raises(BrokenSourceError, match=rf"a row group of {size:,} bytes unpacked; at mos"):
        parquet.read(source(body, settings=strict))
    exact = IngestSettings(row_group_bytes=size)
    assert len(items(parquet.read(source(body, settings=exact)))) == 1_000


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "middle"])
def test_a_parquet_that_cannot_be_read_is_named(damage: str) -> None:
    whole = as_parquet([dict(LIKE, id=str(n)) for n in range(50)])
    middle = whole[:4] + b"\xff" * 200 + whole[204:]
    body = {"empty": b"", "cut": whole[:-20], "text": b"PAR1, they said", "middle": middle}[damage]
    with pytest.raises(
        BrokenSourceError, match=r"/file is no readable Parquet past row 0 \(.*\)\.$"
    ):
        items(parquet.read(source(body)))
