"""What a user types; a command line adds `app`, and each command loads its work when it runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from ariane.grok.errors import CheckpointError
from ariane.grok.terminal import bar, out, say, sentences, show, show_json, steps

PARTS: Mapping[str, str] = {
    "conversion": "ariane.grok.conversion",
    "download": "ariane.grok.download",
    "finetuning": "ariane.grok.finetuning_grok2",
    "grok-1": "ariane.grok.conversion_grok1",
    "inspection": "ariane.grok.inspection",
    "lora": "ariane.grok.lora_grok2",
    "packing": "ariane.grok.quantization_grok2",
    "placement": "ariane.grok.placement_grok2",
    "planning": "ariane.grok.planning_grok2",
    "running": "ariane.grok.running_grok2",
    "serving": "ariane.grok.serving_grok2",
    "verification": "ariane.grok.verification_grok2",
}
"""What the commands load by name; the only late imports of this file."""

app = typer.Typer(
    help="Grok-1 and Grok-2 from Python: what runs where, checkpoints of any layout, running.",
    no_args_is_help=True,
)

Folder = Annotated[Path, typer.Argument(help="A checkpoint's directory.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Gpu = Annotated[
    str | None,
    typer.Option(help="The most for one GPU, such as 24GiB; the processor does the rest."),
]
Dtype = Annotated[str, typer.Option(help="auto: as the files are; or float32, bfloat16.")]
Adapter = Annotated[Path | None, typer.Option(help="A directory that finetune wrote.")]


def part(name: str) -> Any:
    """The file of a command's work, loaded by name."""
    return import_module(PARTS[name])


def load(folder: Path, gpu: str | None, dtype: str, adapter: Path | None = None) -> tuple[Any, Any]:
    """A model that is ready to run, and its tokenizer."""
    room = part("running")
    place = room.anywhere
    if gpu is not None:
        place = partial(part("placement").load, gpu=part("planning").bytes_of(gpu))
    model, tokenizer = room.load(folder, dtype, place)
    if adapter is not None:
        model = part("lora").load_adapter(model, str(adapter)).get_base_model()
    return model, tokenizer


@app.command()
def plan(
    gpu: Annotated[str | None, typer.Option(help="A GPU's memory: 24GiB, or 8x80GiB.")] = None,
    ram: Annotated[str | None, typer.Option(help="The host's memory, such as 128GiB.")] = None,
    gpus: Annotated[int | None, typer.Option(help="How many such GPUs.", min=1)] = None,
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
        out.print(f"{row['bits']}, {row['how']}: {row['arithmetic']}", highlight=False)
    say(room.meaning(machine))


@app.command()
def inspect(folder: Folder, as_json: Json = False) -> None:
    """Print what a checkpoint holds and lacks, by kind of tensor; status 1 where it lacks any."""
    with sentences():
        found = part("inspection").inspect(folder)
    rows = [*found.kinds, found.total]
    if as_json:
        show_json({"kinds": [asdict(row) for row in rows], "faults": list(found.faults)})
    else:
        show([_kind(row) for row in rows], str(folder))
        for sentence in found.faults:
            say(sentence)
    if found.faults:
        raise typer.Exit(1)


def _kind(row: Any) -> dict[str, str | int | float]:
    return {
        "tensor": row.name,
        "there": f"{row.found}/{row.expected}",
        "files": row.files,
        "bytes": row.bytes,
        "bits": row.bits,
        "parameters": row.parameters,
        "active": row.active,
    }


@app.command()
def convert(
    source: Folder,
    target: Annotated[Path, typer.Argument(help="The directory to write.")],
    to: Annotated[
        str, typer.Option(help="merged: for Transformers; gguf: for llama.cpp's converter.")
    ] = "merged",
    limit: Annotated[float, typer.Option(help="The most gigabytes of one file.", min=1e-6)] = 5.0,
) -> None:
    """Write a checkpoint as whole tensors; started again, it goes on.

    A directory of Grok-1's published files (tensor00000_000 …) is read without unpickling.
    """
    if to not in ("merged", "gguf"):
        raise typer.BadParameter(f"{to} is no form; there are merged and gguf.")
    size = int(limit * 1e9)
    with sentences(), bar() as progress:
        tell = partial(progress.update, progress.add_task("reading", total=None))
        room = part("grok-1")
        if room.is_grok1(source):
            if to == "gguf":
                raise CheckpointError(f"{source} is Grok-1: llama.cpp reads it only once merged.")
            room.write_merged(source, target, tell, size)
        else:
            part("conversion").write_merged(source, target, tell, to == "merged", size)
    out.print(f"Wrote {target}.")


@app.command()
def download(
    folder: Annotated[Path, typer.Argument(help="Where the files go.")],
    repository: Annotated[str, typer.Option(help="The hub's name of it.")] = "xai-org/grok-2",
    revision: Annotated[str | None, typer.Option(help="A branch, tag or commit.")] = None,
    endpoint: Annotated[
        str | None, typer.Option(envvar="HF_ENDPOINT", help="Another hub's address.")
    ] = None,
) -> None:
    """Fetch a checkpoint: room is checked first, hashes after; started again, it goes on."""
    with sentences(), bar() as progress:
        room = part("download")
        tell = partial(progress.update, progress.add_task("asking the hub", total=None))
        commit, files = room.listing(repository, revision, endpoint)
        changed = room.download(repository, folder, commit, files, tell, endpoint)
    for name in changed:
        say(f"{folder / name} was changed here and is kept: remove it to fetch the published one.")
    out.print(f"{len(files)} files are whole in {folder}.")


@app.command()
def quantize(
    source: Folder,
    target: Annotated[Path, typer.Argument(help="The directory to write.")],
    bits: Annotated[int, typer.Option(help="8, 4, 3 or 2, for what every token uses.")] = 4,
    expert_bits: Annotated[
        int | None, typer.Option(help="The same for experts; else as --bits.")
    ] = None,
    head_bits: Annotated[int, typer.Option(help="The same for the head.")] = 8,
    group_size: Annotated[int, typer.Option(help="Weights that share a scale: 32, 64, 128.")] = 64,
    device: Annotated[str | None, typer.Option(help="Where to compute, such as cuda.")] = None,
) -> None:
    """Write a checkpoint in fewer bits, experts too, a tensor at a time; started again, it goes on.

    The source is of any layout; the target loads like any model.
    """
    with sentences(), bar() as progress:
        tell = partial(progress.update, progress.add_task("reading", total=None))
        room = part("packing")
        choice = room.Grok2PackedConfig(bits, expert_bits, head_bits, group_size)
        room.quantize_directory(source, target, choice, device, tell)
    out.print(f"Wrote {target}.")


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
            tell = partial(progress.update, progress.add_task("scoring"))
            found = room.verify(model, tokenizer, said, tell, window, folder)
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
    dtype: Dtype = "auto",
    as_json: Json = False,
) -> None:
    """Train an adapter on chats: LoRA over plain weights, QLoRA over packed ones."""
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
        )
        model, tokenizer = load(folder, None, dtype)
        with steps() as progress:
            task = progress.add_task("learning")

            def stepped(step: int, count: int, loss: float) -> None:
                progress.update(task, description=f"loss {loss:.3f}", completed=step, total=count)

            losses = room.finetune(model, tokenizer, read, target, settings, stepped)
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
                talk.ask(said, lambda text: typer.echo(text, nl=False), **how)
            except KeyboardInterrupt:
                say(" (stopped)")
            typer.echo()


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
        room = part("serving")
        model, tokenizer = load(folder, gpu, dtype, adapter)
        say(f"{called} is served at http://{host}:{port}/v1, without a password.")
        room.run(called, model, tokenizer, host, port)
