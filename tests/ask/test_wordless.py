"""Posts without text of their own: reposts stand for what they repost, pictures for their words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from tests.ask.conftest import HOUR, NOW, asked, cited, furnished, unsupported
from tests.ask.models import Writer

from ariane.ask.find import feed, nearest, newest
from ariane.ask.turns import DAY, Span
from ariane.engine import Engine
from ariane.feed import for_you
from ariane.read import read
from ariane.types import Account, Label, Media, Post

REPOSTED = ("soup", "tram", "wolf", "late", "answer", "muted")
LIGHTHOUSE = "A red lighthouse in a storm"


@pytest.fixture(scope="module")
def wordless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The small place under reposts of most of its posts, and pictures with and without words."""
    engine = furnished(tmp_path_factory.mktemp("wordless") / "home")
    media = Media("https://x.example/a.jpg", alt=LIGHTHOUSE)
    bare = Media("https://x.example/b.jpg")
    engine.store.write(
        [Account("late-riser", "Late"), Account("hidden", hides_from_algorithms=True)]
    )
    engine.store.write(
        [
            Post("shy", "hidden", "The heron nests under the old bridge.", NOW - 3 * HOUR),
            Post("covered", "bob", "Leeches in a jar, a close look.", NOW - 3 * HOUR),
            *(
                Post(f"re-{name}", f"fan{n}", "", NOW - n * 1_000, repost_of=name)
                for n, name in enumerate((*REPOSTED, "shy", "covered", "gone"), 1)
            ),
            Post("again", "fan1", " ", NOW - 500, repost_of="soup"),
            Post("light", "photo", "", NOW - 2_000, media=(media,)),
            *(Post(f"pic{n}", "photo", "", NOW - n, media=(bare,)) for n in range(9)),
        ]
    )
    engine.store.write([Label("covered", "porn", "https://labeler.example", NOW - HOUR)])
    read(engine.store, engine.reader, engine.classify)
    engine.refresh()
    yield engine
    engine.store.close()


def test_a_feed_of_reposts_is_told_by_what_they_repost(
    wordless: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(asked(wordless, "what did I miss?").lines) == 6
    order = ["pic1", *(f"re-{name}" for name in REPOSTED), "again", "re-gone", "soup"]
    monkeypatch.setattr("ariane.ask.feed", lambda *_: order)
    answer = asked(wordless, "what did I miss?")
    assert cited(answer) == ["soup", "tram", "wolf", "late", "answer"]
    assert len(answer.lines) == 6
    assert unsupported(wordless, answer) == []
    assert cited(asked(wordless, "what did I miss on leek soup?"))[0] == "soup"


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("what did I miss today?", {}),
        ("what did I miss on the tram today?", {}),
        ("what did they say today?", {"account": "fan2"}),
        ("qu’est-ce que j’ai raté aujourd’hui ?", {}),
        ("qu’est-ce que j’ai raté aujourd’hui sur le tram ?", {}),
        ("qu’est-ce qu’ils disent aujourd’hui ?", {"account": "fan2"}),
    ],
)
def test_a_repost_of_today_is_of_today_whatever_it_reposts(
    wordless: Engine, monkeypatch: pytest.MonkeyPatch, text: str, about: dict[str, str]
) -> None:
    later = NOW - 7 * HOUR + DAY  # a day after the post, and less after the repost
    monkeypatch.setattr("ariane.ask.feed", lambda *_: ["re-tram", "rumour"])
    assert cited(asked(wordless, text, at=later, **about)) == ["tram"]
    monkeypatch.setattr("ariane.ask.feed", lambda *_: ["tram"])
    assert about or cited(asked(wordless, "what did I miss today?", at=later)) == []


def test_what_is_reposted_is_guarded_as_any_other(
    wordless: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("muted", "shy", "covered", "gone"):  # muted, hides, behind a warning, not there
        monkeypatch.setattr("ariane.ask.feed", lambda *_, name=name: [f"re-{name}"])
        (line,) = asked(wordless, "what did I miss?").lines
        assert line.text == "Your feed is empty."
    monkeypatch.setattr("ariane.ask.feed", lambda *_: ["re-muted"])
    assert cited(asked(wordless, "what did I miss?", viewer=None)) == ["muted"]


def test_who_is_asked_about_is_told_by_what_they_repost(wordless: Engine) -> None:
    assert cited(asked(wordless, "what do they say?", account="fan1")) == ["soup"]
    (line,) = asked(wordless, "what do they say?", account="fan6").lines  # of whom vic muted
    assert line.text == "No post of this account is shown to you."


def test_a_question_about_a_repost_is_about_what_it_reposts(wordless: Engine) -> None:
    assert cited(asked(wordless, "what is this?", post="re-tram"))[0] == "tram"
    told = asked(wordless, "is this confirmed?", post="re-tram")
    assert told == asked(wordless, "is this confirmed?", post="tram")
    assert "tram" not in cited(told)
    (line,) = asked(wordless, "what is this?", post="re-muted").lines
    assert line.text == "No post that you can see says anything about that."
    served = for_you(wordless, wordless.ask("vic", at=NOW, size=50))
    shown = {item.candidate.post.repost_of for item in served.page.items} - {None, "gone", "muted"}
    for name in (f"re-{sorted(filter(None, shown))[0]}", sorted(filter(None, shown))[0]):
        why = asked(wordless, "why do I see this?", post=name, request=served.ask.id)
        assert [one.kind for one in why.lines[0].cites][:1] == ["receipt"]


def test_a_picture_is_quoted_by_its_words_or_left_out(wordless: Engine) -> None:
    for about in ({"text": "what about the red lighthouse?"}, {"text": "what?", "post": "light"}):
        answer = asked(wordless, **about)
        (line,) = (line for line in answer.lines if [one.id for one in line.cites] == ["light"])
        assert line.cites[0].quote == LIGHTHOUSE
    for post in ("pic1", "re-gone"):
        (line,) = asked(wordless, "what is this?", post=post).lines
        assert line.text == "No post that you can see says anything about that."
    assert cited(asked(wordless, "what do they post?", account="photo")) == ["light"]


def test_a_model_is_shown_the_words_of_a_picture(wordless: Engine) -> None:
    writer = Writer(
        lambda shown: [{"text": LIGHTHOUSE, "cites": [shown["posts"][0]["n"]], "quote": LIGHTHOUSE}]
    )
    (line,) = asked(wordless, "what is this?", writer, post="light").lines
    assert (line.by, line.cites[0].id) == ("writer", "light")


def test_each_post_of_a_feed_is_looked_at_once(wordless: Engine) -> None:
    asking = wordless.ask("vic", at=NOW)
    ids = feed(wordless, asking, wordless.store.viewer(asking))
    assert len(ids) == len(set(ids)) > 9


def test_a_time_bounds_what_is_fetched_too(
    wordless: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ariane.ask.find.LOOKED_AT", 3)
    monkeypatch.setattr("ariane.ask.find.ACCOUNT", 1)
    asking, early = wordless.ask("vic", at=NOW), Span(NOW - 8 * HOUR, NOW - 6 * HOUR)
    unlike = np.zeros(3, np.float32)  # of no width that the vectors have
    assert nearest(wordless, asking, unlike, early) == ["late", "tram"]
    assert len(nearest(wordless, asking, unlike)) == 3
    assert newest(wordless, asking, "ann", early) == ["late"]
    assert newest(wordless, asking, "ann") == ["seen"]
    assert newest(wordless, asking, "ann", Span(NOW - DAY, NOW + DAY)) == ["seen"]
