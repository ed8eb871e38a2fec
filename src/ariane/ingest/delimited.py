"""The rows of a CSV source: quoted line ends kept, bad rows set aside, resumed between rows."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ariane.ingest.lines import SHOWN, Lines
from ariane.ingest.source import START, BrokenSourceError, Position, Reject, Source

FIELD_CHARACTERS = csv.field_size_limit()
"""The csv module's own bound (131,072): a quote that is never closed cannot swallow more."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the number of its first line, and its values by column."""

    number: int
    values: Mapping[str, str]


class Delimited:
    """The rows of a CSV source after its start position; its first row names the columns."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lines = Lines(source)
        self._cut = self._ended = self._open = False
        self._records = csv.reader(self._text(self._lines), strict=True)
        self._at = self._lines.position()
        if self._at.offset:
            first = Lines(replace(source, start=START))
            self.columns = self._header(csv.reader(self._text(first), strict=True))
            first.close()
            self._cut = self._ended = self._open = False
        else:
            self.columns = self._header(self._records)

    def __iter__(self) -> Iterator[Row | Reject]:
        while True:
            self._at = self.position()
            number = self._at.line + 1
            try:
                values = next(self._records)
                error = None if len(values) == len(self.columns) else self._misfit(values)
            except StopIteration:
                return
            except csv.Error as wrong:
                values, error = [], f"the row is no CSV ({wrong}); check its quotes."
            if self._source.growing and (self._ended or self._open):
                return  # the rest of it is still being written
            if self._cut:
                most = self._source.settings.line_bytes
                error, self._cut = f"the row has a line longer than {most:,} bytes.", False
            if error:
                yield Reject(number, error, ",".join(values)[:SHOWN])
            elif values:
                yield Row(number, dict(zip(self.columns, values, strict=True)))

    def position(self) -> Position:
        """How far whole rows were taken."""
        return self._at if self._ended or self._open else self._lines.position()

    def close(self) -> None:
        """Let go of the stream."""
        self._lines.close()

    def _text(self, lines: Lines) -> Iterator[str]:
        for line in lines:
            self._open = not line.whole
            self._cut = self._cut or line.cut
            raw = b"" if line.cut else line.raw
            # A byte that is not UTF-8 becomes a surrogate, which no field of an event may hold.
            yield raw.decode("utf-8", "surrogateescape") + "\n"
        self._ended = True

    def _header(self, records: Iterator[list[str]]) -> tuple[str, ...]:
        place = self._source.place
        try:
            columns = tuple(column.strip() for column in next(records, ()))
        except csv.Error as wrong:
            raise BrokenSourceError(f"{place} has no CSV header ({wrong}); mend it.") from None
        if not columns:
            raise BrokenSourceError(f"{place} is empty; a CSV file begins with its columns.")
        if len(set(columns)) < len(columns):
            raise BrokenSourceError(f"{place} names a column twice; rename one.")
        return columns

    def _misfit(self, values: list[str]) -> str | None:
        if not values:
            return None
        expected = len(self.columns)
        return f"the row has {len(values)} fields where the header has {expected}; check quotes."
