"""Fine-tuning by LoRA on chats: plain weights, or packed ones (QLoRA)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from peft import PeftModel, get_peft_model

from ariane.grok.lora_grok2 import lora_config
from ariane.grok.modeling_grok2 import Grok2ForCausalLM

Chat: TypeAlias = list[dict[str, str]]
"""Messages {"role": "system" | "user" | "assistant", "content": …} in their order."""

Example: TypeAlias = tuple[list[int], list[int]]
"""Token ids, and labels with −100 on what is not learned."""

IGNORED = -100


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


def read_chats(path: Path) -> list[Chat]:
    """Chats of a JSONL file, an object with `messages` (or a list of them) a line.

    Raises ValueError that names the line where one is something else.
    """
    chats = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            chats.append(_chat(line, f"{path}:{number}"))
    if not chats:
        raise ValueError(f"{path} holds no chat: write one JSON object with messages a line.")
    return chats


def _chat(line: str, where: str) -> Chat:
    try:
        read = json.loads(line)
        messages = read["messages"] if isinstance(read, dict) else read
        chat = [{"role": one["role"], "content": one["content"]} for one in messages]
    except (ValueError, TypeError, KeyError) as error:
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
    """A chat in tokens; what the assistant says, its end included, is what is learned."""
    ids: list[int] = _template(tokenizer, chat, prompt=False)
    labels = [IGNORED] * len(ids)
    for turn, message in enumerate(chat):
        if message["role"] == "assistant":
            start = len(_template(tokenizer, chat[:turn], prompt=True)) if turn else 0
            end = len(_template(tokenizer, chat[: turn + 1], prompt=False))
            labels[start:end] = ids[start:end]
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
    progress: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> list[float]:
    """Train an adapter on chats and save it; the mean loss of each step.

    `progress` is called after each step with its number, how many there are, and its loss.
    """
    settings = settings or FineTuning()
    torch.manual_seed(settings.seed)
    examples = [encode(tokenizer, chat, settings.length) for chat in chats]
    adapted = get_peft_model(
        model, lora_config(model, settings.rank, settings.alpha, experts=settings.experts)
    )
    if settings.checkpointing:
        adapted.enable_input_require_grads()
        model.activation_checkpointing_enable({"use_reentrant": False})
    losses = _train(adapted.train(), examples, settings, model.config.pad_token_id or 0, progress)
    if settings.checkpointing:
        model.activation_checkpointing_disable()
    adapted.eval().save_pretrained(directory)
    return losses


def _train(
    adapted: PeftModel,
    examples: Sequence[Example],
    settings: FineTuning,
    padding: int,
    progress: Callable[[int, int, float], None],
) -> list[float]:
    trained = [weight for weight in adapted.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=settings.learning_rate, weight_decay=0.0)
    steps = math.ceil(settings.epochs * len(examples) / (settings.batch * settings.accumulate))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    batches = _batches(examples, settings, padding, adapted.device)
    losses = []
    for step in range(steps):
        total = 0.0
        for _ in range(settings.accumulate):
            loss = adapted(**next(batches), use_cache=False).loss / settings.accumulate
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(total)
        progress(step + 1, steps, total)
    return losses


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
