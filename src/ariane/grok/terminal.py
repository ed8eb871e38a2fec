"""What the commands share: options, where they print, their bars, and how a fault is said."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from ariane.grok.errors import CheckpointError

try:
    import readline
except ImportError:  # Windows has none
    readline = None  # type: ignore[assignment]

Folder = Annotated[Path, typer.Argument(help="A checkpoint's directory.")]
Dtype = Annotated[
    Literal["auto", "float32", "bfloat16", "float16"],
    typer.Option(help="auto: as the files are."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

COMPANIONS = {"accelerate", "peft", "openai", "sentencepiece", "google", "google.protobuf"}
"""What the extra `grok` brings, by the names that an import asks for."""

out, err = Console(), Console(stderr=True)


FULL = re.compile("out of memory|can't allocate memory")
"""How PyTorch says that a GPU's memory, or the machine's, is full."""

FEWER = "take a model in fewer bits, which `ariane grok quantize` writes"
LESS = f"give it less, as by --gpu 20GiB, or {FEWER}"
"""What helps where a memory is full: any, and a GPU's in a command with --gpu."""


@contextmanager
def sentences(*folders: Path, full: str = FEWER, gpu: str | None = None) -> Iterator[None]:
    """A fault of files or values ends the command with its sentence and status 1.

    With ARIANE_DEBUG=1 it is raised instead, to show where it comes from. `full` is the remedy
    where the memory is full, `gpu` that where it is a GPU's and another helps. The call was wrong
    where one of the `folders` is no directory.
    """
    for folder in folders:
        if not folder.is_dir():
            raise typer.BadParameter(f"{folder} is no directory.")
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in COMPANIONS:
            raise
        _end(f"{error.name} is not installed: pip install 'ariane[grok]'.")
    except (CheckpointError, ValueError) as error:
        if os.environ.get("ARIANE_DEBUG") == "1":
            raise
        _end(str(error))
    except (RuntimeError, MemoryError) as error:
        if os.environ.get("ARIANE_DEBUG") == "1" or not _is_full(error):
            raise
        on_gpu = "out of memory" in str(error)
        remedy = gpu if gpu and on_gpu else full
        _end(f"The memory of the {'GPU' if on_gpu else 'machine'} is full: {remedy}.")


def _is_full(error: Exception) -> bool:
    return isinstance(error, MemoryError) or FULL.search(str(error)) is not None


def within(
    least: float, most: float = math.inf, *, above: bool = False
) -> Callable[[float | None], float | None]:
    """A callback of an option: its value is at least `least`, or above it, and at most `most`.

    Typer's own bounds name no value, and let NaN through.
    """
    first = f"above {least}" if above else f"at least {least}"
    last = "" if most == math.inf else f" and at most {most}"

    def check(value: float | None) -> float | None:
        if value is None:
            return None
        sound = (least < value if above else least <= value) and value <= most
        if not sound:
            raise typer.BadParameter(f"{value} is not {first}{last}.")
        return value

    return check


def named(value: str) -> str:
    """A callback of an option that must not be empty."""
    if not value.strip():
        raise typer.BadParameter(f"{value!r} is empty.")
    return value


def one_process() -> None:
    """Raise ValueError under `torchrun` with several processes."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count > 1:
        raise ValueError(
            f"{count} processes cannot serve one model: start one, or serve the published "
            "directory with SGLang and --tp 8."
        )


@contextmanager
def stopping(remedy: str) -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C asked to stop, for work that first keeps what it has; twice stops at once."""
    asked = Event()

    def ask(*_: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        say(f"Stopping after this step, Ctrl-C again stops at once; {remedy}")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _end(sentence: str) -> None:
    say(f"ariane: {sentence}")
    raise typer.Exit(1) from None


def say(sentence: str) -> None:
    """One sentence on standard error, as it stands."""
    err.print(sentence, highlight=False, markup=False, soft_wrap=True)


def typed() -> Iterator[str]:
    """What the user types, turn by turn, until the end of input; a blank line is none.

    A terminal gives what is pasted as one turn.
    """
    prompt = "> " if sys.stdin.isatty() else ""
    if prompt and readline is not None:
        readline.parse_and_bind("set enable-bracketed-paste on")
    while True:
        try:
            said = input(prompt).strip()
        except EOFError:
            return
        if said:
            yield said


def bar() -> Progress:
    """Bytes done, speed and time left, on standard error."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=err,
    )


def steps() -> Progress:
    """Steps done of how many, and time left, on standard error."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
    )


def show(rows: Sequence[Mapping[str, Any]], title: str = "") -> None:
    """Rows as a table, numbers on the right."""
    table = Table(title=title or None)
    for name, value in rows[0].items():
        words = isinstance(value, str)
        table.add_column(name, justify="left" if words else "right", no_wrap=not words)
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    out.print(table)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def show_json(value: object) -> None:
    """One JSON value on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False))
