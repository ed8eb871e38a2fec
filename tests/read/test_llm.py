"""Reading by a language model: the form, what a post can and cannot do to it, and who is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.read.models import Scripted

from ariane.read.aspects import FORMATS, INTENTS, MOST_TOPICS, TONES, TOPICS
from ariane.read.deepen import ENOUGH, deepen, need
from ariane.read.llm import (
    CONFIDENCE,
    GIST,
    LONGEST,
    PROMPT,
    Given,
    LanguageReader,
    messages,
    schema,
)
from ariane.store.sqlite import SqliteStore
from ariane.types import (
    CLAIMS,
    HARMS,
    BudgetError,
    Label,
    Media,
    ModelDownError,
    ModelGarbageError,
    Post,
    Reading,
)

NOW = 1_790_000_000_000
HOUR = 3_600_000
PUBLISHED = {"reading-1": ("081f291d", "3abd9f81")}
"""Digests of instructions and form. A change needs a new number, and a line of its own here."""


def base(post: str, topic: float = 0.5, rev: int = 1, **more: Any) -> Reading:
    vector = np.eye(4, dtype=np.float32)[0]
    aspects: dict[str, Any] = {"tone": "", "intent": "", "format": "", "language": "en", **more}
    return Reading(post, rev, vector, (("art", topic),), by="use@1+heads@1", **aspects)


def reader(does: Any = lambda _: {}) -> LanguageReader:
    return LanguageReader("use@1", Scripted(does))


def deeper(model: LanguageReader, given: Given) -> tuple[Reading, tuple[Label, ...]]:
    question = model.question(given)
    answer = model.model.answer(question.messages, question.schema, limit=question.limit)
    return model.reading(given, answer)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "ariane.db")
    yield opened
    opened.close()


def filled(store: SqliteStore, count: int, **more: Any) -> list[str]:
    names = [f"p{n}" for n in range(count)]
    store.write([Post(name, "ann", f"the text of {name}", NOW - HOUR, **more) for name in names])
    store.write_readings([base(name) for name in names], [])
    return names


def form() -> dict[str, Any]:
    """What the published form must be: one of each aspect's names, bounded lists, bounded texts."""

    def one_of(names: Sequence[str]) -> dict[str, Any]:
        return {"type": "string", "enum": list(names)}

    def some(items: Mapping[str, Any], most: int) -> dict[str, Any]:
        return {"type": "array", "items": dict(items), "maxItems": most}

    properties = {
        "topics": some(one_of(list(TOPICS)), MOST_TOPICS),
        "tone": one_of(list(TONES)),
        "intent": one_of(list(INTENTS)),
        "format": one_of(list(FORMATS)),
        "entities": some({"type": "string", "maxLength": 80}, 8),
        "claim": one_of([*CLAIMS, "none"]),
        "gist": {"type": "string", "maxLength": 2 * GIST},
        "labels": some(one_of(HARMS), len(HARMS)),
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def test_what_is_published_is_what_is_asked() -> None:
    assert schema() == form()
    folder = files("ariane.read").joinpath("prompts")
    texts = [folder.joinpath(PROMPT + end).read_bytes() for end in (".md", ".schema.json")]
    assert PUBLISHED[PROMPT] == tuple(hashlib.sha256(text).hexdigest()[:8] for text in texts)
    for names in (form()["properties"]["topics"]["items"]["enum"], form()["required"]):
        assert all(name in texts[0].decode() for name in names)


def test_a_form_becomes_a_reading_over_the_vector_that_stands() -> None:
    given = Given(Post("p", "ann", "text", NOW), base("p"))
    told = {"topics": ["transport", "city", "transport"], "claim": "rumour", "labels": ["spam"]}
    read, labels = deeper(reader(lambda _: told), given)
    assert read.topics == (("transport", 0.6), ("city", 0.3))
    assert (read.tone, read.claim, read.entities, read.labels) == (
        "warm", "rumour", ("Ann",), ("spam",),
    )  # fmt: skip
    assert (read.vector, read.language, read.depth) == (given.reading.vector, "en", 1)
    assert read.by == f"use@1+scripted/{PROMPT}"
    source = f"ariane/reader@scripted/{PROMPT}"
    assert labels == (Label("p", "spam", source, NOW, CONFIDENCE),)
    edited = Given(Post("p", "ann", "text", NOW, rev=2), base("p", rev=2))
    taken_back = {
        label.value for label in deeper(reader(lambda _: told), edited)[1] if label.negates
    }
    assert taken_back == {"harassment", "self-harm", "sexual"}


def test_posts_without_words_are_not_asked_about_and_take_no_place(store: SqliteStore) -> None:
    """They need it most by all signs: nothing is known of them, and here they are new."""
    model = reader()
    names = filled(store, 3)
    photographs = [f"photograph{n}" for n in range(12)]
    store.write([Post(name, "ann", " \n", NOW) for name in photographs])
    store.write_readings([base(name, 0.0) for name in photographs], [])
    told: list[int] = []
    found = deepen(store, model, at=NOW, most=2, progress=told.append)
    assert (found.read, told) == (2, [1, 2])
    assert len(model.model.seen) == 2  # type: ignore[attr-defined]
    readings = store.readings(photographs).values()
    assert {(one.topics, one.depth) for one in readings} == {(base("p", 0.0).topics, 1)}
    assert deepen(store, model, at=NOW, most=9).read == len(names) - 2


def test_words_behind_many_photographs_are_found(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ariane.read.deepen.WEIGHED", 4)
    [name] = filled(store, 1)
    photographs = [f"photograph{n}" for n in range(12)]
    store.write([Post(name, "ann", "", NOW) for name in photographs])
    store.write_readings([base(name) for name in photographs], [])
    assert deepen(store, reader(), at=NOW, most=1).read == 1
    assert store.readings([name])[name].depth == 1


def test_a_picture_that_is_described_is_asked_about(store: SqliteStore) -> None:
    store.write(
        [
            Post(
                "p",
                "ann",
                "",
                NOW,
                media=(Media("https://a.example/l.jpg", alt="A red lighthouse."),),
            )
        ]
    )
    store.write_readings([base("p")], [])
    assert deepen(store, reader(), at=NOW, most=1).read == 1


def test_the_posts_around_it_come_along_cut_and_apart() -> None:
    parent = Post("q", "bob", "q" * 5000, NOW, lang="fr")
    shown = messages(Given(Post("p", "ann", "p" * 5000, NOW), base("p"), answers=parent))
    held = json.loads(shown[-1].text)
    assert len(held["post"]["text"]) == LONGEST
    assert held["answers"] == {"text": "q" * 499 + "…", "language": "fr"}
    assert "reposts" not in held
    assert shown[0].role == "system"
    assert "q" * 9 not in shown[0].text


def test_what_a_model_copies_from_a_post_is_a_line_of_bounded_length() -> None:
    told = {"gist": "a\u202e line\nand <|im_end|>" + "x" * 300, "entities": ["A\nnn", " ", "A nn"]}
    read, _ = deeper(reader(lambda _: told), Given(Post("p", "ann", "text", NOW), base("p")))
    assert read.gist.startswith("a line and ‹|im_end|›x")
    assert len(read.gist) <= GIST
    assert read.entities == ("A nn",)


def test_what_needs_it_most_is_read_first() -> None:
    new, old = Post("p", "a", "t", NOW), Post("p", "a", "t", NOW - 48 * HOUR)
    sure = base("p", 0.95, tone="warm", intent="tell", format="note")
    assert need(base("p"), new, NOW) > need(sure, new, NOW) > need(sure, old, NOW)
    assert need(base("p"), new, NOW) > need(base("p"), old, NOW) > 0


def test_every_post_is_deepened_once_and_its_labels_come_with_it(store: SqliteStore) -> None:
    names = filled(store, 7)
    told: list[int] = []
    model = reader(lambda _: {"labels": ["spam"]})
    found = deepen(store, model, at=NOW, most=5, together=2, progress=told.append)
    assert (found.read, found.failed, told) == (5, {}, [1, 2, 3, 4, 5])
    assert deepen(store, model, at=NOW, most=9).read == 2
    assert deepen(store, model, at=NOW, most=9).read == 0
    held = store.candidates(names, NOW)
    assert {one.reading.by for one in held.values() if one.reading} == {model.name}
    assert all([label.value for label in one.labels] == ["spam"] for one in held.values())


def test_a_post_that_no_encoder_has_read_waits(store: SqliteStore) -> None:
    filled(store, 1)
    store.write([Post("unread", "ann", "text", NOW)])
    assert deepen(store, reader(), at=NOW, most=9).read == 1


def test_garbage_costs_its_own_post_alone(store: SqliteStore) -> None:
    names = filled(store, 9)
    bad = ModelGarbageError("It says nothing.")
    model = reader(lambda shown: bad if shown["post"]["text"].endswith("p4") else {})
    found = deepen(store, model, at=NOW, most=99)
    assert (found.read, list(found.failed), found.stopped) == (8, ["p4"], "")
    readings = store.readings(names)
    assert readings["p4"].by == "use@1+heads@1"
    assert deepen(store, model, at=NOW, most=99, aside=found.failed).failed == {}


@pytest.mark.parametrize(
    ("error", "tried"), [(BudgetError("Spent."), 1), (ModelDownError("Down."), ENOUGH)]
)
def test_an_outage_ends_the_round_and_the_readings_stand(
    store: SqliteStore, error: Exception, tried: int
) -> None:
    names = filled(store, 20)
    model = reader(lambda _: error)
    found = deepen(store, model, at=NOW, most=99, together=1)
    assert (found.read, len(found.failed), found.stopped) == (0, tried, str(error))
    assert {one.by for one in store.readings(names).values()} == {"use@1+heads@1"}


def test_an_edited_post_is_read_again_from_its_beginning(store: SqliteStore) -> None:
    filled(store, 1)
    assert deepen(store, reader(), at=NOW, most=9).read == 1
    store.write([Post("p0", "ann", "other words", NOW, rev=2)])
    assert deepen(store, reader(), at=NOW, most=9).read == 0
    store.write_readings([replace(base("p0"), rev=2)], [])
    assert deepen(store, reader(), at=NOW, most=9).read == 1


def test_the_labels_of_a_model_that_was_replaced_end(store: SqliteStore) -> None:
    names = filled(store, 2)

    def read_by(model: str, *harms: str) -> set[tuple[str, str]]:
        asked = reader(
            lambda shown: {"labels": harms if shown["post"]["text"] == "the text of p0" else []}
        )
        asked.model.name = model
        assert deepen(store, LanguageReader("use@1", asked.model), at=NOW, most=9).read == 2
        held = store.candidates(names, NOW)
        return {(one.value, one.source) for name in names for one in held[name].labels}

    def source(model: str) -> str:
        return f"ariane/reader@{model}/{PROMPT}"

    assert read_by("small", "sexual", "spam") == {
        ("sexual", source("small")),
        ("spam", source("small")),
    }
    assert read_by("grok-4", "spam") == {("spam", source("grok-4"))}
    assert read_by("grok-5") == set()


def test_the_form_is_asked_of_the_model_with_its_schema() -> None:
    question = reader().question(Given(Post("p", "ann", "text", NOW), base("p")))
    assert (question.schema, question.limit) == (schema(), 400)
