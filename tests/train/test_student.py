"""The student: heads that read as a language model read, measured on the town's own truth."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.read.models import Scripted
from tests.read.test_aspects import Letters

from ariane.engine import load
from ariane.heads import Head
from ariane.heads import load as load_heads
from ariane.home import init, new_run
from ariane.metrics import paired_bootstrap
from ariane.read import read
from ariane.read.aspects import ASPECTS, WEIGHTS, shipped, untaught
from ariane.read.deepen import deepen
from ariane.read.encoder import SentenceEncoder
from ariane.read.llm import LanguageReader
from ariane.read.opinion import Doubt, likeliest
from ariane.report.promote import promote, sign, signing_key, trained
from ariane.train.student import (
    FEWEST,
    HELD_OUT,
    Lesson,
    agreement,
    doubts_of,
    fitted,
    held_out,
    train_student,
)
from ariane.types import ArianeError, Post, Reading, Store, Vector

WRONG = 0.1
ENOUGH = 700
"""Posts of which four fifths tell how far to doubt a model."""
SEEDS = int(os.environ.get("ARIANE_SEEDS", "2"))


class Remembering:
    """The house's encoder, which encodes the same texts once."""

    def __init__(self) -> None:
        self._own, self._known = SentenceEncoder(), dict[tuple[str, ...], Vector]()
        self.name, self.width = self._own.name, self._own.width

    def encode(self, texts: Sequence[str]) -> Vector:
        key = tuple(texts)
        if key not in self._known:
            self._known[key] = self._own.encode(texts)
        return self._known[key]


@dataclass(frozen=True)
class Asked:
    """A post of the town: what it is, what a teacher that is sometimes wrong says, its vector."""

    id: str
    root: str
    language: str
    true: dict[str, str]
    said: dict[str, str]
    vector: Vector

    def lesson(self, names: dict[str, str]) -> Lesson:
        return Lesson(self.vector, self.language, names)


@pytest.fixture(scope="module")
def encoder() -> Remembering:
    return Remembering()


def town() -> list[dict[str, Any]]:
    text = files("ariane.demo.town").joinpath("posts.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def threads(lines: Sequence[dict[str, Any]]) -> list[str]:
    """The first post of each one's thread: no thread is on both sides of the cut."""
    roots: dict[str, str] = {}
    for line in lines:
        parent = line["reply_to"]
        roots[line["id"]] = line["id"] if parent is None else roots.get(parent, parent)
    return [roots[line["id"]] for line in lines]


def taught(encoder: Remembering, seed: int, wrong: float) -> tuple[list[Asked], list[Asked]]:
    """The town's posts by a teacher that says another name on this share: to learn, and to test."""
    lines, draw = town(), np.random.default_rng(seed)
    vectors, roots = encoder.encode([line["text"] for line in lines]), threads(lines)
    every = sorted(set(roots))
    held = set(draw.permutation(every)[: len(every) // 5].tolist())
    asked = []
    for line, vector, root in zip(lines, vectors, roots, strict=True):
        true = {aspect: line[aspect] for aspect in ASPECTS}
        said = {
            aspect: str(draw.choice([one for one in ASPECTS[aspect] if one != name]))
            if draw.random() < wrong
            else name
            for aspect, name in true.items()
        }
        asked.append(Asked(line["id"], root, line["lang"], true, said, vector))
    return [one for one in asked if one.root not in held], [x for x in asked if x.root in held]


def held(heads: dict[str, Head], doubts: dict[str, Doubt], aspect: str, asked: list[Asked]) -> Any:
    """The student's second opinion of each post, as an array of names."""
    vectors = np.stack([one.vector for one in asked])
    said = [one.said[aspect] for one in asked]
    return np.array(likeliest(heads[aspect], doubts[aspect], vectors, said))


@pytest.mark.slow
def test_it_learns_from_a_teacher_that_is_wrong_on_a_tenth(encoder: Remembering) -> None:
    learned, tested = taught(encoder, 0, WRONG)
    lessons = [one.lesson(one.said) for one in learned]
    heads, doubts = fitted(lessons, encoder), doubts_of(lessons)
    before = untaught(encoder)
    found = agreement(heads, doubts, [one.lesson(one.true) for one in tested], before)
    for aspect in ASPECTS:
        right = np.mean([one.said[aspect] == one.true[aspect] for one in tested])
        told = [one for one in found if one.aspect == aspect]
        posts = sum(one.posts for one in told)
        student = sum(one.student * one.posts for one in told) / posts
        before = sum(one.before * one.posts for one in told) / posts
        parts = ", ".join(f"{one.language} {one.student:.3f} of {one.posts}" for one in told)
        print(
            f"\n{aspect}: the teacher is right on {right:.3f} of {posts} posts held out, "
            f"its student alone on {student:.3f} ({parts}), the package's heads on {before:.3f}"
        )
        assert student > before


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [0.0, WRONG, 0.3])
def test_as_a_second_opinion_it_betters_its_teacher(encoder: Remembering, wrong: float) -> None:
    """Pooled over aspects, posts and seeds; the interval is a bootstrap over posts."""
    gains: dict[str, list[tuple[str, bool, bool]]] = {aspect: [] for aspect in ASPECTS}
    errors: dict[str, list[float]] = {aspect: [] for aspect in ASPECTS}
    for seed in range(SEEDS):
        learned, tested = taught(encoder, seed, wrong)
        lessons = [one.lesson(one.said) for one in learned]
        heads, doubts = fitted(lessons, encoder), doubts_of(lessons)
        for aspect in ASPECTS:
            errors[aspect].append(doubts[aspect].error)
            for one, name in zip(tested, held(heads, doubts, aspect, tested), strict=True):
                true = one.true[aspect]
                gains[aspect].append((one.id, one.said[aspect] == true, name == true))
    for aspect in ASPECTS:
        said, pair = (np.mean([row[side] for row in gains[aspect]]) for side in (1, 2))
        print(
            f"\nwrong on {wrong:g}, {SEEDS} seeds, {aspect}: {said:.3f} → {pair:.3f}; taken to be "
            f"wrong on {np.mean(errors[aspect]):.3f}"
        )
    low, mid, high = pooled([row for rows in gains.values() for row in rows])
    print(f"all aspects: {mid:+.4f} [{low:+.4f}, {high:+.4f}]")
    if wrong:
        assert low > 0.0
    else:
        assert mid > -0.005


def pooled(rows: Sequence[tuple[str, bool, bool]]) -> list[float]:
    """How much more often the pair is right than the teacher, with an interval over posts."""
    posts, number = np.unique([name for name, _, _ in rows], return_inverse=True)
    weights = np.bincount(number).astype(float)
    said, pair = (
        np.bincount(number, [row[side] for row in rows], len(posts)) / weights for side in (1, 2)
    )
    return paired_bootstrap(pair, said, weights).rounded()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    init(tmp_path)
    yield tmp_path


def read_by_a_model(store: Store, count: int) -> None:
    """Posts that a model read: of gardens where it is about gardens, else of sport."""
    encoder, heads = SentenceEncoder(), shipped()[0]
    names = [line["text"] for line in town()[:count]]
    vectors = encoder.encode(names)
    topics = heads["topic"].probabilities(vectors)
    garden = topics[:, heads["topic"].classes.index("garden")] > np.median(
        topics[:, heads["topic"].classes.index("garden")]
    )
    store.write([Post(f"p{n}", "ann", text, n + 1) for n, text in enumerate(names)])
    store.write_readings(
        [
            Reading(
                f"p{n}", 1, vector, ((("garden" if green else "sport"), 0.9),), "warm" if n % 2 else
                "neutral", "tell" if n % 3 else "ask", "note" if n % 5 else "story", "en",
                "use@0.2.1+model/reading-1", depth=1,
            )
            for n, (vector, green) in enumerate(zip(vectors, garden, strict=True))
        ],
        [],
    )  # fmt: skip


def test_a_student_is_trained_signed_promoted_and_reads(home: Path) -> None:
    engine = load(home)
    read_by_a_model(engine.store, ENOUGH)
    told: list[str] = []
    run = train_student(engine.store, engine.encoder, new_run(home, "reader"), progress=told.append)
    assert told[0].startswith("topic, en, ")
    assert "would correct" in told[0]
    assert told[-1].startswith("format: the model is taken to be wrong on 0.")
    assert trained(run)["doubts"].keys() == ASPECTS.keys()
    key = signing_key(home / "operator.pem")
    assert trained(run)["teacher"] == "use@0.2.1+model/reading-1"
    sign(run, "reader", trained(run), key)
    before = engine.reader.name
    promote(engine.store, "reader", run, key)
    engine.store.close()
    again = load(home)
    assert again.reader.name != before
    assert again.opinion is not None
    assert again.reader.name.endswith(again.opinion.name)
    post = Post("q", "ann", "The tomatoes are in flower along the south wall of the garden.", 1)
    assert again.reader.read([post])[0].topics[0][0] == "garden"
    again.store.close()


def test_a_student_learns_what_the_model_said_and_not_its_own_corrections(home: Path) -> None:
    engine = load(home)
    read_by_a_model(engine.store, FEWEST + 50)
    own = engine.store.readings([f"p{n}" for n in range(FEWEST + 50)]).values()
    by = "use@0.2.1+model/reading-1 with aspects@12345678"
    engine.store.write_readings([replace(one, tone="angry", by=by) for one in own], [])
    assert engine.store.readings(["p1"])["p1"].tone == "angry"
    again = train_student(engine.store, engine.encoder, new_run(home, "reader"))
    assert trained(again)["teacher"] == "use@0.2.1+model/reading-1"
    tone = load_heads(again / WEIGHTS)[0]["tone"]
    named = {
        tone.classes[k] for k in tone.probabilities(np.stack([x.vector for x in own])).argmax(1)
    }
    assert named <= {"warm", "neutral"}
    engine.store.close()


def test_a_student_needs_a_teacher_that_has_read_enough(home: Path) -> None:
    engine = load(home)
    few = f"posts and a student needs {FEWEST}"
    with pytest.raises(ArianeError, match=f"has read 0 {few}"):
        train_student(engine.store, engine.encoder, new_run(home, "reader"))
    photographs = [Post(f"photograph{n}", "ann", "", n + 1) for n in range(FEWEST + 20)]
    engine.store.write(photographs)
    read(engine.store, engine.reader, engine.classify)
    model = LanguageReader(engine.encoder.name, Scripted(lambda _: {}))
    deepen(engine.store, model, at=1, most=9)
    assert engine.store.readings(["photograph0"])["photograph0"].depth == 1
    with pytest.raises(ArianeError, match=f"has read 0 {few}"):
        train_student(engine.store, engine.encoder, new_run(home, "reader"))
    read_by_a_model(engine.store, FEWEST - 1)
    with pytest.raises(ArianeError, match=f"has read {FEWEST - 1} {few}"):
        train_student(engine.store, engine.encoder, new_run(home, "reader"))
    engine.store.close()


def test_copies_of_a_text_are_on_one_side(encoder: Remembering) -> None:
    """The vector of a text differs in its last bits from batch to batch."""
    texts = [line["text"] for line in town()[:300]]
    together, alone = encoder.encode(texts), [encoder.encode([text])[0] for text in texts]
    sides = [held_out(vector) for vector in together]
    assert sides == [held_out(vector) for vector in alone]
    assert 0.5 < HELD_OUT * np.mean(sides) < 1.5


def test_agreement_is_told_of_another_encoder_too() -> None:
    """The package's heads are of another width, so that its own are fitted."""
    letters = Letters()
    vectors = letters.encode([line["text"] for line in town()[:60]])
    said = {aspect: next(iter(names)) for aspect, names in ASPECTS.items()}
    lessons = [Lesson(vector, "en", said) for vector in vectors]
    before = untaught(letters)
    found = agreement(before, {}, lessons, before)
    assert [(one.aspect, one.posts) for one in found] == [(aspect, 60) for aspect in ASPECTS]
    assert all(one.student == one.before for one in found)


def test_a_student_that_does_not_load_leaves_the_package_s_heads(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = load(home)
    name = engine.reader.name
    engine.store.promote("reader", "reader-9")
    engine.store.close()
    again = load(home)
    assert again.reader.name == name
    assert again.opinion is None
    assert "the student does not load" in caplog.text
    again.store.close()
