"""Lines: bounded, counted, unpacked, and resumed only where the bytes before are the same."""

from __future__ import annotations

import gzip
import lzma
import tracemalloc
from collections.abc import Callable
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ingest.events import source

from ariane.ingest.lines import SHOWN, Line, Lines
from ariane.ingest.settings import IngestSettings
from ariane.ingest.source import BrokenSourceError, Position

bodies = st.lists(st.binary(max_size=20) | st.sampled_from([b"\n", b"\r\n", b"", b"\n\n"])).map(
    b"".join
)
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "two gzips": lambda body: (
        gzip.compress(body[: len(body) // 2]) + gzip.compress(body[len(body) // 2 :])
    ),
    "two xz, padded": lambda body: (
        lzma.compress(body[: len(body) // 2]) + b"\0" * 4 + lzma.compress(body[len(body) // 2 :])
    ),
}


def expected(body: bytes) -> list[Line]:
    *whole, rest = body.split(b"\n")
    lines = [Line(number, raw) for number, raw in enumerate(whole, 1)]
    return [*lines, Line(len(whole) + 1, rest, whole=False)] if rest else lines


@given(bodies, st.sampled_from(sorted(PACKERS)))
def test_lines_are_those_of_the_bytes_however_they_are_packed(body: bytes, packer: str) -> None:
    body = b"." + body  # a body that begins with a byte order mark is another test's
    assert list(Lines(source(PACKERS[packer](body)))) == expected(body)


@given(bodies, st.data(), st.binary(max_size=30))
def test_reading_goes_on_where_it_stopped_also_when_more_has_come(
    body: bytes, data: st.DataObject, more: bytes
) -> None:
    body = b"." + body
    lines = Lines(source(body))
    count = data.draw(st.integers(0, body.count(b"\n")))
    before = list(islice(lines, count))
    stopped = lines.position()
    if count == 0:
        stopped = Position()
    after = list(Lines(source(body + more, start=stopped)))
    assert before + after == expected(body + more)


@given(bodies.filter(lambda body: b"\n" in body), st.data())
def test_a_source_that_was_rewritten_is_read_from_the_beginning(
    body: bytes, data: st.DataObject
) -> None:
    body = b"." + body
    lines = Lines(source(body))
    list(lines)
    end = lines.position()
    place = data.draw(st.integers(0, end.offset - 1))
    changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
    assert list(Lines(source(changed, start=end))) == expected(changed)
    shorter = body[: end.offset - 1]
    assert list(Lines(source(shorter, start=end))) == expected(shorter)


def test_a_last_line_without_its_end_is_given_and_never_passed() -> None:
    lines = Lines(source(b"one\ntwo"))
    assert list(lines) == [Line(1, b"one"), Line(2, b"two", whole=False)]
    assert (lines.position().offset, lines.position().line) == (4, 1)


@pytest.mark.parametrize("length", [11, 65_535, 65_536, 65_537, 200_000])
def test_a_line_too_long_is_cut_and_the_next_one_whole(length: int) -> None:
    settings = IngestSettings(line_bytes=10)
    body = b"a" * 10 + b"\n" + b"b" * length + b"\nlast\n"
    lines = Lines(source(body, settings=settings))
    first, long, last = lines
    assert first == Line(1, b"a" * 10)
    assert (long.number, long.cut) == (2, True)
    assert set(long.raw) == {ord("b")}
    assert last == Line(3, b"last")
    assert lines.position().offset == len(body)
    assert list(Lines(source(body + b"more\n", start=lines.position()))) == [Line(4, b"more")]


def test_a_huge_line_is_not_held_in_memory() -> None:
    packed = gzip.compress(b"a" * 50_000_000 + b"\nlast\n")
    tracemalloc.start()
    huge, last = Lines(source(packed, settings=IngestSettings(line_bytes=100_000)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (huge.cut, len(huge.raw), last.raw) == (True, SHOWN, b"last")
    assert peak < 5_000_000


@pytest.mark.parametrize("packer", [gzip.compress, lzma.compress])
@pytest.mark.parametrize("damage", ["cut", "corrupt"])
def test_packed_data_that_breaks_gives_the_lines_before_and_one_sentence(
    packer: Callable[[bytes], bytes], damage: str
) -> None:
    body = b"".join(b"line %d\n" % number for number in range(100_000))
    packed = packer(body)
    half = len(packed) // 2
    broken = packed[:half] if damage == "cut" else packed[:half] + b"\0" * 64 + packed[half + 64 :]
    lines, found = Lines(source(broken)), []
    with pytest.raises(BrokenSourceError, match=r"cannot be read past line \d+ \(.*\); the lines"):
        found.extend(lines)
    assert len(found) == lines.position().line
    again = list(Lines(source(packed, start=lines.position())))  # the whole file, fetched again
    if damage == "cut":
        assert found + again == expected(body)
        assert len(found) > 10_000
    else:  # what was unpacked before the damage was noticed may be wrong: all is read again
        assert again in (expected(body), expected(body)[len(found) :])


def test_a_position_beyond_what_can_be_read_again_is_a_new_beginning() -> None:
    body = b"one\n" * 10
    lines = Lines(source(gzip.compress(body)))
    list(lines)
    cut = gzip.compress(body)[:-12]
    again = Lines(source(cut, start=lines.position()))
    assert again.position().offset == 0
    with pytest.raises(BrokenSourceError):
        list(again)


def test_an_xz_header_that_asks_for_gigabytes_is_refused() -> None:
    hungry = lzma.compress(
        b"small", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 2**29, "preset": 0}]
    )
    with pytest.raises(BrokenSourceError, match="cannot be read past line 0"):
        list(Lines(source(hungry)))


def test_a_byte_order_mark_is_no_part_of_the_first_line_and_utf_16_is_named() -> None:
    assert list(Lines(source(b"\xef\xbb\xbfone\ntwo\n"))) == [Line(1, b"one"), Line(2, b"two")]
    assert next(iter(Lines(source(b"\xef\xbb\xbfone")))).raw == b"one"
    with pytest.raises(BrokenSourceError, match="is UTF-16; convert it to UTF-8"):
        list(Lines(source("un\n".encode("utf-16"))))


def test_a_position_is_kept_as_text_and_one_of_another_make_is_the_start() -> None:
    position = Position(7, 1, "ab", etag='"x"', modified="Thu, 01 Jan 2026 00:00:00 GMT")
    assert Position.of(position.text()) == position
    strange = [None, "", "{", "[]", '{"row": 3}']
    assert [Position.of(text) for text in strange] == [Position()] * len(strange)
