"""The commands that serve, and what an operator shows and measures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ariane.commands.parts import PARTS, part
from ariane.commands.terminal import Home, Json, said, show, show_result
from ariane.types import LANGUAGES, CallError

app = typer.Typer()


@app.command()
def serve(
    home: Home = Path(),
    host: Annotated[str | None, typer.Option(help="The address; else [serve] host.")] = None,
    port: Annotated[int | None, typer.Option(help="The port; else [serve] port.")] = None,
) -> None:
    """Serve feeds: the HTTP API and the Bluesky feed generator."""
    part("serve").run(home, host=host, port=port)


@app.command()
def token(
    viewer: Annotated[str | None, typer.Argument(help="A viewer's id.")] = None,
    home: Home = Path(),
    operator: Annotated[bool, typer.Option("--operator", help="A token of the operator.")] = False,
) -> None:
    """Print a token that names a viewer or the operator."""
    if (viewer is None) != operator:
        raise CallError("name a viewer, or say --operator, and not both.")
    typer.echo(part("tokens").issue(home, viewer))


@app.command()
def mcp(
    viewer: Annotated[str | None, typer.Argument(help="A viewer's id; none is anonymous.")] = None,
    home: Home = Path(),
) -> None:
    """Offer search, feed, reasons and answers as MCP tools over stdin and stdout."""
    try:
        room = part("mcp")
    except ModuleNotFoundError as error:
        raise CallError(
            f"ariane mcp needs {error.name}; install it with `pip install 'ariane[mcp]'`."
        ) from None
    room.run(home, viewer)


@app.command()
def demo(
    path: Annotated[Path | None, typer.Argument(help="Where the data lies.")] = None,
    home: Annotated[
        Path, typer.Option(envvar="ARIANE_HOME", help="Where the demo is made.")
    ] = Path("ariane-demo"),
    data: Annotated[str, typer.Option(help="town (simulated) or polis (real).")] = "town",
    once: Annotated[bool, typer.Option("--once", help="Evaluate and end; do not serve.")] = False,
    size: Annotated[str, typer.Option(help="nano, small or base.")] = "small",
    compare: Annotated[
        bool, typer.Option("--compare", help="Measure what reading is worth too: 4 trainings.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Go the whole way from nothing: take in, read, train, evaluate, serve."""
    serving = part("serve settings").ServeSettings(open_accounts=True)
    demo = part("demo")
    result = demo.run(home, data, path, size=size, compare=compare, progress=said, serve=serving)
    show_result(result, None, as_json)
    if not once:
        part("serve").run(home, host=None, port=None)


@app.command()
def report(
    what: Annotated[str, typer.Argument(help="algorithm.")],
    home: Home = Path(),
    language: Annotated[str, typer.Option(help="en or fr.")] = "en",
    as_json: Json = False,
) -> None:
    """Print what the operator owes the public: how this feed works, as Markdown."""
    if what != "algorithm":
        raise CallError(f"{what} is no report; there is algorithm.")
    if language not in LANGUAGES:
        raise CallError(f"{language} is no language of this report; there are en and fr.")
    told = part("report algorithm").algorithm(part("engine").load(home))
    if as_json:
        typer.echo(json.dumps(told.json(), ensure_ascii=False))
    else:
        typer.echo(part("report markdown").markdown(told, language), nl=False)


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help="feed, grok, load, rank or read.")],
    quick: Annotated[bool, typer.Option(help="Small settings, to see that it runs.")] = False,
    as_json: Json = False,
) -> None:
    """Run a benchmark beside its peer."""
    if f"bench {name}" not in PARTS:
        raise CallError(f"{name} is no benchmark; there are feed, grok, load, rank and read.")
    show(part(f"bench {name}").run(quick=quick), as_json, name)
