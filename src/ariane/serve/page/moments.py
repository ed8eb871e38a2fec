"""Moments: a post's time as readers say it, "3 h" or "2 May"."""

from __future__ import annotations

from ariane.serve.page.words import say
from ariane.serve.values import moment

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
WEEK = 7 * DAY


def since(language: str, at: int, *, now: int) -> str:
    """How long ago, or for what is older than a week, on which day."""
    ago = max(0, now - at)
    if ago < MINUTE:
        return say(language, "time.now")
    for key, unit, until in (
        ("time.minutes", MINUTE, HOUR),
        ("time.hours", HOUR, DAY),
        ("time.days", DAY, WEEK),
    ):
        if ago < until:
            return say(language, key, count=ago // unit)
    return day(language, at, now=now)


def day(language: str, at: int, *, now: int | None = None) -> str:
    """The day; with its year where that is not this one."""
    date = moment(at)
    this_year = now is None or date.year == moment(now).year
    month = _month(language, date.month)
    key = "time.day" if this_year else "time.date"
    return say(language, key, day=date.day, month=month, year=date.year)


def full(language: str, at: int) -> str:
    """The day and the minute."""
    date = moment(at)
    clock = f"{date:%H:%M}"
    month = _month(language, date.month)
    return say(language, "time.full", day=date.day, month=month, year=date.year, clock=clock)


def iso(at: int) -> str:
    """For machines."""
    return moment(at).isoformat()


def _month(language: str, month: int) -> str:
    return say(language, "time.months").split()[month - 1]
