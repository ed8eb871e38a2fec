"""The rejects file: what could not be taken in, one JSON object a line, with the reason."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from ariane.ingest.source import Reject
from ariane.types import ArianeError

SUFFIX = ".rejects.jsonl"


class Rejects:
    """A file that is made when its first line comes, readable by its owner alone, and only grows.

    It is on the disk before the batch that its lines stood in, so that a crash between the two may
    repeat a reject and never loses one. Raises ArianeError where it cannot be written; nothing of
    that batch is then taken in.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None

    def add(self, place: str, reject: Reject) -> None:
        """Set one line aside."""
        values = {"source": place, "line": reject.line, "error": reject.error, "text": reject.text}
        try:
            if self._file is None:
                held = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                self._file = os.fdopen(held, "a", encoding="utf-8", errors="backslashreplace")
            self._file.write(json.dumps(values, ensure_ascii=False) + "\n")
        except OSError as error:
            raise self._unwritable(error) from None

    def flush(self) -> None:
        """Have what was set aside on the disk."""
        try:
            if self._file is not None:
                self._file.flush()
                number = self._file.fileno()
                if stat.S_ISREG(os.fstat(number).st_mode):  # a pipe or a device has no disk
                    os.fsync(number)
        except OSError as error:
            raise self._unwritable(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._file is not None:
                self._file.close()
        except OSError as full:
            if error is None:  # else what went wrong first is on its way already
                raise self._unwritable(full) from None

    def _unwritable(self, error: OSError) -> ArianeError:
        return ArianeError(
            f"the rejects file {self._path} cannot be written ({error.strerror}); "
            "give another with --rejects."
        )


def rejects_path(target: str) -> Path:
    """The rejects file of a target, in the current directory: named after the target.

    A URL's query, which may hold a secret, is left out.
    """
    if "://" in target:
        last = re.split(r"[?#]", target, maxsplit=1)[0].rstrip("/").rpartition("/")[2]
    else:
        last = Path(target).absolute().name
    name = re.sub(r"[^\w.-]+", "_", last).strip(".") or "target"
    return Path(f"{'stdin' if target == '-' else name}{SUFFIX}")
