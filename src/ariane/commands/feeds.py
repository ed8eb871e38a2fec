"""The product in a terminal: a feed, its reasons, wishes, questions."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ariane.commands.parts import part
from ariane.commands.terminal import Home, Json, day, now, out, say_unknown, show
from ariane.types import LANGUAGES, ArianeError, CallError

app = typer.Typer()


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
    say_unknown(engine.store, viewer)
    ask = engine.ask(
        viewer, name, at=now(), size=size, after=after, language=language, profiled=profiled
    )
    served = part("feed").for_you(engine, ask)
    say, sight = part("sentences").sentence, part("sight")
    told, words = sight.as_seen(engine, served, now()), sight.worded(engine, served)
    reasons = {reason.post: say(reason, told, language) for reason in told.reasons}
    rows = [
        {
            "rank": place,
            "post": item.candidate.post.id,
            "author": item.candidate.post.author,
            **words[item.candidate.post.id],
            "score": item.score,
            "why": reasons.get(item.candidate.post.id, ""),
        }
        for place, item in enumerate(served.page.items, start=1)
        if item.candidate.post.id in words
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
        text = f"({row['warning']})" if "warning" in row else row["text"]
        by = ", reposting ".join(row[key] for key in ("author", "written_by") if key in row)
        out.print(f"{row['rank']:>3}. {text}", highlight=False, markup=False)
        out.print(f"     {by} · {row['post']}", style="dim", markup=False)
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
    say_unknown(engine.store, viewer)
    ask = engine.ask(viewer, at=now(), language=language)
    served = part("sight").as_seen(engine, part("feed").explain(engine, ask, post), now())
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
    say_unknown(store, viewer)
    end = int(until.replace(tzinfo=UTC).timestamp() * 1000) if until else None
    wishes = []
    for direction, targets in ((1, more or ()), (-1, less or ())):
        for target in targets:
            room.check_target(target)
            wishes.append(types.Wish(target, target, direction, until=end, said=said or ""))
    if said is not None and not (wishes or undo):
        wishes = [replace(wish, until=end or wish.until) for wish in room.parse(said, now())]
    part("keep").keep(store, viewer, wishes, now())
    for wish_id in undo or ():
        if not store.delete_wish(viewer, wish_id):
            raise CallError(f"{viewer} has no wish {wish_id}; `ariane steer {viewer}` lists them.")
    rows = [
        {
            "id": wish.id,
            "target": wish.target,
            "direction": wish.direction,
            "strength": wish.strength,
            "until": day(wish.until),
            "said": wish.said,
        }
        for wish in store.wishes(viewer, now())
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
    room, notes, most = part("ask"), part("notes"), part("ask nouns").QUESTION
    if not 0 < len(question.strip()) <= most:
        raise CallError(f"a question has 1 to {most} characters; this one has {len(question)}.")
    if language not in (None, *LANGUAGES):
        raise CallError(f"{language} is no language of answers; there are en and fr.")
    engine = part("engine").load(home)
    say_unknown(engine.store, viewer)
    spoken = part("ask turns").language_of(question)
    tongue = language or (spoken if spoken in LANGUAGES else LANGUAGES[0])
    asked = room.Question(question, now(), viewer, tongue, post, account, request)
    told = room.ask(engine, asked, engine.llm)
    kept = part("keep").keep(engine.store, viewer, told.wishes, asked.at)
    numbered = notes.Notes()
    lines = [numbered.of(line) for line in told.lines]
    cited = notes.sources(lines)
    if kept:
        lines.append(room.Line(part("ask words").say(tongue, "wished", wish=question)))
    by = notes.model_of(lines)
    if as_json:
        answer = {
            "lines": [asdict(line) for line in lines],
            "citations": [asdict(one) for one in cited],
            "wishes": [asdict(wish) for wish in kept],
            "by": by,
            "ai": bool(by),
        }
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    for line in lines:
        out.print(notes.marked(line), highlight=False, markup=False)
    for one in notes.listed(cited, lines, tongue, lambda cite: f"({cite.id})"):
        out.print(one, style="dim", highlight=False, markup=False)
    out.print(notes.written_by(by, tongue), style="italic", highlight=False, markup=False)
