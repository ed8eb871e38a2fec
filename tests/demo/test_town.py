"""The town: what lies in the package is whole, and taking it in makes a living store."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ariane.demo.town import BATCH, DAYS, SOURCE, Town, take_in, town
from ariane.evaluate.world import DAY, load_world
from ariane.read.aspects import FORMATS, INTENTS, TONES, TOPICS
from ariane.store.sqlite import SqliteStore
from ariane.targets import MATCHES
from ariane.types import Action

NOW = 20_500 * DAY + 12_345


@pytest.fixture(scope="module")
def made() -> Town:
    return town(NOW)


def test_it_is_as_large_and_as_varied_as_it_says(made: Town) -> None:
    truths = made.world.truths
    assert len(made.posts) == len(truths) >= 1_500
    assert len({post.text.casefold() for post in made.posts}) == len(made.posts)
    languages = Counter(truth.language for truth in truths.values())
    assert min(languages["fr"], languages["en"]) > 0.45 * len(truths)
    for name, known in (
        ("topic", TOPICS),
        ("tone", TONES),
        ("intent", INTENTS),
        ("format", FORMATS),
    ):
        counts = Counter(getattr(truth, name) for truth in truths.values())
        assert counts.keys() == known.keys()
        assert min(counts.values()) >= 25
    policies = Counter(truth.policy for truth in truths.values())
    assert policies.keys() == {None, "spam", "harassment", "self-harm", "adult"}
    assert {"rumour", "correction"} < {truth.claim for truth in truths.values()}
    named = [person for person in made.world.people if person.name]
    assert len(named) >= 200
    assert {post.author for post in made.posts} == {person.id for person in named}


def test_threads_hang_together_and_nothing_lies_ahead(made: Town) -> None:
    held = {post.id: post for post in made.posts}
    assert sum(post.reply_to is not None for post in made.posts) > len(held) / 6
    for post in made.posts:
        assert NOW - (DAYS + 1) * DAY < post.at < NOW
        assert post.source == SOURCE
        if post.reply_to is not None:
            assert held[post.reply_to].at < post.at
            root = held[post.root or ""]
            assert root.reply_to is None


def test_tastes_are_targets_that_can_be_met(made: Town) -> None:
    authors = {person.id for person in made.world.people}
    for person in made.world.people:
        assert any(taste.weight > 0 for taste in person.tastes)
        for taste in person.tastes:
            kind, _, name = taste.target.partition(":")
            assert kind in {*MATCHES, "policy"}
            assert kind != "author" or name in authors - {person.id}


def test_it_is_the_same_on_any_day(made: Town) -> None:
    later = town(NOW + 3 * DAY)
    assert [post.at - 3 * DAY for post in later.posts] == [post.at for post in made.posts]
    assert later.world == made.world
    first = next(event for event in made.events() if isinstance(event, Action))
    again = next(event for event in later.events() if isinstance(event, Action))
    assert (again.id, again.at - 3 * DAY) == (first.id, first.at)


def test_taken_in_twice_it_is_there_once(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "ariane.db")
    new = take_in(store, tmp_path, NOW)
    assert new > 4 * BATCH
    assert take_in(store, tmp_path, NOW) == 0
    world = load_world(tmp_path)
    assert world is not None
    assert world.notice.keys() == {"en", "fr"}
    assert store.counts().posts == len(world.truths)
    store.close()
