"""Two learned towers: a post and a viewer's history each become one vector, near where they fit."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn
from torch.nn.functional import normalize

from ariane.retrieve.layout import hash64
from ariane.retrieve.search import best, within
from ariane.retrieve.sources import RetrieveSettings
from ariane.retrieve.vectors import VectorFile
from ariane.types import ActionKind, ArianeError, Ask, Past, Vector, Viewer

log = logging.getLogger(__name__)

KINDS: tuple[ActionKind, ...] = tuple(ActionKind)
CONFIG, WEIGHTS = "config.json", "model.safetensors"


@dataclass(frozen=True)
class TowersConfig:
    """The shape of both towers."""

    wide: int = 512
    """Width of the reader's vectors."""

    width: int = 64
    """Width of a tower's vector, at most 128."""

    hidden: int = 128
    """Width inside the post tower."""

    authors: int = 4096
    """Rows into which authors are hashed."""

    history: int = 64
    """Actions that the viewer tower looks at, the newest."""

    heads: int = 4
    """Ways in which the viewer tower weighs them."""


class TowersModel(nn.Module):
    """Both towers; their vectors have unit length and a dot product says how well they fit."""

    def __init__(self, config: TowersConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.direct = nn.Linear(config.wide, width, bias=False)
        self.inner = nn.Linear(config.wide, config.hidden)
        self.author = nn.Embedding(config.authors, config.hidden)
        self.outer = nn.Linear(config.hidden, width)
        self.gate = nn.Embedding(len(KINDS), width)
        self.shift = nn.Embedding(len(KINDS), width)
        self.key = nn.Linear(width, width)
        self.query = nn.Parameter(torch.randn(config.heads, width) * width**-0.5)
        self.recency = nn.Parameter(torch.zeros(config.heads, config.history))
        self.mix = nn.Linear(config.heads * width, width)
        with torch.no_grad():  # begins as the mean of what was liked less what was not
            signs = torch.tensor([float(kind.sign) for kind in KINDS])
            self.gate.weight.copy_(signs[:, None].expand(-1, width))
            for layer in (self.outer, self.shift, self.mix, self.author):
                layer.weight.mul_(0.1)

    def post(self, vectors: Tensor, authors: Tensor) -> Tensor:
        """(n, wide) readings and (n,) rows of authors → (n, width)."""
        inner = torch.relu(self.inner(vectors) + self.author(authors))
        return normalize(self.direct(vectors) + self.outer(inner), dim=-1)

    def viewer(self, posts: Tensor, kinds: Tensor, held: Tensor) -> Tensor:
        """(b, h, width) posts acted on, newest first, (b, h) kinds and (b, h) bool → (b, width)."""
        values = posts * self.gate(kinds) + self.shift(kinds)
        scores = torch.tanh(self.key(values)) @ self.query.T + self.recency[:, : posts.shape[1]].T
        weights = scores.masked_fill(~held[..., None], -1e4).softmax(dim=1) * held[..., None]
        pooled = torch.einsum("bhq,bhw->bqw", weights, values).flatten(1)
        mean = (values * held[..., None]).sum(1) / held.sum(1, keepdim=True).clamp(min=1)
        return normalize(mean + self.mix(pooled), dim=-1)


@dataclass(frozen=True)
class PostTower:
    """The post tower as the projection of a vector file."""

    model: TowersModel
    digest: str

    @property
    def wide(self) -> int:
        """The width of what goes in."""
        return self.model.config.wide

    @property
    def width(self) -> int:
        """The width of what comes out."""
        return self.model.config.width

    def __call__(self, vectors: Vector, authors: Sequence[str]) -> Vector:
        """Float32 (posts, wide) and the posts' authors → (posts, width)."""
        rows = author_rows(authors, self.model.config.authors)
        with torch.inference_mode():
            found: Vector = self.model.post(torch.from_numpy(vectors), rows).numpy()
        return found


@dataclass(frozen=True)
class Towers:
    """Posts whose vector fits the viewer's; nothing without a history, or without a checkpoint."""

    tower: PostTower | None = None
    vectors: VectorFile | None = None
    limit: int = RetrieveSettings.each
    name: str = "towers"

    @classmethod
    def open(cls, checkpoint: Path | None, directory: Path, limit: int) -> Self:
        """The towers of a checkpoint, with their vector file in a directory.

        A checkpoint that does not load is logged, and this source then finds nothing.
        """
        if checkpoint is None:
            return cls(limit=limit)
        try:
            tower = load_towers(checkpoint)
        except ArianeError as error:
            log.error("retrieving without towers: %s", error)
            return cls(limit=limit)
        return cls(tower, VectorFile(directory / "towers", tower), limit)

    def find(self, ask: Ask, viewer: Viewer) -> list[str]:
        """Ids of posts, best first, of every age, without those already acted on."""
        if self.tower is None or self.vectors is None:
            return []
        rows = self.vectors.rows()
        query = viewer_vector(self.tower, viewer.history) if len(rows) else None
        if query is None:
            return []
        among = within(rows, ask)
        without = viewer.seen | {past.action.post for past in viewer.history if past.action.post}
        return best(rows, rows.vectors @ query, self.limit, among=among, without=without)


def viewer_vector(tower: PostTower, history: Sequence[Past]) -> Vector | None:
    """A history as one vector (width,); None where no post of it was read."""
    config = tower.model.config
    pasts: list[Past] = []
    vectors: list[Vector] = []
    for past in reversed(history):
        if past.reading is not None and past.reading.vector.size == config.wide:
            pasts.append(past)
            vectors.append(past.reading.vector)
        if len(pasts) == config.history:
            break
    if not pasts:
        return None
    posts = tower(np.stack(vectors), [past.post.author if past.post else "" for past in pasts])
    kinds = torch.tensor([[KINDS.index(past.action.kind) for past in pasts]])
    held = torch.ones(1, len(pasts), dtype=torch.bool)
    with torch.inference_mode():
        found: Vector = tower.model.viewer(torch.from_numpy(posts)[None], kinds, held)[0].numpy()
    return found


def author_rows(authors: Sequence[str], count: int) -> Tensor:
    """The embedding rows of authors; row 0 is that of an author who is not known."""
    return torch.tensor([1 + hash64(name) % (count - 1) if name else 0 for name in authors])


def save_towers(model: TowersModel, directory: Path, trained: dict[str, Any]) -> None:
    """Write weights, then the config that names them by hash, each in one step."""
    directory.mkdir(parents=True, exist_ok=True)
    weights = save_tensors({name: value.contiguous() for name, value in model.state_dict().items()})
    config = {
        "kind": "towers",
        **asdict(model.config),
        "weights": sha256(weights).hexdigest(),
        "trained": trained,
    }
    text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
    for name, content in ((WEIGHTS, weights), (CONFIG, text.encode())):
        partial = directory / f"{name}.partial"
        partial.write_bytes(content)
        partial.replace(directory / name)


def load_towers(directory: Path) -> PostTower:
    """The post tower of a checkpoint, and with it the whole model, ready to use."""
    try:
        config = json.loads((directory / CONFIG).read_bytes())
        weights = (directory / WEIGHTS).read_bytes()
        digest = sha256(weights).hexdigest()
        if digest != config["weights"]:
            raise ValueError("its weights are not those that its config names")
        names = TowersConfig.__dataclass_fields__
        model = TowersModel(TowersConfig(**{name: int(config[name]) for name in names}))
        model.load_state_dict(load_tensors(weights))
    except OSError as error:
        raise ArianeError(
            f"The retriever {directory} cannot be read ({error.strerror}); train one with "
            "`ariane train retriever`."
        ) from error
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        first = str(error).partition("\n")[0]
        raise ArianeError(
            f"The retriever {directory} is not whole ({first}); train it again with "
            "`ariane train retriever`."
        ) from error
    return PostTower(model.eval(), digest[:32])
