"""What the store's tests are made of: posts, actions, served feeds, and worlds drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol
from zlib import crc32

import numpy as np
from hypothesis import strategies as st

from ariane.types import (
    PREDICTED,
    Account,
    Action,
    ActionKind,
    Ask,
    Candidate,
    Decision,
    Delete,
    Event,
    Feed,
    Label,
    Media,
    Moved,
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
    vector = np.random.default_rng(crc32(f"{name}/{by}".encode())).standard_normal(8)
    told = {"entities": (name, "Ann"), "claim": "rumour", "gist": f"of {name}", "labels": ("spam",)}
    values = {"topics": (("science", 0.75), ("art", 0.1)), "language": "en", **told, **more}
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
    if one is None:
        return None
    understood = (one.topics, one.tone, one.intent, one.format, one.language)
    return one.post, one.rev, one.vector.tobytes(), understood, one.by


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
    lambda number, text, at, rev, lang: Post(f"p{number}", f"a{number % 3}", text, at, rev, lang),
    st.integers(0, 3), st.sampled_from(["x", "y"]), TIMES, st.integers(1, 3),
    st.sampled_from([None, "en", "fr"]),
)  # fmt: skip
WORLD_ACTION = st.tuples(
    one_of("v", 3), st.sampled_from([K.LIKE, K.IMPRESSION, K.FOLLOW, K.MUTE]), TIMES, one_of("p", 4)
).map(lambda parts: Action("/".join(map(str, parts[1:])), *parts))
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
    done = [(event.id, event.viewer) for event in made if isinstance(event, Action)]
    deletes = [
        st.builds(Delete, st.just("post"), one_of("p", 4), TIMES),
        st.builds(Delete, st.just("account"), one_of("a", 3), TIMES),
        st.builds(
            lambda one, at: Delete("action", one[0], at, one[1]),
            st.sampled_from([*done, ("none", "v0")]), TIMES,
        ),
    ]  # fmt: skip
    return made + draw(st.lists(st.one_of(deletes), max_size=3))


def fill(store: Store) -> None:
    """A small world with everything in it."""
    store.write([post(f"p{n}", n) for n in range(6)])
    store.write([post("media", media=(Media("https://x/y", "video", width=3),))])
    store.write_readings([reading(f"p{n}") for n in range(5)], [Label("p1", "spam", "c", 3)])
    store.write(
        [act("l", K.LIKE, "p5"), act("d", K.DWELL, "p0", seconds=2.5), act("u", K.LIKE, "x")]
    )
    store.write([act("f", K.FOLLOW, account="ann"), act("m", K.MUTE, account="bob")])
    store.write_wish("vic", Wish("w", "topic:art", -1, 1.0, NOW + 5, "no more art"))
