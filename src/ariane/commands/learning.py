"""The commands that train, measure and promote models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from ariane.commands.parts import part
from ariane.commands.terminal import Home, Json, now, out, said, show, show_result, telling
from ariane.types import ArianeError, CallError

app = typer.Typer()

OPTIONS: Final[Mapping[str, frozenset[str]]] = {
    "ranker": frozenset({"size", "holdout", "seed"}),
    "retriever": frozenset({"seed"}),
    "reader": frozenset(),
}
"""What can be trained, and the options that it takes; a ranker takes all."""


@app.command()
def train(
    call: typer.Context,
    what: Annotated[str, typer.Argument(help="ranker, retriever or reader.")] = "ranker",
    home: Home = Path(),
    size: Annotated[str, typer.Option(help="ranker: nano, small or base.")] = "small",
    holdout: Annotated[
        float, typer.Option(help="ranker: the latest share of actions, kept to evaluate on.")
    ] = 0.2,
    seed: Annotated[
        int, typer.Option(help="ranker, retriever: the same seed, the same model.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Train on what is in the store: a reader on what a language model has read."""
    _refuse_needless(call, what)
    run = part("home").new_run(home, what)
    store = part("engine").open_store(home)
    with telling(f"training {run.name}") as (tell, every):
        options = {"seed": seed, "progress": tell, "every": every}
        if what == "ranker":
            cut = part("evaluate").plan(store, share=1.0 - holdout).until if holdout else None
            part("train").train_ranker(store, run, size=size, until=cut, **options)
        elif what == "retriever":
            part("train").train_retriever(store, run, **options)
        else:
            encoder = part("engine").load(home).encoder
            part("train").train_student(store, encoder, run, progress=said)
    if what != "ranker":
        signing = part("promote")
        key = signing.signing_key(home / signing.KEY)
        signing.sign(run, what, signing.trained(run), key)
    show([{"run": run.name, "part": what}], as_json)


def _refuse_needless(call: typer.Context, what: str) -> None:
    """Refuse what cannot be trained, and options that would change nothing."""
    if what not in OPTIONS:
        raise CallError(f"{what} cannot be trained; train ranker, retriever or reader.")
    for name in sorted(OPTIONS["ranker"] - OPTIONS[what]):
        source = call.get_parameter_source(name)
        if source is not None and source.name != "DEFAULT":
            raise CallError(f"--{name} changes nothing in a {what}; leave it out.")


@app.command()
def evaluate(
    run: Annotated[str | None, typer.Argument(help="A run; else the one that is live.")] = None,
    home: Home = Path(),
    suite: Annotated[str, typer.Option(help="replay, why, or planted.")] = "replay",
    viewers: Annotated[int, typer.Option(help="why, planted: how many feeds are served.")] = 100,
    html: Annotated[Path | None, typer.Option(help="replay: write a page here too.")] = None,
    as_json: Json = False,
) -> None:
    """Measure a ranker against its baselines and sign its report, or measure what is served.

    `why` replays the claims of served feeds; `planted` holds readings and reasons against the truth
    of a simulated town.
    """
    if suite == "planted":
        _show_planted(home, viewers, as_json)
        return
    if suite == "why":
        engine = part("engine").load(home)
        found = part("evaluate").replay_feeds(engine, viewers=viewers, at=now())
        show([found], as_json)
        if found["failures"]:
            raise ArianeError(f"{len(found['failures'])} claims do not replay.")
        return
    if suite != "replay":
        raise CallError(f"{suite} is no suite; the suites are replay, why and planted.")
    signing, store = part("promote"), part("engine").open_store(home)
    name = run or store.promoted("ranker")
    if name is None:
        raise CallError("no ranker is live; name a run that `ariane train` made.")
    path = part("home").runs(home) / name
    result = part("evaluate").evaluate(store, path, progress=said)
    if not (path / signing.REPORT).exists():
        signing.sign(path, "ranker", result, signing.signing_key(home / signing.KEY))
    show_result(result, html, as_json)


def _show_planted(home: Path, people: int, as_json: bool) -> None:
    """Print how far readings and reasons meet what was planted."""
    world = part("world").load_world(home)
    if world is None:
        raise CallError(f"{home} is no simulated town; `ariane demo` makes one.")
    engine, room = part("engine").load(home), part("planted")
    readings = room.read_rightly(engine.store, world)
    reasons = room.explained_rightly(engine, world, people=people, at=now())
    if as_json:
        typer.echo(json.dumps({"readings": readings, "reasons": reasons}))
        return
    show(readings, False, "readings")
    show([reasons], False, "reasons")


@app.command()
def promote(
    run: Annotated[str, typer.Argument(help="The run to make live, as `ariane train` named it.")],
    home: Home = Path(),
) -> None:
    """Make a run live; its report must be signed for exactly its weights."""
    room, store = part("promote"), part("engine").open_store(home)
    path = part("home").runs(home) / run
    what = run.rpartition("-")[0]
    room.promote(store, what, path, room.signing_key(home / room.KEY))
    out.print(f"{run} is the live {what}.")
