"""The ranker: Grok-2's decoder at feed size over [history, candidates], with a head per action.

Shapes: B viewers, L history tokens, C candidates, D hidden, P = len(PREDICTED). See `batch` for
the tokens. The request's context is summed into each candidate's token: it says the same as a
token of its own that only candidates see, and packed training, where every candidate was shown
in a request of its own, needs no second sequence for it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn
from torch.nn import functional as F
from transformers.cache_utils import DynamicCache

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.modeling_grok2 import Grok2Model
from ariane.rank.attention import HISTORY_AND_SELF
from ariane.rank.batch import (
    POST_NAMES,
    CandidateTokens,
    ContextTokens,
    HistoryTokens,
    Tokens,
)
from ariane.rank.experts import EVERY_EXPERT
from ariane.types import PREDICTED, ArianeError, CallError

VERSION = 1
"""The layout of a checkpoint; it grows when older code could not read a newer one."""

WEIGHTS = "model.safetensors"
CONFIG = "config.json"

SIGNS = (-1, 0, 1)
"""Signs of actions: disliked, neither, liked."""

Keys: TypeAlias = tuple[tuple[torch.Tensor, torch.Tensor], ...]
"""Keys and values of a run of history tokens, a pair (B, key heads, tokens, head_dim) a layer."""

SIZES: dict[str, dict[str, Any]] = {
    "nano": {"hidden": 32, "layers": 2, "heads": 2, "key_heads": 1, "window": 128},
    "small": {"hidden": 64, "layers": 2, "heads": 4, "key_heads": 2, "window": 256},
    "base": {"hidden": 128, "layers": 4, "heads": 8, "key_heads": 2, "window": 512},
}
"""The one dial; everything else is derived."""


@dataclass(frozen=True, slots=True)
class RankerConfig:
    """What a checkpoint is: who it is, what it was trained on, and the numbers it is built from."""

    name: str = "ranker"
    """What receipts and pages call this checkpoint."""
    size: str = "small"
    """The dial that it was built with."""
    reader: str = ""
    """The reader whose vectors it was trained on."""
    kinds: tuple[str, ...] = tuple(kind.value for kind in PREDICTED)
    """The actions that it predicts, in the order of its heads."""
    width: int = 512
    """Width of the reader's vectors."""
    window: int = 256
    """History tokens at most, a multiple of 64."""
    hidden: int = 64
    """Width of a token."""
    layers: int = 2
    """Decoder layers."""
    heads: int = 4
    """Query heads."""
    key_heads: int = 2
    """Key-value heads."""
    experts: int = 0
    """Experts beside the dense MLP; 0 is none."""
    attention_cap: float | None = None
    """Soft cap on attention's scores; None is off."""
    name_rows: int = 4096
    """Rows of the table of names (aspects, kinds, buckets)."""
    author_rows: int = 16384
    """Rows of the table of authors."""
    post_rows: int = 32768
    """Rows of the table of posts."""
    id_width: int = 32
    """Width of the tables of authors and posts, before their projection."""
    post_dropout: float = 0.5
    """Share of tokens that lose their post's hashes in training, so that cold posts work."""
    dropout: float = 0.1
    """Dropout on the sums of tokens in training."""

    @classmethod
    def sized(cls, size: str) -> Self:
        """The configuration of a size."""
        if size not in SIZES:
            raise CallError(f"{size!r} is not a ranker size: use one of {', '.join(SIZES)}.")
        return cls(size=size, **SIZES[size])

    def body(self) -> Grok2Config:
        """The decoder at this size: neutral multipliers, no temperature, no final cap."""
        return Grok2Config(
            vocab_size=1,
            pad_token_id=None,
            hidden_size=self.hidden,
            intermediate_size=3 * self.hidden,
            moe_intermediate_size=self.hidden,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.key_heads,
            head_dim=self.hidden // self.heads,
            num_local_experts=self.experts,
            num_experts_per_tok=min(2, max(1, self.experts)),
            max_position_embeddings=self.window + 1,
            rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
            embedding_multiplier_scale=1.0,
            output_multiplier_scale=1.0,
            attn_logit_softcapping=self.attention_cap,
            final_logit_softcapping=None,
            attn_temperature_len=None,
            use_cache=False,
            attn_implementation=HISTORY_AND_SELF,
            experts_implementation=EVERY_EXPERT,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What the heads say, in float32: `logits` (B, C, P), and `seconds` (B, C) of dwell."""

    logits: torch.Tensor
    seconds: torch.Tensor


class HashTable(nn.Module):
    """The sum of a fixed table's rows at hashes; hash 0 adds nothing."""

    def __init__(self, rows: int, width: int, std: float) -> None:
        super().__init__()
        self.rows = rows
        self.table = nn.Embedding(rows, width, padding_idx=0)
        nn.init.normal_(self.table.weight, std=std)
        with torch.no_grad():
            self.table.weight[0].zero_()

    def forward(self, hashes: torch.Tensor) -> torch.Tensor:
        """Hashes (…, n) to (…, width)."""
        total: torch.Tensor = self.table(self.rows_of(hashes)).sum(-2)
        return total

    def rows_of(self, hashes: torch.Tensor) -> torch.Tensor:
        """The row of each hash, of the same shape."""
        return torch.where(hashes == 0, 0, 1 + hashes % (self.rows - 1))


class RankerModel(nn.Module):
    """Predicts what a viewer would do with each candidate, from the viewer's history."""

    def __init__(self, config: RankerConfig) -> None:
        super().__init__()
        self.config = config
        width, ids = config.hidden, config.id_width
        self.vector = nn.Linear(config.width, width, bias=False)
        self.names = HashTable(config.name_rows, width, std=0.3)
        # Untrained rows are exactly zero: an author or post never seen adds no noise.
        self.author = HashTable(config.author_rows, ids, std=0.0)
        self.post = HashTable(config.post_rows, ids, std=0.0)
        self.author_projection = nn.Linear(ids, width, bias=False)
        self.post_projection = nn.Linear(ids, width, bias=False)
        nn.init.normal_(self.vector.weight, std=1.0)
        self.turn = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in SIGNS)
        for sign, turn in zip(SIGNS, self.turn, strict=True):
            turn.weight.data = sign * torch.eye(width)
        self.body = Grok2Model(config.body())
        self.body.set_input_embeddings(nn.Identity())  # the body never sees token ids
        self.action_head = nn.Linear(width, len(config.kinds))
        self.dwell_head = nn.Linear(width, 1)
        for head in (self.action_head, self.dwell_head):
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.vector.weight.device

    def _tensor(self, array: NDArray[Any]) -> torch.Tensor:
        """An array on the model's device."""
        return torch.from_numpy(array).to(self.device)

    def embed(self, tokens: Tokens, context: ContextTokens | None = None) -> torch.Tensor:
        """Tokens (B, N) to their sums of projections (B, N, D), the context's added to each.

        What an action was done to is projected once more, by the sign of what was done: a liked
        post and a disliked one point apart from the start.
        """
        names = self._tensor(tokens.names)
        content = self._content(tokens, names[..., -2 * len(POST_NAMES) :])
        total = content + self.names(names[..., : -2 * len(POST_NAMES)])
        if isinstance(tokens, HistoryTokens):
            turned = torch.stack([turn(content) for turn in self.turn], dim=-2)
            sign = self._tensor(tokens.sign).long()[..., None, None]
            total = total + turned.take_along_dim(1 + sign, dim=-2).squeeze(-2)
        if context is not None:
            total = total + self.names(self._tensor(context.names))
        return F.dropout(total, self.config.dropout, self.training)

    def _content(self, tokens: Tokens, aspects: torch.Tensor) -> torch.Tensor:
        """What is known of the posts themselves (B, N, D)."""
        # A copy, since how memory is aligned can change how a product is rounded (oneMKL, CNR).
        vectors = torch.from_numpy(tokens.vectors).to(self.vector.weight, copy=True)
        post = self.post(self._tensor(tokens.post))
        if self.training and self.config.post_dropout:
            kept = torch.rand(post.shape[:-1], device=post.device) >= self.config.post_dropout
            post = post * kept[..., None]
        content: torch.Tensor = (
            self.vector(vectors)
            + self.names(aspects)
            + self.author_projection(self.author(self._tensor(tokens.author)))
            + self.post_projection(post)
        )
        return content

    def forward(
        self,
        history: HistoryTokens,
        context: ContextTokens,
        candidates: CandidateTokens,
        visible: NDArray[np.int64],
    ) -> Predictions:
        """History (B, L), contexts and candidates (B, C) as one packed sequence.

        Candidate j of row b sees history[b, : visible[b, j]] and itself, and stands right after
        it: the same numbers as `encode` and `score` give for that much history. History may be
        padded at its end, where no candidate looks.
        """
        past = self.embed(history)
        now = self.embed(candidates, context)
        length, count = past.shape[1], now.shape[1]
        lengths = torch.from_numpy(visible).to(self.device)
        column = torch.arange(length, device=self.device)
        causal = (column <= column[:, None]).expand(len(lengths), -1, -1)
        shown = column < lengths[..., None]
        positions = torch.cat((column.expand(len(lengths), -1), lengths), dim=1)
        hidden = self._run(
            torch.cat((past, now), dim=1), torch.cat((causal, shown), dim=1), positions, count
        )
        return self._heads(hidden[:, length:])

    def encode(self, history: HistoryTokens, start: int, before: Keys = ()) -> Keys:
        """Keys and values of history tokens (B, N) at window positions start, start + 1, …

        `before` are those of all tokens at positions 0 to start − 1.
        """
        past = self.embed(history)
        column = torch.arange(start + past.shape[1], device=self.device)
        positions = column[None, start:]
        seen = (column <= column[start:, None])[None]
        cache = DynamicCache(before or None)
        self._run(past, seen, positions, 0, cache)
        return tuple(
            (layer.keys[:, :, start:].clone(), layer.values[:, :, start:].clone())
            for layer in cache.layers
        )

    def score(
        self, context: ContextTokens, candidates: CandidateTokens, before: Keys, visible: int
    ) -> Predictions:
        """Candidates (B, C) after a history of `visible` tokens, the first ones of `before`."""
        now = self.embed(candidates, context)
        past = before[0][0].shape[2] if before else 0
        column = torch.arange(past, device=self.device)
        positions = torch.full((1, now.shape[1]), visible, device=self.device)
        cache = DynamicCache(before or None)
        hidden = self._run(now, (column < visible)[None, None], positions, now.shape[1], cache)
        return self._heads(hidden)

    def _run(
        self,
        embeddings: torch.Tensor,
        seen: torch.Tensor,
        positions: torch.Tensor,
        candidates: int,
        cache: DynamicCache | None = None,
    ) -> torch.Tensor:
        """The body over embeddings (B, S, D); `seen` (B, S, T) says which history each sees."""
        mask = torch.zeros(seen.shape, dtype=embeddings.dtype, device=self.device)
        mask = mask.masked_fill(~seen, float("-inf"))[:, None]
        output = self.body(
            inputs_embeds=embeddings,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            candidates=candidates,
        )
        hidden: torch.Tensor = output.last_hidden_state
        return hidden

    def _heads(self, hidden: torch.Tensor) -> Predictions:
        """Hidden states (B, C, D) to predictions, in float32 whatever the body's dtype."""
        wide = hidden.float()
        action, dwell = self.action_head, self.dwell_head
        logits = F.linear(wide, action.weight.float(), action.bias.float())
        seconds = F.softplus(F.linear(wide, dwell.weight.float(), dwell.bias.float()))
        return Predictions(logits, seconds.squeeze(-1))

    def save(self, directory: Path, training: Mapping[str, Any] | None = None) -> None:
        """Write `model.safetensors` and `config.json`, each whole or not at all.

        `training` (its settings and figures, as JSON values) is kept in the config.
        """
        directory.mkdir(parents=True, exist_ok=True)
        tensors = {name: tensor.contiguous() for name, tensor in self.state_dict().items()}
        weights = save(tensors)
        about = {
            "architecture": "ariane-ranker",
            "version": VERSION,
            "ranker": asdict(self.config),
            "weights_sha256": hashlib.sha256(weights).hexdigest(),
            "training": dict(training or {}),
        }
        _write(directory / WEIGHTS, weights)
        _write(directory / CONFIG, json.dumps(about, indent=2).encode())

    @classmethod
    def load(cls, directory: Path, device: str = "cpu") -> Self:
        """Read a checkpoint, ready to score.

        Raises ArianeError, in one sentence, where it is missing, corrupt or of another making.
        """
        config, digest = _read_config(directory / CONFIG)
        try:
            weights = (directory / WEIGHTS).read_bytes()
        except OSError as error:
            raise ArianeError(
                f"The ranker's weights {directory / WEIGHTS} cannot be read "
                f"({error.strerror}): train it again with `ariane train ranker`."
            ) from error
        if hashlib.sha256(weights).hexdigest() != digest:
            raise ArianeError(
                f"The ranker's weights {directory / WEIGHTS} are not those that its {CONFIG} "
                "names: the file is corrupt or was replaced; train it again."
            )
        model = cls(config)
        try:
            model.load_state_dict(load(weights))
        except (SafetensorError, RuntimeError) as error:
            raise ArianeError(
                f"The ranker's weights {directory / WEIGHTS} do not fit the sizes in its "
                f"{CONFIG}: train it again with `ariane train ranker`."
            ) from error
        return model.to(device).eval()


def _write(path: Path, content: bytes) -> None:
    """Replace a file in one step, after its content has reached the disk."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _read_config(path: Path) -> tuple[RankerConfig, str]:
    """A checkpoint's configuration and the digest of its weights."""
    try:
        about = json.loads(path.read_bytes())
        version, values, digest = about["version"], about["ranker"], about["weights_sha256"]
        known = {part.name for part in fields(RankerConfig)}
        config = RankerConfig(**{name: values[name] for name in known})
        config = replace(config, kinds=tuple(config.kinds))
    except OSError as error:
        raise ArianeError(
            f"There is no ranker at {path.parent} ({path.name}: {error.strerror}): "
            "train one with `ariane train ranker`."
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise ArianeError(
            f"The ranker's {path} is not a ranker's configuration: train it again with "
            "`ariane train ranker`."
        ) from error
    if version != VERSION:
        raise ArianeError(
            f"The ranker at {path.parent} has layout {version!r} where this Ariane reads "
            f"{VERSION}: train it again with `ariane train ranker`."
        )
    if config.kinds != tuple(kind.value for kind in PREDICTED):
        raise ArianeError(
            f"The ranker at {path.parent} predicts {', '.join(config.kinds)} where this Ariane "
            f"predicts {', '.join(PREDICTED)}: train it again with `ariane train ranker`."
        )
    return config, digest
