"""The commands that make a home, take posts in and read them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ariane.commands.parts import part
from ariane.commands.terminal import Home, Json, err, now, out, said, show
from ariane.types import CallError

app = typer.Typer()


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="Where the home is made.")] = Path(),
) -> None:
    """Write a commented ariane.toml."""
    serving = part("serve settings").ServeSettings()
    out.print(f"Wrote {part('home').init(directory, serve=serving)}.")


@app.command()
def ingest(
    targets: Annotated[list[str], typer.Argument(help="Files, folders, URLs, or - for stdin.")],
    home: Home = Path(),
    kind: Annotated[
        str | None, typer.Option(help="jsonl, tables, feeds or polis; else told from the target.")
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Where lines that cannot be taken in are set aside.")
    ] = None,
    follow: Annotated[bool, typer.Option(help="Go on watching the folder or URL.")] = False,
    as_json: Json = False,
) -> None:
    """Take posts, accounts, actions and labels in; resumable, and never twice."""
    if follow and len(targets) > 1:
        raise CallError("--follow watches one target; start one command for each.")
    store = part("engine").open_store(home)
    settings = part("home").read_settings(home).ingest
    rows = []
    for target in targets:
        with err.status(f"taking in {target}") as status:
            report = part("ingest").ingest(
                store,
                target,
                kind=kind,
                rejects=rejects,
                follow=follow,
                settings=settings,
                progress=lambda so_far, at=target: status.update(f"{at}: {so_far.taken} taken in"),
            )
        rows.append(
            {
                "target": target,
                "new": report.taken,
                "held already": report.same,
                "rejected": report.rejected,
            }
        )
        if report.rejected:
            aside = rejects or part("ingest").rejects_path(target)
            said(f"{target}: {report.rejected} set aside in {aside}, each with its error.")
    show(rows, as_json)


@app.command()
def read(
    home: Home = Path(),
    deepen: Annotated[
        int | None,
        typer.Option(help="Posts for the language model of [llm]; else [read] deepen.", min=0),
    ] = None,
    as_json: Json = False,
) -> None:
    """Read every post that has not been read, and label it; then let the language model read on."""
    engine = part("engine").load(home)
    with err.status("reading") as status:
        count = part("read").read(
            engine.store,
            engine.reader,
            engine.classify,
            progress=lambda done: status.update(f"{done} posts read"),
        )
    rows = [{"posts read": count, "failed": 0, "reader": engine.reader.name}]
    if engine.deeper is not None:
        rows.append(_deepened(engine, engine.settings.read.deepen if deepen is None else deepen))
    engine.refresh()
    show(rows, as_json)


FAILURES = 5
"""Posts that could not be read which are named."""


def _deepened(engine: Any, most: int) -> dict[str, Any]:
    """Let the language model read at most so many posts."""
    with err.status(f"{engine.deeper.model.name} reads") as status:
        done = part("deepen").deepen(
            engine.store,
            engine.deeper,
            at=now(),
            most=most,
            together=engine.settings.llm.together,
            progress=lambda tried: status.update(f"{tried} of at most {most} posts asked about"),
        )
    for post, why in list(done.failed.items())[:FAILURES]:
        said(f"{post}: {why}")
    if done.stopped:
        said(f"It ended early: {done.stopped}")
    return {"posts read": done.read, "failed": len(done.failed), "reader": engine.deeper.name}
