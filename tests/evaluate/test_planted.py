"""Held against the planted truth: what is right counts as right, and chance as chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ariane.engine import Engine, load
from ariane.evaluate.planted import explained_rightly, read_rightly
from ariane.evaluate.world import Person, Taste, Truth, World
from ariane.home import init
from ariane.types import Action, ActionKind, Post, Reading

NOW = 1_800_000_000_000
HOUR = 3_600_000


def truth(number: int) -> Truth:
    topic = ("art", "sport")[number % 2]
    return Truth(f"a{number % 3}", "fr" if number < 6 else "en", topic, "warm", "tell", "note")


FAN = Person("fan", "Fan", "both", "", (Taste("topic:art", 3.0),))
WORLD = World({"en": "", "fr": ""}, (FAN,), {f"p{n}": truth(n) for n in range(12)})


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Posts that were read as they were meant, but for p0, which was read as sport, and p2."""
    init(tmp_path)
    loaded = load(tmp_path)
    store = loaded.store
    store.write([Post(f"p{n}", f"a{n % 3}", f"text {n}", NOW - (n + 1) * HOUR) for n in range(12)])
    told = {name: one.topic for name, one in WORLD.truths.items()} | {"p0": "sport", "p2": ""}
    vector = np.eye(512, dtype=np.float32)[0]
    store.write_readings(
        [
            Reading(
                name, 1, vector, ((topic, 0.9),) if topic else (), "warm", "tell", "", "fr", "t@1"
            )
            for name, topic in told.items()
        ],
        [],
    )
    liked = Action("l", "fan", ActionKind.LIKE, NOW - HOUR // 2, "p4")
    store.write([liked, Action("f", "fan", ActionKind.FOLLOW, NOW - 2 * HOUR, account="a1")])
    yield loaded
    store.close()


def test_readings_are_held_against_what_was_meant(engine: Engine) -> None:
    rows = {(row["aspect"], row["language"]): row for row in read_rightly(engine.store, WORLD)}
    french = rows["topic", "fr"]
    assert french["posts"] == 6
    assert french["accuracy"] == pytest.approx(4 / 6)
    assert french["named"] == pytest.approx(5 / 6)
    assert rows["topic", "en"]["accuracy"] == rows["topic", "en"]["macro F1"] == 1.0
    assert rows["format", "en"]["accuracy"] == rows["format", "en"]["named"] == 0.0
    assert rows["tone", "fr"]["macro F1"] == 1.0


def test_reasons_are_held_against_tastes(engine: Engine) -> None:
    found = explained_rightly(engine, WORLD, people=1, at=NOW)
    assert found["pages"] == 1
    assert found["reasons"] > 0
    assert 0.0 < found["meant for the person"] < 1.0
    nobody = explained_rightly(engine, replace(WORLD, people=()), people=1, at=NOW)
    assert nobody["pages"] == nobody["named"] == 0
    assert nobody["right"] is None
