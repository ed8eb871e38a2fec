"""The command that needs no checkpoint: what would run where."""

from __future__ import annotations

from typing import Annotated

import typer

from ariane.grok.parts import part
from ariane.grok.terminal import Json, out, say, show, show_json, within

app = typer.Typer()


@app.command()
def plan(
    gpu: Annotated[str | None, typer.Option(help="A GPU's memory: 24GiB, or 8x80GiB.")] = None,
    ram: Annotated[str | None, typer.Option(help="The host's memory, such as 128GiB.")] = None,
    gpus: Annotated[
        int | None, typer.Option(help="How many such GPUs.", callback=within(1))
    ] = None,
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
    if model not in room.MODELS:
        raise typer.BadParameter(f"{model} is no model of this plan; there are grok-2 and grok-1.")
    if gpu is None and ram is None:
        raise typer.BadParameter("name a machine: --gpu 24GiB --ram 128GiB, or one of them.")
    try:
        machine = room.Machine.of(gpu, ram, bandwidth, ram_bandwidth, gpus)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    rows = room.rows(room.plan(room.MODELS[model], machine))
    if as_json:
        show_json(rows)
        return
    show([{key: row[key] for key in row if key != "arithmetic"} for row in rows], model)
    for row in rows:
        said = f"{row['bits']}, {row['how']}: {row['arithmetic']}"
        out.print(said, highlight=False, soft_wrap=True)
    say(room.meaning(machine))
