"""JSON Feed, versions 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ariane.ingest.entries import Channel, Entry, body_of, language_of, media_of, records
from ariane.ingest.fields import any_time, bounds
from ariane.ingest.plain import plain
from ariane.ingest.source import BrokenSourceError, Records, Source
from ariane.types import CallError

VERSION = "https://jsonfeed.org/version/"


def read(source: Source) -> Records:
    """The account and the posts of one JSON Feed."""
    body = body_of(source)
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BrokenSourceError(f"{source.place} is no JSON ({error}); fetch it again.") from None
    version = found.get("version") if isinstance(found, dict) else None
    if not str(version).startswith(VERSION) or not isinstance(found.get("items"), list):
        raise BrokenSourceError(f"{source.place} is no JSON Feed; events are given as JSONL.")
    items = [item for item in found["items"] if isinstance(item, dict)]
    entries = tuple(_entry(item, found, source) for item in items)
    home = _said(found, "feed_url") or _said(found, "home_page_url")
    return records(source, body, Channel(_said(found, "title"), home, entries))


def _entry(item: Mapping[str, Any], feed: Mapping[str, Any], source: Source) -> Entry:
    markup = _said(item, "content_html")
    text = plain(markup) if markup else _said(item, "content_text") or _said(item, "summary")
    link = _said(item, "url") or _said(item, "external_url")
    title = _said(item, "title").replace("\n", " ")
    return Entry(
        key=_said(item, "id") or link or title or text,
        title=title,
        text=text,
        link=link,
        published=_time(item, "date_published", source),
        updated=_time(item, "date_modified", source),
        lang=language_of(_said(item, "language") or _said(feed, "language")),
        media=media_of(_media(item), source.settings.media_items),
    )


def _said(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    return str(value) if isinstance(value, str | int) else ""


def _time(item: Mapping[str, Any], key: str, source: Source) -> int | None:
    try:
        return any_time(key, item.get(key), bounds(source.settings, source.now()))
    except CallError:
        return None  # as if it were not given


def _media(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield _said(item, "image"), "image"
    attachments = item.get("attachments")
    for one in attachments if isinstance(attachments, list) else ():
        if isinstance(one, dict):
            yield _said(one, "url"), _said(one, "mime_type")
