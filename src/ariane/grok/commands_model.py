"""The commands that load a model and run it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any
from unicodedata import category

import typer

from ariane.grok.parts import part
from ariane.grok.terminal import (
    FEWER,
    LESS,
    Dtype,
    Folder,
    Json,
    named,
    one_process,
    out,
    say,
    sentences,
    show,
    show_json,
    steps,
    stopping,
    typed,
    within,
)

app = typer.Typer()

Gpu = Annotated[
    str | None,
    typer.Option(help="The most for one GPU, such as 24GiB; the processor does the rest."),
]
MOST = 10_000
"""Of what a training is measured in, at most: more is a slip of the keyboard."""

SHORTER = f"use less of --length or --batch, or {FEWER}"
"""The remedy where learning fills the memory."""

Adapter = Annotated[Path | None, typer.Option(help="A directory that finetune wrote.")]


def load(folder: Path, gpu: str | None, dtype: str, adapter: Path | None = None) -> tuple[Any, Any]:
    """A model that is ready to run, and its tokenizer."""
    if adapter is not None:
        if not adapter.is_dir():
            raise typer.BadParameter(f"{adapter} is no directory.")
        part("merging").check_adapter(folder, adapter)
    room = part("running")
    place = room.anywhere
    if gpu is not None:
        try:
            size = part("planning").bytes_of(gpu)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        room.check_device("cuda")
        place = partial(part("placement").load, gpu=size)
    model, tokenizer = room.load(folder, dtype, place)
    if adapter is not None:
        model = part("lora").load_adapter(model, str(adapter)).get_base_model()
    return model, tokenizer


@app.command()
def verify(
    folder: Folder,
    text: Annotated[Path | None, typer.Option(help="A text to score; else an essay.")] = None,
    window: Annotated[
        int, typer.Option(help="Tokens that are read at once.", callback=within(2))
    ] = 8192,
    write: Annotated[
        bool, typer.Option("--write", help="Write the choice into config.json.")
    ] = False,
    gpu: Gpu = None,
    dtype: Dtype = "auto",
    as_json: Json = False,
) -> None:
    """Score a text under each doubtful reading of the weights, and choose one."""
    with sentences(folder, gpu=LESS):
        room = part("verification")
        said = text.read_text(encoding="utf-8") if text else None
        model, tokenizer = load(folder, gpu, dtype)
        with steps() as progress:
            tell = partial(progress.update, progress.add_task("scoring", total=None))
            found = room.verify(model, tokenizer, said, tell, window, folder)
        changed = room.write(folder, model.config, found) if write else []
    rows = found.rows()
    if as_json:
        ends = {str(token): odds for token, odds in found.ends.items()}
        written = {"written": write, "changed": changed}
        show_json({"tokens": found.tokens, "variants": rows, "ends": ends, **written})
        return
    show(rows, f"{folder}, {found.tokens} tokens")
    for token, odds in found.ends.items():
        out.print(f"token {token} after a turn that is over: {odds:.3g}", highlight=False)
    for one in changed:
        out.print(one, highlight=False, markup=False)
    same = "" if changed else ", as it was"
    told = f"Wrote {folder / 'config.json'}{same}." if write else "Write the choice with --write."
    out.print(told)


@app.command()
def finetune(
    folder: Folder,
    chats: Annotated[Path, typer.Argument(help="JSONL: an object with messages a line.")],
    target: Annotated[Path, typer.Argument(help="Where the adapter goes.")],
    rank: Annotated[int, typer.Option(help="Of each adapter.", callback=within(1, MOST))] = 16,
    alpha: Annotated[
        int, typer.Option(help="Its effect is times alpha / rank.", callback=within(1, MOST))
    ] = 32,
    experts: Annotated[bool, typer.Option(help="Whether experts are adapted too.")] = True,
    epochs: Annotated[
        float,
        typer.Option(help="Times that each chat is seen.", callback=within(0, MOST, above=True)),
    ] = 1.0,
    batch: Annotated[int, typer.Option(help="Chats in a pass.", callback=within(1, MOST))] = 1,
    accumulate: Annotated[
        int, typer.Option(help="Passes in a step.", callback=within(1, MOST))
    ] = 8,
    learning_rate: Annotated[
        float, typer.Option(help="At its highest.", callback=within(0, 1, above=True))
    ] = 1e-4,
    length: Annotated[
        int, typer.Option(help="Tokens of a chat; the rest is cut.", callback=within(2))
    ] = 2048,
    seed: Annotated[
        int, typer.Option(help="Of the order of chats.", callback=within(0, 2**63 - 1))
    ] = 0,
    keep_every: Annotated[
        int, typer.Option(help="Steps after which all is kept.", callback=within(1))
    ] = 50,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it was cut off.")] = False,
    dtype: Dtype = "auto",
    as_json: Json = False,
) -> None:
    """Train an adapter on chats: LoRA over plain weights, QLoRA over packed ones.

    Ctrl-C keeps the training after the step; --resume goes on with it to the same adapter.
    """
    with sentences(folder, full=SHORTER):
        room = part("finetuning")
        room.check_kept(target, resume)
        read = room.read_chats(chats)
        settings = room.FineTuning(
            rank=rank,
            alpha=alpha,
            experts=experts,
            epochs=epochs,
            batch=batch,
            accumulate=accumulate,
            learning_rate=learning_rate,
            length=length,
            seed=seed,
            keep_every=keep_every,
        )
        model, tokenizer = load(folder, None, dtype)
        with steps() as progress, stopping(f"{target} keeps it: go on with --resume.") as stopped:
            tell = partial(progress.update, progress.add_task("learning", total=None))
            losses = room.finetune(
                model, tokenizer, read, target, settings, tell, resume=resume, stopped=stopped
            )
    if as_json:
        show_json({"adapter": str(target), "losses": losses})
    else:
        out.print(f"Wrote {target}: loss {losses[0]:.3f} at first, {losses[-1]:.3f} at last.")


@app.command()
def chat(
    folder: Folder,
    system: Annotated[str, typer.Option(help="What the model is told first.")] = "",
    temperature: Annotated[
        float,
        typer.Option(help="0 takes the likeliest word.", callback=within(0, 100)),
    ] = 1.0,
    limit: Annotated[
        int, typer.Option(help="Tokens of a reply at most.", callback=within(1))
    ] = 1024,
    adapter: Adapter = None,
    gpu: Gpu = None,
    dtype: Dtype = "auto",
) -> None:
    """Talk with a model; Ctrl-D, the end of input, ends it, and Ctrl-C a reply.

    What is pasted into a terminal is one turn, its lines included.
    """
    with sentences(folder, gpu=LESS):
        model, tokenizer = load(folder, gpu, dtype, adapter)
        room = part("running")
        talk = room.Conversation(model, tokenizer, system)
        how: dict[str, Any] = {"max_new_tokens": limit, "do_sample": temperature > 0}
        if temperature > 0:
            how["temperature"] = temperature
        for said in typed():
            try:
                _answer(talk, said, how)
            except KeyboardInterrupt:
                say(" (stopped)")
            except room.LongError as error:
                say(str(error))
            typer.echo()


def _answer(talk: Any, said: str, how: dict[str, Any]) -> None:
    """Print the reply to a turn, in a new conversation where this one has no room for it."""
    try:
        talk.ask(said, _print, **how)
    except part("running").FullError as error:
        say(f"{error} Here a new one begins, and what was said before is forgotten.")
        talk.begin()
        talk.ask(said, _print, **how)


def _print(text: str) -> None:
    """A word of a reply, without what would command the terminal."""
    typer.echo("".join(c for c in text if c in "\n\t" or category(c) != "Cc"), nl=False)


@app.command()
def serve(
    folder: Folder,
    name: Annotated[str | None, typer.Option(help="Its name; else the directory's.")] = None,
    host: Annotated[
        str, typer.Option(help="The address; 0.0.0.0 is open to others.", callback=named)
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.", callback=within(0, 65535))] = 8000,
    adapter: Adapter = None,
    gpu: Gpu = None,
    dtype: Dtype = "auto",
) -> None:
    """Serve a model as OpenAI's API does: /v1/chat/completions, /v1/completions, /v1/models."""
    called = name or folder.resolve().name
    with sentences(folder, gpu=LESS):
        one_process()
        part("serving").run(called, lambda: load(folder, gpu, dtype, adapter), host, port, say)
