"""Parquet, by PyArrow: columns named by the wire's keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from ariane.ingest.compressed import UNREADABLE
from ariane.ingest.source import BrokenSourceError, Position, Records, Reject, Source
from ariane.ingest.tables import kind_of, taken
from ariane.types import Event

ROWS = 4_096

BROKEN = (pa.ArrowException, ValueError, OverflowError, *UNREADABLE)
"""What PyArrow raises, Python's own errors for times and texts that Python cannot hold included."""


class _Table:
    """The rows of one file, which is recognised by the digest of all its bytes."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._stream = source.open()
        try:
            self._digest = hashlib.file_digest(self._stream, "sha256").hexdigest()
            self._stream.seek(0)
            self._file = pq.ParquetFile(self._stream)
        except BROKEN as error:
            raise _broken(source, 0, error) from None
        _within(source, self._file.metadata)
        same = source.start.digest == self._digest
        self._row = source.start.offset if same else 0
        self._kind = kind_of(self._file.schema_arrow.names, source.place)

    def events(self) -> Iterator[Event | Reject]:
        skip, self._row = self._row, 0
        try:
            for batch in self._file.iter_batches(batch_size=ROWS):
                rows = max(0, min(skip - self._row, batch.num_rows))
                self._row += rows
                for row in _plain(batch.slice(rows)).to_pylist():
                    self._row += 1
                    yield taken(self._row, row, self._kind, self._source)
        except BROKEN as error:
            raise _broken(self._source, self._row, error) from None

    def position(self) -> Position:
        return Position(self._row, self._row, self._digest)

    def close(self) -> None:
        self._file.close()
        self._stream.close()


def read(source: Source) -> Records:
    """The events of a Parquet source, from its start position on."""
    table = _Table(source)
    return Records(table.events(), table.position, table.close)


def _within(source: Source, metadata: pq.FileMetaData) -> None:
    """Refuse row groups that would unpack to more than the settings allow."""
    most = source.settings.row_group_bytes
    for number in range(metadata.num_row_groups):
        size = metadata.row_group(number).total_byte_size
        if not 0 <= size <= most:
            raise BrokenSourceError(
                f"{source.place} has a row group of {size:,} bytes unpacked; at most {most:,} are "
                "read, so write it in smaller row groups."
            )


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with its times in microseconds: Python's own times know no nanoseconds."""
    for index, field in enumerate(batch.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            times = batch.column(index).cast(pa.timestamp("us", field.type.tz), safe=False)
            batch = batch.set_column(index, field.name, times)
    return batch


def _broken(source: Source, row: int, error: Exception) -> BrokenSourceError:
    why = str(error).split("\n", 1)[0].rstrip(".")
    return BrokenSourceError(f"{source.place} is no readable Parquet past row {row} ({why}).")
