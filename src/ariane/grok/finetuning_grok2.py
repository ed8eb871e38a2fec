"""Fine-tuning by LoRA on chats: plain weights, or packed ones (QLoRA)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import torch
from peft import PeftModel, get_peft_model

from ariane.grok.finetuning_state import Training, check_kept, forget
from ariane.grok.lora_grok2 import lora_config
from ariane.grok.modeling_grok2 import Grok2ForCausalLM
from ariane.grok.progress import Progress, silent

Chat: TypeAlias = list[dict[str, str]]
"""Messages {"role": "system" | "user" | "assistant", "content": …} in their order."""

Example: TypeAlias = tuple[list[int], list[int]]
"""Token ids, and labels with −100 on what is not learned."""

IGNORED = -100

LONGEST = 16 << 20
"""Bytes of a chat's line at most: a file without line feeds is not read whole."""


@dataclass(frozen=True, slots=True)
class FineTuning:
    """How to fine-tune."""

    rank: int = 16
    """Rank of each adapter."""
    alpha: int = 32
    """Its effect is multiplied by alpha / rank."""
    experts: bool = True
    """Whether experts are adapted too."""
    epochs: float = 1.0
    """Times that every chat is seen."""
    batch: int = 1
    """Chats in a forward pass."""
    accumulate: int = 8
    """Forward passes in a step."""
    learning_rate: float = 1e-4
    """At its highest, after the first tenth of the steps; it then falls to a tenth of that."""
    length: int = 2048
    """Tokens of a chat at most; the rest is cut."""
    checkpointing: bool = True
    """Whether activations are computed twice instead of kept."""
    seed: int = 0
    """Of the order of chats and the first adapters."""
    keep_every: int = 50
    """Steps after which the training is kept, so that it can go on where it was cut off."""


FREE = {"checkpointing", "keep_every"}
"""Settings that may change where a training goes on."""


def read_chats(path: Path) -> list[Chat]:
    """Chats of a JSONL file, an object with `messages` (or a list of them) a line.

    Raises ValueError that names the line where one is something else.
    """
    chats = []
    with path.open("rb") as file:
        # Bytes, since only a line feed ends a line: in text Python takes other marks for one too.
        lines = iter(partial(file.readline, LONGEST + 1), b"")
        for number, line in enumerate(lines, start=1):
            where = f"{path}:{number}"
            if len(line) > LONGEST:
                raise ValueError(
                    f"{where} is longer than {LONGEST >> 20} MiB: write one chat a line."
                )
            if line.strip():
                chats.append(_chat(line, where))
    if not chats:
        raise ValueError(f"{path} holds no chat: write one JSON object with messages a line.")
    return chats


def _chat(line: bytes, where: str) -> Chat:
    try:
        read = json.loads(line.decode())
        messages = read["messages"] if isinstance(read, dict) else read
        chat = [{"role": one["role"], "content": one["content"]} for one in messages]
        # Raises where one is no text, or holds half of a character, which JSON can write.
        "".join(said for one in chat for said in one.values()).encode()
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(
            f'{where} is no chat: write {{"messages": [{{"role": "user", "content": "…"}}, …]}}.'
        ) from error
    for message in chat:
        if message["role"] not in {"system", "user", "assistant"}:
            raise ValueError(
                f"{where} has the role {message['role']!r}: use system, user or assistant."
            )
    if not any(message["role"] == "assistant" for message in chat):
        raise ValueError(f"{where} has no message of the assistant, so nothing to learn.")
    return chat


def encode(tokenizer: Any, chat: Chat, length: int) -> Example:
    """A chat in tokens; what the assistant says, the token of its end included, is learned."""
    ids: list[int] = _template(tokenizer, chat, prompt=False)
    labels = [IGNORED] * len(ids)
    for turn, message in enumerate(chat):
        if message["role"] == "assistant":
            start = len(_template(tokenizer, chat[:turn], prompt=True)) if turn else 0
            end = len(_template(tokenizer, chat[: turn + 1], prompt=False))
            said = ids[start:end]
            while tokenizer.eos_token_id in said and said[-1] != tokenizer.eos_token_id:
                said.pop()  # what the template writes between turns, which is never generated
            labels[start : start + len(said)] = said
    return ids[:length], labels[:length]


def _template(tokenizer: Any, chat: Chat, *, prompt: bool) -> list[int]:
    made = tokenizer.apply_chat_template(
        chat, add_generation_prompt=prompt, tokenize=True, return_dict=True
    )
    return list(made["input_ids"])


def finetune(
    model: Grok2ForCausalLM,
    tokenizer: Any,
    chats: Sequence[Chat],
    directory: Path,
    settings: FineTuning | None = None,
    progress: Progress = silent,
    *,
    resume: bool = False,
    stopped: Callable[[], bool] = lambda: False,
) -> list[float]:
    """Train an adapter on chats and save it; the mean loss of each step.

    `progress` is told each step's loss, its number and how many there are. Where `stopped` then
    says so, the training is kept in `directory` and KeyboardInterrupt raised; `resume` goes on with
    it, to the same adapter. Raises ValueError where settings or what was kept do not allow a
    training.
    """
    settings = settings or FineTuning()
    check_kept(directory, resume)
    torch.manual_seed(settings.seed)
    examples = [encode(tokenizer, chat, settings.length) for chat in chats]
    _check_learned(examples, settings.length)
    steps = _steps(settings, len(examples))
    adapted = get_peft_model(
        model, lora_config(model, settings.rank, settings.alpha, experts=settings.experts)
    )
    if settings.checkpointing:
        adapted.enable_input_require_grads()
        model.activation_checkpointing_enable({"use_reentrant": False})
    training = _training(adapted.train(), examples, settings, steps)
    if resume:
        training.restore(directory)
    batches = _batches(examples, settings, model.config.pad_token_id or 0, adapted.device)
    for _ in range(len(training.losses) * settings.accumulate):
        next(batches)  # seen before the training was cut off
    directory.mkdir(parents=True, exist_ok=True)
    while len(training.losses) < steps:
        training.losses.append(_step(training, batches, settings.accumulate))
        said = f"loss {training.losses[-1]:.3f}"
        progress(description=said, completed=len(training.losses), total=steps)
        _keep(training, steps, directory, settings.keep_every, stopped())
    if settings.checkpointing:
        model.activation_checkpointing_disable()
    # To find out that no embedding is adapted, PEFT would read the base again and ask the hub.
    adapted.eval().save_pretrained(directory, save_embedding_layers=False)
    forget(directory)
    return training.losses


def _check_learned(examples: Sequence[Example], length: int) -> None:
    """Refuse a chat without anything to learn: its loss would be no number."""
    for number, (_, labels) in enumerate(examples, start=1):
        if all(label == IGNORED for label in labels):
            raise ValueError(
                f"Chat {number} has no word of the assistant in its first {length} tokens: take "
                "it out, or raise the length."
            )


def _steps(settings: FineTuning, chats: int) -> int:
    steps = math.ceil(settings.epochs * chats / (settings.batch * settings.accumulate))
    if steps < 1:
        raise ValueError(f"{settings.epochs} epochs of {chats} chats are no step: use more epochs.")
    return steps


def _training(
    adapted: PeftModel, examples: Sequence[Example], settings: FineTuning, steps: int
) -> Training:
    trained = [weight for weight in adapted.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=settings.learning_rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    chats = sha256(repr(examples).encode()).hexdigest()[:12]
    about = {name: value for name, value in asdict(settings).items() if name not in FREE}
    return Training(adapted, optimizer, schedule, {**about, "chats": chats})


def _step(training: Training, batches: Iterator[dict[str, torch.Tensor]], passes: int) -> float:
    """One change of the adapter, by the mean over so many passes; their mean loss."""
    total = 0.0
    for _ in range(passes):
        loss = training.adapted(**next(batches), use_cache=False).loss / passes
        loss.backward()
        total += loss.item()
    if not math.isfinite(total):
        raise ValueError(
            f"The loss of step {len(training.losses) + 1} is {total}: use a lower learning rate."
        )
    torch.nn.utils.clip_grad_norm_(training.trained().values(), 1.0)
    training.optimizer.step()
    training.schedule.step()
    training.optimizer.zero_grad()
    return total


def _keep(training: Training, steps: int, directory: Path, every: int, stopped: bool) -> None:
    """Keep a training that is not done, every so many steps and when it is stopped."""
    done = len(training.losses)
    if done == steps:
        return
    if stopped or done % every == 0:
        training.save(directory)
    if stopped:
        raise KeyboardInterrupt


def _rate(step: int, steps: int) -> float:
    """The share of the learning rate at a step: a rise over a tenth, then a cosine to a tenth."""
    rise = max(1, steps // 10)
    if step < rise:
        return (step + 1) / rise
    return 0.55 + 0.45 * math.cos(math.pi * (step - rise) / max(1, steps - rise))


def _batches(
    examples: Sequence[Example], settings: FineTuning, padding: int, device: torch.device
) -> Iterator[dict[str, torch.Tensor]]:
    """Batches without end, in a new order each epoch, padded on the right."""
    generator = torch.Generator().manual_seed(settings.seed)
    waiting: list[int] = []
    while True:
        while len(waiting) < settings.batch:
            waiting += torch.randperm(len(examples), generator=generator).tolist()
        batch = [examples[index] for index in waiting[: settings.batch]]
        waiting = waiting[settings.batch :]
        longest = max(len(ids) for ids, _ in batch)
        ids = [ids + [padding] * (longest - len(ids)) for ids, _ in batch]
        labels = [labels + [IGNORED] * (longest - len(labels)) for _, labels in batch]
        seen = [[1] * len(ids) + [0] * (longest - len(ids)) for ids, _ in batch]
        yield {
            "input_ids": torch.tensor(ids, device=device),
            "labels": torch.tensor(labels, device=device),
            "attention_mask": torch.tensor(seen, device=device),
        }
