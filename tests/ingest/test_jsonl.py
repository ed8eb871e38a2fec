"""JSONL: every line is an event or a reject with its number, whatever the bytes are."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.ingest.events import LIKE, POST, events, items, source, written

from ariane.ingest.compressed import GZIP, XZ
from ariane.ingest.jsonl import read
from ariane.ingest.settings import IngestSettings
from ariane.ingest.source import Reject
from ariane.types import Event


@given(st.lists(events, max_size=8), st.sampled_from(["\n", "\r\n", "\n\n", "\n \t\n"]))
def test_written_events_are_read_again(some: list[Event], end: str) -> None:
    body = written(some).replace("\n", end).encode()
    assert items(read(source(body))) == some


@given(st.binary(max_size=300))
def test_any_bytes_are_events_or_rejects_with_their_line(body: bytes) -> None:
    assume(not body.startswith((b"\xff\xfe", b"\xfe\xff", GZIP, XZ)))  # the first two: UTF-16
    found = items(read(source(body)))
    lines = body.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    assert [one.line for one in found if isinstance(one, Reject)] == [
        n for n, line in enumerate(lines, 1) if line.strip()
    ]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"{", "the line is not JSON"),
        (b"[1]", "the line is a list"),
        (b'{"type": "post", "id": "a", "id": "b"}', "key 'id' stands twice"),
        (b'{"type": "post", "text": "caf\xe9"}', "byte 0xE9 at column 30 is not UTF-8"),
        (b"[" * 100_000, "nests too deeply"),
        (b"1" * 5_000, "the line is not JSON"),
        (json.dumps(LIKE | {"seconds": float("nan")}).encode(), "seconds is nan"),
        (json.dumps(LIKE).replace('"v1"', '"\\ud800"').encode(), "U+D800"),
        (json.dumps(POST | {"text": "a" * 1_000_000}).encode(), "1,000,000 characters"),
        (b"x" * 5_000_000, "the line is longer than 4,194,304 bytes"),
    ],
    ids=["cut", "list", "twice", "latin-1", "deep", "digits", "nan", "surrogate", "text", "line"],
)
def test_a_bad_line_is_set_aside_and_the_rest_goes_on(line: bytes, error: str) -> None:
    body = written([LIKE]).encode() + line + b"\n" + written([POST]).encode()
    like, bad, post = items(read(source(body)))
    assert isinstance(bad, Reject)
    assert error in bad.error
    assert bad.line == 2
    assert len(bad.text) <= 2_000
    assert not isinstance(like, Reject)
    assert not isinstance(post, Reject)


def test_a_half_written_last_line_waits_while_the_file_grows() -> None:
    body = written([LIKE, POST]).encode()
    records = read(source(body[:-20], growing=True))
    assert len(items(records)) == 1
    assert records.position().line == 1
    rest = read(source(body, start=records.position(), growing=True))
    assert len(items(rest)) == 1


def test_a_last_line_without_its_end_is_taken_when_the_file_does_not_grow() -> None:
    records = read(source(written([LIKE]).encode().rstrip()))
    assert len(items(records)) == 1
    assert records.position().offset == 0


def test_the_bounds_are_those_of_the_settings() -> None:
    settings = IngestSettings(line_bytes=50)
    (bad,) = items(read(source(written([LIKE]).encode(), settings=settings)))
    assert isinstance(bad, Reject)
    assert bad.error == "the line is longer than 50 bytes; shorten it."
