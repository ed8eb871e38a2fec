"""One door to a language model: any server of OpenAI's API, or Transformers in this process."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from ariane.llm.ledger import Ledger, Spent
from ariane.llm.many import Question, answer_all
from ariane.llm.settings import LanguageModelSettings, check
from ariane.types import CallError, LanguageModel

__all__ = [
    "LanguageModelSettings",
    "Ledger",
    "Question",
    "Spent",
    "answer_all",
    "check",
    "open_llm",
]

PARTS: Mapping[str, str] = {
    "url": "ariane.llm.url:UrlDoor",
    "transformers": "ariane.llm.local:LocalDoor",
    "model": "ariane.llm.model:AskedModel",
}
"""The two doors and the model over them; they need the extra `llm`."""


def open_llm(settings: LanguageModelSettings, home: Path) -> LanguageModel | None:
    """The language model of a home, or None where the settings name none; nothing is asked yet.

    The settings are those that `check` gave back. Raises CallError where the extra is missing.
    """
    if not settings.kind:
        return None
    door = _part(settings.kind)(settings)
    model: LanguageModel = _part("model")(door, Ledger(home, settings), settings.retries)
    return model


def _part(name: str) -> Any:  # noqa: ANN401 - a part is whatever its table names
    module, _, attribute = PARTS[name].partition(":")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise CallError(
            f"[llm] needs {error.name}; install it with `pip install 'ariane[llm]'`."
        ) from None
