"""What loading and writing may refuse."""

from __future__ import annotations

import shutil
from pathlib import Path


class CheckpointError(RuntimeError):
    """A file of a checkpoint that is missing, damaged or not what its place asks for.

    A RuntimeError, because Transformers catches ValueError and OSError in `AutoTokenizer` and goes
    on with another tokenizer.
    """


def check_space(folder: Path, needed: int) -> None:
    """Raise `CheckpointError` where a directory's disk has less room than `needed` bytes."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise CheckpointError(
            f"{folder} has {free / 1e9:.1f} GB free and {needed / 1e9:.1f} GB are needed: "
            "make room, or choose another disk."
        )
