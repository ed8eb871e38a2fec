"""The main path: the same again from its receipt, nothing repeated, nothing personal unasked."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.homes import community, with_ranker

from ariane.engine import Engine, load
from ariane.feed import arrange, explain, for_you, replay
from ariane.rank.session import SessionRanker
from ariane.types import (
    Action,
    ActionKind,
    Delete,
    FeedSpec,
    Forecast,
    NotFoundError,
    Post,
    Reason,
    Wish,
    WithdrawnError,
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    community(folder)
    with_ranker(folder)
    return folder


@pytest.fixture
def engine(home: Path) -> Iterator[Engine]:
    engine = load(home)
    engine.refresh()
    yield engine
    engine.store.close()


def now() -> int:
    return time.time_ns() // 1_000_000


def ids(feed_or_page: object) -> list[str]:
    page = getattr(feed_or_page, "page", feed_or_page)
    return [item.candidate.post.id for item in page.items]


def test_the_same_engine_ask_and_viewer_give_the_same_page(engine: Engine) -> None:
    ask = engine.ask("v1", at=now())
    viewer = engine.store.viewer(ask)
    first, second = arrange(engine, ask, viewer), arrange(engine, ask, viewer)
    assert ids(first) == ids(second)
    assert [one.score for one in first.ranked] == [one.score for one in second.ranked]


def test_every_item_has_a_reason_and_every_claim_replays(engine: Engine) -> None:
    claims = 0
    for viewer in ("v1", "v2", "v3", "v4"):
        feed = for_you(engine, engine.ask(viewer, at=now()))
        assert [reason.post for reason in feed.reasons] == ids(feed)
        found = replay(engine, feed.ask.id)
        assert found.same_page
        assert found.failures == ()
        assert found.held == found.claims
        claims += found.claims
    assert claims > 0


def test_pages_of_one_chain_never_repeat(engine: Engine) -> None:
    shown: list[str] = []
    after = None
    for _ in range(4):
        feed = for_you(engine, engine.ask("v5", at=now(), after=after))
        shown += ids(feed)
        after = feed.ask.id
    assert len(shown) == 80
    assert len(set(shown)) == 80


def test_what_was_acted_on_is_not_shown_again(engine: Engine) -> None:
    ask = engine.ask("v6", at=now())
    acted = {past.action.post for past in engine.store.viewer(ask).history}
    assert acted
    assert not acted & set(ids(for_you(engine, ask)))


def test_anonymous_new_and_unprofiled_viewers_get_a_feed_without_a_history(engine: Engine) -> None:
    for viewer, profiled in ((None, True), ("a newcomer", True), ("v1", False)):
        feed = for_you(engine, engine.ask(viewer, at=now(), profiled=profiled))
        assert len(feed.page.items) == 20
        assert feed.viewer.history == ()
        assert all(not reason.evidence for reason in feed.reasons)


def test_an_empty_store_gives_an_empty_feed(tmp_path: Path) -> None:
    from ariane.home import init

    init(tmp_path)
    engine = load(tmp_path)
    feed = for_you(engine, engine.ask("anyone", at=now()))
    assert feed.page.items == ()
    assert feed.model in ("", "recent")
    assert replay(engine, feed.ask.id).same_page


def test_following_is_newest_first_and_only_those_followed(engine: Engine) -> None:
    engine.store.write([Action("f1", "a follower", ActionKind.FOLLOW, now() - 1000, account="v0")])
    feed = for_you(engine, engine.ask("a follower", "following", at=now()))
    posts = [item.candidate.post for item in feed.page.items]
    assert posts
    assert {post.author for post in posts} == {"v0"}
    assert [post.at for post in posts] == sorted((post.at for post in posts), reverse=True)


def test_a_wish_of_full_strength_clears_a_page_and_its_claim_replays(engine: Engine) -> None:
    before = for_you(engine, engine.ask("v7", at=now()))
    topic = before.page.items[0].candidate.reading.topics[0][0]
    engine.store.write_wish("v7", Wish("w", f"topic:{topic}", -1, 1.0))
    after = for_you(engine, engine.ask("v7", at=now()))
    assert all(item.candidate.reading.topics[0][0] != topic for item in after.page.items)
    assert replay(engine, after.ask.id).same_page
    assert engine.store.delete_wish("v7", "w")


def test_explain_gives_reasons_for_one_post_and_names_posts_out_of_reach(engine: Engine) -> None:
    ask = engine.ask("v8", at=now())
    post = ids(arrange(engine, ask, engine.store.viewer(ask)))[0]
    feed = explain(engine, ask, post)
    assert feed.reasons
    assert {reason.post for reason in feed.reasons} == {post}
    assert replay(engine, feed.ask.id).failures == ()
    with pytest.raises(NotFoundError, match="nowhere"):
        explain(engine, engine.ask("v8", at=now()), "nowhere")


def test_a_false_claim_does_not_replay(engine: Engine) -> None:
    feed = for_you(engine, engine.ask("v1", at=now()))
    post = ids(feed)[0]
    evidence = tuple(past.action.id for past in feed.viewer.history)
    lie = Reason(post, "rank", "history:", evidence, 1, 1)
    ask = replace(feed.ask, id="lie")
    engine.store.record_served(replace(feed, ask=ask, reasons=(lie,)))
    truth = next(
        (one.rank_without for one in feed.reasons if one.evidence == evidence and one.post == post),
        None,
    )
    found = replay(engine, "lie")
    assert found.same_page
    assert found.held == (1 if truth == 1 else 0) or found.failures


def test_replay_uses_the_ranker_and_the_settings_of_then(home: Path, engine: Engine) -> None:
    feed = for_you(engine, engine.ask("v2", at=now()))
    (home / "ariane.toml").write_text("[values]\nlike = -50.0\n[compose]\nvariety = 0.9\n")
    with_ranker(home, "ranker-2", seed=1)
    other = load(home)
    try:
        assert other.ranker.name == "ranker-2"
        assert ids(for_you(other, other.ask("v2", at=feed.ask.at))) != ids(feed)
        found = replay(other, feed.ask.id)
        assert found.same_page
        assert found.failures == ()
    finally:
        other.store.promote("ranker", "ranker-1")
        other.store.close()
        (home / "ariane.toml").write_text("")


def test_a_receipt_whose_evidence_is_gone_is_withdrawn(engine: Engine) -> None:
    feed = for_you(engine, engine.ask("v9", at=now()))
    engine.store.write([Delete("post", ids(feed)[3], now())])
    with pytest.raises(WithdrawnError, match="was deleted"):
        replay(engine, feed.ask.id)
    other = for_you(engine, engine.ask("v10", at=now()))
    assert engine.store.erase("v10")
    with pytest.raises((WithdrawnError, NotFoundError)):
        replay(engine, other.ask.id)


def test_reposts_of_what_was_seen_are_removed_again_in_replay(engine: Engine) -> None:
    seen = engine.store.viewer(engine.ask("v3", at=now())).history[-1].post
    assert seen is not None
    repost = Post("repost", "v0", "", now() - 1000, repost_of=seen.id)
    engine.store.write([repost])
    feed = for_you(engine, engine.ask("v3", at=now()))
    assert "repost" not in ids(feed)
    assert replay(engine, feed.ask.id).same_page


def test_a_repost_and_its_original_are_one_post_across_pages(engine: Engine) -> None:
    original = Post("original", "v0", "only once", now() - 2000)
    repost = Post("again", "v1", "", now() - 1000, repost_of="original")
    engine.store.write([original, repost])
    engine.store.write_feed(FeedSpec(name="newest", order="latest"))
    first = for_you(engine, engine.ask("someone new", "newest", at=now()))
    after = first.ask.id
    second = for_you(engine, engine.ask("someone new", "newest", at=now(), after=after))
    both = {"original", "again"}
    assert len(both & set(ids(first) + ids(second))) == 1
    engine.store.write([Action("seen", "another", ActionKind.LIKE, now() - 500, post="again")])
    assert not both & set(ids(for_you(engine, engine.ask("another", "newest", at=now()))))
    assert engine.store.delete_feed("newest")


def test_a_deleted_post_that_could_not_reach_the_page_withdraws_nothing(engine: Engine) -> None:
    ask = engine.ask("v4", at=now())
    last = arrange(engine, ask, engine.store.viewer(ask)).ranked[-1].candidate.post.id
    feed = for_you(engine, ask)
    engine.store.write([Delete("post", last, now())])
    assert replay(engine, feed.ask.id).same_page


def test_a_ranker_that_is_gone_withdraws_what_it_arranged(home: Path, engine: Engine) -> None:
    feed = for_you(engine, engine.ask("v2", at=now()))
    gone = replace(feed, ask=replace(feed.ask, id="old"), page=replace(feed.page, model="ranker-0"))
    engine.store.record_served(gone)
    with pytest.raises(WithdrawnError, match="ranker-0"):
        replay(engine, "old")


def test_a_page_that_cannot_be_explained_is_served_unexplained(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    own = SessionRanker.forecast

    def fails_when_asked_again(self: SessionRanker, *arguments: Any) -> Forecast:
        calls.append(arguments)
        if len(calls) > 1:
            raise MemoryError
        return own(self, *arguments)

    monkeypatch.setattr(SessionRanker, "forecast", fails_when_asked_again)
    feed = for_you(engine, engine.ask("v1", at=now()))
    assert len(feed.page.items) == 20
    assert feed.reasons == ()
    assert len(calls) > 1
