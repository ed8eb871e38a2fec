"""CSV rows: what the csv module wrote comes back, and bad rows do not stop the others."""

from __future__ import annotations

import csv
import io
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ingest.events import source

from ariane.ingest.delimited import Delimited, Row
from ariane.ingest.settings import IngestSettings
from ariane.ingest.source import BrokenSourceError, Reject

HEADER = b"a,b\n"
cells = st.text(st.sampled_from('ab,"\n\r é'), max_size=8)


def table(body: bytes, **more: object) -> list[Row | Reject]:
    return list(Delimited(source(body, **more)))


def csv_bytes(rows: list[tuple[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    return text.getvalue().encode()


@given(st.lists(st.tuples(cells, cells)))
def test_quoted_cells_keep_their_line_ends(rows: list[tuple[str, str]]) -> None:
    found = table(csv_bytes(rows))
    assert [tuple(row.values.values()) for row in found if isinstance(row, Row)] == rows


@given(st.lists(st.tuples(cells, cells)), st.data())
def test_rows_go_on_where_they_stopped(rows: list[tuple[str, str]], data: st.DataObject) -> None:
    body = csv_bytes(rows)
    first = Delimited(source(body))
    count = data.draw(st.integers(0, len(rows)))
    before = list(islice(first, count))
    second = Delimited(source(body, start=first.position()))
    assert second.columns == ("a", "b")
    assert before + list(second) == table(body)


@given(st.lists(st.tuples(cells, cells), min_size=1), st.data())
def test_a_row_half_written_waits_while_the_file_grows(
    rows: list[tuple[str, str]], data: st.DataObject
) -> None:
    body = csv_bytes(rows)
    cut = data.draw(st.integers(len(b'"a","b"\n'), len(body)))
    first = Delimited(source(body[:cut], growing=True))
    before = list(first)
    after = list(Delimited(source(body, start=first.position(), growing=True)))
    found = before + after
    assert [tuple(row.values.values()) for row in found if isinstance(row, Row)] == rows
    assert len(found) == len(rows)


def test_a_row_cut_at_the_end_is_read_whole_once_the_file_is_whole() -> None:
    whole = b'a,b\n1,2\n3,"four\nand more"\n'
    first = Delimited(source(whole[:-7]))
    good, bad = first
    assert isinstance(good, Row)
    assert isinstance(bad, Reject)
    (row,) = Delimited(source(whole, start=first.position()))
    assert isinstance(row, Row)
    assert row.values == {"a": "3", "b": "four\nand more"}


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"1\n", "the row has 1 fields where the header has 2"),
        (b"1,2,3\n", "the row has 3 fields where the header has 2"),
        (b'1,"2"x\n', "the row is no CSV"),
        (b"1," + b"x" * 200_000 + b"\n", "the row is no CSV (field larger than field limit"),
        (b"1," + b"x" * 5_000_000 + b"\n", "the row has a line longer than 4,194,304 bytes."),
    ],
    ids=["short", "long", "quote", "field", "line"],
)
def test_a_bad_row_is_set_aside_and_the_rest_goes_on(line: bytes, error: str) -> None:
    before, bad, after = table(HEADER + b"p,q\n" + line + b"r,s\n")
    assert isinstance(bad, Reject)
    assert error in bad.error
    assert bad.line == 3
    assert isinstance(before, Row)
    assert isinstance(after, Row)
    assert (before.number, after.number) == (2, 4)


def test_a_line_too_long_inside_a_quoted_cell_spoils_its_row_alone() -> None:
    settings = IngestSettings(line_bytes=100)
    body = HEADER + b'1,"' + b"x" * 50 + b"\n" + b"y" * 500 + b'\nz"\n2,3\n'
    bad, good = table(body, settings=settings)
    assert isinstance(bad, Reject)
    assert isinstance(good, Row)
    assert good.values == {"a": "2", "b": "3"}


def test_a_quote_never_closed_swallows_a_bounded_part() -> None:
    rows = b"".join(b"%d,text\n" % number for number in range(100_000))
    found = table(HEADER + b'0,"open\n' + rows)
    good = sum(isinstance(row, Row) for row in found)
    assert good > 80_000
    assert len(found) - good <= 3


def test_bytes_that_are_not_utf_8_are_left_for_the_fields_to_refuse() -> None:
    (row,) = table(HEADER + b"1,caf\xe9\n")
    assert isinstance(row, Row)
    assert row.values["b"] == "caf\udce9"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "is empty"),
        (b"a,a\n", "names a column twice"),
        (b'"a"x\n', "has no CSV header"),
        (b'"a\n', "has no CSV header"),
    ],
)
def test_a_table_without_a_good_header_is_named(body: bytes, error: str) -> None:
    with pytest.raises(BrokenSourceError, match=error):
        Delimited(source(body))
