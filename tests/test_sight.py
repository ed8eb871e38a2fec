"""Sight: what a page says in words, through every door that says it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.ask.conftest import HOUR, NOW, furnished
from tests.serve.conftest import Api, close
from tests.serve.page.conftest import Browser

from ariane.engine import Engine
from ariane.feed import for_you
from ariane.read import read
from ariane.serve.http import create_app
from ariane.serve.settings import ServeSettings
from ariane.sight import as_seen, worded
from ariane.types import Action, ActionKind, Feed, Label, Post, Reason
from ariane.why.sentences import sentence

LABELER = "https://labeler.example"
LIKED = "Line 3 of the tram"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = furnished(tmp_path / "home")
    yield engine
    engine.store.close()


def explained(engine: Engine) -> Feed:
    """A served page whose first post has a reason that quotes a post, which vic liked."""
    page = for_you(engine, engine.ask("vic", at=NOW))
    post = page.page.items[0].candidate.post.id
    reason = Reason(post, "rank", "topic:transport", ("l",), 1, 3)
    feed = replace(page, ask=replace(page.ask, id="explained"), reasons=(reason,))
    engine.store.record_served(feed)
    return feed


def said(engine: Engine, feed: Feed) -> str:
    told = as_seen(engine, feed, NOW)
    assert [reason.evidence for reason in told.reasons] == [("l",)]
    return sentence(told.reasons[0], told, "en")


@pytest.mark.parametrize(
    "hidden",
    [
        Label("tram", "threat", LABELER, NOW - HOUR),
        Label("tram", "porn", LABELER, NOW - HOUR),
        Action("m2", "vic", ActionKind.MUTE, NOW - HOUR, account="city"),
    ],
    ids=["withheld", "covered", "muted"],
)
def test_a_reason_quotes_nothing_that_is_not_shown_any_more(
    engine: Engine, hidden: Label | Action
) -> None:
    feed = explained(engine)
    assert LIKED in said(engine, feed)
    engine.store.write([hidden])
    assert LIKED not in said(engine, feed)
    assert "a post" in said(engine, feed) or "one post" in said(engine, feed)
    assert feed.viewer.history[0].post is not None  # what replay needs is untouched


def test_no_door_quotes_it(engine: Engine) -> None:
    feed = explained(engine)
    post = feed.page.items[0].candidate.post.id
    api = Api(create_app(lambda: engine, ServeSettings(burst=100_000, timeout_seconds=60)))
    vic = Browser(api, "vic")
    doors = ("/v1/why/explained", f"/v1/why/explained/{post}", f"/w/explained/{post}")
    try:
        for path in doors:
            assert LIKED in vic.get(path).text
        engine.store.write([Label("tram", "threat", LABELER, NOW - HOUR)])
        for path in doors:
            told = vic.get(path)
            assert told.status_code == 200
            assert LIKED not in told.text
    finally:
        close(api)


def test_a_page_says_what_is_reposted_and_not_what_is_covered(engine: Engine) -> None:
    engine.store.write(
        [
            Post("shared", "mado", "", NOW - HOUR, repost_of="wolf"),
            Post("wrapped", "mado", "", NOW - HOUR, repost_of="soup"),
            Post("lost", "mado", "", NOW - HOUR, repost_of="tram"),
            Label("soup", "porn", LABELER, NOW - HOUR),
            Label("tram", "threat", LABELER, NOW - HOUR),
        ]
    )
    read(engine.store, engine.reader, engine.classify)
    engine.refresh()
    page = for_you(engine, engine.ask("eva", at=NOW, size=50))
    told = worded(engine, page)
    assert told["shared"]["text"].startswith("Un loup")
    assert told["shared"]["written_by"] == "eve"
    assert told["seen"]["text"].endswith("A hall of iron and glass")
    for name in {"soup", "wrapped"} & set(told):
        assert (told[name]["text"], told[name]["warning"]) == ("", "adult@1")
    assert {"soup", "wrapped"} & set(told)
    assert "lost" in {item.candidate.post.id for item in page.page.items} - set(told)
