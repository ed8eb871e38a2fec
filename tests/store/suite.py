"""The suite that every store passes: subclass StoreSuite and give it a way to open one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ariane.types import (
    PREDICTED,
    Account,
    Action,
    ActionKind,
    ArianeError,
    Ask,
    CallError,
    Candidate,
    Cursor,
    Decision,
    Delete,
    Event,
    Feed,
    FeedSpec,
    Label,
    Media,
    Moved,
    NotFoundError,
    Page,
    Post,
    Ranked,
    Reading,
    Reason,
    Removed,
    Store,
    Term,
    Verdict,
    Viewer,
    Wish,
    WithdrawnError,
    Written,
)

K = ActionKind
NOW = 1_790_000_000_000  # in 2026


class Opener(Protocol):
    """Opens the one store of a test, again and again: it is the same store each time."""

    def __call__(self, **settings: Any) -> Store: ...


def post(name: str, at: int = 1, author: str = "ann", text: str = "", **more: Any) -> Post:
    return Post(name, author, text or f"the text of {name}", at, **more)


def act(name: str, kind: ActionKind, on: str | None = None, at: int = 10, **more: Any) -> Action:
    more.setdefault("viewer", "vic")
    return Action(name, kind=kind, at=at, post=on, **more)


def reading(name: str, by: str = "reader@1", rev: int = 1, **more: Any) -> Reading:
    vector = np.random.default_rng(abs(hash((name, by))) % 2**32).standard_normal(8)
    values = {"topics": (("science", 0.75), ("art", 0.1)), "language": "en", **more}
    return Reading(
        name, rev, vector.astype("f4"), tone="calm", intent="", format="", by=by, **values
    )


def ask(name: str = "ask", viewer: str | None = "vic", at: int = NOW, **more: Any) -> Ask:
    return Ask(name, viewer, at, **more)


def ids(viewer: Viewer) -> list[str]:
    return [past.action.id for past in viewer.history]


def values(candidate: Candidate) -> list[str]:
    return [label.value for label in candidate.labels]


def served(
    store: Store, name: str, shown: Sequence[str], removed: Sequence[str] = (), **more: Any
) -> Feed:
    """Serve a page of these posts; what is in it is invented but for the store's own part."""
    question = ask(name, **more)
    viewer = store.viewer(question)
    found = store.candidates([*shown, *removed], question.at)
    ranked = tuple(
        Ranked(
            replace(found[one], sources=("nearest", "fresh")[: 1 + place % 2]),
            tuple(float(np.float32(0.1 * place + head / 7)) for head in range(len(PREDICTED))),
            1 / (place + 3),
            (Term("like", 1 / (place + 3)), Term("wish", -0.0)),
            (Verdict(Decision.LABEL, "care@1", {"en": "Take care.", "fr": "Attention."}),)
            if place == 0
            else (),
        )
        for place, one in enumerate(shown)
    )
    below = tuple(replace(one, forecast=(), terms=(), verdicts=()) for one in ranked[2:])
    drop = Verdict(Decision.DROP, "spam@2", {"en": "Spam.", "fr": "Pourriel."})
    own = Verdict(Decision.DROP, "seen")
    page = Page(
        ranked[:2],
        ranked[:2] + below,
        tuple(Removed(found[one], (drop, own)[place % 2]) for place, one in enumerate(removed)),
        (Moved(shown[0], "variety", -2),),
        "ranker@3",
    )
    reasons = (Reason(shown[0], "rank", "topic:science", tuple(ids(viewer)[:2]), 1, 4),)
    feed = Feed(question, viewer, page, reasons, "ranker@3")
    store.record_served(feed)
    return feed


def assert_same(got: Feed, feed: Feed) -> None:
    """Equal but for `seen`, which a receipt keeps for candidates alone."""
    page = feed.page
    among = {one.candidate.post.id for one in (*page.items, *page.ranked, *page.removed)}
    assert got.ask == feed.ask
    assert got.viewer.seen == feed.viewer.seen & among
    flat = [(flat_viewer(one.viewer), flat_page(one.page)) for one in (got, feed)]
    assert flat[0] == flat[1]
    assert (got.reasons, got.model) == (feed.reasons, feed.model)


def flat_reading(one: Reading | None) -> Any:
    return one and (one.post, one.rev, one.vector.tobytes(), one.topics, one.tone, one.by)


def flat_viewer(viewer: Viewer) -> Any:
    history = [(past.action, past.post, flat_reading(past.reading)) for past in viewer.history]
    return history, replace(viewer, history=(), seen=frozenset())


def flat_candidate(one: Candidate) -> Any:
    return one.post, flat_reading(one.reading), one.labels, one.sources


def flat_page(page: Page) -> Any:
    return (
        *(
            [(flat_candidate(one.candidate), replace(one, candidate=None)) for one in several]  # type: ignore[arg-type]
            for several in (page.items, page.ranked, page.removed)
        ),
        page.terms,
        page.model,
    )


def state(store: Store) -> Any:
    """Everything that can be read of the worlds that `worlds` draws."""
    posts, viewers = [f"p{n}" for n in range(4)], [f"v{n}" for n in range(3)]
    asks = [Ask("q", name, NOW, profiled=kind) for name in viewers for kind in (True, False)]
    seen = [store.viewer(one) for one in asks]
    return (
        {name: flat_candidate(one) for name, one in sorted(store.candidates(posts, NOW).items())},
        dict(sorted(store.posts(posts).items())),
        [store.account(name) for name in ("a0", "a1", "a2")],
        store.recent(NOW, 9),
        store.recent(NOW, 9, authors=["a0", "a1"], languages=["en"]),
        sorted(one.id for one in store.unread("reader@1", 9)),
        [(flat_viewer(one), one.seen) for one in seen],
        list(store.actions()),
        (store.counts().posts, store.counts().accounts, store.counts().actions),
    )


def one_of(prefix: str, count: int) -> st.SearchStrategy[str]:
    return st.integers(0, count - 1).map(lambda number: f"{prefix}{number}")


TIMES = st.integers(0, 3)
WORLD_POST = st.builds(
    Post, one_of("p", 4), one_of("a", 3), st.sampled_from(["x", "y"]), TIMES, st.integers(1, 3),
    st.sampled_from([None, "en", "fr"]),
)  # fmt: skip
WORLD_ACTION = st.tuples(
    one_of("v", 3), st.sampled_from([K.LIKE, K.IMPRESSION, K.FOLLOW, K.MUTE]), TIMES, one_of("p", 4)
).map(lambda parts: Action("/".join(map(str, parts)), *parts))
WORLD_LABEL = st.builds(
    Label, st.one_of(one_of("p", 4), one_of("a", 3)), st.sampled_from(["spam", "adult"]),
    st.sampled_from(["one", "two"]), TIMES, st.sampled_from([0.5, 1.0]),
    st.sampled_from([None, 2, NOW + 1]), st.booleans(),
)  # fmt: skip
WORLD_ACCOUNT = one_of("a", 3).map(lambda name: Account(name, f"Name of {name}", 2000, "FR"))


@st.composite
def worlds(draw: st.DrawFn) -> list[Event]:
    """Events with conflicts: revisions, ties, labels taken back, deletes of all three kinds."""
    made: list[Event] = draw(
        st.lists(st.one_of(WORLD_POST, WORLD_ACTION, WORLD_LABEL, WORLD_ACCOUNT), max_size=14)
    )
    actions = [event.id for event in made if isinstance(event, Action)]
    deletes = [
        st.builds(Delete, st.just("post"), one_of("p", 4), TIMES),
        st.builds(Delete, st.just("account"), one_of("a", 3), TIMES),
        st.builds(Delete, st.just("action"), st.sampled_from([*actions, "none"]), TIMES),
    ]
    return made + draw(st.lists(st.one_of(deletes), max_size=3))


class StoreSuite:
    """What a Store must do; `open_store` and `fresh_store` are the subclass's fixtures."""

    @pytest.fixture
    def store(self, open_store: Opener) -> Store:
        return open_store()

    # --- taking in -------------------------------------------------------------------------------

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
        store.write([follow, act("l", K.LIKE, "p"), Delete("action", "later", 1)])
        store.write([Delete("action", "f", 11), act("later", K.LIKE, "p"), follow])
        assert ids(store.viewer(ask())) == ["l"]
        assert store.viewer(ask()).follows == frozenset()

    def test_an_action_id_cannot_be_taken_over(self, store: Store) -> None:
        store.write([act("x", K.LIKE, "p")])
        assert store.write([act("x", K.BLOCK, "q", viewer="eve")]) == Written(same=1)
        assert list(store.actions()) == [act("x", K.LIKE, "p")]

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

    # --- readings --------------------------------------------------------------------------------

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

    # --- candidates ------------------------------------------------------------------------------

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

    def test_a_post_has_the_language_that_was_read_in_it(self, store: Store) -> None:
        store.write([post("p", lang="en"), post("q", lang="en"), post("r")])
        store.write_readings([reading("p", language="fr"), reading("q", language=None)], [])
        assert store.recent(NOW, 9, languages=["fr"]) == ["p"]
        assert store.recent(NOW, 9, languages=["en"]) == ["q"]

    # --- the one who asks ------------------------------------------------------------------------

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

    # --- receipts --------------------------------------------------------------------------------

    def world(self, store: Store) -> None:
        store.write([post(f"p{n}", n) for n in range(6)])
        store.write([post("media", media=(Media("https://x/y", "video", width=3),))])
        store.write_readings([reading(f"p{n}") for n in range(5)], [Label("p1", "spam", "c", 3)])
        store.write(
            [act("l", K.LIKE, "p5"), act("d", K.DWELL, "p0", seconds=2.5), act("u", K.LIKE, "x")]
        )
        store.write([act("f", K.FOLLOW, account="ann"), act("m", K.MUTE, account="bob")])
        store.write_wish("vic", Wish("w", "topic:art", -1, 1.0, NOW + 5, "no more art"))

    def test_a_receipt_gives_the_feed_back_exactly(self, store: Store) -> None:
        self.world(store)
        spec = FeedSpec(
            "sci", {"fr": "Science"}, ("nearest",), ("fr",), (Wish("o", "tone:hot", -1),)
        )
        feed = served(
            store, "r", ["p1", "p2", "p3", "p5", "media"], ["p4", "p0"],
            feed=spec, size=2, surface="app", language="fr", after="before",
        )  # fmt: skip
        # What comes later is not in it.
        store.write([act("later", K.LIKE, "p1"), act("f2", K.FOLLOW, account="cat"), post("x")])
        store.write([Label("p2", "adult", "c", 3), Account("ann", hides_from_algorithms=True)])
        store.write_readings([reading("p1", "reader@2"), reading("p5")], [])
        store.delete_wish("vic", "w")
        assert_same(store.receipt("r"), feed)

    @given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=4))
    @settings(max_examples=25)
    def test_scores_survive_bit_by_bit(
        self, fresh_store: Callable[[], Store], scores: list[float]
    ) -> None:
        store = fresh_store()
        store.write([post("p")])
        candidate = store.candidates(["p"], NOW)["p"]
        item = Ranked(candidate, tuple(scores), scores[0], tuple(Term("t", x) for x in scores))
        feed = Feed(ask("r", None), Viewer(None), Page((item,), (item,)))
        store.record_served(feed)
        assert repr(store.receipt("r")) == repr(feed)
        store.close()

    def test_scores_of_numpy_are_kept_too(self, store: Store) -> None:
        store.write([post("p")])
        score = np.float32(0.1)
        item = Ranked(store.candidates(["p"], NOW)["p"], (score,), score, (Term("t", score),))  # type: ignore[arg-type]
        store.record_served(Feed(ask("r", None), Viewer(None), Page((item,))))
        assert store.receipt("r").page.items[0].score == float(score)

    def test_anonymous_receipts_are_kept(self, store: Store) -> None:
        store.write([post("p")])
        feed = served(store, "r", ["p"], viewer=None)
        assert_same(store.receipt("r"), feed)

    def test_an_empty_feed_has_a_receipt(self, store: Store) -> None:
        feed = Feed(ask("r"), store.viewer(ask("r")), Page(()))
        store.record_served(feed)
        assert store.receipt("r") == feed

    @pytest.mark.parametrize(
        ("event", "gone"),
        [
            (Delete("post", "p1", 3), "post 'p1' was deleted"),
            (Delete("post", "p0", 3), "post 'p0' was deleted"),
            (Delete("account", "ann", 3), "was deleted"),
            (post("p2", rev=2), "post 'p2' was edited"),
            (post("p2", 2, text="zzz"), "post 'p2' was edited"),
            (post("p2", 2, url="https://x"), "reading of post 'p2' by reader@1 is gone"),
            (Delete("action", "l", 3), "action 'l' was undone"),
        ],
    )
    def test_a_receipt_without_its_evidence_is_withdrawn(
        self, store: Store, event: Event, gone: str
    ) -> None:
        self.world(store)
        served(store, "r", ["p1", "p2"], ["p3"])
        store.write([event])
        with pytest.raises(WithdrawnError, match=gone):
            store.receipt("r")

    def test_an_unknown_receipt_is_not_found(self, store: Store) -> None:
        with pytest.raises(NotFoundError, match="'never'"):
            store.receipt("never")

    def test_a_request_is_served_to_one_viewer(self, store: Store) -> None:
        store.write([post("p"), post("q")])
        served(store, "r", ["p"])
        again = served(store, "r", ["q"])
        assert_same(store.receipt("r"), again)
        with pytest.raises(CallError, match="another viewer"):
            served(store, "r", ["p"], viewer="eve")
        assert store.counts().served == 1

    # --- people ----------------------------------------------------------------------------------

    def test_all_actions_come_in_order_of_time(self, store: Store) -> None:
        made = [act(f"{n % 7}-{n}", K.LIKE, "p", n % 5, viewer=f"v{n % 3}") for n in range(40)]
        store.write(made)
        store.write([Delete("action", made[3].id, 9)])
        wanted = sorted(made[:3] + made[4:], key=lambda one: (one.at, one.id))
        assert list(store.actions()) == wanted
        assert list(store.actions(2)) == [one for one in wanted if one.at <= 2]

    def test_an_export_is_all_that_is_held_and_erasing_leaves_none(self, store: Store) -> None:
        self.world(store)
        store.write([post("own", author="vic"), Account("vic", "Vic"), Label("vic", "bot", "c", 1)])
        served(store, "r", ["p1"])
        held = store.export("vic")
        assert held["account"]["name"] == "Vic"
        assert [one["id"] for one in held["actions"]] == ["d", "f", "l", "m", "u"]
        assert [one["said"] for one in held["wishes"]] == ["no more art"]
        assert [one["ask"]["id"] for one in held["receipts"]] == ["r"]
        assert [one["id"] for one in held["posts"]] == ["own"]
        assert [one["value"] for one in held["labels"]] == ["bot"]
        assert store.erase("vic")
        empty = store.export("vic")
        assert not any(value for key, value in empty.items() if key != "viewer")
        assert not store.erase("vic")
        assert not store.erase("never")
        assert store.viewer(ask()) == Viewer("vic")
        assert (list(store.actions()), store.posts(["own"])) == ([], {})
        assert (store.counts().viewers, store.counts().served) == (0, 0)

    def test_receipts_of_the_erased_are_withdrawn(self, store: Store) -> None:
        self.world(store)
        served(store, "r", ["p1"])
        store.write([act("other", K.LIKE, "p1", viewer="eve")])
        feed = served(store, "other", ["p1"], viewer="eve")
        store.erase("vic")
        with pytest.raises(WithdrawnError, match="erased"):
            store.receipt("r")
        assert_same(store.receipt("other"), feed)

    def test_what_was_erased_stays_out_and_the_person_may_come_back(self, store: Store) -> None:
        old: list[Event] = [
            post("own", author="vic"),
            Account("vic", "Vic"),
            act("l", K.LIKE, "p"),
            act("f", K.FOLLOW, account="ann"),
        ]
        store.write(old)
        late = Feed(ask("late", at=5), store.viewer(ask("late", at=5)), Page(()))
        store.erase("vic")
        assert store.write(old) == Written(same=4)
        store.record_served(late)
        with pytest.raises(WithdrawnError):
            store.receipt("late")
        assert not any(value for key, value in store.export("vic").items() if key != "viewer")
        future = 10**15
        assert store.write([act("new", K.LIKE, "p", future), Account("vic", "Vic")]).new == 2
        assert ids(store.viewer(ask(at=future))) == ["new"]
        assert store.write(old[2:]) == Written(same=2)

    def test_a_block_holds_also_for_one_who_erased_themselves(self, store: Store) -> None:
        store.write([post("p", author="eve"), act("b", K.BLOCK, "p")])
        store.erase("eve")
        assert store.viewer(ask()).blocks == {"eve"}

    def test_retention_forgets_the_log_and_keeps_standing_choices(self, store: Any) -> None:
        store.write([post("p"), act("f", K.FOLLOW, account="ann", at=1), act("l", K.LIKE, "p", 1)])
        store.write([act("k", K.LIKE, "p", 9)])
        served(store, "old", ["p"], at=3)
        served(store, "new", ["p"], at=9)
        assert store.forget(9) == 2
        assert [one.id for one in store.actions()] == ["f", "k"]
        assert store.viewer(ask()).follows == {"ann"}
        with pytest.raises(NotFoundError):
            store.receipt("old")
        with pytest.raises(WithdrawnError, match="forgotten"):
            store.receipt("new")
        assert store.write([act("l", K.LIKE, "p", 1)]) == Written(same=1)
        assert store.write([Delete("action", "f", 10)]) == Written(new=1)
        assert store.viewer(ask()).follows == frozenset()
        assert store.forget(5) == 0

    # --- the rest --------------------------------------------------------------------------------

    def test_feeds_are_kept_replaced_and_forgotten(self, store: Store) -> None:
        wishes = (Wish("w", "tone:hot", -1),)
        spec = FeedSpec(
            "sci", {"en": "Science"}, ("nearest",), ("fr", "en"), wishes, "latest", 12.5
        )
        store.write_feed(FeedSpec("sci"))
        store.write_feed(spec)
        assert store.feeds() == {"sci": spec}
        assert store.delete_feed("sci")
        assert not store.delete_feed("sci")
        assert store.feeds() == {}

    def test_one_checkpoint_a_part_is_live(self, store: Store) -> None:
        assert store.promoted("ranker") is None
        store.promote("ranker", "run-1")
        store.promote("ranker", "run-2")
        assert (store.promoted("ranker"), store.promoted("retriever")) == ("run-2", None)

    def test_a_store_is_the_same_when_it_is_opened_again(self, open_store: Opener) -> None:
        store = open_store()
        self.world(store)
        feed = served(store, "r", ["p1", "p2"], ["p3"])
        before = store.counts()
        store.close()
        with pytest.raises(ArianeError, match="closed"):
            store.counts()
        again = open_store()
        assert again.counts() == before
        assert_same(again.receipt("r"), feed)
