"""The lines of a byte stream: bounded in length, counted, resumed only where proven the same."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from ariane.ingest.compressed import UNREADABLE
from ariane.ingest.source import BrokenSourceError, Position, Source, Stream

CHUNK = 65_536
SHOWN = 2_000
"""How many bytes of a line too long to take are kept, to show it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end: `whole` if its end was there, `cut` if it was longer than taken."""

    number: int
    raw: bytes
    whole: bool = True
    cut: bool = False


class _Unfinished:
    """The beginning of a line whose end has not been read; the digest runs ahead over it."""

    def __init__(self, digest: hashlib.blake2b, limit: int) -> None:
        self.digest, self.length, self.kept, self._limit = digest, 0, bytearray(), limit

    @property
    def cut(self) -> bool:
        return self.length > self._limit

    def add(self, piece: bytes) -> None:
        self.digest.update(piece)
        self.length += len(piece)
        self.kept += piece
        if self.cut:
            del self.kept[SHOWN:]


class Lines:
    """The lines of a source after its start position.

    The bytes before that position are digested again; if they are not those taken in before, the
    source was rewritten and the lines begin at the first. `position` never passes a last line that
    lacks its end, since more of it may come. Raises BrokenSourceError after the last good line.
    """

    def __init__(self, source: Source) -> None:
        self._place, self._limit = source.place, source.settings.line_bytes
        self._offset, self._number, self._digest = 0, 0, _hash()
        self._stream: Stream = source.open()
        if source.start.offset and not self._skip(source.start):
            self._stream.close()
            self._stream = source.open()
            self._offset, self._number, self._digest = 0, 0, _hash()

    def __iter__(self) -> Iterator[Line]:
        held: _Unfinished | None = None
        while chunk := self._read():
            *pieces, rest = chunk.split(b"\n")
            for piece in pieces:
                if held is None and len(piece) <= self._limit:
                    self._digest.update(piece + b"\n")
                    self._offset += len(piece) + 1
                    self._number += 1
                    yield Line(self._number, piece if self._number > 1 else _unmarked(piece))
                else:
                    yield self._finish(held or self._begin(), piece)
                    held = None
            if rest:
                held = held or self._begin()
                held.add(rest)
        if held is not None:
            number = self._number + 1
            raw = bytes(held.kept) if number > 1 else _unmarked(bytes(held.kept))
            yield Line(number, raw, whole=False, cut=held.cut)

    def position(self) -> Position:
        """How far the lines were taken."""
        return Position(self._offset, self._number, self._digest.hexdigest())

    def close(self) -> None:
        """Let go of the stream."""
        self._stream.close()

    def _begin(self) -> _Unfinished:
        return _Unfinished(self._digest.copy(), self._limit)

    def _finish(self, held: _Unfinished, piece: bytes) -> Line:
        held.add(piece)
        cut, raw = held.cut, bytes(held.kept)
        held.digest.update(b"\n")
        self._digest = held.digest
        self._offset += held.length + 1
        self._number += 1
        return Line(self._number, raw if self._number > 1 else _unmarked(raw), cut=cut)

    def _read(self) -> bytes:
        try:
            chunk = self._stream.read1(CHUNK)
        except UNREADABLE as error:
            raise BrokenSourceError(
                f"{self._place} cannot be read past line {self._number} ({error}); "
                "the lines before it were taken in, so mend or fetch the file and give it again."
            ) from None
        if self._offset == 0 and chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise BrokenSourceError(f"{self._place} is UTF-16; convert it to UTF-8.")
        return chunk

    def _skip(self, start: Position) -> bool:
        """Read up to the start position; whether those bytes are the ones taken in before."""
        left = start.offset
        while left:
            try:
                chunk = self._stream.read1(min(left, CHUNK))
            except UNREADABLE:
                return False  # reading from the beginning will say what is wrong, and where
            if not chunk:
                return False
            self._digest.update(chunk)
            left -= len(chunk)
        self._offset, self._number = start.offset, start.line
        return self._digest.hexdigest() == start.digest


def _hash() -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=16)


def _unmarked(raw: bytes) -> bytes:
    return raw.removeprefix(codecs.BOM_UTF8)
