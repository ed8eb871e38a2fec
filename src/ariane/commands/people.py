"""What a person may ask for: their data, or to be forgotten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ariane.commands.parts import part
from ariane.commands.terminal import Home, out
from ariane.types import CallError

app = typer.Typer(help="What a person may ask for: their data, or to be forgotten.")


@app.command()
def export(
    viewer: Annotated[str, typer.Argument(help="A viewer's id.")], home: Home = Path()
) -> None:
    """Print all that is held about a person, as JSON."""
    held = part("engine").open_store(home).export(viewer)
    typer.echo(json.dumps(held, ensure_ascii=False, indent=1))


@app.command()
def erase(
    viewer: Annotated[str, typer.Argument(help="A viewer's id.")], home: Home = Path()
) -> None:
    """Destroy a person's key and rows, for good."""
    if not part("engine").open_store(home).erase(viewer):
        raise CallError(f"nothing is held about {viewer}.")
    out.print(f"{viewer} is forgotten; models trained on their actions are not changed by it.")
