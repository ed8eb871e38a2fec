"""What stands behind a language model: something that takes messages and says something back."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ariane.types import LanguageModelError, Message


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, or a piece of one, as it came; `cut` where the limit ended it.

    `tokens_in` and `tokens_out` are what was counted so far, None where nobody did.
    """

    text: str
    cut: bool = False
    tokens_in: int | None = None
    tokens_out: int | None = None


class FailedError(Exception):
    """An attempt without an answer: its error, what it cost, and when it may be made again.

    `tokens_in` and `tokens_out` are None where it may have cost its most. `wait` is in seconds: 0
    leaves the time to who asks, and None says that another attempt is no use.
    """

    def __init__(
        self,
        error: LanguageModelError,
        tokens_in: int | None = 0,
        tokens_out: int | None = 0,
        wait: float | None = None,
    ) -> None:
        super().__init__(str(error))
        self.error, self.wait = error, wait
        self.tokens_in, self.tokens_out = tokens_in, tokens_out


class Door(Protocol):
    """One way to a model, one attempt a call; both ways raise FailedError."""

    name: str

    def say(
        self, messages: Sequence[Message], schema: Mapping[str, Any] | None, limit: int
    ) -> Said:
        """One answer of at most `limit` tokens, held to the schema as far as that can be done."""

    def flow(self, messages: Sequence[Message], limit: int) -> Generator[Said]:
        """The same in pieces; the last one says whether it was cut and what it cost."""

    def doubt(self) -> None:
        """Hear that an answer held to a schema had no JSON in it."""
