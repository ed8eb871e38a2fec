"""The default store: one SQLite file that threads and processes share, safe against crashes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ariane.store import actions, intake, people, posts, removal, served
from ariane.store.codec import from_json, to_json
from ariane.store.connection import Connections
from ariane.store.keys import names
from ariane.store.people import ViewerSettings
from ariane.types import (
    Account,
    Action,
    ActionKind,
    Ask,
    CallError,
    Candidate,
    Counts,
    Cursor,
    Event,
    Feed,
    FeedSpec,
    Label,
    Post,
    Reading,
    VectorRow,
    Viewer,
    Wish,
    Written,
)

DAY = 86_400_000
LONGEST_DAYS = 36_525


@dataclass(frozen=True)
class StoreSettings(ViewerSettings):
    """How a store answers."""

    busy_seconds: float = 30.0
    """How long to wait for another process that writes to the store's file."""

    keep_actions_days: float = 0
    """How long actions are kept; 0 for ever. Follows, mutes and blocks stay until undone."""

    keep_receipts_days: float = 180
    """How long receipts of served feeds are kept, from which reasons are told; 0 for ever."""

    keep_anonymous_days: float = 2
    """How long receipts of readers without a viewer are kept; 0 as long as the others."""

    def __post_init__(self) -> None:
        for name in ("keep_actions_days", "keep_receipts_days", "keep_anonymous_days"):
            if not 0 <= getattr(self, name) <= LONGEST_DAYS:
                raise CallError(
                    f"[store] {name} is {getattr(self, name)}; give days, or 0 for ever."
                )


class SqliteStore:
    """A `Store` in one SQLite file (write-ahead log, every commit synced to the disk).

    What SQLite raises comes out as an ArianeError that names the file and the remedy.
    """

    def __init__(self, path: Path | str, settings: StoreSettings | None = None) -> None:
        self._settings = settings or StoreSettings()
        self._connections = Connections(Path(path), self._settings.busy_seconds)

    def write(self, events: Sequence[Event], cursor: Cursor | None = None) -> Written:
        """Take events in, idempotently and in any order, with the source's cursor."""
        with self._connections.writing() as connection:
            return intake.write(connection, events, cursor)

    def cursor(self, source: str) -> str | None:
        """How far the source was taken in."""
        return self._value("SELECT value FROM cursors WHERE source = ?", source)

    def posts(self, ids: Sequence[str]) -> dict[str, Post]:
        """The live posts among these ids."""
        with self._connections.reading() as connection:
            return posts.posts(connection, ids)

    def account(self, account: str) -> Account | None:
        """One account."""
        with self._connections.reading() as connection:
            return intake.account(connection, account)

    def unread(self, reader: str, limit: int) -> list[Post]:
        """Live posts whose current revision this reader has not read, newest first."""
        with self._connections.reading() as connection:
            return posts.unread(connection, reader, limit)

    def write_readings(self, readings: Sequence[Reading], labels: Sequence[Label]) -> None:
        """Keep readings with the labels that were drawn from them, but of no older revisions.

        Of a source "NAME@VERSION" they replace what other versions said of the same subjects.
        """
        with self._connections.writing() as connection:
            current = posts.current(connection, readings)
            posts.write_readings(connection, current)
            late = {reading.post for reading in readings} - {reading.post for reading in current}
            drawn = [one for one in labels if one.subject not in late]
            intake.supersede_labels(connection, drawn)
            intake.write_labels(connection, drawn)

    def readings(self, ids: Sequence[str], by: str | None = None) -> dict[str, Reading]:
        """The reading in force, or that by this reader, of each post's current revision."""
        with self._connections.reading() as connection:
            found = (
                posts.read_posts(connection, ids)
                if by is None
                else posts.posts_as_read(connection, [(name, by) for name in ids])
            )
        return {post.id: reading for post, reading in found.values() if reading is not None}

    def candidates(self, ids: Sequence[str], at: int) -> dict[str, Candidate]:
        """Posts that are live and were published by `at`, with reading and labels in force."""
        with self._connections.reading() as connection:
            return posts.candidates(connection, ids, at)

    def recent(
        self,
        at: int,
        limit: int,
        *,
        since: int | None = None,
        authors: Sequence[str] | None = None,
        languages: Sequence[str] = (),
    ) -> list[str]:
        """Ids of live posts published in (since, at], newest first, ties by id.

        A post's language is the one that was read in it, else the one that it states.
        """
        start = actions.BEGINNING if since is None else since
        with self._connections.reading() as connection:
            return posts.recent(
                connection, at, limit, since=start, authors=authors, languages=languages
            )

    def published(self, author: str, at: int, limit: int, after: str = "") -> list[tuple[int, str]]:
        """Times and ids of an author's live posts up to `at`, newest first, ties by id."""
        with self._connections.reading() as connection:
            return posts.published(connection, author, at, limit, after)

    def replies(self, ids: Sequence[str], at: int) -> dict[str, list[str]]:
        """Ids of the live replies to these posts published by `at`, oldest first."""
        with self._connections.reading() as connection:
            return posts.replies(connection, ids, at)

    def vectors(self, after: int, limit: int) -> list[VectorRow]:
        """Readings in force of live posts that were written after this sequence number."""
        with self._connections.reading() as connection:
            return posts.vectors(connection, after, limit)

    def viewer(self, ask: Ask) -> Viewer:
        """The one who asks, as of `ask.at`; not profiled, only mutes, blocks and minor are read."""
        with self._connections.reading() as connection:
            return people.viewer(connection, ask, self._settings)

    def wishes(self, viewer: str, at: int) -> tuple[Wish, ...]:
        """A viewer's wishes in force."""
        with self._connections.reading() as connection:
            return people.wishes(connection, viewer, at)

    def write_wish(self, viewer: str, wish: Wish) -> None:
        """Keep a wish; the same id again replaces it."""
        with self._connections.writing() as connection:
            people.write_wish(connection, viewer, wish)

    def delete_wish(self, viewer: str, wish: str) -> bool:
        """Forget a wish; False where there was none."""
        with self._connections.writing() as connection:
            return people.delete_wish(connection, viewer, wish)

    def record_served(self, feed: Feed) -> None:
        """Keep the receipt of a feed, and every policy's verdict in it."""
        compressed = served.compress(feed)
        with self._connections.writing() as connection:
            served.record(connection, feed, compressed)

    def receipt(self, request: str) -> Feed:
        """A feed as it was served; ranked candidates off the page have their score alone.

        Raises NotFoundError, or WithdrawnError where evidence was erased, edited or deleted.
        """
        with self._connections.reading() as connection:
            return served.receipt(connection, request)

    def served_to(self, request: str) -> str | None:
        """Whom a request was served to, None for nobody; raises as `receipt` where it is gone.

        It answers also where posts or actions of the receipt are gone, until it is erased itself.
        """
        with self._connections.reading() as connection:
            return served.served_to(connection, request)

    def did(self, viewer: str, action: str) -> bool:
        """Whether this action of this viewer's is held."""
        with self._connections.reading() as connection:
            digest = names(connection).action(viewer, action)
            return bool(actions.held(connection, [digest]))

    def standing(self, viewer: str, kind: ActionKind, account: str) -> list[str]:
        """Ids of the actions by which a viewer follows, mutes or blocks an account."""
        with self._connections.reading() as connection:
            return people.standing(connection, viewer, kind, account)

    def actions(self, until: int | None = None) -> Iterator[Action]:
        """Every action up to and including `until`, in order of (at, id), in bounded memory."""
        return actions.stream(self._connections, until)

    def write_feed(self, spec: FeedSpec) -> None:
        """Keep a feed's specification; the same name again replaces it."""
        with self._connections.writing() as connection:
            connection.execute(
                "INSERT INTO feeds VALUES (?, ?) ON CONFLICT DO UPDATE SET spec = excluded.spec",
                (spec.name, json.dumps(to_json(spec))),
            )

    def delete_feed(self, name: str) -> bool:
        """Forget a feed's specification; False where there was none."""
        with self._connections.writing() as connection:
            return connection.execute("DELETE FROM feeds WHERE name = ?", (name,)).rowcount > 0

    def feeds(self) -> dict[str, FeedSpec]:
        """The feeds that were written, by name."""
        with self._connections.reading() as connection:
            rows = connection.execute("SELECT name, spec FROM feeds ORDER BY name").fetchall()
        return {name: from_json(FeedSpec, json.loads(spec)) for name, spec in rows}

    def promote(self, part: str, checkpoint: str) -> None:
        """Make a checkpoint the live one of its part."""
        with self._connections.writing() as connection:
            connection.execute(
                "INSERT INTO promoted VALUES (?, ?)"
                " ON CONFLICT DO UPDATE SET checkpoint = excluded.checkpoint",
                (part, checkpoint),
            )

    def promoted(self, part: str) -> str | None:
        """The live checkpoint of a part."""
        return self._value("SELECT checkpoint FROM promoted WHERE part = ?", part)

    def export(self, viewer: str) -> dict[str, Any]:
        """All that the store holds about a person, as JSON values."""
        with self._connections.reading() as connection:
            return people.export(connection, viewer)

    def erase(self, viewer: str) -> bool:
        """Destroy a person's key and rows, account and posts; False where nothing was held."""
        with self._connections.writing() as connection:
            now, adult_age = time.time_ns() // 1_000_000, self._settings.adult_age
            minor = people.known_minor(connection, viewer, now, adult_age)
            erased = removal.erase(connection, viewer, now, minor=bool(minor))
        self._connections.truncate_log()
        return erased

    def forget(
        self, *, actions: int | None, receipts: int | None, anonymous: int | None = None
    ) -> int:
        """Delete actions and receipts older than these times, for good; how many. None keeps.

        `anonymous` is the time for receipts without a viewer, where it is later than `receipts`.
        Follows, mutes and blocks stay until they are undone.
        """
        forgotten = 0
        if receipts is not None:
            forgotten += removal.forget_receipts(self._connections, receipts)
        if anonymous is not None:
            forgotten += removal.forget_receipts(self._connections, anonymous, anonymous=True)
        if actions is not None:
            forgotten += removal.forget_actions(self._connections, actions)
        if forgotten:
            self._connections.truncate_log()
        return forgotten

    def retain(self, now: int) -> int:
        """Forget what the settings keep no longer at `now`; how many rows."""
        settings = self._settings
        return self.forget(
            actions=_since(now, settings.keep_actions_days),
            receipts=_since(now, settings.keep_receipts_days),
            anonymous=_since(now, settings.keep_anonymous_days),
        )

    def people(self) -> list[str]:
        """Ids of accounts, and of viewers who did or wished anything, in order."""
        with self._connections.reading() as connection:
            return people.everyone(connection)

    def counts(self) -> Counts:
        """How much the store holds; viewers are those of whom something personal is held."""
        with self._connections.reading() as connection:
            row = connection.execute(
                "SELECT (SELECT count(*) FROM posts),"
                " (SELECT count(*) FROM posts WHERE reader = 0),"
                " (SELECT count(*) FROM accounts),"
                " (SELECT count(*) - 1 FROM keys),"
                " (SELECT count(*) FROM actions),"
                " (SELECT count(*) FROM receipts)"
            ).fetchone()
        return Counts(*row)

    def close(self) -> None:
        """Let go of the file; the store cannot be used after it."""
        self._connections.close()

    def _value(self, query: str, name: str) -> str | None:
        with self._connections.reading() as connection:
            row = connection.execute(query, (name,)).fetchone()
        return None if row is None else row[0]


def _since(now: int, days: float) -> int | None:
    """The time (ms) before which nothing is kept; None where it is kept for ever."""
    return now - round(days * DAY) if days else None
