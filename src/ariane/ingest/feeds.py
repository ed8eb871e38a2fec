"""RSS and Atom, parsed by feedparser from bytes that were fetched within bounds."""

from __future__ import annotations

import calendar
import io
from collections.abc import Iterator, Mapping
from typing import Any

import feedparser

from ariane.ingest.entries import Channel, Entry, body_of, language_of, media_of, records
from ariane.ingest.plain import plain
from ariane.ingest.source import BrokenSourceError, Records, Source


def read(source: Source) -> Records:
    """The account and the posts of one RSS or Atom feed."""
    body = body_of(source)
    # A stream, never a string: feedparser would fetch a string that looks like an address.
    # The markup of entries is left to `plain`: feedparser's own readers of it are not linear.
    try:
        found = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    except Exception as error:  # whatever its parsers of broken XML make of hostile bytes
        raise BrokenSourceError(f"{source.place} cannot be parsed ({error}).") from None
    if not found.get("version"):
        raise BrokenSourceError(f"{source.place} is neither RSS nor Atom; give a feed's address.")
    head = found.feed
    lang = language_of(head.get("language"))
    most = source.settings.media_items
    entries = tuple(_entry(entry, lang, most) for entry in found.entries)
    home = str(head.get("id") or head.get("link") or "")
    return records(source, body, Channel(_value(head, "title"), home, entries))


def _entry(entry: Mapping[str, Any], lang: str | None, most: int) -> Entry:
    title = _value(entry, "title")
    contents = [content for content in entry.get("content", ()) if content.get("value")]
    text = _plain(contents[0]) if contents else _value(entry, "summary")
    spoken = language_of(contents[0].get("language")) if contents else None
    link = str(entry.get("link") or "")
    return Entry(
        key=str(entry.get("id") or link or title or text),
        title=title.replace("\n", " "),
        text=text,
        link=link,
        published=_time(entry, "published_parsed"),
        updated=_time(entry, "updated_parsed"),
        lang=spoken or lang,
        media=media_of(_enclosures(entry), most),
    )


def _value(found: Mapping[str, Any], key: str) -> str:
    detail = found.get(f"{key}_detail")
    return _plain(detail) if detail else ""


def _plain(detail: Mapping[str, Any]) -> str:
    value = str(detail.get("value") or "")
    return value.strip() if detail.get("type") == "text/plain" else plain(value)


def _time(entry: Mapping[str, Any], key: str) -> int | None:
    # `in` first: feedparser answers a missing update with the time of publication.
    moment = entry[key] if key in entry else None  # noqa: SIM401
    try:
        return calendar.timegm(moment) * 1000 if moment else None
    except (ValueError, OverflowError):
        return None  # a date of the year 0, say: as if it were not given


def _enclosures(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for item in entry.get("enclosures", ()):
        yield str(item.get("href") or ""), str(item.get("type") or "")
    for item in entry.get("media_content", ()):
        yield str(item.get("url") or ""), str(item.get("type") or item.get("medium") or "")
    for item in entry.get("media_thumbnail", ()):
        yield str(item.get("url") or ""), "image"
