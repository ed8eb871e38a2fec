"""Polis exports: people's votes on one another's statements, conversation by conversation.

A statement is a post, agree a like, disagree not_interested, pass an impression. What was known
only when a conversation had ended (agrees, disagrees, moderation, consensus) is never read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from ariane.ingest.delimited import Delimited, Row
from ariane.ingest.fields import Bounds, bounds, clean, ident, shown, text
from ariane.ingest.lines import SHOWN
from ariane.ingest.source import BrokenSourceError, Records, Reject, Source
from ariane.ingest.wire import action_id
from ariane.types import Action, ActionKind, CallError, Event, Post

VOTES: Mapping[str, ActionKind] = {
    "1": ActionKind.LIKE,
    "-1": ActionKind.NOT_INTERESTED,
    "0": ActionKind.IMPRESSION,
}
STATEMENTS = frozenset({"timestamp", "comment-id", "author-id", "comment-body"})
BALLOTS = frozenset({"timestamp", "comment-id", "voter-id", "vote"})

EARLIEST = 10**11
"""Times are in milliseconds; a smaller number (1973 in milliseconds) is one in seconds."""


def is_polis(columns: Sequence[str]) -> bool:
    """Whether these are the columns of statements or of votes, in either version of the export."""
    return set(columns) >= STATEMENTS or set(columns) >= BALLOTS


def read(source: Source) -> Records:
    """The events of a `comments.csv` or a `votes.csv`, from its start position on.

    The folder that holds the file names the conversation.
    """
    table = Delimited(source)
    columns = set(table.columns)
    if not is_polis(table.columns):
        missing = min(STATEMENTS - columns | BALLOTS - columns)
        raise BrokenSourceError(
            f"{source.place} is neither the comments nor the votes of a Polis export: "
            f"it has no column {missing!r}."
        )
    conversation = _Conversation(source)
    make = conversation.post if columns >= STATEMENTS else conversation.action
    return Records(_events(table, make), table.position, table.close)


def _events(table: Delimited, make: Callable[[Row], Event]) -> Iterator[Event | Reject]:
    for row in table:
        if isinstance(row, Reject):
            yield row
            continue
        try:
            yield make(row)
        except CallError as error:
            yield Reject(row.number, str(error), ",".join(row.values.values())[:SHOWN])


class _Conversation:
    """One conversation: its rows as events under ids of its own."""

    def __init__(self, source: Source) -> None:
        self._name = PurePosixPath(source.place).parent.name
        self._settings, self._now = source.settings, source.now

    def post(self, row: Row) -> Post:
        limits = bounds(self._settings, self._now())
        return Post(
            id=self._id(row, "comment-id", limits),
            author=self._id(row, "author-id", limits),
            text=text("comment-body", clean(row.values["comment-body"]), limits),
            at=_time(row, limits),
            source=f"polis:{self._name}",
        )

    def action(self, row: Row) -> Action:
        limits = bounds(self._settings, self._now())
        kind = VOTES.get(row.values["vote"])
        if kind is None:
            raise CallError(f"vote {shown(row.values['vote'])} is unknown; it is 1, 0 or -1.")
        viewer, post = self._id(row, "voter-id", limits), self._id(row, "comment-id", limits)
        at = _time(row, limits)
        given = action_id({"viewer": viewer, "kind": kind, "at": at, "post": post})
        return Action(given, viewer, kind, at, post)

    def _id(self, row: Row, column: str, limits: Bounds) -> str:
        local = row.values[column].strip()
        if not local:
            raise CallError(f"{column} is empty; every row names its {column}.")
        return ident(column, f"polis/{self._name}/{local}", limits)


def _time(row: Row, limits: Bounds) -> int:
    value = row.values["timestamp"]
    at = int(value) if value.isascii() and value.isdigit() and len(value) < 16 else 0
    if at < EARLIEST:
        raise CallError(f"timestamp {shown(value)} is no time in milliseconds since 1970.")
    if at > limits.latest:
        raise CallError(f"timestamp {shown(value)} lies in the future; correct the clock.")
    return at
