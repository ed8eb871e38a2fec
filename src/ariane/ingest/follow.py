"""Following: a file, a folder or a URL looked at again and again, until it is told to stop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from ariane.ingest.source import BrokenSourceError, Reject, WrongSourceError
from ariane.ingest.targets import files
from ariane.ingest.visit import Visit

LONGEST = 16
"""How many times its pause a URL that fails may be left alone."""


def follow_path(visit: Visit, path: Path, kind: str | None, stop: Event) -> None:
    """Take in a file, or new and grown files of a folder, each when its size or time changes.

    A file that cannot be read is given one more look, since it may be half written, before it is
    set aside until it changes. A list of feeds is looked at again at the pace of URLs.
    """
    settings = visit.taking.settings
    taken: dict[Path, tuple[int, int]] = {}
    broken: dict[Path, tuple[int, int]] = {}
    lists: dict[Path, float] = {}
    while True:
        for file, state in _states(path, kind):
            due = time.monotonic() >= lists.get(file, float("inf"))
            if taken.get(file) == state and not due:
                continue
            try:
                if visit.file(file) == "opml":
                    lists[file] = time.monotonic() + settings.follow_url_seconds
            except BrokenSourceError as error:
                if broken.get(file) != state:
                    broken[file] = state
                    continue
                visit.taking.set_aside(str(file), Reject(None, str(error)))
            taken[file] = state
        if stop.wait(settings.follow_seconds):
            return


def follow_url(visit: Visit, url: str, stop: Event) -> None:
    """Poll a URL; while it fails, the pause doubles and each new error is set aside once."""
    settings = visit.taking.settings
    pause, last = 1, ""
    while True:
        try:
            visit.url(url)
            pause, last = 1, ""
        except WrongSourceError:
            raise
        except BrokenSourceError as error:
            if str(error) != last:
                visit.taking.set_aside(url, Reject(None, str(error)))
            pause, last = min(LONGEST, pause * 2), str(error)
        if stop.wait(settings.follow_url_seconds * pause):
            return


def _states(path: Path, kind: str | None) -> Iterator[tuple[Path, tuple[int, int]]]:
    """Each file with its size and the time of its last change (ns), as they are before a look."""
    for file in files(path, kind) if path.is_dir() else [path]:
        try:
            found = file.stat()
        except OSError:
            continue  # taken away since it was listed
        yield file, (found.st_size, found.st_mtime_ns)
