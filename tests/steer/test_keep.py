"""Keep: one wish a target, whoever writes at the same moment, and so many and no more."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ariane.steer.keep import MOST, TooManyWishesError, keep
from ariane.store.sqlite import SqliteStore
from ariane.types import Wish

NOW = 1_790_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "ariane.db")
    yield store
    store.close()


def test_two_doors_at_once_write_one_wish(store: SqliteStore) -> None:
    less = Wish("any", "topic:politics", -1, said="less politics")
    with ThreadPoolExecutor(8) as doors:
        list(doors.map(lambda _: keep(store, "vic", [less], NOW), range(8)))
    assert len(store.wishes("vic", NOW)) == 1


def test_a_wish_takes_the_place_of_the_one_on_its_target(store: SqliteStore) -> None:
    store.write_wish("vic", Wish("own-name", "topic:politics", -1))
    keep(store, "vic", [Wish("any", "topic:politics", 1)], NOW)
    (wish,) = store.wishes("vic", NOW)
    assert (wish.id, wish.direction) == ("own-name", 1)


def test_who_has_too_many_wishes_can_still_change_and_list_them(store: SqliteStore) -> None:
    for number in range(MOST + 5):
        store.write_wish("vic", Wish(f"w{number}", f"word:w{number}", 1))
    assert keep(store, "vic", [], NOW) == []
    keep(store, "vic", [Wish("any", "word:w3", -1)], NOW)
    with pytest.raises(TooManyWishesError):
        keep(store, "vic", [Wish("any", "word:other", 1)], NOW)
    assert len(store.wishes("vic", NOW)) == MOST + 5
