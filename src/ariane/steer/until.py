"""When a wish ends: days, weeks, dates and durations in words → UTC milliseconds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from ariane.steer.words import Word

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _table(*rows: str) -> dict[str, int]:
    return {word: n for n, row in enumerate(rows) for word in row.split()}


_DAYS: Final = _table(
    "monday mon lundi",
    "tuesday tue tues mardi",
    "wednesday wed mercredi",
    "thursday thu thurs jeudi",
    "friday fri vendredi",
    "saturday sat samedi",
    "sunday sun dimanche",
)
_MONTHS: Final = _table(
    "-",
    "january jan janvier",
    "february feb fevrier",
    "march mar mars",
    "april apr avril",
    "may mai",
    "june jun juin",
    "july jul juillet",
    "august aug aout",
    "september sep sept septembre",
    "october oct octobre",
    "november nov novembre",
    "december dec decembre",
)
_NUMBERS: Final = _table(
    "zero",
    "a an un une one the",
    "two deux couple",
    "three trois few quelques several plusieurs",
    "four quatre",
    "five cinq",
    "six",
    "seven sept",
    "eight huit",
    "nine neuf",
    "ten dix",
    "eleven onze",
    "twelve douze",
    "thirteen treize",
    "fourteen quatorze",
    "fifteen quinze",
)
_HOURS: Final[Mapping[str, float]] = {
    **dict.fromkeys(("minute",), 1 / 60),
    **dict.fromkeys(("hour", "heure"), 1),
    **dict.fromkeys(("day", "jour", "journee"), 24),
    **dict.fromkeys(("week", "semaine"), 7 * 24),
    **dict.fromkeys(("fortnight", "quinzaine"), 14 * 24),
    **dict.fromkeys(("month", "mois"), 30 * 24),
    **dict.fromkeys(("year", "an", "annee"), 365 * 24),
    **dict.fromkeys(("weekend", "week-end"), 48),
}
_UNTIL: Final = ("until", "till", "til", "jusqu", "jusque")
_FOR: Final = ("for", "during", "over", "pendant", "durant", "pour")
_ARTICLES = (
    "a au aux le la les l the of de du d on this cette ce cet ces next coming prochain prochaine"
    " prochains prochaines ici in"
)
_SMALL: Final = frozenset(_ARTICLES.split())
_NAMED: Final = {"christmas": (12, 25), "noel": (12, 25), "halloween": (10, 31)}
_THIS: Final = ("this", "cette", "ce", "cet")


class Unclear(ValueError):
    """Words open a time that cannot be told; its argument is how many words to quote."""


def ending(said: Sequence[Word], at: int) -> tuple[int, int] | None:
    """The end that these words open with and how many of them it takes, or None without one.

    A named day ends at its last millisecond, in UTC; a duration counts from `at`, a month being
    30 days.
    Raises Unclear where an "until" or its day cannot be told, or lies in the past.
    """
    flat = [word.folded for word in said[:10]]
    today = (_EPOCH + timedelta(milliseconds=at)).date()
    try:
        for read in (_duration, _until, _this):
            found = read(flat, at, today)
            if found:
                end, count = found
                if end <= at or _EPOCH + timedelta(milliseconds=end) <= _EPOCH:
                    raise Unclear(count)
                return end, count
    except (OverflowError, ValueError) as error:
        raise error if isinstance(error, Unclear) else Unclear(len(flat)) from error
    return None


def _end_of(day: date) -> int:
    after = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    return (after - _EPOCH) // timedelta(milliseconds=1) - 1


def _duration(flat: list[str], at: int, today: date) -> tuple[int, int] | None:
    """ "for 3 days", "pendant deux heures", "les 3 prochains jours"."""
    place = int(flat[0] in _FOR)
    many = [
        n for n, word in enumerate(flat[:6]) if word in ("next", "coming") or "prochain" in word
    ]
    if not place and not (many and flat[0] in ("the", "les", "next")):
        return None
    count = None
    for n in range(place, min(len(flat), 7)):
        unit = flat[n] if flat[n] in _HOURS else flat[n].removesuffix("s")
        if unit in _HOURS and n > place:
            if unit in ("weekend", "week-end"):
                return _end_of(_weekend(today)), n + 1
            hours = _HOURS[unit] * (1 if count is None else count)
            return at + int(hours * 3_600_000), n + 1
        if flat[n].isdecimal():
            count = int(flat[n])
        elif flat[n] in _NUMBERS and (count is None or flat[n] not in ("a", "the")):
            count = _NUMBERS[flat[n]]
        elif flat[n] not in _SMALL:
            return None
    return None


def _until(flat: list[str], at: int, today: date) -> tuple[int, int] | None:
    """ "until Sunday", "jusqu'au 24 décembre", "until 2026-12-24", "till the end of the month"."""
    if flat[0] not in _UNTIL:
        return None
    for n in range(1, min(len(flat), 8)):
        found = _day(flat, n, today)
        if found:
            return _end_of(found[0]), found[1]
        if flat[n] not in _SMALL and flat[n] not in ("end", "fin"):
            break
    raise Unclear(min(len(flat), 4))


def _this(flat: list[str], at: int, today: date) -> tuple[int, int] | None:
    """ "this week", "cette semaine", "today", "ce soir", "ce mois-ci"."""
    if flat[0] in ("today", "tonight", "aujourd'hui"):
        return _end_of(today), 1
    if flat[0] in _THIS and len(flat) > 1:
        unit = flat[1].removesuffix("-ci").removesuffix("-la")
        if unit in ("evening", "soir", "morning", "matin", "afternoon", "apres-midi"):
            return _end_of(today), 2
        last = _last_of(unit, today) or (_weekday(unit, today) if unit in _DAYS else None)
        return (_end_of(last), 2) if last else None
    return None


def _day(flat: list[str], n: int, today: date) -> tuple[date, int] | None:
    """The day that words from `n` on name, and the place after them."""
    word = flat[n].removesuffix("-ci")
    following = flat[n + 1] if n + 1 < len(flat) else ""
    if word in _DAYS:
        return _weekday(word, today), n + 1 + following.startswith("prochain")
    if word in ("tomorrow", "demain"):
        return today + timedelta(days=1), n + 1
    if word in ("today", "tonight", "aujourd'hui", "soir"):
        return today, n + 1
    if word in _NAMED:
        return _coming(*_NAMED[word], today), n + 1
    if match := re.fullmatch(r"(\d{4})-(\d\d?)-(\d\d?)", word):
        return date(int(match[1]), int(match[2]), int(match[3])), n + 1
    if last := _last_of(word, today):
        return last, n + 1
    return _dated(flat, n, today)


def _dated(flat: list[str], n: int, today: date) -> tuple[date, int] | None:
    """ "24 December", "December 24th", "the 24th", with a year or without."""
    day, month, place = None, None, n
    while place < len(flat) and (day is None or month is None):
        number = re.fullmatch(r"(\d\d?)(st|nd|rd|th|er)?", flat[place])
        if number and day is None:
            day = int(number[1])
        elif flat[place] in _MONTHS and month is None and (place == n or day is not None):
            month = _MONTHS[flat[place]]
        elif not (flat[place] == "of" and day is not None):
            break
        place += 1
    if day is None and month is None:
        return None
    if place < len(flat) and flat[place] in ("/", ":"):
        raise ValueError("24/12 is a day in France and none in America; 9:30 is a time.")
    if flat[place : place + 1] == [","] and re.fullmatch(r"\d{4}", "".join(flat[place + 1 :][:1])):
        place += 1
    if place < len(flat) and month and re.fullmatch(r"\d{4}", flat[place]):
        return date(int(flat[place]), month, day or 1), place + 1
    if month is None:
        return _coming_day(day or 1, today), place
    return _coming(month, day or 1, today), place


def _weekday(name: str, today: date) -> date:
    """The next such day after today."""
    return today + timedelta(days=(_DAYS[name] - today.weekday() - 1) % 7 + 1)


def _weekend(today: date) -> date:
    return today + timedelta(days=6 - today.weekday())


def _last_of(unit: str, today: date) -> date | None:
    """The last day of this week (Sunday), month or year."""
    if unit in ("week", "semaine", "weekend", "week-end"):
        return _weekend(today)
    if unit in ("month", "mois"):
        return (today.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return today.replace(month=12, day=31) if unit in ("year", "annee", "an") else None


def _coming(month: int, day: int, today: date) -> date:
    this = date(today.year, month, day)
    return this if this >= today else date(today.year + 1, month, day)


def _coming_day(day: int, today: date) -> date:
    if day >= today.day:
        return today.replace(day=day)
    return ((today.replace(day=28) + timedelta(days=4)).replace(day=1)).replace(day=day)
