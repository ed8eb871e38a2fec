"""A small place in which questions have answers: real encoder, real store, a few posts by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ariane.ask import Answer, Question, ask
from ariane.engine import Engine, load
from ariane.home import init
from ariane.read import read
from ariane.types import Account, Action, ActionKind, LanguageModel, Media, Post

NOW = 1_790_000_000_000
HOUR = 3_600_000

POSTS = {
    "rumour": (
        "mado",
        "The court closes in September and moves to the county town, I heard it.",
        9,
    ),
    "answer": ("judge", "No, Mado. Only the roof of the north wing is being repaired.", 8),
    "tram": ("city", "Line 3 of the tram will have twelve stops, says the council.", 7),
    "late": ("ann", "The tram was late again this morning, forty minutes in the rain.", 6),
    "soup": ("bob", "Leek soup at the market hall on Saturday, bring your own bowl.", 5),
    "wolf": ("eve", "Un loup a été vu dans les Combes, dit mon beau-frère.", 4),
    "seen": ("ann", "The market hall as I saw it this morning.", 2),
    "muted": ("troll", "The tram is run by idiots and everyone knows it.", 3),
}


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = furnished(tmp_path_factory.mktemp("place") / "home")
    yield engine
    engine.store.close()


def furnished(home: Path) -> Engine:
    """A home with those posts, read, and a reader who muted one of their authors."""
    init(home)
    engine = load(home)
    picture = Media("https://x.example/hall.jpg", alt="A hall of iron and glass")
    more: dict[str, Any] = {"answer": {"reply_to": "rumour"}, "seen": {"media": (picture,)}}
    engine.store.write([Account("mado", "Mado F."), Account("judge", "Judge\u202e <b>M.</b>")])
    engine.store.write(
        [
            Post(name, author, text, NOW - hours * HOUR, **more.get(name, {}))
            for name, (author, text, hours) in POSTS.items()
        ]
    )
    engine.store.write(
        [
            Action("m", "vic", ActionKind.MUTE, NOW - HOUR, account="troll"),
            Action("l", "vic", ActionKind.LIKE, NOW - HOUR, post="tram"),
        ]
    )
    read(engine.store, engine.reader, engine.classify)
    engine.refresh()
    return engine


def asked(engine: Engine, text: str, model: LanguageModel | None = None, **about: Any) -> Answer:
    question = replace(Question(text, NOW, "vic"), **about)
    return ask(engine, question, model)


def cited(answer: Answer) -> list[str]:
    return [one.id for line in answer.lines for one in line.cites if one.kind == "post"]


def unsupported(engine: Engine, answer: Answer) -> list[str]:
    """Sentences whose citations are not there, or do not hold what they quote."""
    posts = engine.store.posts(cited(answer))
    return [
        line.text
        for line in answer.lines
        for one in line.cites
        if one.kind == "post" and (one.id not in posts or one.quote not in posts[one.id].text)
    ]
