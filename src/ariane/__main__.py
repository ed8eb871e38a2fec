"""The door: every command of `ariane`; nothing heavy is loaded before its command runs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ariane.grok.commands import app as grok
from ariane.types import ArianeError, CallError

PARTS: Mapping[str, str] = {
    "demo": "ariane.demo",
    "settings": "ariane.settings",
    "types": "ariane.types",
    "engine": "ariane.engine",
    "feed": "ariane.feed",
    "ask": "ariane.ask",
    "notes": "ariane.ask.notes",
    "ask words": "ariane.ask.words",
    "ask turns": "ariane.ask.turns",
    "keep": "ariane.steer.keep",
    "ingest": "ariane.ingest",
    "read": "ariane.read",
    "deepen": "ariane.read.deepen",
    "train": "ariane.train",
    "evaluate": "ariane.evaluate",
    "planted": "ariane.evaluate.planted",
    "world": "ariane.evaluate.world",
    "promote": "ariane.report.promote",
    "report algorithm": "ariane.report.algorithm",
    "report markdown": "ariane.report.markdown",
    "serve": "ariane.serve.http",
    "serve settings": "ariane.serve.settings",
    "mcp": "ariane.mcp",
    "tokens": "ariane.serve.tokens",
    "steer": "ariane.steer",
    "sentences": "ariane.why.sentences",
    "empty": "ariane.why.empty",
    "bench feed": "ariane.bench.feed",
    "bench grok": "ariane.bench.grok",
    "bench load": "ariane.bench.load",
    "bench rank": "ariane.bench.rank",
    "bench read": "ariane.bench.read",
}
"""What the commands load by name; the only late imports of this file."""

app = typer.Typer(
    name="ariane",
    help="A self-hosted, open For You feed whose every reason can be replayed.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
person = typer.Typer(help="What a person may ask for: their data, or to be forgotten.")
app.add_typer(person, name="person")
app.add_typer(grok, name="grok")
out, err = Console(), Console(stderr=True)

Home = Annotated[
    Path, typer.Option("--home", envvar="ARIANE_HOME", help="The directory of ariane.toml.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def part(name: str) -> Any:
    """A room, loaded by name."""
    return import_module(PARTS[name])


def show(rows: Sequence[Mapping[str, Any]], as_json: bool, title: str = "") -> None:
    """Print rows as a table, or as one JSON list."""
    if as_json:
        typer.echo(json.dumps(list(rows), ensure_ascii=False))
        return
    table = Table(title=title or None)
    for column in rows[0] if rows else ():
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    out.print(table)


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _day(at: int | None) -> str | None:
    return None if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M}"


def _said(progress: object) -> None:
    err.print(str(progress), highlight=False)


@contextmanager
def _telling(what: str) -> Iterator[tuple[Callable[[str], None], float]]:
    """What tells of long work, and how often: in place on a terminal, else seldom, by lines."""
    if not err.is_terminal:
        yield _said, 10.0
        return
    last = [what]
    with err.status(what) as status:

        def tell(line: str) -> None:
            last[0] = line
            status.update(line)

        yield tell, 0.5
    _said(last[0])


def _say_unknown(store: Any, viewer: str | None) -> None:
    """Say of whom nothing is known: it may be a name that was typed wrong."""
    people = store.people() if viewer is not None else []
    if viewer is None or viewer in people:
        return
    near = get_close_matches(viewer, people, 1)
    nearest = f"; the nearest name is {near[0]}" if near else ""
    sentence = f"ariane: nothing is known of {viewer}{nearest}."
    err.print(sentence, highlight=False, markup=False, soft_wrap=True)


# ---------------------------------------------------------------------------------------------
# Set up and take in
# ---------------------------------------------------------------------------------------------


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="Where the home is made.")] = Path(),
) -> None:
    """Write a commented ariane.toml."""
    serving = part("serve settings").ServeSettings()
    out.print(f"Wrote {part('engine').init(directory, serve=serving)}.")


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
    settings = part("engine").read_settings(home).ingest
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
            _said(f"{target}: {report.rejected} set aside in {aside}, each with its error.")
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
            at=_now(),
            most=most,
            together=engine.settings.llm.concurrency,
            progress=lambda tried: status.update(f"{tried} of at most {most} posts asked about"),
        )
    for post, why in list(done.failed.items())[:FAILURES]:
        _said(f"{post}: {why}")
    if done.stopped:
        _said(f"It ended early: {done.stopped}")
    return {"posts read": done.read, "failed": len(done.failed), "reader": engine.deeper.name}


# ---------------------------------------------------------------------------------------------
# Learn
# ---------------------------------------------------------------------------------------------


@app.command()
def train(
    what: Annotated[str, typer.Argument(help="ranker, retriever or reader.")] = "ranker",
    home: Home = Path(),
    size: Annotated[str, typer.Option(help="nano, small or base.")] = "small",
    holdout: Annotated[
        float, typer.Option(help="ranker: the latest share of actions, kept to evaluate on.")
    ] = 0.2,
    seed: Annotated[int, typer.Option(help="The same seed, the same model.")] = 0,
    as_json: Json = False,
) -> None:
    """Train on what is in the store: a reader on what a language model has read."""
    if what not in ("ranker", "retriever", "reader"):
        raise CallError(f"{what} cannot be trained; train ranker, retriever or reader.")
    run = part("engine").new_run(home, what)
    store = part("engine").open_store(home)
    with _telling(f"training {run.name}") as (tell, every):
        options = {"seed": seed, "progress": tell, "every": every}
        if what == "ranker":
            cut = part("evaluate").plan(store, share=1.0 - holdout).until if holdout else None
            part("train").train_ranker(store, run, size=size, until=cut, **options)
        elif what == "retriever":
            part("train").train_retriever(store, run, **options)
        else:
            encoder = part("engine").load(home).encoder
            part("train").train_student(store, encoder, run, progress=_said)
    if what != "ranker":
        signing = part("promote")
        key = signing.signing_key(home / signing.KEY)
        signing.sign(run, what, signing.trained(run), key)
    show([{"run": run.name, "part": what}], as_json)


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
        found = part("evaluate").replay_feeds(engine, viewers=viewers, at=_now())
        show([found], as_json)
        if found["failures"]:
            raise ArianeError(f"{len(found['failures'])} claims do not replay.")
        return
    if suite != "replay":
        raise CallError(f"{suite} is no suite; the suites are replay, why and planted.")
    room, signing = part("engine"), part("promote")
    store = room.open_store(home)
    name = run or store.promoted("ranker")
    if name is None:
        raise CallError("no ranker is live; name a run that `ariane train` made.")
    path = room.runs(home) / name
    result = part("evaluate").evaluate(store, path, progress=_said)
    if not (path / signing.REPORT).exists():
        signing.sign(path, "ranker", result, signing.signing_key(home / signing.KEY))
    _show_result(result, html, as_json)


def _show_planted(home: Path, people: int, as_json: bool) -> None:
    """Print how far readings and reasons meet what was planted."""
    world = part("world").load_world(home)
    if world is None:
        raise CallError(f"{home} is no simulated town; `ariane demo` makes one.")
    engine, room = part("engine").load(home), part("planted")
    readings = room.read_rightly(engine.store, world)
    reasons = room.explained_rightly(engine, world, people=people, at=_now())
    if as_json:
        typer.echo(json.dumps({"readings": readings, "reasons": reasons}))
        return
    show(readings, False, "readings")
    show([reasons], False, "reasons")


def _show_result(result: Mapping[str, Any], html: Path | None, as_json: bool) -> None:
    """Print an evaluation as a table or as JSON, and write its page."""
    if html is not None:
        html.write_text(part("evaluate").page(result), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(result))
    else:
        show(part("evaluate").rows(result), False)


@app.command()
def promote(
    run: Annotated[str, typer.Argument(help="The run to make live, as `ariane train` named it.")],
    home: Home = Path(),
) -> None:
    """Make a run live; its report must be signed for exactly its weights."""
    engine = part("engine")
    room = part("promote")
    path = engine.runs(home) / run
    what = run.rpartition("-")[0]
    room.promote(engine.open_store(home), what, path, room.signing_key(home / room.KEY))
    out.print(f"{run} is the live {what}.")


# ---------------------------------------------------------------------------------------------
# The product in a terminal
# ---------------------------------------------------------------------------------------------


@app.command()
def feed(
    viewer: Annotated[str | None, typer.Argument(help="A viewer's id; none is anonymous.")] = None,
    home: Home = Path(),
    name: Annotated[str, typer.Option("--feed", help="Which feed.")] = "for-you",
    size: Annotated[int, typer.Option(help="Posts a page.", min=1, max=100)] = 20,
    after: Annotated[str | None, typer.Option(help="The request before, to go on.")] = None,
    language: Annotated[str, typer.Option(help="en or fr: of the reasons.")] = "en",
    profiled: Annotated[bool, typer.Option(help="Whether history is used.")] = True,
    as_json: Json = False,
) -> None:
    """Arrange and print one page, every post with its reason."""
    engine = part("engine").load(home)
    _say_unknown(engine.store, viewer)
    ask = engine.ask(
        viewer, name, at=_now(), size=size, after=after, language=language, profiled=profiled
    )
    served = part("feed").for_you(engine, ask)
    say = part("sentences").sentence
    reasons = {reason.post: say(reason, served, language) for reason in served.reasons}
    rows = [
        {
            "rank": place,
            "post": item.candidate.post.id,
            "author": item.candidate.post.author,
            "text": item.candidate.post.text,
            "score": item.score,
            "why": reasons.get(item.candidate.post.id, ""),
        }
        for place, item in enumerate(served.page.items, start=1)
    ]
    why_empty = "" if rows else part("empty").why_empty(served, engine.store.counts(), language)
    if as_json:
        page = {"request": ask.id, "model": served.model, "items": rows}
        page |= {} if rows else {"empty": why_empty}
        typer.echo(json.dumps(page, ensure_ascii=False))
        return
    if why_empty:
        out.print(why_empty, highlight=False, markup=False, soft_wrap=True)
    for row in rows:
        out.print(f"{row['rank']:>3}. {row['text']}", highlight=False, markup=False)
        out.print(f"     {row['author']} · {row['post']}", style="dim", markup=False)
        out.print(f"     {row['why']}\n", style="italic", highlight=False, markup=False)
    out.print(f"{served.model} · replay with: ariane why --replay {ask.id}", style="dim")


@app.command()
def why(
    viewer: Annotated[str | None, typer.Argument(help="A viewer's id.")] = None,
    post: Annotated[str | None, typer.Argument(help="A post of that viewer's feed.")] = None,
    home: Home = Path(),
    request: Annotated[
        str | None, typer.Option("--replay", help="Arrange this request again, claims and all.")
    ] = None,
    language: Annotated[str, typer.Option(help="en or fr.")] = "en",
    as_json: Json = False,
) -> None:
    """Say why a viewer sees a post, or replay a request from its receipt."""
    engine = part("engine").load(home)
    if request is not None:
        found = part("feed").replay(engine, request)
        row = {"same page": found.same_page, "claims": found.claims, "held": found.held}
        show([row | {"failures": "; ".join(found.failures)}], as_json)
        if not found.same_page or found.failures:
            raise ArianeError(f"request {request} does not replay as it was served.")
        return
    if viewer is None or post is None:
        raise CallError("name a viewer and a post, or a request with --replay.")
    _say_unknown(engine.store, viewer)
    ask = engine.ask(viewer, at=_now(), language=language)
    served = part("feed").explain(engine, ask, post)
    say = part("sentences").sentence
    rows = [
        {
            "cause": reason.cause,
            "evidence": len(reason.evidence),
            "why": say(reason, served, language),
        }
        for reason in served.reasons
    ]
    show(rows, as_json, post)


@app.command()
def steer(
    viewer: Annotated[str, typer.Argument(help="A viewer's id.")],
    said: Annotated[str | None, typer.Argument(help="The wish in the viewer's own words.")] = None,
    home: Home = Path(),
    more: Annotated[list[str] | None, typer.Option(help="A target, such as topic:science.")] = None,
    less: Annotated[list[str] | None, typer.Option(help="A target, such as word:crypto.")] = None,
    undo: Annotated[list[str] | None, typer.Option(help="The id of a wish to forget.")] = None,
    until: Annotated[
        datetime | None, typer.Option(help="When the wish ends (UTC).", formats=["%Y-%m-%d"])
    ] = None,
    as_json: Json = False,
) -> None:
    """Write, list and undo a viewer's wishes."""
    store = part("engine").open_store(home)
    types, room = part("types"), part("steer")
    _say_unknown(store, viewer)
    end = int(until.replace(tzinfo=UTC).timestamp() * 1000) if until else None
    wishes = []
    for direction, targets in ((1, more or ()), (-1, less or ())):
        for target in targets:
            room.check_target(target)
            wishes.append(types.Wish(target, target, direction, until=end, said=said or ""))
    if said is not None and not (wishes or undo):
        wishes = [replace(wish, until=end or wish.until) for wish in room.parse(said, _now())]
    for wish in wishes:
        store.write_wish(viewer, wish)  # its target is its id: asked again, it is replaced
    for wish_id in undo or ():
        if not store.delete_wish(viewer, wish_id):
            raise CallError(f"{viewer} has no wish {wish_id}; `ariane steer {viewer}` lists them.")
    rows = [
        {
            "id": wish.id,
            "target": wish.target,
            "direction": wish.direction,
            "strength": wish.strength,
            "until": _day(wish.until),
            "said": wish.said,
        }
        for wish in store.wishes(viewer, _now())
    ]
    show(rows, as_json, f"wishes of {viewer}")


@app.command()
def ask(
    viewer: Annotated[str, typer.Argument(help="A viewer's id, as whom it is asked.")],
    question: Annotated[str, typer.Argument(help="The question, or a wish, in plain words.")],
    home: Home = Path(),
    post: Annotated[str | None, typer.Option(help="The post that it is about.")] = None,
    account: Annotated[str | None, typer.Option(help="The account that it is about.")] = None,
    request: Annotated[str | None, typer.Option(help="The page that showed the post.")] = None,
    language: Annotated[str | None, typer.Option(help="en or fr; else the question's own.")] = None,
    as_json: Json = False,
) -> None:
    """Ask about posts and a viewer's feed; every sentence cites what it rests on."""
    engine, room, notes = part("engine").load(home), part("ask"), part("notes").Notes()
    tongue = language or part("ask turns").language_of(question) or "en"
    asked = room.Question(question, _now(), viewer, tongue, post, account, request)
    told = room.ask(engine, asked, room.voice(engine))
    kept = part("keep").keep(engine.store, viewer, told.wishes, asked.at)
    lines = [notes.of(line) for line in told.lines]
    if kept:
        lines.append(room.Line(part("ask words").say(tongue, "wished", wish=question)))
    by = part("notes").model_of(lines)
    if as_json:
        answer = {
            "lines": [asdict(line) for line in lines],
            "citations": [asdict(one) for one in notes.all()],
            "wishes": [asdict(wish) for wish in kept],
            "by": by,
            "ai": bool(by),
        }
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    for line in lines:
        out.print(part("notes").marked(line), highlight=False, markup=False)
    for cited in part("notes").listed(notes.all(), tongue, lambda one: f"({one.id})"):
        out.print(cited, style="dim", highlight=False, markup=False)
    out.print(part("notes").written_by(by, tongue), style="italic", highlight=False, markup=False)


@person.command("export")
def person_export(
    viewer: Annotated[str, typer.Argument(help="A viewer's id.")], home: Home = Path()
) -> None:
    """Print all that is held about a person, as JSON."""
    held = part("engine").open_store(home).export(viewer)
    typer.echo(json.dumps(held, ensure_ascii=False, indent=1))


@person.command("erase")
def person_erase(
    viewer: Annotated[str, typer.Argument(help="A viewer's id.")], home: Home = Path()
) -> None:
    """Destroy a person's key and rows, for good."""
    if not part("engine").open_store(home).erase(viewer):
        raise CallError(f"nothing is held about {viewer}.")
    out.print(f"{viewer} is forgotten; models trained on their actions are not changed by it.")


# ---------------------------------------------------------------------------------------------
# Serve, show, measure
# ---------------------------------------------------------------------------------------------


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
    result = demo.run(home, data, path, size=size, compare=compare, progress=_said, serve=serving)
    _show_result(result, None, as_json)
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
    if language not in ("en", "fr"):
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command: 0 done, 1 the work failed, 2 the call was wrong."""
    try:
        status = app(args=arguments, standalone_mode=False)
    except CallError as error:
        return _fail(str(error), 2)
    except ArianeError as error:
        return _fail(str(error), 1)
    except OSError as error:
        return _fail(f"{error.filename or 'the system'}: {error.strerror or error}.", 1)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("stopped.", 130)
    except typer.Exit as leave:
        return leave.exit_code
    except Exception as error:
        if hasattr(error, "exit_code") and hasattr(error, "format_message"):  # click's UsageError
            return _fail(error.format_message(), 2)
        raise
    return status if isinstance(status, int) else 0  # without standalone mode, Exit is returned


def _fail(sentence: str, status: int) -> int:
    err.print(f"ariane: {sentence}", highlight=False, markup=False, soft_wrap=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
