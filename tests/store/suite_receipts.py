"""What was served, given back exactly or withdrawn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.world import (
    NOW,
    K,
    act,
    ask,
    assert_same,
    fill,
    post,
    reading,
    served,
)

from ariane.types import (
    Account,
    CallError,
    Delete,
    Event,
    Feed,
    FeedSpec,
    Label,
    NotFoundError,
    Page,
    Ranked,
    Store,
    Term,
    Viewer,
    Wish,
    WithdrawnError,
)


class Receipts:
    """A part of the suite over any store."""

    def test_a_receipt_gives_the_feed_back_exactly(self, store: Store) -> None:
        fill(store)
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
            (Delete("action", "l", 3, "vic"), "action 'l' was undone"),
        ],
    )
    def test_a_receipt_without_its_evidence_is_withdrawn(
        self, store: Store, event: Event, gone: str
    ) -> None:
        fill(store)
        served(store, "r", ["p1", "p2"], ["p3"])
        store.write([event])
        with pytest.raises(WithdrawnError, match=gone):
            store.receipt("r")

    def test_an_unknown_receipt_is_not_found(self, store: Store) -> None:
        with pytest.raises(NotFoundError, match="'never'"):
            store.receipt("never")
        with pytest.raises(NotFoundError, match="'never'"):
            store.served_to("never")

    def test_whose_a_receipt_is_is_known_until_it_is_erased(self, store: Store) -> None:
        fill(store)
        served(store, "r", ["p1"])
        served(store, "anyone", ["p1"], viewer=None)
        store.write([Delete("post", "p1", 3)])
        with pytest.raises(WithdrawnError):
            store.receipt("r")
        assert (store.served_to("r"), store.served_to("anyone")) == ("vic", None)
        store.erase("vic")
        with pytest.raises(WithdrawnError, match="erased"):
            store.served_to("r")

    def test_a_request_is_served_to_one_viewer(self, store: Store) -> None:
        store.write([post("p"), post("q")])
        served(store, "r", ["p"])
        again = served(store, "r", ["q"])
        assert_same(store.receipt("r"), again)
        with pytest.raises(CallError, match="another viewer"):
            served(store, "r", ["p"], viewer="eve")
        assert store.counts().served == 1
