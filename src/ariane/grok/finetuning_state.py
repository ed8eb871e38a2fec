"""A fine-tuning under way: kept in one file, it goes on later to the same end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel

from ariane.grok.lora_grok2 import ADAPTER

FILE = "training.pt"
"""What the adapter's directory holds until the training is done."""


@dataclass(slots=True)
class Training:
    """What a step changes, and `about`: what must be the same for a later call to go on."""

    adapted: PeftModel
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    about: Mapping[str, Any]
    losses: list[float] = field(default_factory=list)

    def trained(self) -> dict[str, torch.nn.Parameter]:
        """The adapter's weights."""
        named = self.adapted.named_parameters()
        return {name: weight for name, weight in named if weight.requires_grad}

    def save(self, directory: Path) -> None:
        """Keep everything; what was kept before stays until all is written."""
        part = directory / f"{FILE}.part"
        torch.save(
            {
                "about": dict(self.about),
                "adapter": {name: weight.detach() for name, weight in self.trained().items()},
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
                "losses": self.losses,
            },
            part,
        )
        part.replace(directory / FILE)

    def restore(self, directory: Path) -> None:
        """Go back to what was kept; raises ValueError where that is of another training."""
        held = _read(directory / FILE)
        for name, value in self.about.items():
            if held["about"].get(name) != value:
                raise ValueError(
                    f"{directory / FILE} was made with {name} {held['about'].get(name)}, not "
                    f"{value}: go on with the same, or train anew into another directory."
                )
        trained, adapter = self.trained(), held["adapter"]
        if _shapes(trained) != _shapes(adapter):
            raise ValueError(
                f"{directory / FILE} was trained over another model: go on over the same, or "
                "train anew into another directory."
            )
        with torch.no_grad():
            for name, weight in trained.items():
                weight.copy_(adapter[name])
        self.optimizer.load_state_dict(held["optimizer"])
        self.schedule.load_state_dict(held["schedule"])
        self.losses[:] = held["losses"]


def _read(path: Path) -> dict[str, Any]:
    try:
        held: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: remove it and train anew.") from error
    return held


def _shapes(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in tensors.items()}


def check_kept(directory: Path, resume: bool) -> None:
    """Raise ValueError where there is nothing to go on with, or something would be lost."""
    kept = (directory / FILE).exists()
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"{directory} is no directory: choose another.")
    if (directory / "config.json").exists():
        raise ValueError(
            f"{directory} holds a model, which would no longer load beside an adapter: choose "
            "another directory."
        )
    if not kept and any((directory / name).exists() for name in ADAPTER):
        raise ValueError(
            f"{directory} holds an adapter that is done: choose another directory, or remove it."
        )
    if resume and not kept:
        raise ValueError(f"{directory} holds no training that was cut off: leave out --resume.")
    if kept and not resume:
        raise ValueError(
            f"{directory / FILE} is of a training that was cut off: go on with --resume, or "
            "remove it."
        )


def forget(directory: Path) -> None:
    """Remove what was kept, since the training is done."""
    (directory / FILE).unlink(missing_ok=True)
