"""What loading may refuse."""

from __future__ import annotations


class CheckpointError(RuntimeError):
    """A file of a checkpoint that is missing, damaged or not what its place asks for.

    A RuntimeError, because Transformers catches ValueError and OSError in `AutoTokenizer` and goes
    on with another tokenizer.
    """
