"""Each source finds what it is for, and an honest feed comes out for anyone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.retrieve import vector_store as world
from tests.retrieve.vector_store import ASK, NOW, WIDE, near, posted, store_with, unit, viewer

from ariane.retrieve import RetrieveSettings, Sources, VectorFile, refresh, retrieve
from ariane.retrieve.following import Following
from ariane.retrieve.fresh import Fresh, sample
from ariane.retrieve.interests import interests, liked
from ariane.retrieve.nearest import Nearest
from ariane.retrieve.towers import Towers
from ariane.retrieve.wished import Wished
from ariane.store.sqlite import SqliteStore
from ariane.types import ActionKind, Ask, Candidate, Delete, FeedSpec, Post, Viewer, Wish

CITY, FOOD, ART = unit(1), unit(2), unit(3)


class Words:
    """An encoder that knows two words."""

    name, width = "words", WIDE

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([{"city life": CITY, "food": FOOD}.get(text, ART) for text in texts])


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    """Ten posts near each of three directions, by several authors, the last three days."""
    posts, vectors = [], {}
    for kind, (name, vector) in enumerate({"city": CITY, "food": FOOD, "art": ART}.items()):
        for number in range(10):
            post = f"{name}{number}"
            posts.append(posted(post, f"{name} {number % 4}", hours=1 + kind + 7 * number))
            vectors[post] = near(vector, 100 * kind + number)
    store = store_with(tmp_path, posts, vectors)
    file = VectorFile(tmp_path / "posts")
    file.refresh(store)
    parts = (
        Following(store),
        Nearest(file),
        Towers(),
        Fresh(store, file),
        Wished(store, file, Words()),
    )
    return Sources(store, parts, files=(file,))


def find(sources: Sources, name: str, ask: Ask, who: Viewer) -> list[str]:
    return next(part for part in sources.parts if part.name == name).find(ask, who)


def only(*names: str, **more: object) -> Ask:
    return replace(ASK, feed=FeedSpec("some", sources=names, **more))


def test_following_finds_the_newest_of_the_followed(sources: Sources) -> None:
    who = viewer(follows=frozenset({"city 1", "food 2"}))
    found = find(sources, "following", ASK, who)
    assert found == ["city1", "food2", "city5", "food6", "city9"]
    assert find(sources, "following", ASK, viewer()) == []


def test_nearest_finds_each_interest_and_not_what_was_acted_on(sources: Sources) -> None:
    who = viewer(
        *(world.liked(f"city{n}", near(CITY, n)) for n in range(4)),
        *(world.liked(f"food{n}", near(FOOD, n)) for n in range(4)),
    )
    found = find(sources, "nearest", ASK, who)
    assert {post[:-1] for post in found[:8]} == {"city", "food"}
    assert not set(found) & {past.action.post for past in who.history}


def test_dislikes_repel(sources: Sources) -> None:
    between = (CITY + FOOD) / np.linalg.norm(CITY + FOOD)
    likes = world.liked("x", between)
    plain = find(sources, "nearest", ASK, viewer(likes))
    dislike = world.liked("y", FOOD, ActionKind.NOT_INTERESTED)
    repelled = find(sources, "nearest", ASK, viewer(likes, dislike))
    assert sum(post.startswith("city") for post in plain[:10]) < 10
    assert all(post.startswith("city") for post in repelled[:10])


def test_nearest_finds_nothing_without_likes_or_from_another_reader(sources: Sources) -> None:
    assert find(sources, "nearest", ASK, viewer()) == []
    assert find(sources, "nearest", ASK, viewer(world.liked("x", unit(0, 2 * WIDE)))) == []
    dislike = world.liked("y", CITY, ActionKind.NOT_INTERESTED)
    assert find(sources, "nearest", ASK, viewer(dislike)) == []


def test_nearest_finds_nothing_that_is_not_yet_published(sources: Sources) -> None:
    early = replace(ASK, at=NOW - 30 * world.HOUR)
    found = find(sources, "nearest", early, viewer(world.liked("x", CITY)))
    assert found
    assert {post[-1] for post in found} <= set("456789")


def test_fresh_mixes_the_newest_with_a_sample_of_authors(sources: Sources) -> None:
    found = find(sources, "fresh", ASK, Viewer(None))
    assert found[:2] == ["city0", "food0"]
    assert len(set(found)) == len(found) == 30
    assert found == find(sources, "fresh", ASK, Viewer(None))


def test_the_sample_takes_one_post_an_author_and_each_author_as_often(tmp_path: Path) -> None:
    store = world.Rows()
    for number in range(100):
        store.add(f"loud{number}", unit(number), author="loud", at=number)
    for number in range(9):
        store.add(f"quiet{number}", unit(200 + number), author=f"quiet {number}", at=number)
    file = VectorFile(tmp_path / "posts")
    file.refresh(store)
    rows = file.rows()
    drawn = [sample(rows, rows.between(-1, 1000), seed, 3) for seed in range(2000)]
    assert all(len({post[:6] for post in found}) == 3 for found in drawn)
    loud = sum("loud99" in found for found in drawn)
    assert 480 < loud < 720
    assert sample(rows, rows.between(500, 1000), 1, 3) == []


def test_wished_finds_by_author_language_topic_and_word(sources: Sources) -> None:
    def wished(target: str, direction: int = 1, until: int | None = None) -> list[str]:
        wish = Wish("w", target, 1 if direction > 0 else -1, until=until)
        return find(sources, "wished", ASK, viewer(wishes=(wish,)))

    assert wished("author:art 3") == ["art3", "art7"]
    assert len(wished("language:en")) == 30
    assert wished("language:fr") == []
    assert {post[:-1] for post in wished("topic:city_life")[:9]} == {"city"}
    assert {post[:-1] for post in wished("word:food")[:9]} == {"food"}
    assert wished("tone:funny") == []
    assert wished("topic:city_life", -1) == []
    assert wished("topic:city_life", until=NOW) == []


def test_a_feeds_own_wishes_are_looked_for_without_a_viewer(sources: Sources) -> None:
    ask = only("wished", wishes=(Wish("f", "author:art 3", 1),))
    assert [one.post.id for one in retrieve(sources, ask, Viewer(None))] == ["art3", "art7"]


def test_wishes_for_topics_without_an_encoder_or_with_another_find_nothing(
    sources: Sources,
) -> None:
    file = sources.files[0]
    who = viewer(wishes=(Wish("w", "topic:food", 1),))
    assert Wished(sources.store, file).find(ASK, who) == []

    class Wider(Words):
        def encode(self, texts: Sequence[str]) -> np.ndarray:
            return np.ones((len(texts), 2 * WIDE), np.float32)

    assert Wished(sources.store, file, Wider()).find(ASK, who) == []


def test_every_candidate_knows_all_who_found_it(sources: Sources) -> None:
    who = viewer(
        world.liked("x", CITY),
        follows=frozenset({"city 1"}),
        wishes=(Wish("w", "author:city 1", 1),),
    )
    found = {one.post.id: one for one in retrieve(sources, ASK, who)}
    assert found["city1"].sources == ("following", "nearest", "fresh", "wished")
    for name in ("following", "nearest", "fresh", "wished"):
        ids = set(find(sources, name, ASK, who))
        assert ids == {post for post, one in found.items() if name in one.sources}
    assert found["city1"].reading is not None


def test_a_feed_chooses_its_sources(sources: Sources) -> None:
    who = viewer(world.liked("x", CITY), follows=frozenset({"food 1"}))
    found = retrieve(sources, only("following"), who)
    assert {one.sources for one in found} == {("following",)}
    assert {one.post.author for one in found} == {"food 1"}


def test_what_was_seen_is_not_found_again(sources: Sources) -> None:
    seen = frozenset(f"{kind}{n}" for kind in ("city", "food") for n in range(10))
    who = viewer(world.liked("x", CITY), follows=frozenset({"city 1"}), seen=seen)
    tight = replace(sources, limit=5)
    assert len(retrieve(tight, ASK, who)) == 5
    assert {one.post.id[:3] for one in retrieve(sources, ASK, who)} == {"art"}


def test_a_repost_of_what_was_seen_is_not_found(sources: Sources) -> None:
    """So a receipt, which keeps of what was seen only the candidates, replays without it."""
    sources.store.write([posted("again", "ben", repost_of="gone")])
    seen = viewer(seen=frozenset({"gone"}))
    assert "again" in {one.post.id for one in retrieve(sources, ASK, viewer())}
    assert "again" not in {one.post.id for one in retrieve(sources, ASK, seen)}


def test_age_and_limit_hold(sources: Sources) -> None:
    young = retrieve(sources, only(max_age_hours=10.0), Viewer(None))
    assert young
    assert all(one.post.at > NOW - 10 * world.HOUR for one in young)
    assert len(retrieve(replace(sources, limit=7), ASK, Viewer(None))) == 7


@pytest.mark.parametrize("name", ["nearest", "fresh", "wished"])
def test_a_source_looks_only_among_what_the_feed_can_show(tmp_path: Path, name: str) -> None:
    """A few posts that fit are found among many that do not and that stand higher."""
    store = world.crowd(tmp_path, CITY)
    file = VectorFile(tmp_path / "posts")
    file.refresh(store)
    parts = (
        Nearest(file, limit=20),
        Fresh(store, file, limit=20),
        Wished(store, file, Words(), limit=20),
    )
    sources = Sources(store, parts, limit=20)
    who = viewer(world.liked("x", CITY), wishes=(Wish("w", "topic:city_life", 1),))
    french = find(sources, name, only(languages=("fr",)), who)
    assert sorted(french) == [f"fr{n}" for n in range(5)]
    young = find(sources, name, only(max_age_hours=10.0), who)
    assert sorted(young) == ["en0", "en1", "en2"]


def test_a_wish_for_a_language_that_the_feed_does_not_take_finds_nothing(
    sources: Sources,
) -> None:
    who = viewer(wishes=(Wish("w", "language:en", 1),))
    assert find(sources, "wished", only(languages=("fr",)), who) == []
    assert len(find(sources, "wished", only(languages=("fr", "en")), who)) == 30


def test_a_feed_of_one_language_has_nothing_else(tmp_path: Path) -> None:
    posts = [posted(f"p{n}", f"a{n}", lang="de" if n % 2 else None) for n in range(10)]
    store = store_with(tmp_path, posts, {})
    french = {f"p{n}": world.reading(f"p{n}", unit(n), "fr") for n in range(4)}
    store.write_readings(list(french.values()), [])
    file = VectorFile(tmp_path / "posts")
    sources = Sources(store, (Fresh(store, file), Nearest(file)), files=(file,))
    assert refresh(sources) == 4
    found = {one.post.id for one in retrieve(sources, only(languages=("fr",)), Viewer(None))}
    assert found == {"p0", "p1", "p2", "p3"}
    german = {one.post.id for one in retrieve(sources, only(languages=("de",)), Viewer(None))}
    assert german == {"p5", "p7", "p9"}


@pytest.mark.parametrize(
    "who", [Viewer(None), Viewer("new"), Viewer("off", mutes=frozenset({"x"}))]
)
def test_one_without_a_history_gets_what_is_fresh(sources: Sources, who: Viewer) -> None:
    found = retrieve(sources, replace(ASK, profiled=False), who)
    assert len(found) == 30
    assert {one.sources for one in found} == {("fresh",)}


def test_an_empty_store_gives_an_empty_feed(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "ariane.db")
    file = VectorFile(tmp_path / "posts")
    parts = (Following(store), Nearest(file), Towers(), Fresh(store, file), Wished(store, file))
    sources = Sources(store, parts, files=(file,))
    assert refresh(sources) == 0
    who = viewer(
        world.liked("x", CITY), follows=frozenset({"a"}), wishes=(Wish("w", "topic:food", 1),)
    )
    assert retrieve(sources, ASK, who) == []


def test_held_candidates_are_given_as_they_stand(sources: Sources) -> None:
    held = (Candidate(Post("h", "a", "", 0), sources=("nearest",)),)
    assert retrieve(replace(sources, held=held), only("following"), Viewer(None)) == list(held)


def test_posts_that_were_deleted_since_are_gone(sources: Sources) -> None:
    sources.store.write([Delete("post", "city0", NOW)])
    who = viewer(world.liked("x", CITY))
    assert "city0" not in {one.post.id for one in retrieve(sources, ASK, who)}


def test_interests_tell_apart_what_a_history_holds_and_weigh_the_newer_more() -> None:
    history = [world.liked(f"f{n}", near(FOOD, n, 0.1)) for n in range(8)]
    history += [world.liked(f"c{n}", near(CITY, n, 0.1)) for n in range(8)]
    vectors, weights = liked(history, 1, WIDE)
    centroids, shares = interests(vectors, weights, 2)
    assert centroids.shape == (2, WIDE)
    assert centroids[0] @ CITY > 0.9
    assert centroids[1] @ FOOD > 0.9
    assert shares[0] > shares[1]
    assert shares.sum() == pytest.approx(1.0)
    assert np.allclose(np.linalg.norm(centroids, axis=1), 1.0, atol=1e-5)


def test_interests_of_nothing_and_of_one_post_many_times() -> None:
    nothing, _ = interests(*liked([], 1, WIDE), 6)
    assert nothing.shape == (0, WIDE)
    same, shares = interests(*liked([world.liked(f"c{n}", CITY) for n in range(9)], 1, WIDE), 6)
    assert len(same) == 1
    assert shares.tolist() == [1.0]


def test_the_settings_name_the_sources_there_are(sources: Sources) -> None:
    assert RetrieveSettings().parts == tuple(part.name for part in sources.parts)
