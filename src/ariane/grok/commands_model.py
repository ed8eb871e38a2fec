"""The commands that load a model and run it."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from unicodedata import category

import typer

from ariane.grok.parts import part
from ariane.grok.terminal import (
    Folder,
    Json,
    one_process,
    out,
    say,
    sentences,
    show,
    show_json,
    steps,
    stopping,
)

app = typer.Typer()

Gpu = Annotated[
    str | None,
    typer.Option(help="The most for one GPU, such as 24GiB; the processor does the rest."),
]
Dtype = Annotated[str, typer.Option(help="auto: as the files are; or float32, bfloat16.")]
Adapter = Annotated[Path | None, typer.Option(help="A directory that finetune wrote.")]


def load(folder: Path, gpu: str | None, dtype: str, adapter: Path | None = None) -> tuple[Any, Any]:
    """A model that is ready to run, and its tokenizer."""
    room = part("running")
    place = room.anywhere
    if gpu is not None:
        room.check_device("cuda")
        place = partial(part("placement").load, gpu=part("machine").bytes_of(gpu))
    model, tokenizer = room.load(folder, dtype, place)
    if adapter is not None:
        model = part("lora").load_adapter(model, str(adapter)).get_base_model()
    return model, tokenizer


@app.command()
def verify(
    folder: Folder,
    text: Annotated[Path | None, typer.Option(help="A text to score; else an essay.")] = None,
    window: Annotated[int, typer.Option(help="Tokens that are read at once.", min=2)] = 8192,
    write: Annotated[
        bool, typer.Option("--write", help="Write the choice into config.json.")
    ] = False,
    gpu: Gpu = None,
    dtype: Dtype = "auto",
    as_json: Json = False,
) -> None:
    """Score a text under each doubtful reading of the weights, and choose one."""
    with sentences():
        room = part("verification")
        model, tokenizer = load(folder, gpu, dtype)
        said = text.read_text(encoding="utf-8") if text else None
        with steps() as progress:
            task = progress.add_task("scoring")

            def began(variant: str, done: int, count: int) -> None:
                progress.update(task, description=variant, completed=done, total=count)

            found = room.verify(model, tokenizer, said, began, window)
        if write:
            room.write(folder, model.config, found)
    rows = found.rows()
    if as_json:
        ends = {str(token): odds for token, odds in found.ends.items()}
        show_json({"tokens": found.tokens, "variants": rows, "ends": ends, "written": write})
        return
    show(rows, f"{folder}, {found.tokens} tokens")
    for token, odds in found.ends.items():
        out.print(f"token {token} after a turn that is over: {odds:.3g}", highlight=False)
    out.print(f"Wrote {folder / 'config.json'}." if write else "Write the choice with --write.")


@app.command()
def finetune(
    folder: Folder,
    chats: Annotated[Path, typer.Argument(help="JSONL: an object with messages a line.")],
    target: Annotated[Path, typer.Argument(help="Where the adapter goes.")],
    rank: Annotated[int, typer.Option(help="Of each adapter.", min=1)] = 16,
    alpha: Annotated[int, typer.Option(help="Its effect is times alpha / rank.", min=1)] = 32,
    experts: Annotated[bool, typer.Option(help="Whether experts are adapted too.")] = True,
    epochs: Annotated[float, typer.Option(help="Times that each chat is seen.")] = 1.0,
    batch: Annotated[int, typer.Option(help="Chats in a pass.", min=1)] = 1,
    accumulate: Annotated[int, typer.Option(help="Passes in a step.", min=1)] = 8,
    learning_rate: Annotated[float, typer.Option(help="At its highest.")] = 1e-4,
    length: Annotated[int, typer.Option(help="Tokens of a chat; the rest is cut.", min=2)] = 2048,
    seed: Annotated[int, typer.Option(help="Of the order of chats.")] = 0,
    keep_every: Annotated[int, typer.Option(help="Steps after which all is kept.", min=1)] = 50,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it was cut off.")] = False,
    dtype: Dtype = "auto",
    as_json: Json = False,
) -> None:
    """Train an adapter on chats: LoRA over plain weights, QLoRA over packed ones.

    Ctrl-C keeps the training after the step; --resume goes on with it to the same adapter.
    """
    with sentences():
        room = part("finetuning")
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
            task = progress.add_task("learning")

            def stepped(step: int, count: int, loss: float) -> None:
                progress.update(task, description=f"loss {loss:.3f}", completed=step, total=count)

            losses = room.finetune(
                model, tokenizer, read, target, settings, stepped, resume=resume, stopped=stopped
            )
    if as_json:
        show_json({"adapter": str(target), "losses": losses})
    else:
        out.print(f"Wrote {target}: loss {losses[0]:.3f} at first, {losses[-1]:.3f} at last.")


@app.command()
def chat(
    folder: Folder,
    system: Annotated[str, typer.Option(help="What the model is told first.")] = "",
    temperature: Annotated[float, typer.Option(help="0 takes the likeliest word.", min=0)] = 1.0,
    limit: Annotated[int, typer.Option(help="Tokens of a reply at most.", min=1)] = 1024,
    adapter: Adapter = None,
    gpu: Gpu = None,
    dtype: Dtype = "auto",
) -> None:
    """Talk with a model; an empty line or the end of input ends it, Ctrl-C a reply."""
    with sentences():
        model, tokenizer = load(folder, gpu, dtype, adapter)
        talk = part("running").Conversation(model, tokenizer, system)
        how: dict[str, Any] = {"max_new_tokens": limit, "do_sample": temperature > 0}
        if temperature > 0:
            how["temperature"] = temperature
        while said := _line():
            try:
                talk.ask(said, _print, **how)
            except KeyboardInterrupt:
                say(" (stopped)")
            typer.echo()


def _print(text: str) -> None:
    """A word of a reply, without what would command the terminal."""
    typer.echo("".join(c for c in text if c in "\n\t" or category(c) != "Cc"), nl=False)


def _line() -> str:
    """What the user types next; nothing at the end."""
    if sys.stdin.isatty():
        typer.echo("> ", nl=False)
    return sys.stdin.readline().strip()


@app.command()
def serve(
    folder: Folder,
    name: Annotated[str | None, typer.Option(help="Its name; else the directory's.")] = None,
    host: Annotated[
        str, typer.Option(help="The address; 0.0.0.0 is open to others.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.", min=0, max=65535)] = 8000,
    adapter: Adapter = None,
    gpu: Gpu = None,
    dtype: Dtype = "auto",
) -> None:
    """Serve a model as OpenAI's API does: /v1/chat/completions, /v1/completions, /v1/models."""
    called = name or folder.resolve().name
    with sentences():
        one_process()
        part("serving").run(called, lambda: load(folder, gpu, dtype, adapter), host, port, say)
