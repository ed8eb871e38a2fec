"""The command that needs no checkpoint: what would run where."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from ariane.grok.parts import part
from ariane.grok.terminal import Json, out, say, show, show_json

app = typer.Typer()


@app.command()
def plan(
    gpu: Annotated[str | None, typer.Option(help="A GPU's memory: 24GiB, or 8x80GiB.")] = None,
    ram: Annotated[str | None, typer.Option(help="The host's memory, such as 128GiB.")] = None,
    gpus: Annotated[int | None, typer.Option(help="How many such GPUs.", min=1)] = None,
    bandwidth: Annotated[
        str | None, typer.Option(help="A GPU's bytes a second, such as 3350GB; else by its size.")
    ] = None,
    ram_bandwidth: Annotated[
        str, typer.Option(help="The host memory's bytes a second: two channels of DDR5.")
    ] = "80GB",
    model: Annotated[str, typer.Option(help="grok-2 or grok-1.")] = "grok-2",
    as_json: Json = False,
) -> None:
    """Say what fits where, at how many bits, and the most tokens a second, with the arithmetic."""
    room = part("planning")
    sizes = {"grok-2": room.GROK_2, "grok-1": room.GROK_1}
    if model not in sizes:
        raise typer.BadParameter(f"{model} is no model of this plan; there are grok-2 and grok-1.")
    if gpu is None and ram is None:
        raise typer.BadParameter("name a machine: --gpu 24GiB --ram 128GiB, or one of them.")
    try:
        machine = part("machine").Machine.of(gpu, ram, bandwidth, ram_bandwidth)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if gpus is not None and (gpu is None or "x" in gpu.lower()):
        raise typer.BadParameter(f"--gpus {gpus} needs the memory of one GPU: --gpu 24GiB.")
    if gpus is not None:
        machine = replace(machine, gpus=gpus)
    rows = room.rows(room.plan(sizes[model], machine))
    if as_json:
        show_json(rows)
        return
    show([{key: row[key] for key in row if key != "arithmetic"} for row in rows], model)
    for row in rows:
        out.print(f"{row['bits']}, {row['how']}: {row['arithmetic']}", highlight=False)
    say(room.MEANING)
