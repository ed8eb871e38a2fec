"""What commands share: the options that most of them have, and how they speak."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ariane.commands.parts import part

out, err = Console(), Console(stderr=True)

Home = Annotated[
    Path, typer.Option("--home", envvar="ARIANE_HOME", help="The directory of ariane.toml.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def show(rows: Sequence[Mapping[str, Any]], as_json: bool, title: str = "") -> None:
    """Print rows as a table, or as one JSON list."""
    if as_json:
        typer.echo(json.dumps(list(rows), ensure_ascii=False))
        return
    table = Table(title=Text(title) if title else None)
    for column in rows[0] if rows else ():
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    out.print(table)


def _cell(value: object) -> Text:
    """A value as it stands: square brackets in it are no markup."""
    return Text(f"{value:.4g}" if isinstance(value, float) else str(value))


def show_result(result: Mapping[str, Any], html: Path | None, as_json: bool) -> None:
    """Print an evaluation as a table or as JSON, and write its page."""
    if html is not None:
        html.write_text(part("evaluate").page(result), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(result))
    else:
        show(part("evaluate").rows(result), False)


def now() -> int:
    """The time, in milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


def day(at: int | None) -> str | None:
    """A time as people write it, UTC."""
    return None if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M}"


def said(progress: object) -> None:
    """Tell of work under way, beside what the command prints."""
    err.print(str(progress), highlight=False)


@contextmanager
def telling(what: str) -> Iterator[tuple[Callable[[str], None], float]]:
    """What tells of long work, and how often: in place on a terminal, else seldom, by lines."""
    if not err.is_terminal:
        yield said, 10.0
        return
    last = [what]
    with err.status(what) as status:

        def tell(line: str) -> None:
            last[0] = line
            status.update(line)

        yield tell, 0.5
    said(last[0])


def say_unknown(store: Any, viewer: str | None) -> None:
    """Say of whom nothing is known: it may be a name that was typed wrong."""
    people = store.people() if viewer is not None else []
    if viewer is None or viewer in people:
        return
    near = get_close_matches(viewer, people, 1)
    nearest = f"; the nearest name is {near[0]}" if near else ""
    sentence = f"ariane: nothing is known of {viewer}{nearest}."
    err.print(sentence, highlight=False, markup=False, soft_wrap=True)
