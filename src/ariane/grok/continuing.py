"""What a run that was cut off may keep: whole files of the same source, and no others."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from hashlib import sha256
from pathlib import Path

from ariane.grok.errors import CheckpointError

MARK = "source"
"""The key of a written file's metadata that holds `mark_of` what it was made from."""

WRITTEN = ("model.safetensors", "model-*-of-*.safetensors", "model.safetensors.index.json")
"""What a run writes."""


def mark_of(files: Iterable[Path], *settings: object) -> str:
    """A hash of what a run reads: names, sizes and times of files, and its settings."""
    told = sorted((path.name, (s := path.stat()).st_size, s.st_mtime_ns) for path in files)
    return sha256(repr((told, settings)).encode()).hexdigest()


def check_target(source: Path, target: Path) -> None:
    """Raise `CheckpointError` where a run would write over what it reads."""
    if source.resolve() == target.resolve():
        raise CheckpointError(f"{target} is the checkpoint itself: choose another directory.")


def check_others(target: Path, names: Collection[str]) -> None:
    """Raise `CheckpointError` where a directory holds another run's files beside `names`.

    They would be loaded together with what is written.
    """
    for path in sorted(path for pattern in WRITTEN for path in target.glob(pattern)):
        if path.name not in names:
            raise CheckpointError(
                f"{path} is of another run, of other files or settings: remove it, or choose "
                "another directory."
            )
