"""The student: heads that read as a language model read, measured on the town's own truth."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ariane.engine import init, load, new_run
from ariane.read.aspects import ASPECTS, shipped
from ariane.read.encoder import SentenceEncoder
from ariane.report.promote import promote, sign, signing_key, trained
from ariane.train.student import FEWEST, Lesson, agreement, fitted, train_student
from ariane.types import ArianeError, Post, Reading, Store

WRONG = 0.1


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


@pytest.mark.slow
def test_it_learns_from_a_teacher_that_is_wrong_on_a_tenth() -> None:
    lines, draw, encoder = town(), np.random.default_rng(0), SentenceEncoder()
    vectors = encoder.encode([line["text"] for line in lines])
    roots = threads(lines)
    every = sorted(set(roots))
    held = set(draw.permutation(every)[: len(every) // 5].tolist())
    true = [{aspect: line[aspect] or "" for aspect in ASPECTS} for line in lines]

    def taught(names: dict[str, str]) -> dict[str, str]:
        """What the teacher says: another name on a tenth of all that it is asked."""
        return {
            aspect: str(draw.choice([one for one in ASPECTS[aspect] if one != name]))
            if name and draw.random() < WRONG
            else name
            for aspect, name in names.items()
        }

    told = [taught(names) for names in true]
    pairs = list(zip(vectors, lines, told, true, roots, strict=True))
    lessons = [
        Lesson(
            v,
            line["lang"],
            said,
        )
        for v, line, said, _, root in pairs
        if root not in held
    ]
    tested = [Lesson(v, line["lang"], names) for v, line, _, names, root in pairs if root in held]
    heads = fitted(lessons, encoder)
    teacher = [(said, names) for _, _, said, names, root in pairs if root in held]
    for aspect in ASPECTS:
        right = [said[aspect] == names[aspect] for said, names in teacher if names[aspect]]
        found = [one for one in agreement(heads, tested) if one.aspect == aspect]
        posts = sum(one.posts for one in found)
        student = sum(one.student * one.posts for one in found) / posts
        before = sum(one.before * one.posts for one in found) / posts
        print(
            f"{aspect}: the teacher is right on {np.mean(right):.3f} of {posts} held-out posts, "
            f"its student on {student:.3f}, the package's heads on {before:.3f}"
        )
        assert student > before


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
    read_by_a_model(engine.store, FEWEST + 50)
    told: list[str] = []
    run = train_student(engine.store, engine.encoder, new_run(home, "reader"), progress=told.append)
    assert told[0].startswith("topic, en, ")
    key = signing_key(home / "operator.pem")
    assert trained(run)["teacher"] == "use@0.2.1+model/reading-1"
    sign(run, "reader", trained(run), key)
    before = engine.reader.name
    promote(engine.store, "reader", run, key)
    engine.store.close()
    again = load(home)
    assert again.reader.name != before
    post = Post("q", "ann", "The tomatoes are in flower along the south wall of the garden.", 1)
    assert again.reader.read([post])[0].topics[0][0] == "garden"
    again.store.close()


def test_a_student_needs_a_teacher_that_has_read_enough(home: Path) -> None:
    engine = load(home)
    with pytest.raises(ArianeError, match=f"has read 0 posts and a student needs {FEWEST}"):
        train_student(engine.store, engine.encoder, new_run(home, "reader"))
    engine.store.close()


def test_a_student_that_does_not_load_leaves_the_package_s_heads(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = load(home)
    name = engine.reader.name
    engine.store.promote("reader", "reader-9")
    engine.store.close()
    again = load(home)
    assert again.reader.name == name
    assert "the student does not load" in caplog.text
    again.store.close()
