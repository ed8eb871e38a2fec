"""What the commands share: where they print, their bars, and how a fault is said."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

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

out, err = Console(), Console(stderr=True)


@contextmanager
def sentences() -> Iterator[None]:
    """A fault of files or values ends the command with its sentence and status 1."""
    try:
        yield
    except ModuleNotFoundError as error:
        _end(f"{error.name} is not installed: pip install 'ariane[grok]'.")
    except (CheckpointError, ValueError) as error:
        _end(str(error))


def _end(sentence: str) -> None:
    say(f"ariane: {sentence}")
    raise typer.Exit(1) from None


def say(sentence: str) -> None:
    """One sentence on standard error, as it stands."""
    err.print(sentence, highlight=False, markup=False, soft_wrap=True)


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
        table.add_column(name, justify="left" if words else "right", overflow="fold")
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
