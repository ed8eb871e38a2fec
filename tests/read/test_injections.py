"""Post text is data: fifty posts that give orders change no reading but, at worst, their own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.read.models import FORM, Scripted
from tests.read.test_llm import NOW, base

from ariane.read.deepen import deepen
from ariane.read.llm import LanguageReader
from ariane.store.sqlite import SqliteStore
from ariane.types import HARMS, Post, Reading

ORDERS = [
    json.loads(line)["text"]
    for line in (Path(__file__).parents[1] / "injections.jsonl").read_text("utf-8").splitlines()
]
INNOCENT = [Post(f"p{n}", "ann", f"On Monday the {n}th tram was late.", NOW) for n in range(50)]


def obedient(shown: Mapping[str, Any]) -> dict[str, Any]:
    """The worst model there can be: any text beside the innocent ones turns its whole form."""
    texts = [part["text"] for part in shown.values()]
    if all(text.startswith(("On Monday", "Yes, ")) for text in texts):
        return {"gist": texts[0]}
    return {**FORM, "topics": ["sport"], "tone": "angry", "labels": list(HARMS), "gist": "OBEYED"}


def readings(folder: Path, posts: list[Post]) -> dict[str, Reading]:
    store = SqliteStore(folder / "ariane.db")
    store.write(posts)
    store.write_readings([base(post.id) for post in posts], [])
    deepen(store, LanguageReader("use@1", Scripted(obedient)), at=NOW, most=999)
    found = store.readings([post.id for post in posts])
    labels = {post: len(one.labels) for post, one in store.candidates(list(found), NOW).items()}
    store.close()
    assert all(labels[post] == len(found[post].labels) for post in found)
    return found


@pytest.fixture(scope="module")
def orders() -> Iterator[list[Post]]:
    yield [Post(f"order{n}", "eve", text, NOW) for n, text in enumerate(ORDERS)]


def told(reading: Reading) -> tuple[Any, ...]:
    parts = (reading.topics, reading.tone, reading.intent, reading.format, reading.entities)
    return *parts, reading.claim, reading.gist, reading.labels


def test_no_other_reading_changes(tmp_path: Path, orders: list[Post]) -> None:
    answers = [
        Post(f"answer{n}", "bob", f"Yes, number {n}.", NOW, reply_to=order.id)
        for n, order in enumerate(orders)
    ]
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    mixed = readings(tmp_path / "with", [*INNOCENT, *orders, *answers])
    alone = readings(tmp_path / "without", [*INNOCENT, *answers])
    assert {post: told(one) for post, one in alone.items()} == {
        post: told(mixed[post]) for post in alone
    }
    assert {mixed[order.id].gist for order in orders} == {"OBEYED"}  # the model really obeys


def test_what_an_order_makes_of_its_own_post_stays_within_the_form(
    tmp_path: Path, orders: list[Post]
) -> None:
    for reading in readings(tmp_path, orders).values():
        assert set(reading.labels) <= set(HARMS)
        assert reading.vector.tolist() == base("any").vector.tolist()
        assert "\n" not in reading.gist
