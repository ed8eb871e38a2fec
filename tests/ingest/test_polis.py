"""Polis exports: both makes of header, people's own words, and nothing that was known later."""

from __future__ import annotations

import csv
import io
import os
import time
from pathlib import Path

import pytest
from tests.ingest.events import items, source

from ariane.ingest import ingest
from ariane.ingest.polis import read
from ariane.ingest.source import BrokenSourceError, Reject
from ariane.store.sqlite import SqliteStore
from ariane.types import Action, ActionKind, Post

OLD = "timestamp,datetime,comment-id,author-id,agrees,disagrees,moderated,comment-body"
NEW = (
    "timestamp,comment-id,author-id,agrees,disagrees,moderated,is-meta,is-seed,"
    "group-informed-consensus,comment-body"
)
VOTES = "timestamp,datetime,comment-id,voter-id,vote"
DATA = os.environ.get("ARIANE_DATA")


def bytes_of(header: str, *rows: tuple[object, ...]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([header.split(","), *rows])
    return text.getvalue().encode()


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (OLD, (1542406176584, "Sat Nov 17", 53, 6172, "AGREES", "DISAGREES", "MODERATED")),
        (NEW, (1542406176584, 53, 6172, "AGREES", "DISAGREES", "MODERATED", "a", "b", "0.6")),
    ],
    ids=["old", "new"],
)
def test_a_statement_is_a_post_of_its_conversation(header: str, row: tuple[object, ...]) -> None:
    body = bytes_of(header, (*row, 'On "two"\nlines'))
    assert items(read(source(body))) == [
        Post(
            id="polis/talk/53",
            author="polis/talk/6172",
            text='On "two"\nlines',
            at=1542406176584,
            source="polis:talk",
        )
    ]


def test_votes_are_likes_dislikes_and_impressions() -> None:
    rows = [
        (1542406176584, "Sat Nov 17", 53, voter, vote) for voter, vote in ((1, 1), (2, -1), (3, 0))
    ]
    found = [one for one in items(read(source(bytes_of(VOTES, *rows)))) if isinstance(one, Action)]
    assert [(one.viewer, one.kind) for one in found] == [
        ("polis/talk/1", ActionKind.LIKE),
        ("polis/talk/2", ActionKind.NOT_INTERESTED),
        ("polis/talk/3", ActionKind.IMPRESSION),
    ]
    assert {(one.post, one.at) for one in found} == {("polis/talk/53", 1542406176584)}
    assert len({one.id for one in found}) == 3


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ((1542406176584, "d", 53, 1, 2), "vote '2' is unknown; it is 1, 0 or -1."),
        ((1542406176, "d", 53, 1, 1), "timestamp '1542406176' is no time in milliseconds"),
        (("yesterday", "d", 53, 1, 1), "timestamp 'yesterday' is no time"),
        ((99999999999999, "d", 53, 1, 1), "timestamp '99999999999999' lies in the future"),
        ((1542406176584, "d", "", 1, 1), "comment-id is empty"),
        ((1542406176584, "d", 53, "v" * 600, 1), "voter-id"),
        ((1542406176584, "d", 53, 1), "the row has 4 fields"),
    ],
)
def test_a_bad_row_is_set_aside_with_its_reason(row: tuple[object, ...], error: str) -> None:
    good = (1542406176584, "d", 53, 9, 1)
    bad, after = items(read(source(bytes_of(VOTES, row, good))))
    assert isinstance(bad, Reject)
    assert error in bad.error
    assert bad.line == 2
    assert isinstance(after, Action)


def test_controls_and_heaps_of_marks_in_a_statement_are_left_out() -> None:
    said = "a\x00b\x1b" + "\u0315" * 90
    (post,) = items(read(source(bytes_of(OLD, (1542406176584, "d", 1, 2, 0, 0, 0, said)))))
    assert isinstance(post, Post)
    assert post.text == "ab" + "\u0315" * 30


def test_a_table_that_is_not_of_polis_is_named() -> None:
    with pytest.raises(BrokenSourceError, match="is neither the comments nor the votes"):
        read(source(b"a,b\n1,2\n"))


def test_a_conversation_is_its_comments_and_votes_alone(store: SqliteStore, tmp_path: Path) -> None:
    talk = tmp_path / "exports" / "talk"
    talk.mkdir(parents=True)
    statement = (1542406176584, "d", 1, 2, 0, 0, 0, "Hello")
    (talk / "comments.csv").write_bytes(bytes_of(OLD, statement))
    (talk / "comments.csv.xz").write_bytes(b"an older copy")
    (talk / "votes.csv").write_bytes(bytes_of(VOTES, (1542406176584, "d", 1, 3, 1)))
    (talk / "summary.csv").write_text("topic,Hello\n")
    (talk / "notes.csv").write_text("nonsense\n")
    for target in (talk.parent, talk):
        for kind in (None, "polis"):
            ingest(store, str(target), kind=kind)
    assert (store.counts().posts, store.counts().actions) == (1, 1)
    assert list(Path().iterdir()) == []  # nothing was set aside
    assert ingest(store, str(talk / "votes.csv"), kind="polis").taken == 0


@pytest.mark.skipif(DATA is None, reason="ARIANE_DATA names no directory of data")
def test_the_public_conversations_are_taken_in_once(store: SqliteStore) -> None:
    polis = Path(str(DATA)) / "polis"
    begun = time.perf_counter()
    first = ingest(store, str(polis))
    seconds = time.perf_counter() - begun
    # Six votes repeat another of the same voter, statement, value and millisecond: they are one.
    assert (first.taken, first.same, first.rejected) == (1_770 + 165_347 - 6, 6, 0)
    held = store.counts()
    assert (held.posts, held.actions) == (1_770, 165_347 - 6)
    second = ingest(store, str(polis))
    assert (second.taken, second.same, second.rejected) == (0, 0, 0)  # every file is at its end
    assert store.counts() == held
    print(f"{165_347 / seconds:,.0f} votes/s")
