"""Entries of feeds as events: the feed is the account, each entry a post of a stable id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePath

from ariane.ingest.compressed import UNREADABLE
from ariane.ingest.fields import URL_CHARACTERS, clean, is_web
from ariane.ingest.source import BrokenSourceError, Position, Records, Reject, Source
from ariane.ingest.wire import event, line
from ariane.types import Account, CallError, Event, Media, Post


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of any kind of feed; times in milliseconds since the epoch.

    `key` is what its publisher recognises it by: its guid, else its link, else its title.
    """

    key: str
    title: str = ""
    text: str = ""
    link: str = ""
    published: int | None = None
    updated: int | None = None
    lang: str | None = None
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class Channel:
    """A whole feed: its title and its entries. `home` is its own address, where it states one."""

    title: str
    home: str
    entries: tuple[Entry, ...]


def body_of(source: Source) -> bytes:
    """All bytes of a feed; BrokenSourceError where it is larger than a fetch may be."""
    most = source.settings.fetch_bytes
    with source.open() as stream:
        try:
            body = stream.read(most + 1)
        except UNREADABLE as error:
            raise BrokenSourceError(f"{source.place} cannot be read ({error}).") from None
    if len(body) > most:
        raise BrokenSourceError(f"{source.place} is larger than {most:,} bytes; it is no feed.")
    if not body.strip():
        raise BrokenSourceError(f"{source.place} is empty; a feed begins with its element.")
    return body


def records(source: Source, body: bytes, channel: Channel) -> Records:
    """The feed's account and its entries as posts.

    A post's `rev` is the time of its last update. Where the feed gives no times, a post held
    already keeps its time, and gets the next `rev` when its text has changed.
    """
    feed = _Feed(source, body, channel)
    return Records(feed.events(), feed.position, lambda: None)


class _Feed:
    """The events of one feed, which is taken in whole: its position moves when all were given."""

    def __init__(self, source: Source, body: bytes, channel: Channel) -> None:
        self._source, self._channel, self._at = source, channel, source.start
        digest = hashlib.blake2b(body, digest_size=16).hexdigest()
        self._end = Position(len(body), len(channel.entries), digest)

    def events(self) -> Iterator[Event | Reject]:
        if self._end.digest != self._at.digest:
            yield from _events(self._source, self._channel)
        self._at = self._end

    def position(self) -> Position:
        return self._at


def _events(source: Source, channel: Channel) -> Iterator[Event | Reject]:
    # A path is no reader's to know.
    local = channel.home or PurePath(source.place).name
    address = source.place if is_web(source.place) else local
    author = f"feed/{_digest(address)}"
    title = clean(channel.title).replace("\n", " ").strip()[: source.settings.id_characters]
    yield Account(author, title or None)
    origin = f"feed:{address}"[: source.settings.id_characters]
    ids = [f"{author}/{_digest(entry.key)}" for entry in channel.entries]
    held = source.known(ids)
    seen: set[str] = set()
    for number, (post, entry) in enumerate(zip(ids, channel.entries, strict=True), 1):
        if post in seen:
            continue  # feeds are newest first: the first of two entries of one guid is the newer
        seen.add(post)
        made = _post(post, entry, held.get(post), origin, source.now())
        try:
            yield event(line(made), settings=source.settings, at=source.now())
        except CallError as error:
            yield Reject(number, str(error), entry.key)


def _post(post: str, entry: Entry, held: Post | None, origin: str, now: int) -> Post:
    stated = entry.published if entry.published is not None else entry.updated
    if stated is None:
        stated = held.at if held else now
    updated = entry.updated if entry.updated is not None and entry.updated <= now else None
    made = Post(
        id=post,
        author=post.rpartition("/")[0],
        text=_text(entry),
        at=stated,
        rev=max(1, updated or entry.published or 1),
        lang=entry.lang,
        url=entry.link if is_web(entry.link) and len(entry.link) <= URL_CHARACTERS else None,
        media=entry.media,
        source=origin,
    )
    if held is None or updated is not None:
        return made
    # The feed does not say when an entry was edited, so only its content can.
    same = replace(made, rev=held.rev) == held
    return held if same else replace(made, rev=held.rev + 1)


def _text(entry: Entry) -> str:
    title, body = clean(entry.title).strip(), clean(entry.text).strip()
    if not title or body.startswith(title):
        return body
    return f"{title}\n\n{body}" if body and body != title else title


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


def media_of(found: Iterable[tuple[str, str]], limit: int) -> tuple[Media, ...]:
    """Media from (address, MIME type) pairs: what is an image, a sound or a film on the web."""
    kept: dict[str, Media] = {}
    for address, mime in found:
        kind = mime.partition("/")[0]
        if is_web(address) and len(address) <= URL_CHARACTERS and address not in kept:
            full = mime if "/" in mime else None
            if kind == "image":
                kept[address] = Media(address, "image", mime=full)
            elif kind == "video":
                kept[address] = Media(address, "video", mime=full)
            elif kind == "audio":
                kept[address] = Media(address, "audio", mime=full)
    return tuple(kept.values())[:limit]


def language_of(tag: object) -> str | None:
    """The ISO 639-1 code of a language tag, None where it has none."""
    primary = str(tag or "").replace("_", "-").partition("-")[0].lower()
    return primary if len(primary) == 2 and primary.isascii() and primary.isalpha() else None
