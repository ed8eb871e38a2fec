"""One check a field: a value of the wire as the noun holds it, or a CallError that names it."""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from unicodedata import combining, normalize
from urllib.parse import urlsplit

from ariane.ingest.settings import IngestSettings
from ariane.types import CallError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST = 2**63 - 1
URL_CHARACTERS = 2_048
DWELL_SECONDS = 86_400.0

# RFC 3339 (with a space for T, and a zone without colon, as many exports write it).
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?(Z|[+-]\d\d:?\d\d)",
    re.ASCII | re.IGNORECASE,
)
# Unicode's controls but tab and line ends; surrogates, which no UTF-8 can hold.
_UNWRITTEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_NOT_IN_IDS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LANGUAGE = re.compile(r"([a-z]{2,3})([-_][a-z0-9]{1,8})*", re.ASCII | re.IGNORECASE)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)

MARKS = 30
"""The most marks that may follow one letter (UAX #15, Stream-Safe Text Format).

Ordering them, which every comparison of texts does, takes time by the square of their number.
"""

LAST_MARK = 0x1E94A
"""The last combining character of Unicode."""

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 60


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of the settings, and the latest time (ms) that is not the future."""

    settings: IngestSettings
    latest: int


def bounds(settings: IngestSettings, now: int) -> Bounds:
    """The limits that hold at `now` (ms)."""
    return Bounds(settings, now + round(settings.future_hours * 3_600_000))


def shown(value: object) -> str:
    """A value as an error shows it: its beginning only."""
    try:
        return _short.repr(value)
    except ValueError:  # an integer of more digits than Python prints
        return "a number too long to print"


def clean(text: str) -> str:
    """Text from a source that its sender does not control, without what `text` would refuse."""
    return _heaped().sub(r"\1", _UNWRITTEN.sub("", text.replace("\r\n", "\n")))


def text(key: str, value: object, limits: Bounds) -> str:
    """Free text; may be empty."""
    return _string(key, value, limits.settings.text_characters)


def name(key: str, value: object, limits: Bounds) -> str:
    """A short text, not empty, on one line."""
    return ident(key, value, limits)


def ident(key: str, value: object, limits: Bounds) -> str:
    """An id: opaque, not empty, without control characters."""
    if type(value) is not str:
        raise CallError(f"{key} is {shown(value)}; give a string.")
    if not value:
        raise CallError(f"{key} is empty; give at least one character.")
    if len(value) > limits.settings.id_characters:
        most = limits.settings.id_characters
        raise CallError(f"{key} {shown(value)} has {len(value):,} characters; at most {most:,}.")
    if found := _NOT_IN_IDS.search(value):
        sign = f"U+{ord(found.group()):04X}"
        raise CallError(f"{key} {shown(value)} holds the control character {sign}; take it out.")
    return value


def time(key: str, value: object, limits: Bounds) -> int:
    """A time that has come: ISO 8601 with its zone, as milliseconds since the epoch."""
    at = any_time(key, value, limits)
    if at > limits.latest:
        hours = limits.settings.future_hours
        raise CallError(
            f"{key} {shown(value)} lies more than {hours:g} hours in the future; correct the clock."
        )
    return at


def any_time(key: str, value: object, limits: Bounds) -> int:
    """A time, past or to come."""
    if type(value) is not str or not _TIME.fullmatch(value):
        example = "2026-05-01T12:00:00Z"
        raise CallError(f"{key} {shown(value)} is no ISO 8601 time with a zone, as {example} is.")
    try:
        moment = datetime.fromisoformat(value.upper().replace(",", ".")).astimezone(UTC)
    except (ValueError, OverflowError):  # the first hours of the year 1 may lie before it in UTC
        raise CallError(f"{key} {shown(value)} is no date that exists; correct it.") from None
    return (moment - EPOCH) // timedelta(milliseconds=1)


def iso(at: int) -> str:
    """Milliseconds since the epoch as the wire writes them."""
    moment = EPOCH + timedelta(milliseconds=at)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def whole(key: str, value: object, limits: Bounds) -> int:
    """A whole number, zero or more."""
    if type(value) is not int or not 0 <= value <= LARGEST:
        raise CallError(f"{key} is {shown(value)}; give a whole number from 0 to 2^63 - 1.")
    return value


def pixels(key: str, value: object, limits: Bounds) -> int:
    """A width or a height."""
    if type(value) is not int or not 0 < value <= 1_000_000:
        raise CallError(f"{key} is {shown(value)}; give a number of pixels from 1 to 1,000,000.")
    return value


def birth_year(key: str, value: object, limits: Bounds) -> int:
    """A year in which a person alive could be born."""
    year = (EPOCH + timedelta(milliseconds=limits.latest)).year
    if type(value) is not int or not 1900 <= value <= year:
        raise CallError(f"{key} is {shown(value)}; give a year from 1900 to {year}.")
    return value


def seconds(key: str, value: object, limits: Bounds) -> float:
    """A dwell, of at most a day."""
    return _number(key, value, DWELL_SECONDS)


def share(key: str, value: object, limits: Bounds) -> float:
    """A number from 0 to 1."""
    return _number(key, value, 1.0)


def flag(key: str, value: object, limits: Bounds) -> bool:
    """True or false."""
    if type(value) is not bool:
        raise CallError(f"{key} is {shown(value)}; give true or false.")
    return value


def language(key: str, value: object, limits: Bounds) -> str | None:
    """A BCP 47 tag as its ISO 639-1 code; None for a language that has no such code."""
    found = _LANGUAGE.fullmatch(value) if type(value) is str else None
    if found is None:
        raise CallError(f'{key} {shown(value)} is no language tag; give one such as "fr".')
    primary = found.group(1).lower()
    return primary if len(primary) == 2 else None


def country(key: str, value: object, limits: Bounds) -> str:
    """An ISO 3166 alpha-2 code."""
    if type(value) is not str or not _COUNTRY.fullmatch(value):
        raise CallError(f'{key} {shown(value)} is no country code; give one such as "FR".')
    return value


def url(key: str, value: object, limits: Bounds) -> str:
    """An absolute http or https address; it is shown as a link, so no other scheme is taken."""
    address = _string(key, value, URL_CHARACTERS)
    if not is_web(address) or _NOT_IN_IDS.search(address):
        raise CallError(f"{key} {shown(value)} is no http or https address; correct or omit it.")
    return address


def is_web(address: str) -> bool:
    """Whether this is an absolute http or https address."""
    try:
        parts = urlsplit(address)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def one_of(key: str, value: object, choices: Collection[str]) -> str:
    """One of these words."""
    if type(value) is not str or value not in choices:
        raise CallError(f"{key} {shown(value)} is unknown; it is one of {', '.join(choices)}.")
    return value


def _string(key: str, value: object, most: int) -> str:
    if type(value) is not str:
        raise CallError(f"{key} is {shown(value)}; give a string.")
    if len(value) > most:
        raise CallError(f"{key} has {len(value):,} characters; at most {most:,} are taken in.")
    if found := _UNWRITTEN.search(value):
        sign = f"U+{ord(found.group()):04X}"
        raise CallError(f"{key} holds {sign}, a control character or no valid UTF-8; take it out.")
    if found := _heaped().search(value):
        raise CallError(
            f"{key} heaps more than {MARKS} marks on one letter (character {found.start() + 1:,}); "
            "take some off."
        )
    return value


@cache
def _heaped() -> re.Pattern[str]:
    """So many marks, and those that are more."""
    signs = map(chr, range(LAST_MARK + 1))
    marks = "".join(sign for sign in signs if combining(normalize("NFKD", sign)[0]))
    return re.compile(f"([{marks}]{{{MARKS}}})[{marks}]+")


def _number(key: str, value: object, most: float) -> float:
    if type(value) not in {int, float} or not isinstance(value, int | float):
        raise CallError(f"{key} is {shown(value)}; give a number.")
    if not (0 <= value <= most and math.isfinite(value)):
        raise CallError(f"{key} is {shown(value)}; give a number from 0 to {most:g}.")
    return float(value)
