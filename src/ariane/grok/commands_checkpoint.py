"""The commands that fetch, read and write a checkpoint's directory, and run no model."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ariane.grok.errors import CheckpointError
from ariane.grok.layout_grok2 import Form
from ariane.grok.parts import part
from ariane.grok.terminal import (
    Dtype,
    Folder,
    Json,
    bar,
    out,
    say,
    sentences,
    show,
    show_json,
    within,
)

app = typer.Typer()

ROOM = "close what else runs here, or take a machine with more; started again, it goes on"
"""The remedy where one tensor and what it is packed into fill the memory."""

MOST = 20
"""Faults that are printed; a wrong number in a configuration makes one of each tensor."""


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
    with sentences(), bar() as progress:
        room = part("download")
        tell = partial(progress.update, progress.add_task("asking the hub", total=None))
        commit, files = room.listing(repository, revision, endpoint)
        changed = room.download(repository, folder, commit, files, tell, endpoint)
    for name in changed:
        say(f"{folder / name} was changed here and is kept: remove it to fetch the published one.")
    out.print(f"{len(files)} files are whole in {folder}.")


@app.command()
def inspect(folder: Folder, as_json: Json = False) -> None:
    """Print what a checkpoint holds and lacks, by kind of tensor; status 1 where it lacks any."""
    with sentences(folder):
        found = part("inspection").inspect(folder)
    kinds, parts = [*found.kinds, found.total], [*found.parts, found.total]
    if as_json:
        rows = {"kinds": [_json(row) for row in kinds], "parts": [_json(row) for row in parts]}
        show_json({**rows, "faults": list(found.faults)})
    else:
        show([_there(row) for row in kinds], str(folder))
        show([_size(row) for row in parts])
        for sentence in found.faults[:MOST]:
            say(sentence)
        if len(found.faults) > MOST:
            say(f"… and {len(found.faults) - MOST} more; --json has all.")
    if found.faults:
        raise typer.Exit(1)


def _json(row: Any) -> dict[str, Any]:
    return {**asdict(row), "files": len(row.files)}


def _there(row: Any) -> dict[str, str | int]:
    return {
        "tensor": row.name,
        "there": f"{row.found}/{row.expected}",
        "files": len(row.files),
        "bytes": row.bytes,
    }


def _size(row: Any) -> dict[str, str | int | float]:
    return {
        "part": row.name,
        "bytes": row.bytes,
        "bits": row.bits,
        "parameters": row.parameters,
        "active": row.active,
    }


@app.command()
def convert(
    source: Folder,
    target: Annotated[Path, typer.Argument(help="The directory to write.")],
    to: Annotated[
        Form,
        typer.Option(
            help="merged: for Transformers; gguf: for llama.cpp's converter; sglang: for SGLang."
        ),
    ] = "merged",
    limit: Annotated[
        float,
        typer.Option(help="The most gigabytes of one file.", callback=within(0, 10**6, above=True)),
    ] = 5.0,
) -> None:
    """Write a checkpoint as whole tensors; started again, it goes on.

    A directory of Grok-1's published files (tensor00000_000 …) is read without unpickling.
    """
    size = int(limit * 1e9)
    with sentences(source), bar() as progress:
        tell = partial(progress.update, progress.add_task("reading", total=None))
        room = part("grok-1")
        if room.is_grok1(source):
            if to != "merged":
                raise CheckpointError(f"{source} is Grok-1: it is written in the merged form only.")
            tokenizer = part("grok-1 tokenizer").read_tokenizer(room.find_folder(source))
            room.write_merged(source, target, tell, size)
            tokenizer.save_pretrained(target)
        else:
            part("conversion").write_merged(source, target, tell, to, size)
    out.print(f"Wrote {target}.")


@app.command()
def quantize(
    source: Folder,
    target: Annotated[Path, typer.Argument(help="The directory to write.")],
    bits: Annotated[int, typer.Option(help="8, 4, 3 or 2, for what every token uses.")] = 4,
    expert_bits: Annotated[
        int | None, typer.Option(help="The same for experts; else as --bits.")
    ] = None,
    head_bits: Annotated[int, typer.Option(help="The same for the head.")] = 8,
    group_size: Annotated[int, typer.Option(help="Weights that share a scale: 32, 64, 128.")] = 64,
    device: Annotated[str | None, typer.Option(help="Where to compute, such as cuda.")] = None,
) -> None:
    """Write a checkpoint in fewer bits, experts too, a tensor at a time; started again, it goes on.

    The source is of any layout; the target loads like any model.
    """
    with sentences(source, full=ROOM, gpu="leave --device out, and the processor computes"):
        room = part("packing")
        try:
            choice = room.Grok2PackedConfig(bits, expert_bits, head_bits, group_size)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        if device is not None:
            part("running").check_device(device)
        with bar() as progress:
            tell = partial(progress.update, progress.add_task("reading", total=None))
            room.quantize_directory(source, target, choice, device, tell)
    out.print(f"Wrote {target}.")


@app.command()
def merge(
    source: Folder,
    adapter: Annotated[Path, typer.Argument(help="A directory that finetune wrote.")],
    target: Annotated[Path, typer.Argument(help="The directory to write.")],
    dtype: Dtype = "auto",
) -> None:
    """Write a model with an adapter in its weights, plain ones; started again, it goes on.

    The source is of any layout, or packed. In memory are the adapter and some rows of a weight.
    """
    with sentences(source, adapter), bar() as progress:
        tell = partial(progress.update, progress.add_task("reading", total=None))
        part("merging").merge_directory(source, adapter, target, dtype, tell)
    out.print(f"Wrote {target}.")
