"""Exports, erasure, retention, and all that is left."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.store.world import (
    NOW,
    K,
    Opener,
    act,
    ask,
    assert_same,
    fill,
    ids,
    post,
    served,
)

from ariane.types import (
    Account,
    ArianeError,
    Delete,
    Event,
    Feed,
    FeedSpec,
    Label,
    NotFoundError,
    Page,
    Store,
    Viewer,
    Wish,
    WithdrawnError,
    Written,
)


class People:
    """A part of the suite over any store."""

    def test_all_actions_come_in_order_of_time(self, store: Store) -> None:
        made = [act(f"{n % 7}-{n}", K.LIKE, "p", n % 5, viewer=f"v{n % 3}") for n in range(40)]
        store.write(made)
        store.write([Delete("action", made[3].id, 9, made[3].viewer)])
        wanted = sorted(made[:3] + made[4:], key=lambda one: (one.at, one.id))
        assert list(store.actions()) == wanted
        assert list(store.actions(2)) == [one for one in wanted if one.at <= 2]

    def test_people_are_accounts_and_who_did_or_wished_something(self, store: Store) -> None:
        store.write([Account("ann", "Ann"), act("l", K.LIKE, "p", 1, viewer="bob")])
        store.write_wish("cat", Wish("w", "topic:art", 1))
        store.record_served(Feed(ask("r", viewer="dan"), Viewer("dan"), Page(())))
        assert store.people() == ["ann", "bob", "cat"]
        store.erase("bob")
        assert store.people() == ["ann", "cat"]

    def test_an_export_is_all_that_is_held_and_erasing_leaves_none(self, store: Store) -> None:
        fill(store)
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
        fill(store)
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

    def test_retention_forgets_the_log_and_keeps_standing_choices(self, store: Store) -> None:
        store.write([post("p"), act("f", K.FOLLOW, account="ann", at=1), act("l", K.LIKE, "p", 1)])
        store.write([act("k", K.LIKE, "p", 9)])
        served(store, "old", ["p"], at=3)
        served(store, "new", ["p"], at=9)
        assert store.forget(actions=9, receipts=9) == 2
        assert [one.id for one in store.actions()] == ["f", "k"]
        assert store.viewer(ask()).follows == {"ann"}
        with pytest.raises(NotFoundError):
            store.receipt("old")
        with pytest.raises(WithdrawnError, match="forgotten"):
            store.receipt("new")
        assert store.write([act("l", K.LIKE, "p", 1)]) == Written(same=1)
        assert store.write([Delete("action", "f", 10, "vic")]) == Written(new=1)
        assert store.viewer(ask()).follows == frozenset()
        assert store.forget(actions=5, receipts=5) == 0

    def test_what_stands_is_told_by_account_with_every_action_that_makes_it(
        self, store: Store
    ) -> None:
        store.write([post("p", author="eve"), post("q", author="eve")])
        store.write([act("b1", K.BLOCK, "p"), act("b2", K.BLOCK, account="eve")])
        store.write([act("b3", K.BLOCK, account="ann"), act("f", K.FOLLOW, "q")])
        store.write([act("b", K.BLOCK, "p", viewer="other"), Delete("post", "p", 9)])
        assert sorted(store.standing("vic", K.BLOCK, "eve")) == ["b1", "b2"]
        assert store.standing("vic", K.FOLLOW, "eve") == ["f"]
        for viewer, kind, account in (
            ("vic", K.MUTE, "eve"),
            ("vic", K.FOLLOW, "ann"),
            ("nobody", K.BLOCK, "eve"),
        ):
            assert store.standing(viewer, kind, account) == []
        store.write([Delete("action", name, 10, "vic") for name in ("b1", "b2")])
        assert store.standing("vic", K.BLOCK, "eve") == []
        assert store.viewer(ask()).blocks == {"ann"}
        assert store.standing("other", K.BLOCK, "eve") == ["b"]

    def test_each_kind_is_forgotten_at_its_own_time(self, store: Store) -> None:
        store.write([post("p"), act("l", K.LIKE, "p", 1)])
        for name, viewer, at in (("a", "vic", 1), ("b", "vic", 5), ("c", None, 5), ("d", None, 9)):
            served(store, name, ["p"], viewer=viewer, at=at)
        assert store.forget(actions=None, receipts=3, anonymous=7) == 2
        assert [one.id for one in store.actions()] == ["l"]
        assert (store.served_to("b"), store.served_to("d")) == ("vic", None)
        for name in ("a", "c"):
            with pytest.raises(NotFoundError):
                store.served_to(name)
        assert store.write([act("m", K.LIKE, "p", 1)]) == Written(new=1)
        assert store.forget(actions=2, receipts=None) == 2
        assert store.counts().served == 2

    def test_the_settings_say_what_is_kept(self, open_store: Opener) -> None:
        store = open_store(keep_actions_days=30, keep_receipts_days=10, keep_anonymous_days=1)
        store.write([post("p")])
        for days in (0.5, 5, 20, 40):
            at = NOW - int(days * 86_400_000)
            store.write([act(f"{days}", K.LIKE, "p", at)])
            served(store, f"v{days}", ["p"], at=at)
            served(store, f"n{days}", ["p"], viewer=None, at=at)
        assert store.retain(NOW) == 1 + 2 + 3
        assert [one.id for one in store.actions()] == ["20", "5", "0.5"]
        assert store.counts().served == 2 + 1
        assert store.retain(NOW) == 0
        store.close()
        store = open_store(keep_receipts_days=0, keep_anonymous_days=0)
        assert store.retain(10 * NOW) == 0

    def test_an_erased_minor_stays_one_until_a_year_of_birth_says_otherwise(
        self, store: Store
    ) -> None:
        old = Account("vic", "Vic", 2014)
        future = 10**15
        store.write([old, Account("eve", "Eve", 1980)])
        assert store.erase("vic")
        assert store.erase("eve")
        assert (store.viewer(ask()).minor, store.viewer(ask(viewer="eve")).minor) == (True, False)
        assert "2014" not in str(store.export("vic"))
        assert store.write([old, replace(old, at=NOW - 10**12)]) == Written(same=2)
        store.write([act("l", K.LIKE, "p", future)])
        assert store.erase("vic")
        assert store.viewer(ask()).minor
        assert store.write([Account("vic", "Vic", at=future)]) == Written(new=1)
        assert store.viewer(ask()).minor
        assert store.write([Account("vic", None, 1990, at=future)]) == Written(new=1)
        assert store.account("vic") == Account("vic", "Vic", 1990)
        assert not store.viewer(ask()).minor

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
        fill(store)
        feed = served(store, "r", ["p1", "p2"], ["p3"])
        before = store.counts()
        store.close()
        with pytest.raises(ArianeError, match="closed"):
            store.counts()
        again = open_store()
        assert again.counts() == before
        assert_same(again.receipt("r"), feed)
