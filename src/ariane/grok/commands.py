"""The commands on checkpoints, for a command line to add; each loads its work when it runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from ariane.grok.errors import CheckpointError

PARTS: Mapping[str, str] = {
    "inspection": "ariane.grok.inspection",
    "conversion": "ariane.grok.conversion",
    "download": "ariane.grok.download",
    "grok-1": "ariane.grok.conversion_grok1",
}
"""What the commands load by name; the only late imports of this file."""

app = typer.Typer(
    help="Grok-1 and Grok-2 from Python: checkpoints of any layout.", no_args_is_help=True
)
out, err = Console(), Console(stderr=True)

Folder = Annotated[Path, typer.Argument(help="A checkpoint's directory.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def part(name: str) -> Any:
    """The file of a command's work, loaded by name."""
    return import_module(PARTS[name])


@contextmanager
def sentences() -> Iterator[None]:
    """A fault of a checkpoint ends the command with its sentence and status 1."""
    try:
        yield
    except CheckpointError as error:
        err.print(f"ariane: {error}", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


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


@app.command()
def inspect(folder: Folder, as_json: Json = False) -> None:
    """Print what a checkpoint holds and lacks, by kind of tensor; status 1 where it lacks any."""
    with sentences():
        found = part("inspection").inspect(folder)
    rows = [*found.kinds, found.total]
    if as_json:
        typer.echo(
            json.dumps({"kinds": [asdict(row) for row in rows], "faults": list(found.faults)})
        )
    else:
        table = Table(title=str(folder))
        for name in ("tensor", "there", "files", "bytes", "bits", "parameters", "active"):
            table.add_column(name, justify="left" if name == "tensor" else "right", overflow="fold")
        for row in rows:
            there = f"{row.found}/{row.expected}"
            numbers = (row.bytes, f"{row.bits:.3g}", row.parameters, row.active)
            shown = [f"{n:,}" if isinstance(n, int) else n for n in numbers]
            table.add_row(row.name, there, str(row.files), *shown)
        out.print(table)
        for sentence in found.faults:
            err.print(sentence, highlight=False, markup=False, soft_wrap=True)
    if found.faults:
        raise typer.Exit(1)


@app.command()
def convert(
    source: Folder,
    target: Annotated[Path, typer.Argument(help="The directory to write.")],
    to: Annotated[
        str, typer.Option(help="merged: for Transformers; gguf: for llama.cpp's converter.")
    ] = "merged",
    limit: Annotated[float, typer.Option(help="The most gigabytes of one file.")] = 5.0,
) -> None:
    """Write a checkpoint as whole tensors; started again, it goes on.

    A directory of Grok-1's published files (tensor00000_000 …) is read without unpickling.
    """
    if to not in ("merged", "gguf"):
        raise typer.BadParameter(f"{to} is no form; there are merged and gguf.")
    size = int(limit * 1e9)
    with sentences(), bar() as progress:
        task = progress.add_task("writing")
        room = part("grok-1")
        if room.is_grok1(source):
            if to == "gguf":
                raise CheckpointError(f"{source} is Grok-1: llama.cpp reads it only once merged.")
            progress.update(task, total=room.total_bytes(source))
            room.write_merged(source, target, lambda done: progress.advance(task, done), size)
        else:
            room = part("conversion")
            progress.update(task, total=room.total_bytes(source))
            room.write_merged(
                source, target, lambda done: progress.advance(task, done), to == "merged", size
            )
    out.print(f"Wrote {target}.")


@app.command()
def download(
    folder: Annotated[Path, typer.Argument(help="Where the files go.")],
    repository: Annotated[str, typer.Option(help="The hub's name of it.")] = "xai-org/grok-2",
    revision: Annotated[str | None, typer.Option(help="A branch, tag or commit.")] = None,
    endpoint: Annotated[
        str | None, typer.Option(envvar="HF_ENDPOINT", help="Another hub's address.")
    ] = None,
) -> None:
    """Fetch a checkpoint: room is checked first, hashes after; started again, it goes on."""
    room = part("download")
    with sentences(), bar() as progress:
        task = progress.add_task("asking the hub", total=None)
        commit, files = room.listing(repository, revision, endpoint)
        progress.update(task, total=room.work(files))

        def said(what: str, done: int) -> None:
            progress.update(task, description=what, advance=done)

        room.download(repository, folder, commit, files, said, endpoint)
    out.print(f"{len(files)} files are whole in {folder}.")
