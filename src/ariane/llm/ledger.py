"""What the day's questions cost: one small file in the home, shared by every process.

A question is booked at the most that it can cost before it is asked, and corrected afterwards to
what it did cost. Whatever ends in between stays booked in full, so that a budget is never passed.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from ariane.llm.settings import LanguageModelSettings
from ariane.types import BudgetError

log = logging.getLogger(__name__)

FILE = "llm-ledger.json"


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens and money of one day ("2026-05-01", UTC), questions under way at their bound."""

    day: str
    tokens_in: int = 0
    tokens_out: int = 0
    money: float = 0.0


_SPENT = TypeAdapter(Spent)


class Ledger:
    """The books of one home; its settings say what a token costs and where a day ends."""

    def __init__(
        self,
        home: Path,
        settings: LanguageModelSettings,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._path, self._settings, self._now = home / FILE, settings, now

    def spent(self) -> Spent:
        """What the day has cost so far; BudgetError where the ledger cannot be read."""
        return self._read(self._day())

    def reserve(self, tokens_in: int, tokens_out: int) -> Spent:
        """Book the most that a question can cost; what was booked.

        Raises BudgetError where the rest of the day does not reach for it, or where the ledger
        cannot be kept.
        """
        asked = self._priced(self._day(), tokens_in, tokens_out)
        try:
            with self._alone():
                after = _sum(self._read(asked.day), asked)
                self._within(after)
                self._write(after)
        except OSError as error:
            raise BudgetError(
                f"{self._path} cannot be written ({error.strerror}), so that nothing is asked; "
                "check its rights and the room on its disk."
            ) from None
        return asked

    def settle(self, booked: Spent, tokens_in: int | None, tokens_out: int | None) -> None:
        """Correct a booking to what the question did cost; None leaves its bound."""
        actual = self._priced(
            booked.day,
            booked.tokens_in if tokens_in is None else tokens_in,
            booked.tokens_out if tokens_out is None else tokens_out,
        )
        back = Spent(booked.day, -booked.tokens_in, -booked.tokens_out, -booked.money)
        try:
            with self._alone():
                held = self._read(self._day())
                if held.day == booked.day:
                    self._write(_sum(_sum(held, back), actual))
        except (OSError, BudgetError) as error:
            log.warning("a question stays booked at its bound in %s: %s", self._path, error)

    def _within(self, after: Spent) -> None:
        most = self._settings.tokens_a_day
        if most and after.tokens_in + after.tokens_out > most:
            raise BudgetError(
                f"the {most:,} tokens of {after.day} do not reach for another question; "
                "wait for the next day (UTC), or raise [llm] tokens_a_day."
            )
        if self._settings.money_a_day and after.money > self._settings.money_a_day:
            raise BudgetError(
                f"the {self._settings.money_a_day:g} of {after.day} do not reach for another "
                "question; wait for the next day (UTC), or raise [llm] money_a_day."
            )

    def _priced(self, day: str, tokens_in: int, tokens_out: int) -> Spent:
        prices = self._settings
        money = (tokens_in * prices.price_in + tokens_out * prices.price_out) / 1e6
        return Spent(day, tokens_in, tokens_out, money)

    def _day(self) -> str:
        return time.strftime("%Y-%m-%d", time.gmtime(self._now()))

    def _read(self, day: str) -> Spent:
        try:
            held = _SPENT.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return Spent(day)
        except (ValueError, OSError):
            raise BudgetError(
                f"{self._path} cannot be read, so that nothing is asked; delete it to begin the "
                "day's books anew."
            ) from None
        return held if held.day == day else Spent(day)

    def _write(self, spent: Spent) -> None:
        handle, draft = tempfile.mkstemp(prefix=f"{FILE}.", dir=self._path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(asdict(spent), file)
            Path(draft).replace(self._path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_name(f"{FILE}.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _sum(one: Spent, other: Spent) -> Spent:
    return replace(
        one,
        tokens_in=max(0, one.tokens_in + other.tokens_in),  # the books may have begun anew
        tokens_out=max(0, one.tokens_out + other.tokens_out),
        money=max(0.0, one.money + other.money),
    )
