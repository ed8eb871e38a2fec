"""The heads that read and classify, fitted on the prototypes and written into the package.

    python -m ariane.train.reader

makes `read/heads.safetensors` and `guard/heads.safetensors` again, to the last digits of the
machine's arithmetic. Run it after a change of the prototypes.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from ariane.guard import classify
from ariane.heads import save
from ariane.read import aspects
from ariane.read.encoder import SentenceEncoder
from ariane.types import Encoder


def train_reader(encoder: Encoder, read: Path, guard: Path) -> None:
    """Write both rooms' heads for one encoder."""
    save(read, aspects.train(encoder), {"encoder": encoder.name, "prototypes": aspects.digest()})
    ordinary = [(example.text, example.language) for example in aspects.prototypes()]
    heads, version = classify.train(encoder, ordinary)
    save(guard, heads, {"encoder": encoder.name, "version": version})


def main() -> None:
    """Write them where the package reads them."""
    rooms = ("ariane.read", "ariane.guard")
    read, guard = (Path(str(files(room).joinpath("heads.safetensors"))) for room in rooms)
    train_reader(SentenceEncoder(), read, guard)


if __name__ == "__main__":
    main()
