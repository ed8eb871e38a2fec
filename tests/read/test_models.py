"""Real language models read the town by the published form; how often they are right is printed.

None of them is large enough to be of use: what is tested is that the whole way holds. More posts
than one are read where ARIANE_POSTS says so.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pytest
from tests.llm.test_llama_cpp import url  # noqa: F401 - a fixture

from ariane.llm import LanguageModelSettings, open_llm
from ariane.read import read
from ariane.read.deepen import deepen
from ariane.read.encoder import SentenceEncoder
from ariane.read.llm import ANSWER, GIST, Given, LanguageReader, messages, schema
from ariane.read.reader import EncoderReader
from ariane.store.sqlite import SqliteStore
from ariane.types import Post, Reading

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_200)]

POSTS = int(os.environ.get("ARIANE_POSTS", "1"))
ASPECTS = ("topic", "tone", "intent", "format")
PRICE_IN, PRICE_OUT = 3.0, 15.0
"""An example, as in docs/llm.md: what a million tokens of questions and of answers cost."""

SMALL_GROK = Path(__file__).parents[2] / "models" / "small-grok"


def whole_town() -> list[dict[str, Any]]:
    """Every post of the town."""
    lines = files("ariane.demo.town").joinpath("posts.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def town() -> list[dict[str, Any]]:
    """Posts of the town, spread over it."""
    every = whole_town()
    return every[:: len(every) // POSTS][:POSTS]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "ariane.db")
    opened.write([Post(one["id"], "ann", one["text"], n + 1) for n, one in enumerate(town())])
    read(opened, EncoderReader(SentenceEncoder()), lambda *_: ())
    yield opened
    opened.close()


def right(readings: dict[str, Reading], lines: Sequence[dict[str, Any]]) -> str:
    """How many of the posts are read as they were meant, by aspect."""
    counts = []
    for aspect in ASPECTS:
        said = {
            post: (one.topics[0][0] if one.topics else "")
            if aspect == "topic"
            else getattr(one, aspect)
            for post, one in readings.items()
        }
        found = sum(said.get(line["id"]) == line[aspect] for line in lines)
        counts.append(f"{aspect} {found}")
    return f"{', '.join(counts)} of {len(lines)}"


def through(store: SqliteStore, settings: LanguageModelSettings, home: Path) -> int:
    """Let a model read, and print what came of it; how many posts it read."""
    model = open_llm(settings, home)
    assert model is not None
    lines = town()
    before = store.readings([line["id"] for line in lines])
    begun = time.perf_counter()
    done = deepen(store, LanguageReader("use@0.2.1", model), at=POSTS, most=POSTS, together=2)
    spent = time.perf_counter() - begun
    after = store.readings([line["id"] for line in lines])
    deep = [line for line in lines if after[line["id"]].depth]
    print(f"\n{model.name}: {done.read} of {POSTS} posts read in {spent:.0f} s")
    print(f"by the model {right(after, deep)}; by the encoder {right(before, deep)}")
    for sentence in sorted(set(done.failed.values()))[:3]:
        print(f"not read: {sentence}")
    assert done.read + len(done.failed) <= POSTS
    return done.read


def test_a_small_model_that_follows_instructions(
    store: SqliteStore,
    url: str,  # noqa: F811 - the fixture
    tmp_path: Path,
) -> None:
    settings = LanguageModelSettings(kind="url", url=url, model="smollm2", timeout_seconds=600)
    assert through(store, settings, tmp_path) >= POSTS // 2


def test_the_small_grok(store: SqliteStore, tmp_path: Path) -> None:
    settings = LanguageModelSettings(kind="transformers", model=str(SMALL_GROK), timeout_seconds=60)
    through(store, settings, tmp_path)


def test_what_a_question_costs(url: str) -> None:  # noqa: F811 - the fixture
    """In tokens of the small model; others count otherwise, by some tenths."""
    every = [line for line in whole_town() if line["text"].strip()]
    blank = Reading("", 1, np.zeros(4, np.float32), (), "", "", "", None, "use@0.2.1+heads@1")
    shown = [messages(Given(Post(one["id"], "ann", one["text"], 1), blank)) for one in every]
    instructions = tokens(url, shown[0][0].text)
    posts = float(np.mean([tokens(url, told[1].text) for told in shown]))
    answers = float(
        np.mean([tokens(url, json.dumps(answer(line), ensure_ascii=False)) for line in every])
    )
    print(
        f"\n{len(every)} posts of the town: the instructions {instructions} tokens, the form as a "
        f"schema {tokens(url, json.dumps(schema()))}, a post {posts:.0f}, an answer {answers:.0f}"
    )
    cost = PRICE_IN * (instructions + posts) + PRICE_OUT * answers
    print(f"a million posts at {PRICE_IN:g} and {PRICE_OUT:g} a million tokens: {cost:,.0f}")
    assert answers < ANSWER


def answer(line: dict[str, Any]) -> dict[str, Any]:
    """A form that is filled in as for this post, the gist as long as it may be."""
    names = {aspect: line[aspect] for aspect in ASPECTS[1:]}
    told = {"entities": [line["author"]], "claim": "none", "gist": line["text"][:GIST]}
    return {"topics": [line["topic"]], **names, **told, "labels": []}


def tokens(url: str, text: str) -> int:  # noqa: F811 - the fixture's value
    """How many tokens the server makes of a text."""
    body = json.dumps({"content": text}).encode()
    request = Request(f"{url.removesuffix('/v1')}/tokenize", body)
    with urlopen(request) as answered:
        return len(json.loads(answered.read())["tokens"])
