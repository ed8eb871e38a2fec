"""Trains the ranker on what is in the store."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch.nn import functional as F

from ariane.rank.model import Predictions, RankerConfig, RankerModel
from ariane.train.examples import Examples, Until, load_examples
from ariane.train.muon import Muon
from ariane.train.pace import EVERY, Pace
from ariane.train.packed import Batch, long_spans, lots_of, pack
from ariane.types import ArianeError, CallError, Store

LEAST: Final = 10
"""A kind of action with fewer examples is not learned but predicted at its rate."""


FRESH = 1 / 3
"""The share of fresh exposures from which on posts come and go, as in a feed; Polis has .05."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the ranker is trained; chosen on later training time, never on the test."""

    passes: int = 14
    """Times that every exposure is seen."""
    passes_fresh: int = 6
    """The same where most posts are new: more would learn posts by heart that nobody sees again."""
    steps: int = 200
    """Steps at least: a small store is passed over more often."""
    exposures: int = 4_000_000
    """Exposures about, over all passes: a large store is passed over less often, once at least."""
    tokens: int = 2048
    """Candidates, and history tokens, in a batch."""
    matrices: float = 0.01
    """Rate of the decoder's matrices (Muon)."""
    tables: float = 0.01
    """Rate of the tables of posts, authors and names (AdamW)."""
    rate: float = 0.006
    """Rate of everything else (AdamW)."""
    decay: float = 0.05
    """Weight decay of all that is no table."""
    warm: float = 0.05
    """Share of the steps in which rates rise; then they fall in a line to a fiftieth."""
    mean: float = 0.995
    """Decay of the running mean of the weights that is kept."""
    pairs: float = 1.0
    """Weight of the order of a viewer's exposures beside their likelihood."""
    clip: float = 1.0
    """Largest norm of the gradient."""


def train_ranker(
    store: Store,
    out: Path,
    *,
    size: str = "small",
    until: Until = None,
    seed: int = 0,
    reading: bool = True,
    withhold: frozenset[str] = frozenset(),
    recipe: Recipe | None = None,
    progress: Callable[[str], None] | None = None,
    every: float = EVERY,
) -> Path:
    """Train on actions up to `until` and save the run to `out`, whole or not at all.

    Posts in `withhold` are never seen; without `reading` neither are the readings. The same seed
    and number of threads give the same weights. `progress` is told of steps every so many seconds.
    Raises CallError where `out` exists, and
    ArianeError where the store holds no action on a post.
    """
    say = progress or _quiet
    if out.exists():
        raise CallError(f"{out} exists already: give the run another name.")
    config = replace(RankerConfig.sized(size), name=out.name)
    recipe = recipe or Recipe()
    begun = time.monotonic()
    say("ranker: reading the store")
    examples = load_examples(store, until=until, reading=reading, withhold=withhold, seed=seed)
    model, loss = fit(examples, config, recipe, seed=seed, say=say, every=every)
    about = {
        "exposures": len(examples),
        "sampled": int(examples.sampled.sum()),
        "viewers": len(examples.viewers),
        "posts": len(examples.posts),
        "reading": reading,
        "withheld": sorted(withhold),
        "until": dict(until) if isinstance(until, Mapping) else until,
        "seed": seed,
        "threads": torch.get_num_threads(),
        "recipe": asdict(recipe),
        "loss": loss,
        "seconds": round(time.monotonic() - begun, 1),
    }
    save_whole(model, out, about)
    return out


def fit(
    examples: Examples,
    config: RankerConfig,
    recipe: Recipe,
    *,
    seed: int = 0,
    say: Callable[[str], None] | None = None,
    every: float = EVERY,
    device: str = "cpu",
) -> tuple[RankerModel, float]:
    """A model trained on all these examples, and the loss of its last pass."""
    width = examples.vectors.shape[1]
    config = replace(config, width=width, reader=next(iter(examples.readers), ""))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = RankerModel(config).to(device)
        draw = np.random.default_rng(seed)
        found = long_spans(examples, config.window, np.ones(len(examples), np.bool_))
        lots = len(lots_of(found, recipe.tokens))
        task = _Task(model, examples, recipe, len(examples) / lots)
        often = recipe.passes_fresh if fresh(examples) > FRESH else recipe.passes
        passes = min(max(often, -(-recipe.steps // lots)), recipe.exposures // len(examples))
        steps = max(1, passes) * lots
        loss, pace = 0.0, Pace("ranker", steps, say or _quiet, every)
        for left in range(steps // lots, 0, -1):
            losses, drawn = [], lots_of(found, recipe.tokens, draw)
            pace.expect(left * len(drawn))  # another shuffle fills another number of batches
            for lot in drawn:
                losses.append(task.step(pack(examples, lot, draw), steps))
                pace.step(losses[-1])
            loss = float(np.mean(losses))
        task.finish()
    return model.eval(), loss


def fresh(examples: Examples) -> float:
    """The share of each source's last fifth of exposures that show a post not shown before."""
    names, source = np.unique(np.array(examples.sources), return_inverse=True)
    new = late = 0
    for each in range(len(names)):
        rows = np.flatnonzero(source[examples.post] == each)
        rows = rows[np.argsort(examples.at[rows], kind="stable")]
        before, after = np.split(examples.post[rows], [int(0.8 * len(rows))])
        new, late = new + int((~np.isin(after, before)).sum()), late + len(after)
    return new / max(late, 1)


class _Task:
    """The model, its optimisers and the running mean of its weights."""

    def __init__(
        self, model: RankerModel, examples: Examples, recipe: Recipe, usual: float
    ) -> None:
        self.model, self.examples, self.recipe = model, examples, recipe
        counts = examples.labels.sum(0)
        rates = (counts + 0.5) / (len(examples) + 1)
        self.learned = np.flatnonzero(counts >= LEAST)
        self.log_odds = torch.from_numpy(np.log(rates / (1 - rates))).float()
        told = examples.seconds[np.isfinite(examples.seconds)]
        self.dwell = float(told.mean()) if len(told) >= LEAST else 0.0
        self.labels = torch.from_numpy(examples.labels[:, self.learned]).float().to(model.device)
        self.seconds = torch.from_numpy(examples.seconds).to(model.device)
        self.done, self.usual = 0, usual
        self._prepare()
        self.optimisers = _optimisers(model, recipe)
        self.mean = {name: value.clone() for name, value in model.state_dict().items()}
        model.train()

    def _prepare(self) -> None:
        """What is not learned says what is known without learning, never its random start."""
        model, examples = self.model, self.examples
        tokens = (examples.history.names, examples.candidates.names, examples.context.names)
        used = torch.from_numpy(np.unique(np.concatenate([names.ravel() for names in tokens])))
        with torch.no_grad():
            silent = torch.ones(model.names.rows, dtype=torch.bool)
            silent[model.names.rows_of(used)] = False
            model.names.table.weight[silent] = 0.0
            if not examples.vectors.any():
                model.vector.weight.zero_()
            model.action_head.bias.copy_(self.log_odds)
            model.action_head.weight.zero_()
            model.dwell_head.weight.zero_()
            model.dwell_head.bias.fill_(np.log(np.expm1(max(self.dwell, 1e-3))))

    def step(self, batch: Batch, steps: int) -> float:
        """One step on one batch; gives the loss of an exposure."""
        pace = _pace(self.done / steps, self.recipe.warm)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["rate"] * pace
        told = self.model(batch.history, batch.context, batch.candidates, batch.visible)
        rows = torch.from_numpy(batch.rows).to(self.model.device)
        count = int((batch.rows >= 0).sum())
        loss = self._loss(told, rows)
        self.model.zero_grad(set_to_none=True)
        torch.autograd.backward(loss / self.usual)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        for optimiser in self.optimisers:
            optimiser.step()
        self.done += 1
        self._average()
        return float(loss.detach()) / count

    def _loss(self, told: Predictions, rows: torch.Tensor) -> torch.Tensor:
        """The summed loss of a batch's exposures: likelihood, order and seconds of dwell."""
        here = (rows >= 0).float()
        labels = self.labels[rows] * here[..., None]
        logits = told.logits[..., self.learned]
        likelihood = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        loss = (likelihood * here[..., None]).sum()
        if self.recipe.pairs:
            loss = loss + self.recipe.pairs * _disorder(logits, labels, here)
        if self.dwell:
            seconds = self.seconds[rows]
            known = here.bool() & seconds.isfinite()
            loss = loss + _deviance(told.seconds[known], seconds[known]).sum() / self.dwell
        return loss

    def _average(self) -> None:
        """Move the running mean towards the weights, faster at the beginning."""
        share = 1.0 - min(self.recipe.mean, (1 + self.done) / (10 + self.done))
        state = self.model.state_dict()
        names = [name for name, value in state.items() if value.is_floating_point()]
        torch._foreach_lerp_(
            [self.mean[name] for name in names], [state[name] for name in names], share
        )

    def finish(self) -> None:
        """Leave the model with the running mean of its weights."""
        self.model.load_state_dict(self.mean)


def _disorder(logits: torch.Tensor, labels: torch.Tensor, here: torch.Tensor) -> torch.Tensor:
    """How wrongly each viewer's exposures (B, C, K) are ordered, times their number.

    The logistic loss over all pairs of which one was acted on and the other was not, within one
    viewer and kind: a smooth stand-in for 1 − AUC (RankNet, Burges et al. 2005).
    """
    total = logits.new_zeros(())
    for kind in range(logits.shape[-1]):
        score, liked = logits[..., kind], labels[..., kind]
        other = (1.0 - liked) * here
        pairs = liked[:, :, None] * other[:, None, :]
        wrong = F.softplus(score[:, None, :] - score[:, :, None]) * pairs
        total = total + (wrong.sum((1, 2)) / pairs.sum((1, 2)).clamp(min=1.0) * here.sum(1)).sum()
    return total


def _deviance(expected: torch.Tensor, seconds: torch.Tensor) -> torch.Tensor:
    """Half of Poisson's deviance but for a constant: least where `expected` is the mean."""
    return expected - seconds * torch.log(expected + 1e-6)


def _pace(done: float, warm: float) -> float:
    """What share of its rate every parameter moves by, `done` of the way."""
    return max(min(1.0, (done + 1e-3) / max(warm, 1e-3)) * (1.0 - done), 0.02)


def _optimisers(model: RankerModel, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the decoder's matrices, AdamW for the rest, without decay for tables and scales."""
    named = dict(model.named_parameters())
    tables = [
        value
        for name, value in named.items()
        if name in ("author.table.weight", "post.table.weight")
    ]
    matrices = [
        value for name, value in named.items() if name.startswith("body.layers") and value.ndim == 2
    ]
    taken = {id(value) for value in (*tables, *matrices)}
    rest = [value for value in named.values() if id(value) not in taken]
    groups: list[dict[str, Any]] = [
        {"params": tables, "lr": recipe.tables, "weight_decay": 0.0},
        {
            "params": [each for each in rest if each.ndim < 2],
            "lr": recipe.rate,
            "weight_decay": 0.0,
        },
        {
            "params": [each for each in rest if each.ndim >= 2],
            "lr": recipe.rate,
            "weight_decay": recipe.decay,
        },
    ]
    optimisers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True),
        Muon(matrices, lr=recipe.matrices, weight_decay=recipe.decay),
    ]
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["rate"] = group["lr"]
    return optimisers


def save_whole(model: RankerModel, out: Path, about: dict[str, Any]) -> None:
    """A run's directory, under its name only when all of it is on the disk."""
    part = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        model.save(part, about)
        _sync(part)
        part.rename(out)
    except OSError as error:
        raise ArianeError(
            f"The run {out} could not be written ({error.strerror}): free some space, "
            "or name another place."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    _sync(out.parent)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _quiet(_: str) -> None:
    pass
