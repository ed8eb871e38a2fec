"""Train the small Grok: Grok-2's architecture at toy size, on public-domain French and English.

`python -m ariane.grok.train_small OUT`, with the texts in `$ARIANE_DATA/lm_text`, learns a
tokenizer and a model, and writes OUT in the published layout, with its loss curve in `loss.jsonl`.
"""

from __future__ import annotations

import json
import lzma
import math
import os
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress
from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from torch.nn import functional as F

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.modeling_grok2 import Grok2ForCausalLM
from ariane.grok.tokenization_grok2 import (
    EOS,
    LETTERS,
    PAD,
    SEPARATOR,
    VOCAB_FILE,
    WORD_SPLITS,
    build_tokenizer,
)
from ariane.grok.write_layout import write_layout

TEXTS = ("eltec_fra_novels.txt.xz", "gutenberg_en_36MB.txt.xz")
SPECIAL = (PAD, SEPARATOR, EOS, *(f"<|reserved_{number}|>" for number in range(3, 16)))


@dataclass(frozen=True)
class Recipe:
    """Everything that the result depends on, beside the texts."""

    vocabulary: int = 2048
    text_bytes: int = 10_000_000
    length: int = 128
    batch: int = 16
    steps: int = 2500
    warmup: int = 100
    peak: float = 3e-3
    floor: float = 1e-4
    balance: float = 0.01
    seed: int = 0
    config: tuple[tuple[str, Any], ...] = (
        ("hidden_size", 128),
        ("intermediate_size", 256),
        ("moe_intermediate_size", 128),
        ("num_hidden_layers", 4),
        ("num_attention_heads", 4),
        ("num_key_value_heads", 2),
        ("head_dim", 32),
        ("max_position_embeddings", 1024),
        ("embedding_multiplier_scale", math.sqrt(128)),
        ("attn_temperature_len", 64),  # within the texts it learns from, so that it acts
    )


def paragraphs(text: str) -> Iterator[str]:
    """The prose of a text: whole paragraphs on one line, without headings and notes."""
    for block in re.split(r"\n\s*\n", text):
        line = " ".join(re.sub(r"\[[^\]]*\]|_", " ", block).split())
        line = re.sub(r" ([,.])", r"\1", line)
        letters = sum(letter.islower() for letter in line)
        if len(line) > 60 and letters > 0.6 * len(line):
            yield line


def read_texts(folder: Path, size: int) -> list[list[str]]:
    """The first `size` bytes of prose of each language, as paragraphs."""
    found = []
    for name in TEXTS:
        with lzma.open(folder / name, "rt", encoding="utf-8") as file:
            found.append(list(paragraphs(file.read(size))))
    return found


def excerpts(languages: list[list[str]], seed: int) -> list[str]:
    """Runs of 16 paragraphs of one language, shuffled."""
    runs = [
        "\n\n".join(texts[start : start + 16])
        for texts in languages
        for start in range(0, len(texts), 16)
    ]
    random.Random(seed).shuffle(runs)
    return runs


def learn_vocabulary(texts: list[str], size: int, path: Path) -> None:
    """Learn byte-pair ranks and write them as `tokenizer.tok.json`."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORD_SPLITS["V1"]), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = list(LETTERS.values())
    trainer = BpeTrainer(
        vocab_size=size - len(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    ranked = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    byte_of = {letter: byte for byte, letter in LETTERS.items()}
    regular = [[byte_of[letter] for letter in token] for token, _ in ranked]
    content = {
        "word_split": "V1",
        "vocab_size": size,
        "special_tokens": [
            {"token": number, "bytes": list(text.encode())} for number, text in enumerate(SPECIAL)
        ],
        "regular_tokens": [
            {"token": number, "bytes": token} for number, token in enumerate(regular, len(SPECIAL))
        ],
    }
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n")


def token_stream(texts: list[str], path: Path) -> torch.Tensor:
    """All excerpts as one row of numbers, each ended by eos."""
    tokenizer = build_tokenizer(path)
    end = SPECIAL.index(EOS)
    rows = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    return torch.tensor([number for row in rows for number in [*row.ids, end]])


def rate(step: int, recipe: Recipe) -> float:
    """The learning rate: a linear warm-up, then half a cosine down to the floor."""
    if step < recipe.warmup:
        return recipe.peak * (step + 1) / recipe.warmup
    done = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return recipe.floor + (recipe.peak - recipe.floor) * (1 + math.cos(math.pi * done)) / 2


def imbalance(router_logits: tuple[torch.Tensor, ...], chosen: int) -> torch.Tensor:
    """How far the experts' loads are from even; 1 is even (https://arxiv.org/abs/2101.03961)."""
    total = torch.zeros(())
    for logits in router_logits:
        weights = logits.softmax(dim=-1)
        picked = F.one_hot(weights.topk(chosen).indices, weights.shape[-1]).sum(1).float()
        total = total + weights.shape[-1] * (picked.mean(0) / chosen * weights.mean(0)).sum()
    return total / len(router_logits)


def windows(stream: torch.Tensor, recipe: Recipe, step: int) -> torch.Tensor:
    """The batch of a step (batch, length + 1): the same for the same seed and step."""
    draw = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step)
    starts = torch.randint(len(stream) - recipe.length - 1, (recipe.batch,), generator=draw)
    return torch.stack([stream[start : start + recipe.length + 1] for start in starts.tolist()])


@torch.no_grad()
def held_out_loss(model: Grok2ForCausalLM, stream: torch.Tensor, recipe: Recipe) -> float:
    """Mean nats a token over at most 64 windows that training never sees."""
    rows = stream[: len(stream) // recipe.length * recipe.length].view(-1, recipe.length)[:64]
    batches = [rows[at : at + recipe.batch] for at in range(0, len(rows), recipe.batch)]
    losses = [float(model(batch, labels=batch).loss) for batch in batches]
    return sum(losses) / len(losses)


def learn(
    model: Grok2ForCausalLM,
    streams: dict[str, torch.Tensor],
    recipe: Recipe,
    told: Callable[[dict[str, Any]], None],
) -> None:
    """Train; every 20 steps the loss is told, every 200 that of the held-out text too."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() == 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.95), fused=True)
    began = time.monotonic()
    for step in range(recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, recipe)
        rows = windows(streams["train"], recipe, step)
        result = model(rows[:, :-1], output_router_logits=True)
        loss = F.cross_entropy(result.logits.flatten(0, 1), rows[:, 1:].flatten())
        uneven = imbalance(result.router_logits, model.config.num_experts_per_tok)
        torch.autograd.backward(loss + recipe.balance * uneven)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        line: dict[str, Any] = {"step": step, "loss": round(loss.item(), 4)}
        if step % 200 == 199 or step == recipe.steps - 1:
            line["held_out"] = round(held_out_loss(model, streams["held out"], recipe), 4)
            line["uneven"] = round(uneven.item(), 3)
        if step % 20 == 0 or "held_out" in line:
            told(line | {"seconds": round(time.monotonic() - began)})


def read_streams(folder: Path, recipe: Recipe, vocabulary: Path) -> dict[str, torch.Tensor]:
    """The texts as numbers, one hundredth held out; learns the vocabulary if it is not there."""
    texts = excerpts(read_texts(folder, recipe.text_bytes), recipe.seed)
    held = len(texts) // 100
    if not vocabulary.exists():
        learn_vocabulary(texts[held:], recipe.vocabulary, vocabulary)
    return {
        "held out": token_stream(texts[:held], vocabulary),
        "train": token_stream(texts[held:], vocabulary),
    }


def train(data: Path, out: Path, recipe: Recipe) -> None:
    """Learn tokenizer and model from `data`, and write `out` in the published layout, bfloat16."""
    out.mkdir(parents=True, exist_ok=True)
    streams = read_streams(data / "lm_text", recipe, out / VOCAB_FILE)
    torch.manual_seed(recipe.seed)
    config = Grok2Config(
        vocab_size=recipe.vocabulary,
        **dict(recipe.config),
        attn_implementation="eager",
        experts_implementation="eager",
    )
    model = Grok2ForCausalLM(config).float()
    with Progress() as progress, (out / "loss.jsonl").open("w", encoding="utf-8") as curve:
        task = progress.add_task("training", total=recipe.steps)

        def told(line: dict[str, Any]) -> None:
            curve.write(json.dumps(line) + "\n")
            curve.flush()
            progress.update(task, completed=line["step"] + 1)

        learn(model, streams, recipe, told)
    write_layout(model.to(torch.bfloat16).state_dict(), config, out)


if __name__ == "__main__":
    train(Path(os.environ["ARIANE_DATA"]), Path(sys.argv[1]), Recipe())
