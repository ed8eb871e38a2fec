"""The viewer of a request, and wishes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.store.world import (
    NOW,
    K,
    Opener,
    act,
    ask,
    flat_reading,
    ids,
    post,
    reading,
    served,
)

from ariane.types import (
    HISTORY_BLOCK,
    Account,
    Delete,
    Store,
    Viewer,
    Wish,
)


class Asking:
    """A part of the suite over any store."""

    def test_a_viewer_is_as_of_the_asking(self, store: Store) -> None:
        store.write([post("p"), act("b", K.LIKE, "p", 5), act("a", K.CLICK, "q", 5)])
        store.write([act("c", K.FOLLOW, account="ann", at=6), act("d", K.LIKE, "p", 7)])
        store.write_readings([reading("p")], [])
        viewer = store.viewer(ask(at=6))
        assert ids(viewer) == ["a", "b", "c"]
        assert [past.post and past.post.id for past in viewer.history] == [None, "p", None]
        assert flat_reading(viewer.history[1].reading) == flat_reading(reading("p"))
        assert (viewer.follows, viewer.seen) == ({"ann"}, {"p", "q"})
        assert store.viewer(ask(at=5)).follows == frozenset()
        assert store.viewer(ask(viewer="stranger")) == Viewer("stranger")

    def test_history_ends_where_follows_and_seen_do_not(self, open_store: Opener) -> None:
        store = open_store(history=3, seen=6)
        store.write(
            [act("f", K.FOLLOW, account="ann", at=0), act("m", K.MUTE, account="bob", at=0)]
        )
        store.write([act(f"{n}", K.IMPRESSION, f"p{n}", at=n) for n in range(1, 9)])
        viewer = store.viewer(ask())
        assert ids(viewer) == ["6", "7", "8"]
        assert viewer.seen == {f"p{n}" for n in range(3, 9)}
        assert (viewer.follows, viewer.mutes) == ({"ann"}, {"bob"})

    def test_the_oldest_of_a_long_history_leave_in_blocks(self, open_store: Opener) -> None:
        store = open_store(history=2 * HISTORY_BLOCK)
        past = 2 * HISTORY_BLOCK + 5
        store.write([act(f"{n:03}", K.IMPRESSION, f"p{n}", at=n) for n in range(past)])
        held = [ids(store.viewer(ask(at=at))) for at in range(past)]
        firsts = {names[0] for names in held}
        assert firsts == {"000", f"{HISTORY_BLOCK:03}"}
        assert all(names[-1] == f"{at:03}" for at, names in enumerate(held))

    def test_history_among_actions_of_one_moment_does_not_depend_on_arrival(
        self, open_store: Opener
    ) -> None:
        store = open_store(history=2)
        store.write([act(name, K.LIKE, name, at=1) for name in "dbca"])
        assert ids(store.viewer(ask())) == ["c", "d"]

    def test_one_who_is_not_profiled_keeps_protections_alone(self, store: Store) -> None:
        store.write([post("p"), post("q", author="bob"), act("l", K.LIKE, "p")])
        store.write([act("f", K.FOLLOW, "q"), act("m", K.MUTE, "q"), act("b", K.BLOCK, "p")])
        store.write_wish("vic", Wish("w", "topic:art", 1))
        store.write([Account("vic", birth_year=2015)])
        viewer = store.viewer(ask(profiled=False))
        assert viewer == Viewer(
            "vic", mutes=frozenset({"bob"}), blocks=frozenset({"ann"}), minor=True
        )

    def test_a_mute_by_post_outlives_the_post(self, store: Store) -> None:
        store.write([act("m1", K.MUTE, "p"), act("m2", K.MUTE, "q"), act("m3", K.MUTE, "never")])
        store.write([post("p"), Delete("post", "q", 1)])
        store.write([post("q", author="bob"), Delete("post", "p", 2)])
        assert store.viewer(ask()).mutes == {"ann", "bob"}

    @pytest.mark.parametrize(
        ("born", "minor"), [(2026, True), (2008, True), (2007, False), (1950, False), (None, False)]
    )
    def test_a_minor_is_one_until_the_year_is_over(
        self, store: Store, born: int | None, minor: bool
    ) -> None:
        store.write([Account("vic", birth_year=born)])
        assert store.viewer(ask()).minor is minor
        assert not store.viewer(ask(at=2**62)).minor

    def test_unknown_age_can_be_minor(self, open_store: Opener) -> None:
        store = open_store(unknown_age_is_minor=True)
        assert store.viewer(ask()).minor
        assert store.viewer(ask(viewer=None)).minor

    def test_the_anonymous_are_nobody(self, store: Store) -> None:
        store.write([post("p"), act("l", K.LIKE, "p")])
        assert store.viewer(ask(viewer=None)) == Viewer(None)

    def test_a_further_page_knows_the_pages_before(self, store: Store) -> None:
        store.write([post(f"p{n}") for n in range(9)])
        served(store, "1", ["p0", "p1", "p2"])
        served(store, "2", ["p3", "p4"], after="1")
        shown = {"p0", "p1", "p3", "p4"}  # pages hold two
        assert store.viewer(ask("3", after="2")).seen == shown
        assert store.viewer(ask("3", after="2", profiled=False)).seen == shown
        assert store.viewer(ask("3")).seen == frozenset()
        assert store.viewer(ask("3", viewer="eve", after="2")).seen == frozenset()
        assert store.viewer(ask("3", viewer=None, after="2")).seen == frozenset()
        served(store, "a1", ["p5"], viewer=None)
        assert store.viewer(ask("a2", viewer=None, after="a1")) == Viewer(
            None, seen=frozenset({"p5"})
        )
        served(store, "loop", ["p6"], after="loop")
        assert store.viewer(ask("x", after="loop")).seen == {"p6"}

    def test_wishes_are_kept_replaced_and_forgotten(self, store: Store) -> None:
        wish = Wish("w", "topic:art", -1, 1.0, until=NOW + 5, said="no more art")
        other = Wish("x", "word:cat", 1, 0.25)
        store.write_wish("vic", wish)
        store.write_wish("vic", other)
        store.write_wish("vic", replace(wish, strength=0.5))
        assert store.wishes("vic", NOW) == (replace(wish, strength=0.5), other)
        assert store.viewer(ask()).wishes == store.wishes("vic", NOW)
        assert store.wishes("vic", NOW + 5) == (other,)
        assert store.wishes("eve", NOW) == ()
        assert not store.delete_wish("eve", "w")
        assert store.delete_wish("vic", "w")
        assert not store.delete_wish("vic", "w")
