"""Readings, vectors, candidates with their labels, and recent posts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.world import (
    NOW,
    flat_reading,
    one_of,
    post,
    reading,
    values,
)

from ariane.types import (
    Account,
    Delete,
    Label,
    Store,
)


class Understanding:
    """A part of the suite over any store."""

    def test_unread_posts_come_newest_first_until_they_are_read(self, store: Store) -> None:
        store.write([post(f"p{at}", at) for at in range(5)])
        assert [one.id for one in store.unread("reader@1", 2)] == ["p4", "p3"]
        store.write_readings([reading("p4"), reading("p2")], [])
        assert [one.id for one in store.unread("reader@1", 9)] == ["p3", "p1", "p0"]
        assert [one.id for one in store.unread("reader@2", 9)] == ["p4", "p3", "p2", "p1", "p0"]
        assert store.counts().unread == 3

    def test_two_readers_do_not_unread_each_other(self, store: Store) -> None:
        store.write([post("p")])
        store.write_readings([reading("p", "reader@1")], [])
        store.write_readings([reading("p", "reader@2")], [])
        assert store.unread("reader@1", 9) == store.unread("reader@2", 9) == []
        assert store.readings(["p"])["p"].by == "reader@2"

    def test_the_deepest_reading_is_in_force_then_the_newest(self, store: Store) -> None:
        store.write([post("p")])
        for by, depth in (("reader@1", 0), ("model@1", 1), ("reader@2", 0)):
            store.write_readings([reading("p", by, depth=depth)], [])
        assert store.readings(["p"])["p"].by == "model@1"
        assert store.unread("reader@2", 9) == store.unread("model@1", 9) == []
        store.write_readings([reading("p", "model@2", depth=1)], [])
        assert store.readings(["p"])["p"].by == "model@2"

    def test_what_one_reader_read_is_kept_beside_the_reading_in_force(self, store: Store) -> None:
        store.write([post("p"), post("q")])
        store.write_readings([reading("p", "model@1"), reading("p", "model@1 with heads@1")], [])
        assert store.readings(["p", "q"])["p"].by == "model@1 with heads@1"
        own = store.readings(["p", "q"], "model@1")
        assert {name: one.by for name, one in own.items()} == {"p": "model@1"}
        assert store.readings(["p"], "model@2") == {}

    def test_a_reading_comes_back_bit_by_bit(self, store: Store) -> None:
        store.write([post("p")])
        one = reading("p", topics=(("science", float(np.float32(0.1))),), language=None)
        store.write_readings([one], [])
        got = store.readings(["p", "q"])
        assert got.keys() == {"p"}
        assert got["p"].vector.dtype == np.float32
        assert flat_reading(got["p"]) == flat_reading(one)
        assert got["p"].language is None

    def test_the_first_reading_by_a_reader_holds(self, store: Store) -> None:
        store.write([post("p")])
        store.write_readings([reading("p", topics=())], [])
        before = store.vectors(0, 9)
        store.write_readings([reading("p")], [])
        assert store.readings(["p"])["p"].topics == ()
        assert [row.sequence for row in store.vectors(0, 9)] == [row.sequence for row in before]

    def test_an_edit_makes_a_post_unread_and_a_late_reading_is_dropped(self, store: Store) -> None:
        store.write([post("p", text="harmless")])
        store.write_readings([reading("p")], [Label("p", "checked", "classifier", 1)])
        store.write([post("p", text="harmful", rev=2)])
        store.write_readings([reading("p", rev=1)], [Label("p", "harmless", "classifier", 1)])
        store.write_readings([reading("gone")], [])
        assert [one.rev for one in store.unread("reader@1", 9)] == [2]
        assert store.candidates(["p"], NOW)["p"].reading is None
        assert values(store.candidates(["p"], NOW)["p"]) == ["checked"]

    def test_vectors_follow_what_was_read(self, store: Store) -> None:
        store.write([post("p", 1), post("q", 2, author="bob"), post("gone", 3)])
        store.write_readings([reading("p"), reading("q"), reading("gone")], [])
        store.write([Delete("post", "gone", 4)])
        rows = store.vectors(0, 9)
        assert [(row.post, row.author, row.at) for row in rows] == [
            ("p", "ann", 1),
            ("q", "bob", 2),
        ]
        assert rows[0].vector.tobytes() == reading("p").vector.tobytes()
        assert [row.post for row in store.vectors(rows[0].sequence, 9)] == ["q"]
        assert [row.post for row in store.vectors(0, 1)] == ["p"]
        store.write_readings([reading("p", "reader@2")], [])
        assert [row.post for row in store.vectors(rows[1].sequence, 9)] == ["p"]
        assert [row.post for row in store.vectors(0, 9)] == ["q", "p"]

    def test_candidates_are_live_and_published_by_then(self, store: Store) -> None:
        store.write([post("p", 5), post("q", 6), post("gone", 1), Delete("post", "gone", 2)])
        assert store.candidates(["p", "q", "gone", "never"], 5).keys() == {"p"}

    def test_labels_in_force_are_each_sources_last_word(self, store: Store) -> None:
        store.write(
            [
                post("p"),
                Label("p", "spam", "one", 2),
                Label("p", "spam", "two", 2, confidence=0.5),
                Label("p", "spam", "one", 4, negates=True),
                Label("p", "adult", "one", 2, until=6),
                Label("ann", "bot", "two", 3),
                Label("p", "later", "one", 9),
            ]
        )
        at = {time: store.candidates(["p"], time)["p"].labels for time in (2, 3, 4, 6)}
        spam = [(one.source, one.confidence) for one in at[3] if one.value == "spam"]
        assert spam == [("one", 1.0), ("two", 0.5)]
        assert [one.value for one in at[2]] == ["adult", "spam", "spam"]
        assert [one.value for one in at[4]] == ["adult", "spam", "bot"]
        assert [(one.value, one.subject) for one in at[6]] == [("spam", "p"), ("bot", "ann")]

    def test_a_newer_version_of_a_classifier_takes_the_place_of_the_older(
        self, store: Store
    ) -> None:
        store.write([post("p"), post("q"), Label("p", "spam", "guard@1", 1)])
        old = [Label(name, "adult", "house/guard@1", 1) for name in ("p", "q")]
        store.write_readings([reading("p"), reading("q")], old)
        seen = Label("p", "seen", "house/guard@2", 1)
        store.write_readings([reading("p", "reader@2")], [seen])
        found = store.candidates(["p", "q"], NOW)
        assert set(found["p"].labels) == {Label("p", "spam", "guard@1", 1), seen}
        assert found["q"].labels == (old[1],)
        late = Label("p", "adult", "house/guard@1", 1)
        store.write_readings([reading("p", "reader@3", rev=0)], [late])
        assert late not in store.candidates(["p"], NOW)["p"].labels

    def test_who_hides_from_algorithms_is_labelled_so(self, store: Store) -> None:
        store.write([post("p"), post("q", author="bob"), Account("bob")])
        store.write([Account("ann", hides_from_algorithms=True)])
        found = store.candidates(["p", "q"], NOW)
        assert [(one.subject, one.value) for one in found["p"].labels] == [
            ("ann", "hides-from-algorithms")
        ]
        assert found["q"].labels == ()

    @given(
        st.lists(
            st.tuples(st.integers(0, 5), one_of("a", 3), st.sampled_from([None, "en", "fr"])),
            max_size=12,
        ),
        st.fixed_dictionaries(
            {
                "at": st.integers(0, 5),
                "limit": st.integers(0, 5),
                "since": st.none() | st.integers(-1, 5),
                "authors": st.none() | st.lists(one_of("a", 4), max_size=3),
                "languages": st.lists(st.sampled_from(["en", "fr", "de"]), max_size=3),
            }
        ),
    )
    @settings(max_examples=60)
    def test_recent_is_what_a_scan_would_find(
        self,
        fresh_store: Callable[[], Store],
        rows: list[tuple[int, str, str | None]],
        search: dict[str, Any],
    ) -> None:
        held = [
            post(f"p{n}", time, author, lang=lang) for n, (time, author, lang) in enumerate(rows)
        ]
        wanted = [
            one
            for one in held
            if (search["since"] is None or one.at > search["since"])
            and one.at <= search["at"]
            and (search["authors"] is None or one.author in search["authors"])
            and (not search["languages"] or one.lang in search["languages"])
        ]
        wanted.sort(key=lambda one: (-one.at, one.id))
        store = fresh_store()
        store.write(held)
        assert store.recent(**search) == [one.id for one in wanted][: search["limit"]]
        store.close()

    def test_replies_are_live_published_and_oldest_first(self, store: Store) -> None:
        store.write([post("root"), post("late", 9, reply_to="root")])
        store.write([post("b", 3, reply_to="root"), post("a", 3, reply_to="root")])
        store.write([post("gone", 2, reply_to="root"), Delete("post", "gone", 5)])
        store.write([post("other", 2, reply_to="b"), post("lost", 2, reply_to="never held")])
        assert store.replies(["root", "b", "late"], 5) == {"root": ["a", "b"], "b": ["other"]}
        assert store.replies(["root"], 9)["root"] == ["a", "b", "late"]
        assert store.replies([], 9) == {}

    def test_what_an_author_published_is_told_newest_first_and_from_any_place_on(
        self, store: Store
    ) -> None:
        store.write([post(name, 5, author="ann") for name in "dacb"])
        store.write([post("old", 1, author="ann"), post("new", 9, author="ann")])
        store.write([post("z", 5, author="eve"), Delete("post", "c", 9)])
        tied = [(5, "a"), (5, "b"), (5, "d")]
        assert store.published("ann", 9, 99) == [(9, "new"), *tied, (1, "old")]
        assert store.published("ann", 8, 2) == tied[:2]
        assert store.published("ann", 5, 2, "a") == tied[1:]
        assert store.published("ann", 5, 9, "d") == [(1, "old")]
        assert store.published("nobody", 9, 9) == []

    def test_a_post_has_the_language_that_was_read_in_it(self, store: Store) -> None:
        store.write([post("p", lang="en"), post("q", lang="en"), post("r")])
        store.write_readings([reading("p", language="fr"), reading("q", language=None)], [])
        assert store.recent(NOW, 9, languages=["fr"]) == ["p"]
        assert store.recent(NOW, 9, languages=["en"]) == ["q"]
