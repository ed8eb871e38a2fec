"""What only real weights can tell: a fixed text is scored under each doubtful reading of them.

Public implementations disagree on the rotary embedding,
on GELU, on attention's temperature and on the token that ends a turn; wrong choices cost
perplexity, so the weights themselves can say which is right.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F
from transformers.activations import ACT2FN

from ariane.grok.checkpoint import weight_files
from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.modeling_grok2 import Grok2ForCausalLM, Grok2RotaryEmbedding
from ariane.grok.progress import Progress, silent
from ariane.grok.writing import mark_of, write_text

TEXT = Path(__file__).with_name("verification.txt")
"""An English essay written for this purpose, so that no model was trained on it."""

CONVERSATION = "Human: What is the capital of France?<|separator|>\n\nAssistant: Paris."
"""A turn that is over, so that the next token should end it."""

WINDOW = 8192
"""Tokens that Grok-2 reads at once here: the length that its rotary embedding began with."""

SURE = 3.0
"""Standard errors by which a variant must be better to be chosen over one that changes less."""

CHUNK = 256
"""Tokens whose logits are in memory at once: in float64 a vocabulary's are 1 MB a token."""

KEPT = "verification.json"
"""The file of a checkpoint's directory that keeps the losses of the variants scored so far."""

DOUBTFUL = {
    "_name_or_path",
    "rope_parameters",
    "hidden_act",
    "attn_temperature_len",
    "eos_token_id",
}
"""What losses that are kept by variant do not depend on; `write` changes the last four."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One reading of the weights; the defaults are those of the reference implementation."""

    rope: str = "default"
    """ "default" is plain, "yarn" as llama.cpp computes it."""
    gelu: str = "gelu"
    """ "gelu" is exact, "gelu_pytorch_tanh" as in Grok-1 and llama.cpp."""
    temperature: int | None = 1024
    """Where attention begins to sharpen; None is never."""

    @classmethod
    def of(cls, config: Grok2Config) -> Variant:
        """How a configuration reads the weights."""
        rope: dict[str, Any] = config.rope_parameters or {}
        return cls(rope["rope_type"], config.hidden_act, config.attn_temperature_len)

    def all(self, temperature: int) -> list[Variant]:
        """Every variant, this one first: parts can hide each other's faults."""
        every = product(("default", "yarn"), ("gelu", "gelu_pytorch_tanh"), (temperature, None))
        return sorted((Variant(*parts) for parts in every), key=self.changes)

    def changes(self, other: Variant) -> int:
        """In how many parts another differs."""
        return sum(a != b for a, b in zip(astuple(self), astuple(other), strict=True))

    def rope_parameters(self, config: Grok2Config) -> dict[str, Any]:
        """The rotary embedding of a configuration under this variant."""
        rope: dict[str, Any] = {
            "rope_type": self.rope,
            "rope_theta": (config.rope_parameters or {})["rope_theta"],
        }
        return {**(config.yarn_parameters or {}), **rope} if self.rope == "yarn" else rope

    def __str__(self) -> str:
        """In words."""
        rope = "YaRN" if self.rope == "yarn" else "plain RoPE"
        gelu = "exact GELU" if self.gelu == "gelu" else "tanh GELU"
        warm = "no temperature" if self.temperature is None else f"temperature {self.temperature}"
        return f"{rope}, {gelu}, {warm}"


@dataclass(frozen=True, slots=True)
class Score:
    """A variant's perplexity, and how sure its difference from the default is."""

    variant: Variant
    perplexity: float
    difference: float
    """Mean loss less that of the model as it was loaded, in nats a token."""
    errors: float
    """The same in its standard errors; below −3 the variant is better and not by chance."""


@dataclass(frozen=True, slots=True)
class Verification:
    """All scores, the variant that they choose, and how likely each end token is."""

    scores: tuple[Score, ...]
    chosen: Variant
    tokens: int
    """Tokens of the text."""
    ends: dict[int, float]
    """Probability of each end token after a turn that is over."""

    def rows(self) -> list[dict[str, str | float]]:
        """The scores as a table."""
        return [
            {
                "variant": str(score.variant),
                "perplexity": score.perplexity,
                "difference": score.difference,
                "standard errors": score.errors,
                "chosen": "yes" if score.variant == self.chosen else "",
            }
            for score in self.scores
        ]


def verify(
    model: Grok2ForCausalLM,
    tokenizer: Any,
    text: str | None = None,
    progress: Progress = silent,
    window: int = WINDOW,
    directory: Path | None = None,
) -> Verification:
    """Score a text (the essay beside this file, if none is given) under each variant.

    The text is read in pieces of `window` tokens, no longer than the model was trained on. The
    model is left as it was. In the `directory` of its checkpoint losses are kept, so that a call
    after a break goes on. Temperature shows only past position 1,024: a longer text of your own
    tells more. Raises ValueError for a text of fewer than two tokens.
    """
    read = TEXT.read_text(encoding="utf-8") if text is None else text
    ids = tokenizer(read, return_tensors="pt")["input_ids"]
    if ids.shape[1] < 2:
        raise ValueError(
            f"A text of {ids.shape[1]} tokens has nothing to score: give a longer one."
        )
    base = Variant.of(model.config)
    variants = base.all(base.temperature or 1024)
    kept = Kept(directory, fingerprint(model, ids, window, directory))
    for done, one in enumerate(variants):
        progress(description=str(one), completed=done, total=len(variants))
        if str(one) not in kept.losses:
            kept.add(one, token_losses(model, torch.split(ids, window, dim=1), one))
    progress(description="scored", completed=len(variants), total=len(variants))
    losses = {one: torch.tensor(kept.losses[str(one)], dtype=torch.float64) for one in variants}
    chosen = _choose(base, losses)
    scores = tuple(_score(variant, loss, losses[base]) for variant, loss in losses.items())
    return Verification(scores, chosen, ids.shape[1], _ends(model, tokenizer, chosen))


class Kept:
    """The losses of variants by their words, and a file of them where there is a directory."""

    def __init__(self, directory: Path | None, about: str) -> None:
        self.path, self.about = directory / KEPT if directory else None, about
        self.losses: dict[str, list[float]] = {}
        with suppress(OSError, ValueError, KeyError, TypeError):  # none, or no whole one
            held = json.loads(self.path.read_bytes()) if self.path else {}
            self.losses = dict(held["losses"]) if held["about"] == about else {}

    def add(self, variant: Variant, losses: torch.Tensor) -> None:
        """Keep a variant's losses."""
        self.losses[str(variant)] = losses.tolist()
        if self.path:
            with suppress(OSError):  # weights may lie where nothing can be written
                write_text(self.path, json.dumps({"about": self.about, "losses": self.losses}))


def fingerprint(
    model: Grok2ForCausalLM, ids: torch.Tensor, window: int, directory: Path | None
) -> str:
    """A hash of all that losses depend on beside the variant."""
    config = {key: said for key, said in model.config.to_dict().items() if key not in DOUBTFUL}
    theta = (model.config.rope_parameters or {})["rope_theta"]
    files = weight_files(directory) if directory else []
    return mark_of(files, config, theta, str(model.dtype), ids.tolist(), window)


def write(directory: Path, config: Grok2Config, found: Verification) -> list[str]:
    """Write the chosen variant, and the end tokens by likelihood, into a `config.json`.

    All that it holds beside them stays as it is; a `generation_config.json` gets the end tokens.
    Returns what changed, in words.
    """
    path, generation = directory / "config.json", directory / "generation_config.json"
    words: dict[str, Any] = {
        "hidden_act": found.chosen.gelu,
        "attn_temperature_len": found.chosen.temperature,
        "eos_token_id": sorted(found.ends, key=lambda end: -found.ends[end]),
    }
    if "rope_parameters" in json.loads(path.read_bytes()):
        rope: dict[str, Any] = {"rope_parameters": found.chosen.rope_parameters(config)}
    else:
        rope = {"rope_type": "yarn" if found.chosen.rope == "yarn" else "original"}
    changed = _rewrite(path, rope | words)
    if generation.exists():
        changed += _rewrite(generation, {"eos_token_id": words["eos_token_id"]})
    return changed


def _rewrite(path: Path, words: Mapping[str, Any]) -> list[str]:
    """Put some words into a JSON file, and tell those that it did not say before."""
    held = json.loads(path.read_bytes())
    write_text(path, json.dumps(held | words, indent=2) + "\n")
    return [
        f"{path.name}: {name} {json.dumps(held.get(name))} → {json.dumps(said)}"
        for name, said in words.items()
        if held.get(name) != said
    ]


@contextmanager
def read_as(model: Grok2ForCausalLM, variant: Variant) -> Iterator[None]:
    """A model under another reading of its weights, for a while."""
    before = Variant.of(model.config)
    _read_as(model, variant)
    try:
        yield
    finally:
        _read_as(model, before)


def _read_as(model: Grok2ForCausalLM, variant: Variant) -> None:
    config, rope = model.config, model.model.rotary_emb
    config.rope_parameters = variant.rope_parameters(config)
    config.hidden_act, config.attn_temperature_len = variant.gelu, variant.temperature
    for module in model.modules():
        if hasattr(module, "act_fn"):
            module.act_fn = ACT2FN[variant.gelu]
    fresh = Grok2RotaryEmbedding(config)
    rope.rope_type, rope.attention_scaling = fresh.rope_type, fresh.attention_scaling
    rope.inv_freq = fresh.inv_freq.to(rope.inv_freq.device)


@torch.no_grad()
def token_losses(
    model: Grok2ForCausalLM, pieces: Iterable[torch.Tensor], variant: Variant
) -> torch.Tensor:
    """The loss of each token after the first of its piece, in nats, in float64 on the CPU."""
    losses = []
    with read_as(model, variant):
        for ids in (piece for piece in pieces if piece.shape[1] > 1):
            hidden = model.model(ids.to(model.device), use_cache=False).last_hidden_state
            parts = zip(
                torch.split(hidden[0, :-1], CHUNK), torch.split(ids[0, 1:], CHUNK), strict=True
            )
            losses += [_chunk_losses(model, *part) for part in parts]
    return torch.cat(losses)


def _chunk_losses(
    model: Grok2ForCausalLM, hidden: torch.Tensor, targets: torch.Tensor
) -> torch.Tensor:
    """The losses of a few tokens (S, D): the head's work, which at once would fill the memory."""
    logits = model.logits_of(hidden).double()
    return F.cross_entropy(logits, targets.to(logits.device), reduction="none").cpu()


def _choose(base: Variant, losses: dict[Variant, torch.Tensor]) -> Variant:
    """Of the variants that are not surely worse than the best, the one that changes least."""
    best = min(losses, key=lambda one: losses[one].mean().item())
    near = [one for one in losses if _score(one, losses[one], losses[best]).errors < SURE]
    return min(near, key=lambda one: (base.changes(one), losses[one].mean().item()))


def _score(variant: Variant, loss: torch.Tensor, base: torch.Tensor) -> Score:
    difference = loss - base
    mean = difference.mean().item()
    error = difference.std().item() / math.sqrt(len(loss))
    return Score(
        variant, math.exp(min(700.0, loss.mean().item())), mean, mean / error if error else 0.0
    )


@torch.no_grad()
def _ends(model: Grok2ForCausalLM, tokenizer: Any, variant: Variant) -> dict[int, float]:
    ends = model.config.eos_token_id or []
    ids = tokenizer(CONVERSATION, return_tensors="pt")["input_ids"].to(model.device)
    with read_as(model, variant):
        logits = model(ids, use_cache=False, logits_to_keep=1).logits
        odds = logits[0, -1].float().softmax(-1)
    return {end: odds[end].item() for end in ([ends] if isinstance(ends, int) else ends)}
