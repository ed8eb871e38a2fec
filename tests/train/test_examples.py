"""Examples say what was known before each exposure, and what came of it; never what came later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.train.planted import BEGIN, HIDE, LIKE, MINUTE, SEEN, action, planted, post, reading

from ariane.rank.batch import history_tokens
from ariane.store.sqlite import SqliteStore
from ariane.train.examples import ATTRIBUTED, Examples, load_examples
from ariane.types import PREDICTED, Action, ActionKind, ArianeError, Ask, Delete, Event

DWELL, FOLLOW = ActionKind.DWELL, ActionKind.FOLLOW


def made(path: Path, actions: Sequence[Action], posts: int = 4) -> SqliteStore:
    store = SqliteStore(path / "store.db")
    events: list[Event] = [post(index) for index in range(posts)]
    store.write([*events, *actions])
    rng = np.random.default_rng(0)
    store.write_readings([reading(post(index), index % 4, rng) for index in range(posts)], [])
    return store


def acts(*what: tuple[str, ActionKind, int], seconds: float | None = None) -> list[Action]:
    """Actions of one viewer on posts or accounts, at minutes after the beginning."""
    return [
        action(
            number,
            "v",
            kind,
            BEGIN + minute * MINUTE,
            seconds=seconds if kind is DWELL else None,
            **({"account": target} if "/a" in target else {"post": target}),
        )
        for number, (target, kind, minute) in enumerate(what)
    ]


def told(examples: Examples, row: int) -> set[ActionKind]:
    return {kind for kind, done in zip(PREDICTED, examples.labels[row], strict=True) if done}


def test_first_action_on_a_post_is_the_exposure_and_all_later_ones_are_its_labels(
    tmp_path: Path,
) -> None:
    actions = acts(
        ("planted/p0", SEEN, 1),
        ("planted/p1", SEEN, 2),
        ("planted/p0", LIKE, 3),
        ("planted/p0", DWELL, 4),
        ("planted/p0", DWELL, 5),
        seconds=2.5,
    )
    examples = load_examples(made(tmp_path, actions))
    assert examples.visible.tolist() == [0, 1]
    assert [examples.posts[row] for row in examples.post] == ["planted/p0", "planted/p1"]
    assert told(examples, 0) == {LIKE, DWELL}
    assert told(examples, 1) == set()
    assert examples.seconds[0] == 5.0
    assert np.isnan(examples.seconds[1])


def test_nothing_after_the_cut_is_in_labels_or_history(tmp_path: Path) -> None:
    actions = acts(("planted/p0", SEEN, 1), ("planted/p1", SEEN, 2), ("planted/p0", LIKE, 3))
    store = made(tmp_path, actions)
    for until in (BEGIN + 2 * MINUTE, {"planted": BEGIN + 2 * MINUTE}):
        examples = load_examples(store, until=until)
        assert len(examples.action_at) == 2
        assert not examples.labels.any()


def test_under_a_cut_for_each_source_nothing_else_counts(tmp_path: Path) -> None:
    actions = acts(
        ("planted/p0", SEEN, 1),
        ("planted/a0", FOLLOW, 2),
        ("planted/p1", LIKE, 3),
        ("planted/p2", SEEN, 4),
        ("planted/a2", FOLLOW, 5),
    )
    store = made(tmp_path, actions)
    store.write([Delete("post", "planted/p1", BEGIN + 9 * MINUTE)])
    examples = load_examples(store, until={"planted": BEGIN + 9 * MINUTE, "other": BEGIN + MINUTE})
    assert examples.action_at.tolist() == [BEGIN + MINUTE, BEGIN + 4 * MINUTE]
    assert not examples.labels.any()
    for until in ({"other": BEGIN + 9 * MINUTE}, {}):
        with pytest.raises(ArianeError, match="ingest some first"):
            load_examples(store, until=until)


def test_exposures_of_one_request_know_nothing_of_each_other(tmp_path: Path) -> None:
    actions = acts(
        ("planted/p0", LIKE, 1),
        ("planted/p1", SEEN, 2),
        ("planted/p0", SEEN, 3),
        ("planted/p2", SEEN, 4),
        ("planted/p1", LIKE, 5),
        ("planted/p3", SEEN, 6),
    )
    asked = (None, "r", "s", "r", "r", "s")
    marked = [replace(one, request=request) for one, request in zip(actions, asked, strict=True)]
    examples = load_examples(made(tmp_path, marked))
    assert [examples.posts[row][-2:] for row in examples.post] == ["p0", "p1", "p2", "p3"]
    assert examples.visible.tolist() == [0, 1, 1, 2]


def test_own_posts_are_history_and_no_exposure_nor_sampled(tmp_path: Path) -> None:
    actions = [
        replace(one, viewer="planted/a1")
        for one in acts(("planted/p1", LIKE, 1), ("planted/p0", LIKE, 2), ("planted/p2", LIKE, 3))
    ]
    other = action("o", "w", LIKE, BEGIN + 2 * MINUTE, post="planted/p8")
    store = made(tmp_path, [*actions, other], posts=9)
    examples = load_examples(store, negatives=50)
    authors = np.array([post(int(name[9:])).author for name in examples.posts])[examples.post]
    viewers = np.array(examples.viewers)[examples.viewer]
    assert examples.sampled.any()
    assert not (authors == viewers).any()
    assert not examples.own.any()
    assert examples.visible[~examples.sampled].tolist() == [1, 2, 0]
    kept = load_examples(store, negatives=0, own=True)
    assert kept.own.tolist() == [True, False, False, False]


def test_follow_counts_for_the_last_exposure_to_that_author_within_the_hour(
    tmp_path: Path,
) -> None:
    near, far = 1 + ATTRIBUTED // MINUTE, 200 + ATTRIBUTED // MINUTE + 1
    actions = acts(
        ("planted/p0", SEEN, 1),
        ("planted/a0", FOLLOW, near),
        ("planted/p1", SEEN, 200),
        ("planted/a1", FOLLOW, far),
        ("planted/a5", FOLLOW, far),
    )
    examples = load_examples(made(tmp_path, actions))
    assert told(examples, 0) == {FOLLOW}
    assert told(examples, 1) == set()
    assert len(examples.action_at) == 5


def test_withheld_posts_are_in_no_history_and_no_exposure(tmp_path: Path) -> None:
    actions = acts(("planted/p0", LIKE, 1), ("planted/p1", SEEN, 2), ("planted/p2", HIDE, 3))
    examples = load_examples(made(tmp_path, actions), withhold=frozenset({"planted/p0"}))
    assert examples.posts == ("planted/p1", "planted/p2")
    assert examples.visible.tolist() == [0, 1]
    assert len(examples.action_at) == 2


def test_history_is_the_one_that_serving_sees(tmp_path: Path) -> None:
    store = planted(tmp_path / "store.db", viewers=6, posts=12, each=10)
    examples = load_examples(store)
    for viewer, name in enumerate(examples.viewers):
        start, stop = examples.starts[viewer : viewer + 2]
        served = store.viewer(Ask("q", name, int(examples.action_at[stop - 1])))
        tokens = history_tokens(served.history, examples.vectors.shape[1])
        mine = examples.history.take(slice(int(start), int(stop)))
        assert np.array_equal(tokens.names, mine.names)
        assert np.array_equal(tokens.post, mine.post)
        assert np.array_equal(tokens.vectors, examples.vectors[examples.action_post[start:stop]])


def test_without_reading_leaves_neither_vectors_nor_aspects(tmp_path: Path) -> None:
    store = planted(tmp_path / "store.db", viewers=3, posts=6, each=5)
    read, blind = load_examples(store), load_examples(store, reading=False)
    assert read.vectors.any()
    assert not blind.vectors.any()
    assert blind.candidates.names[:, :2].any()
    assert not blind.candidates.names[:, 2:].any()
    assert np.array_equal(blind.history.names[:, :8], read.history.names[:, :8])


def test_source_that_tells_only_likes_has_negatives_sampled_among_posts_there_were(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path / "store.db")
    posts = [post(index, at=BEGIN + index * MINUTE) for index in range(20)]
    actions = [
        action(number, f"v{number % 4}", LIKE, BEGIN + (index + 1) * MINUTE, post=posts[index].id)
        for number, index in enumerate(list(range(20)) * 2)
    ]
    store.write([*posts, *actions])
    examples = load_examples(store, negatives=3)
    assert examples.sampled.sum() > 20
    assert not examples.labels[examples.sampled].any()
    assert examples.labels[~examples.sampled].any(axis=1).all()
    assert (examples.published[examples.post] <= examples.at).all()
    pairs = list(zip(examples.viewer.tolist(), examples.post.tolist(), strict=True))
    sampled = {pair for pair, drawn in zip(pairs, examples.sampled, strict=True) if drawn}
    assert not sampled & {
        pair for pair, drawn in zip(pairs, examples.sampled, strict=True) if not drawn
    }
    assert (np.diff(examples.viewer) >= 0).all()
    again = load_examples(store, negatives=3)
    assert np.array_equal(again.post, examples.post)
    assert not load_examples(store, negatives=0).sampled.any()


def test_source_that_tells_what_was_passed_by_has_none_sampled(tmp_path: Path) -> None:
    store = planted(tmp_path / "store.db", viewers=5, posts=10, each=8)
    assert not load_examples(store).sampled.any()


def test_deleted_post_leaves_its_action_in_the_history_without_content(tmp_path: Path) -> None:
    store = made(tmp_path, acts(("planted/p0", LIKE, 1), ("planted/p1", SEEN, 2)))
    store.write([Delete("post", "planted/p0", BEGIN + 9 * MINUTE)])
    examples = load_examples(store)
    assert examples.posts == ("planted/p1",)
    assert examples.visible.tolist() == [len(examples.action_at) - 1]


def test_store_without_actions_on_posts_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ArianeError, match="ingest some first"):
        load_examples(made(tmp_path, []))


def test_readings_of_two_widths_are_refused(tmp_path: Path) -> None:
    store = made(tmp_path, acts(("planted/p0", LIKE, 1), ("planted/p1", SEEN, 2)))
    wide = reading(post(1), 1, np.random.default_rng(0))
    wide = replace(wide, vector=np.ones(8, np.float32), by="other@1")
    store.write_readings([wide], [])
    with pytest.raises(ArianeError, match="read all posts with one reader"):
        load_examples(store)
