"""`read`: every unread post once, labels with their reading, and no post stops the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ariane.read import read
from ariane.store.sqlite import SqliteStore
from ariane.types import Label, Post, Reading

BAD = "unreadable"
UNLUCKY = "unclassifiable"


class Plain:
    """A reader that knows nothing, and fails on one word."""

    name = "plain@1"

    def __init__(self) -> None:
        self.batches: list[int] = []

    def read(self, posts: Sequence[Post]) -> list[Reading]:
        self.batches.append(len(posts))
        if any(post.text == BAD for post in posts):
            raise ValueError("cannot read that")
        vector = np.array([1, 0], dtype=np.float32)
        return [
            Reading(post.id, post.rev, vector, (), "", "", "", None, self.name) for post in posts
        ]


def marked(post: Post, reading: Reading) -> tuple[Label, ...]:
    if post.text == UNLUCKY:
        raise RuntimeError("no idea")
    return (Label(post.id, "classified", "ariane/test@1", reading.rev),)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "ariane.db")
    yield opened
    opened.close()


def test_every_post_is_read_once_with_its_labels(store: SqliteStore) -> None:
    store.write([Post(f"p{n}", "a", f"text {n}", n) for n in range(10)])
    told: list[int] = []
    assert read(store, Plain(), marked, batch=4, progress=told.append) == 10
    assert told == [4, 8, 10]
    assert read(store, Plain(), marked) == 0
    found = store.candidates([f"p{n}" for n in range(10)], at=100)
    assert all(one.reading is not None for one in found.values())
    assert all([label.value for label in one.labels] == ["classified"] for one in found.values())


def test_an_edited_post_is_read_again(store: SqliteStore) -> None:
    store.write([Post("p", "a", "one", 0)])
    assert read(store, Plain(), marked) == 1
    store.write([Post("p", "a", "two", 0, rev=2)])
    assert read(store, Plain(), marked) == 1
    assert store.readings(["p"])["p"].rev == 2


@pytest.mark.parametrize("text", [BAD, UNLUCKY])
def test_a_post_that_fails_is_set_aside_and_keeps_no_reading(
    store: SqliteStore, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    store.write([Post(f"p{n}", "a", text if n == 3 else "fine", n) for n in range(8)])
    assert read(store, Plain(), marked, batch=3) == 7
    assert "p3" in caplog.text
    assert "p3" not in store.readings([f"p{n}" for n in range(8)])
    assert [post.id for post in store.unread(Plain.name, 9)] == ["p3"]


def test_posts_that_failed_before_are_not_tried_where_the_caller_says_so(
    store: SqliteStore,
) -> None:
    store.write([Post(f"p{n}", "a", BAD if n == 3 else "fine", n) for n in range(4)])
    aside = set[str]()
    assert read(store, Plain(), marked, aside=aside) == 3
    assert aside == {"p3"}
    again = Plain()
    assert read(store, again, marked, aside=aside) == 0
    assert again.batches == []


def test_more_bad_posts_than_a_batch_holds_do_not_block_the_older_ones(store: SqliteStore) -> None:
    store.write([Post(f"p{n}", "a", BAD if n >= 5 else "fine", n) for n in range(25)])
    assert read(store, Plain(), marked, batch=4) == 5


def test_a_good_batch_is_read_at_once(store: SqliteStore) -> None:
    store.write([Post(f"p{n}", "a", "fine", n) for n in range(6)])
    reader = Plain()
    read(store, reader, marked, batch=6)
    assert reader.batches == [6]


@given(st.lists(st.sampled_from(["fine", BAD, UNLUCKY]), max_size=12), st.integers(1, 5))
def test_read_ends_and_reads_what_can_be_read(texts: list[str], batch: int) -> None:
    store = SqliteStore(":memory:")
    try:
        store.write([Post(f"p{n}", "a", text, n) for n, text in enumerate(texts)])
        assert read(store, Plain(), marked, batch=batch) == texts.count("fine")
    finally:
        store.close()
