"""What a target holds: its files, and the format of each, told from name, type and first bytes."""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ariane.ingest.compressed import UNREADABLE, decompressed
from ariane.ingest.jsonfeed import VERSION
from ariane.ingest.polis import is_polis
from ariane.ingest.rejects import SUFFIX as REJECTS
from ariane.ingest.source import BrokenSourceError, Stream, WrongSourceError

KINDS: Mapping[str, tuple[str, ...]] = {
    "jsonl": ("jsonl",),
    "tables": ("csv", "parquet"),
    "feeds": ("feed", "jsonfeed", "opml"),
    "polis": ("polis",),
}
"""The kinds that a caller may name, and their formats, the likeliest first."""

SUFFIXES: Mapping[str, str] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
    ".xml": "feed",
    ".rss": "feed",
    ".atom": "feed",
    ".opml": "opml",
    ".json": "jsonfeed",
}
TYPES: Mapping[str, str] = {
    "application/jsonl": "jsonl",
    "application/x-ndjson": "jsonl",
    "application/x-jsonlines": "jsonl",
    "text/csv": "csv",
    "application/rss+xml": "feed",
    "application/atom+xml": "feed",
    "application/feed+json": "jsonfeed",
    "text/x-opml": "opml",
}
PACKED = (".gz", ".xz")
HEAD = 4_096
BALLOTS = ("comments", "votes")


def open_file(path: Path) -> Stream:
    """A file's bytes, decompressed."""
    try:
        return decompressed(path.open("rb"))
    except FileNotFoundError:
        raise WrongSourceError(f"{path} does not exist; check the path.") from None
    except OSError as error:
        raise BrokenSourceError(f"{path} cannot be read ({error.strerror}); check it.") from None


def open_body(body: bytes) -> Stream:
    """A fetched body's bytes, decompressed."""
    return decompressed(io.BufferedReader(io.BytesIO(body)))


def head_of(stream: Stream) -> bytes:
    """The first bytes of a stream, which is closed; none where it cannot be read."""
    with stream:
        try:
            return stream.read(HEAD)
        except UNREADABLE:
            return b""


def format_of(place: str, head: bytes, kind: str | None, content_type: str = "") -> str:
    """The format of a source, among those of `kind` where one is given."""
    told = _format(place, head, content_type.partition(";")[0].strip().lower())
    if kind is not None:
        formats = KINDS[kind]
        return told if told in formats else formats[0]
    if told is None:
        raise WrongSourceError(
            f"{place} is of no known format; say which of {', '.join(KINDS)} with --kind."
        )
    return told


def files(folder: Path, kind: str | None) -> list[Path]:
    """The files under a folder that can be taken in, in order of their paths.

    Where a folder holds a Polis conversation, these are its comments, then its votes, alone.
    """
    found: list[Path] = []
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        ballots = [_packed(names, stem) for stem in BALLOTS]
        if all(ballots):
            if kind in {None, "polis"}:
                found += [Path(at, name) for name in ballots if name]
        else:
            found += [Path(at, name) for name in sorted(names) if _taken(name, kind)]
    return found


def _packed(names: list[str], stem: str) -> str | None:
    choices = (f"{stem}.csv{packed}" for packed in ("", *PACKED))
    return next((name for name in choices if name in names), None)


def _taken(name: str, kind: str | None) -> bool:
    if name.startswith(".") or name.endswith(REJECTS):
        return False
    told = SUFFIXES.get(suffix(name))
    if kind == "polis":
        return any(name.startswith(f"{stem}.csv") for stem in BALLOTS)
    return told is not None if kind is None else told in KINDS[kind]


def suffix(place: str) -> str:
    """The suffix of a path or URL, without that of its compression."""
    path = urlsplit(place).path if "://" in place else place
    name = Path(path.lower())
    return Path(name.stem).suffix if name.suffix in PACKED else name.suffix


def _format(place: str, head: bytes, content_type: str) -> str | None:
    told = SUFFIXES.get(suffix(place)) or TYPES.get(content_type)
    text = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if head.startswith(b"PAR1"):
        return "parquet"
    if told == "csv":
        columns = text.split(b"\n", 1)[0].decode("utf-8", "replace").replace('"', "")
        return "polis" if is_polis([name.strip() for name in columns.split(",")]) else "csv"
    if told in {"jsonl", "parquet"}:
        return told
    return _marked(place, text) or told


def _marked(place: str, text: bytes) -> str | None:
    """The format of a document that says what it is."""
    if text.startswith(b"{"):
        return "jsonfeed" if VERSION.encode() in text.replace(b"\\/", b"/") else None
    if not text.startswith(b"<"):
        return None
    if b"<opml" in text:
        return "opml"
    if any(root in text for root in (b"<rss", b"<feed", b"<rdf:rdf")):
        return "feed"
    if b"<html" in text or b"<!doctype html" in text:
        raise WrongSourceError(f"{place} is a web page; give the address of its feed.")
    return None
