"""What may be told to whom: labels, authors who hide, minors, and what changed since a page."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from tests.ask.conftest import HOUR, NOW, asked, cited, furnished

from ariane.ask.find import about, thread
from ariane.ask.turns import Sought
from ariane.engine import Engine
from ariane.feed import for_you
from ariane.sight import seen_by
from ariane.types import Account, Action, ActionKind, Label, Post, Reason

LABELER = "https://labeler.example"


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The small place; a post in it is pushed down, one covered, one withheld, and ann hides."""
    engine = furnished(tmp_path_factory.mktemp("marked") / "home")
    engine.store.write([Account("ann", "Ann", hides_from_algorithms=True)])
    for post, value in (("wolf", "rude"), ("soup", "porn"), ("rumour", "threat")):
        engine.store.write([Label(post, value, LABELER, NOW - HOUR)])
    engine.refresh()
    yield engine
    engine.store.close()


def test_a_post_that_is_pushed_down_does_not_stir_the_others(marked: Engine) -> None:
    asking = marked.ask("vic", at=NOW)
    wanted = ["wolf", "tram", "late", "answer"]
    items = seen_by(marked, asking, marked.store.viewer(asking), wanted)
    assert [item.candidate.post.id for item in items] == wanted


def test_who_hides_from_algorithms_is_cited_only_where_they_are_named(marked: Engine) -> None:
    for viewer in ("vic", None):
        assert "late" not in cited(asked(marked, "is the tram late?", viewer=viewer))
        assert "late" in cited(asked(marked, "what is said about the tram?", account="ann"))
        assert "late" in cited(asked(marked, "what does it say?", post="late", viewer=viewer))
    assert "late" not in cited(asked(marked, "is this confirmed?", post="tram"))
    asking = marked.ask("other", at=NOW)
    found = about(marked, asking, marked.store.viewer(asking), Sought("the tram was late"))
    assert "late" not in {one.post.id for one in found}


def test_covered_and_withheld_posts_are_not_cited(marked: Engine) -> None:
    for text in ("what about leek soup?", "what did I miss?", "does the court close?"):
        assert not {"soup", "rumour"} & set(cited(asked(marked, text)))
    assert cited(asked(marked, "what is this?", post="soup")) == []
    assert "not shown to you" in asked(marked, "what is this?", post="rumour").lines[0].text


def test_a_minor_is_told_what_a_minor_s_feed_may_show(tmp_path: Path) -> None:
    engine = furnished(tmp_path / "home")
    engine.store.write([Account("kid", "Kid", birth_year=2015)])
    assert "seen" in cited(asked(engine, "what about the market hall?", viewer="vic"))
    kid = asked(engine, "what about the market hall?", viewer="kid")
    assert "soup" in cited(kid)
    assert "seen" not in cited(kid)  # nobody has looked at its picture
    engine.store.close()


def test_why_tells_nothing_of_posts_that_are_not_shown_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = furnished(tmp_path / "home")
    served = for_you(engine, engine.ask("vic", at=NOW))
    post = served.page.items[0].candidate.post.id
    reason = Reason(post, "rank", "topic:transport", ("l",), 1, 3)  # vic liked the tram
    monkeypatch.setattr(import_module("ariane.ask.reasons"), "why_post", lambda *_: (reason,))
    question = {"text": "why do I see this?", "post": post, "request": served.ask.id}
    before = asked(engine, **question)
    assert cited(before) == ["tram"]
    assert "Line 3 of the tram" in before.lines[0].text
    engine.store.write([Action("m2", "vic", ActionKind.MUTE, NOW, account="city")])
    after = asked(engine, **question, at=NOW + 1)
    assert [one.kind for one in after.lines[0].cites] == ["receipt"]
    assert "tram" not in after.lines[0].text
    engine.store.close()


def test_a_thread_is_looked_through_as_far_as_it_is_bounded(tmp_path: Path) -> None:
    engine = furnished(tmp_path / "home")
    replies = [Post(f"r{n}", "bob", f"Reply {n}", NOW - HOUR, reply_to="tram") for n in range(5000)]
    engine.store.write(replies)
    assert len(thread(engine, NOW, "tram")) == 200
    engine.store.close()
