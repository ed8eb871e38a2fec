"""The rejects file: what could not be taken in, one JSON object a line, with the reason."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from ariane.ingest.source import Reject
from ariane.types import ArianeError

SUFFIX = ".rejects.jsonl"


class Rejects:
    """A file that is made when its first line comes, and only ever grows.

    It is written before the batch that its lines stood in, so that a crash between the two may
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
                self._file = self._path.open("a", encoding="utf-8", errors="backslashreplace")
            self._file.write(json.dumps(values, ensure_ascii=False) + "\n")
        except OSError as error:
            raise self._unwritable(error) from None

    def flush(self) -> None:
        """Hand what was set aside to the system."""
        try:
            if self._file is not None:
                self._file.flush()
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
    """The rejects file of a target, in the current directory: named after the target."""
    last = (
        target.rstrip("/").rpartition("/")[2] if "://" in target else Path(target).absolute().name
    )
    name = re.sub(r"[^\w.-]+", "_", last).strip(".") or "target"
    return Path(f"{'stdin' if target == '-' else name}{SUFFIX}")
