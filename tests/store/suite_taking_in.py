"""Events in any order, any number of times, and from many threads."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.world import (
    NOW,
    K,
    act,
    ask,
    ids,
    post,
    state,
    worlds,
)

from ariane.types import (
    Account,
    CallError,
    Cursor,
    Delete,
    Event,
    Label,
    Media,
    Store,
    Written,
)


class TakingIn:
    """A part of the suite over any store."""

    def test_the_same_events_again_change_nothing(self, store: Store) -> None:
        events = [
            post("p", media=(Media("https://x/y.png", alt="a cat"),), lang="fr", url="https://x"),
            Account("ann", "Ann", 1990, "FR"),
            act("like", K.LIKE, "p", seconds=1.5, request="r"),
            Label("p", "spam", "me", 3),
            Delete("post", "q", 4),
        ]
        assert store.write(events) == Written(new=5)
        assert store.write(events + events) == Written(same=10)
        assert store.posts(["p", "q"]) == {"p": events[0]}
        assert store.account("ann") == events[1]
        assert list(store.actions()) == [events[2]]

    def test_a_cursor_is_kept_with_its_events(self, store: Store) -> None:
        assert store.cursor("jsonl:f") is None
        store.write([post("p")], Cursor("jsonl:f", "12"))
        store.write([], Cursor("jsonl:f", "13"))
        assert (store.cursor("jsonl:f"), store.cursor("other")) == ("13", None)

    def test_a_write_that_fails_leaves_nothing(self, store: Store) -> None:
        with pytest.raises(CallError, match="NUL"):
            store.write([post("p"), act("a\0b", K.LIKE, "p")], Cursor("f", "1"))
        with pytest.raises(CallError, match="surrogate"):
            store.write([post("p", text="half \ud83d")], Cursor("f", "1"))
        with pytest.raises(CallError, match="64 bits"):
            store.write([post("p", at=2**63)], Cursor("f", "1"))
        assert (store.posts(["p"]), store.cursor("f")) == ({}, None)

    @given(worlds(), st.data())
    @settings(max_examples=60)
    def test_any_order_and_number_of_times_gives_the_same_state(
        self, fresh_store: Callable[[], Store], events: list[Event], data: st.DataObject
    ) -> None:
        again = data.draw(st.permutations(events + events[: len(events) // 2]))
        size = data.draw(st.integers(1, 5))
        one, two = fresh_store(), fresh_store()
        one.write(events)
        for start in range(0, len(again), size):
            two.write(again[start : start + size])
        assert state(one) == state(two)
        one.close()
        two.close()

    def test_actions_of_one_moment_and_id_come_in_the_order_of_their_viewers(
        self, fresh_store: Callable[[], Store]
    ) -> None:
        done = [act("same", K.LIKE, "p", viewer=viewer) for viewer in ("vic", "una")]
        for order in (done, done[::-1]):
            store = fresh_store()
            for action in order:
                store.write([action])
            assert [action.viewer for action in store.actions()] == ["una", "vic"]
            store.close()

    def test_the_highest_revision_wins(self, store: Store) -> None:
        newer, older = post("p", text="newer", rev=2), post("p", text="older")
        store.write([newer])
        assert store.write([older]) == Written(same=1)
        assert store.posts(["p"]) == {"p": newer}

    def test_what_was_deleted_stays_deleted(self, store: Store) -> None:
        store.write([post("p"), Delete("post", "p", 2), post("p", rev=9, at=99)])
        assert store.write([post("p", rev=10)]) == Written(same=1)
        assert store.posts(["p"]) == store.candidates(["p"], NOW) == {}
        assert store.recent(NOW, 9) == []

    def test_a_deleted_account_takes_its_posts_along(self, store: Store) -> None:
        store.write([post("p"), post("q", author="bob"), Account("ann", "Ann")])
        store.write([Delete("account", "ann", 2), post("r")])
        assert store.posts(["p", "q", "r"]).keys() == {"q"}
        assert store.account("ann") is None
        assert store.write([Account("ann", "Ann")]) == Written(same=1)

    def test_a_deleted_action_is_undone_whenever_it_comes(self, store: Store) -> None:
        follow = act("f", K.FOLLOW, account="ann")
        store.write([follow, act("l", K.LIKE, "p"), Delete("action", "later", 1, "vic")])
        store.write([Delete("action", "f", 11, "vic"), act("later", K.LIKE, "p"), follow])
        assert ids(store.viewer(ask())) == ["l"]
        assert store.viewer(ask()).follows == frozenset()

    def test_an_action_id_is_its_viewers_own(self, store: Store) -> None:
        squat, mine = act("x", K.BLOCK, "q", 9, viewer="eve"), act("x", K.LIKE, "p")
        store.write([squat])
        assert store.write([mine, act("x", K.REPORT, "p")]) == Written(new=1, same=1)
        assert list(store.actions()) == [squat, mine]
        assert (store.did("vic", "x"), store.did("vic", "y"), store.did("bob", "x")) == (
            True, False, False,
        )  # fmt: skip

    def test_undoing_an_action_reaches_no_other_viewers(self, store: Store) -> None:
        squat, mine = act("x", K.BLOCK, "q", 9, viewer="eve"), act("x", K.LIKE, "p")
        store.write([squat, Delete("action", "x", 20, "eve")])
        assert store.write([mine]) == Written(new=1)
        assert store.write([squat, Delete("action", "x", 21, "bob")]) == Written(new=1, same=1)
        assert list(store.actions()) == [mine]
        store.write([Delete("action", "x", 22, "vic")])
        assert list(store.actions()) == []
        with pytest.raises(CallError, match="names no viewer"):
            store.write([Delete("action", "x", 23)])

    def test_an_account_line_without_a_birth_year_takes_none_away(self, store: Store) -> None:
        store.write([Account("ann", None, 2015, "FR", hides_from_algorithms=True)])
        store.write([Account("ann", "Ann")])
        assert store.account("ann") == Account("ann", "Ann", 2015, "FR")

    def test_texts_come_back_as_they_were(self, store: Store) -> None:
        long = post("long", text="é" * 1_000_000)
        odd = post("odd 😀 '\"\\ %_", text="line\r\nline\ttab \0 nul", at=2**62)
        store.write([long, odd])
        assert store.posts([long.id, odd.id]) == {long.id: long, odd.id: odd}
        assert store.recent(NOW, 9) == ["long"]

    def test_threads_write_and_read_at_once(self, store: Store) -> None:
        failures: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for turn in range(8):
                    name = f"{number}/{turn}"
                    store.write([post(name), act(name, K.LIKE, name, viewer=f"v{turn % 3}")])
                    assert name in store.posts([name])
                    store.viewer(ask(viewer="v1"))
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        assert (store.counts().posts, store.counts().actions) == (48, 48)
