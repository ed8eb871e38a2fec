"""The simulated world: what is done follows from what was planted."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest

from ariane.evaluate.world import (
    BASE,
    DAY,
    Person,
    Taste,
    Truth,
    World,
    liking,
    load_world,
    odds,
    save_world,
    simulate,
)
from ariane.types import ActionKind, ArianeError, Post

BEGIN = 20_000 * DAY


def truth(number: int) -> Truth:
    topic = ("art", "sport")[number % 2]
    return Truth(f"a{number % 5}", "fr", topic, "warm", "tell", "note")


FAN = Person("fan", "Fan", "fr", "", (Taste("topic:art", 5.0), Taste("topic:sport", -5.0)))
STRANGER = Person("stranger", "", "en", "", (Taste("topic:art", 2.0),))
POSTS = [Post(f"p{n}", f"a{n % 5}", "…", BEGIN + n * DAY // 200) for n in range(1000)]
WORLD = World(
    {"en": "None of it is real."}, (FAN, STRANGER), {f"p{n}": truth(n) for n in range(1000)}
)


def test_what_is_liked_is_what_was_planted() -> None:
    done = [action for action in simulate(WORLD, POSTS, {}) if action.viewer == "fan"]
    topics = {name: one.topic for name, one in WORLD.truths.items()}
    liked = Counter(topics[one.post or ""] for one in done if one.kind is ActionKind.LIKE)
    turned = Counter(
        topics[one.post or ""] for one in done if one.kind is ActionKind.NOT_INTERESTED
    )
    assert liked["art"] > 20 > liked["sport"]
    assert turned["sport"] > 5 > turned["art"]
    assert liking(FAN, truth(0)) == BASE + 5.0
    assert liking(STRANGER, truth(0)) < BASE  # it is not in their language


def test_posts_are_seen_once_after_they_were_published_and_never_by_their_author() -> None:
    writer = Person("a0", "Ann", "both", "", ())
    world = World({}, (writer, FAN), WORLD.truths)
    seen = Counter[tuple[str, str]]()
    when = {post.id: post for post in POSTS}
    for action in simulate(world, POSTS, {"fan": ("a1",)}):
        if action.kind is ActionKind.IMPRESSION:
            post = when[action.post or ""]
            assert action.at > post.at
            assert action.viewer != post.author
            seen[action.viewer, post.id] += 1
    assert seen
    assert set(seen.values()) == {1}


def test_who_is_followed_is_seen_more() -> None:
    theirs = {post.id for post in POSTS if post.author == "a1"}

    def share(follows: dict[str, list[str]]) -> float:
        done = [one for one in simulate(WORLD, POSTS, follows) if one.viewer == "fan"]
        seen = [one.post in theirs for one in done if one.kind is ActionKind.IMPRESSION]
        return sum(seen) / len(seen)

    assert share({"fan": ["a1"]}) > 1.5 * share({})


def test_the_same_seed_gives_the_same_lives() -> None:
    again = [list(simulate(WORLD, POSTS, {}, seed)) for seed in (0, 0, 1)]
    assert again[0] == again[1]
    assert again[0] != again[2]


def test_a_world_is_kept_beside_its_store(tmp_path: Path) -> None:
    assert load_world(tmp_path) is None
    save_world(tmp_path, WORLD)
    assert load_world(tmp_path) == WORLD
    (tmp_path / "world.json").write_text('{"people": 3}')
    with pytest.raises(ArianeError, match="holds no world"):
        load_world(tmp_path)


def test_odds_are_those_of_a_logit() -> None:
    assert odds(0.0) == 0.5
    assert math.isclose(odds(-2.5), 0.0759, abs_tol=1e-4)
