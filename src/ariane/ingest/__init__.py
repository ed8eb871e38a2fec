"""World to events: files, folders, feeds and URLs taken in, resumable and never twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Event

from ariane.ingest.fetch import is_url
from ariane.ingest.follow import follow_path, follow_url
from ariane.ingest.rejects import Rejects, rejects_path
from ariane.ingest.settings import DEFAULTS, IngestSettings
from ariane.ingest.source import Records, Source, WrongSourceError
from ariane.ingest.take import Report, Taking
from ariane.ingest.targets import KINDS, files
from ariane.ingest.visit import STDIN, Visit
from ariane.types import CallError, Store

__all__ = ["IngestSettings", "Report", "ingest", "rejects_path"]

PARTS: Mapping[str, str] = {
    "jsonl": "ariane.ingest.jsonl",
    "csv": "ariane.ingest.tables",
    "parquet": "ariane.ingest.parquet",
    "feed": "ariane.ingest.feeds",
    "jsonfeed": "ariane.ingest.jsonfeed",
    "polis": "ariane.ingest.polis",
}
"""The reader of each format; the only late imports of this room."""

EXTRAS: Mapping[str, str] = {"parquet": "tables", "feed": "feeds"}
"""The formats whose parser is an extra of the package."""


def ingest(
    store: Store,
    target: str,
    *,
    kind: str | None = None,
    rejects: Path | None = None,
    follow: bool = False,
    progress: Callable[[Report], None] | None = None,
    settings: IngestSettings = DEFAULTS,
    stop: Event | None = None,
) -> Report:
    """Take a file, a folder, a URL or standard input ("-") in; again, only what is new there.

    `kind` is jsonl, tables, feeds or polis, told from the target where it is None. Bad lines go to
    `rejects` (by default `NAME.rejects.jsonl` in the current directory). `follow` goes on until
    `stop` is set; an interrupt (KeyboardInterrupt) ends it too, with the report where a `stop` is
    given, and otherwise by passing through. `progress` hears the running report after every
    batch. Raises CallError for a target or kind that is wrong, and ArianeError for a target that
    breaks off; what came before was taken in. In a folder or a list, a file or address that breaks
    is one of the rejects.
    """
    if kind is not None and kind not in KINDS:
        raise CallError(f"kind {kind!r} is unknown; it is one of {', '.join(KINDS)}.")
    with Rejects(rejects or rejects_path(target)) as aside:
        taking = Taking(store, aside, settings, progress)
        visit = Visit(taking, _read, kind, growing=follow)
        if not follow:
            _once(visit, target, kind)
            return taking.report
        try:
            _follow(visit, target, kind, stop or Event())
        except KeyboardInterrupt:
            if stop is None:
                raise
        return taking.report


def _once(visit: Visit, target: str, kind: str | None) -> None:
    if target == STDIN:
        visit.stdin()
    elif is_url(target):
        visit.url(target)
    elif not Path(target).is_dir():
        visit.file(Path(target))
    else:
        found = files(Path(target), kind)
        if not found:
            what = f"of kind {kind}" if kind else "of a known suffix"
            raise WrongSourceError(f"{target} holds no file {what}; give another folder.")
        for path in found:
            visit.guarded(str(path), partial(visit.file, path))


def _follow(visit: Visit, target: str, kind: str | None, stop: Event) -> None:
    if target == STDIN:
        visit.stdin()
    elif is_url(target):
        follow_url(visit, target, stop)
    elif Path(target).exists():
        follow_path(visit, Path(target), kind, stop)
    else:
        raise WrongSourceError(f"{target} does not exist; check the path.")


def _read(source: Source) -> Records:
    try:
        part = import_module(PARTS[source.format])
    except ModuleNotFoundError as error:
        extra = EXTRAS.get(source.format)
        if extra is None:
            raise
        raise CallError(
            f"{source.place} needs {error.name}; install it with `pip install 'ariane[{extra}]'`."
        ) from None
    records: Records = part.read(source)
    return records
