"""What stands behind a language model: something that takes messages and says something back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ariane.types import Message


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, or a piece of one, as it came; `cut` where the limit ended it.

    `tokens_in` and `tokens_out` are None where nobody counted them.
    """

    text: str
    cut: bool = False
    tokens_in: int | None = None
    tokens_out: int | None = None


class Door(Protocol):
    """One way to a model; both ways raise the LanguageModelErrors of its own failures."""

    name: str

    def say(
        self, messages: Sequence[Message], schema: Mapping[str, Any] | None, limit: int
    ) -> Said:
        """One answer of at most `limit` tokens, held to the schema as far as that can be done."""

    def flow(self, messages: Sequence[Message], limit: int) -> Iterator[Said]:
        """The same in pieces; the last one says whether it was cut and what it cost."""

    def doubt(self) -> None:
        """Hear that an answer held to a schema had no JSON in it."""
