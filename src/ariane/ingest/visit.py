"""One look at a file, a URL or standard input: what is new there is taken in."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ariane.ingest.compressed import decompressed
from ariane.ingest.fetch import fetch
from ariane.ingest.opml import addresses
from ariane.ingest.source import BrokenSourceError, Position, Records, Reject, Source, Stream
from ariane.ingest.take import Taking
from ariane.ingest.targets import format_of, head_of, open_body, open_file

STDIN = "-"


class Visit:
    """How sources are looked at: with which kind, and whether their ends may be still written."""

    def __init__(
        self,
        taking: Taking,
        read: Callable[[Source], Records],
        kind: str | None,
        growing: bool,
    ) -> None:
        self.taking, self._read, self._kind, self._growing = taking, read, kind, growing

    def file(self, path: Path) -> str:
        """Take in what is new in a file; its format."""
        head = head_of(open_file(path))
        place = str(path.resolve())
        found = format_of(place, head, self._kind)
        opened = partial(open_file, path)
        self._take(self._source(place, opened, found, self._growing))
        return found

    def url(self, url: str, listed: bool = False) -> None:
        """Take in what is new at a URL; one that a list names cannot be a list again."""
        start = Position.of(self.taking.store.cursor(url))
        settings = self.taking.settings
        got = fetch(
            url,
            limit_bytes=settings.fetch_bytes,
            timeout=settings.fetch_seconds,
            etag=start.etag,
            modified=start.modified,
            allow_private=settings.private_addresses,
        )
        if got.unchanged:
            return
        opened = partial(open_body, got.body)
        found = format_of(url, head_of(opened()), self._kind, got.content_type)
        if listed and found == "opml":
            raise BrokenSourceError(f"{url} is a list inside a list; give it by itself.")
        self._take(self._source(url, opened, found), got.etag, got.modified)

    def stdin(self) -> None:
        """Take in standard input to its end; it has no cursor, since it cannot be read again."""
        found = format_of(STDIN, b"", self._kind or "jsonl")
        self._take(self._source(STDIN, _stdin, found), resumable=False)

    def guarded(self, place: str, look: Callable[[], object]) -> None:
        """Look at one of several sources; if it is broken it is set aside, and the rest goes on."""
        try:
            look()
        except BrokenSourceError as error:
            self.taking.set_aside(place, Reject(None, str(error)))

    def _source(
        self, place: str, opened: Callable[[], Stream], found: str, growing: bool = False
    ) -> Source:
        """A source; unless it is said to grow, its end is its end."""
        return Source(
            place=place,
            open=opened,
            format=found,
            settings=self.taking.settings,
            start=Position.of(self.taking.store.cursor(place)),
            growing=growing,
            known=self.taking.store.posts,
        )

    def _take(
        self,
        source: Source,
        etag: str | None = None,
        modified: str | None = None,
        resumable: bool = True,
    ) -> None:
        if source.format == "opml":
            for address in addresses(source):
                self.guarded(address, partial(self.url, address, listed=True))
            return
        records = self._read(source)
        try:
            self.taking.take(source, records, resumable=resumable, etag=etag, modified=modified)
        finally:
            records.close()


def _stdin() -> Stream:
    return decompressed(os.fdopen(sys.stdin.fileno(), "rb", closefd=False))
