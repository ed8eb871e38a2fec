"""Batches of a source's records into the store, each with its cursor in the same transaction."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from ariane.ingest.rejects import Rejects
from ariane.ingest.settings import IngestSettings
from ariane.ingest.source import BrokenSourceError, Position, Records, Reject, Source
from ariane.types import Cursor, Event, Post, Store


@dataclass(frozen=True, slots=True)
class Report:
    """What came of an ingestion: events new to the store, held already, and lines set aside."""

    taken: int = 0
    same: int = 0
    rejected: int = 0


class Taking:
    """One ingestion: its store, its rejects file and its running count."""

    def __init__(
        self,
        store: Store,
        rejects: Rejects,
        settings: IngestSettings,
        progress: Callable[[Report], None] | None,
    ) -> None:
        self.store, self.settings, self.report = store, settings, Report()
        self._rejects, self._progress = rejects, progress

    def take(
        self,
        source: Source,
        records: Records,
        *,
        resumable: bool = True,
        etag: str | None = None,
        modified: str | None = None,
    ) -> None:
        """Write every event of a source; where the source breaks, what came before is kept."""
        events: list[Event] = []
        begun, characters = time.monotonic(), 0

        pause = self.settings.batch_seconds

        def write(position: Position) -> None:
            self._write(events, Cursor(source.place, position.text()) if resumable else None)
            events.clear()

        try:
            for item in records.items:
                if isinstance(item, Reject):
                    self.set_aside(source.place, item)
                    continue
                events.append(item)
                characters += len(item.text) if isinstance(item, Post) else 0
                if self._full(events, characters) or time.monotonic() - begun > pause:
                    write(records.position())
                    begun, characters = time.monotonic(), 0
        except BrokenSourceError:
            write(records.position())
            raise
        end = replace(records.position(), etag=etag, modified=modified)
        if events or end != source.start:
            write(end)

    def set_aside(self, place: str, reject: Reject) -> None:
        """Count a reject and write it to the rejects file."""
        self._rejects.add(place, reject)
        self.report = replace(self.report, rejected=self.report.rejected + 1)

    def _full(self, events: list[Event], characters: int) -> bool:
        most = self.settings
        return len(events) >= most.batch_events or characters >= most.batch_characters

    def _write(self, events: list[Event], cursor: Cursor | None) -> None:
        self._rejects.flush()
        written = self.store.write(events, cursor)
        taken, same = self.report.taken + written.new, self.report.same + written.same
        self.report = replace(self.report, taken=taken, same=same)
        if self._progress is not None:
            self._progress(self.report)
