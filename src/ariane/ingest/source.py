"""What every reader is given and gives back: a source, its records, and how far it was taken in."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ariane.ingest.settings import DEFAULTS, IngestSettings
from ariane.ingest.wire import now
from ariane.types import ArianeError, CallError, Event, Post

Stream: TypeAlias = io.BufferedIOBase


class BrokenSourceError(ArianeError):
    """A file or address that cannot be read on: cut, corrupt, missing, or not what it should be."""


class WrongSourceError(BrokenSourceError, CallError):
    """A file or address that should not have been given: it cannot become right by itself."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a source was taken in: what was consumed, and a digest that recognises it again.

    For lines, `offset` counts bytes after decompression and `digest` is of exactly those bytes; for
    a whole file, `digest` is of the file and `offset` counts the rows of a Parquet table, or the
    bytes of a feed, which is either taken in to its end or not at all. `etag` and `modified` are
    those of a URL's answer that was taken in to its end.
    """

    offset: int = 0
    line: int = 0
    digest: str = ""
    etag: str | None = None
    modified: str | None = None

    def text(self) -> str:
        """As the store keeps it."""
        return json.dumps(dataclasses.asdict(self), separators=(",", ":"))

    @classmethod
    def of(cls, text: str | None) -> Position:
        """The position kept; the start where there is none, or where it is of another make."""
        try:
            return cls(**json.loads(text or "{}"))
        except (TypeError, ValueError):
            return cls()


START = Position()


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that cannot be taken in: its number (from 1; None for the whole file), and why."""

    line: int | None
    error: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """One file, body or stream in one format.

    `place` is its path or URL, which its cursor is kept under; `open` gives its bytes, unpacked,
    from the beginning. `growing` says that its end may be still being written. `known` are the
    posts, among some ids, that the store holds.
    """

    place: str
    open: Callable[[], Stream]
    format: str = ""
    settings: IngestSettings = DEFAULTS
    start: Position = START
    growing: bool = False
    now: Callable[[], int] = now
    known: Callable[[Sequence[str]], dict[str, Post]] = lambda ids: {}


@dataclass(frozen=True, slots=True)
class Records:
    """The events of a source in order, bad ones as Reject, and how far `items` has come."""

    items: Iterator[Event | Reject]
    position: Callable[[], Position]
    close: Callable[[], None]
