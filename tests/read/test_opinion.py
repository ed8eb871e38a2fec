"""The second opinion: when the student's word counts more than the model's, and what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.read.models import Scripted

from ariane.heads import Head, save
from ariane.read.aspects import ASPECTS, WEIGHTS
from ariane.read.deepen import deepen
from ariane.read.llm import LanguageReader
from ariane.read.opinion import DOUBTS, TEACHER, Doubt, Opinion, likeliest, opinion, uncorrected
from ariane.store.sqlite import SqliteStore
from ariane.types import ArianeError, Post, Reading

NOW = 1_790_000_000_000
TOPICS = ("art", "science", "sport")
HEAD = Head(TOPICS, np.eye(3, dtype=np.float32) * 6.0, np.zeros(3, np.float32), 0.5)
"""Sure of art, of science or of sport by one number each; of (0, 0, 0) it knows nothing."""


def seen(*vector: float, topics: tuple[str, ...] = ("sport",), tone: str = "warm") -> Reading:
    shares = tuple((name, 0.9 - 0.3 * place) for place, name in enumerate(topics))
    floats = np.array(vector, np.float32)
    return Reading("p", 1, floats, shares, tone, "tell", "note", "en", "use@1+m/reading-1", depth=1)


def with_doubt(error: float, teacher: str = "use@1+m/reading-1") -> Opinion:
    return Opinion({"topic": HEAD}, {"topic": Doubt(error, 1.0)}, "aspects@12345678", teacher)


def test_another_name_counts_where_the_student_is_surer_than_the_model_is_right() -> None:
    assert with_doubt(0.1).otherwise(seen(1, 0, 0)) == {"topic": "art"}
    assert with_doubt(0.1).otherwise(seen(0.1, 0, 0)) == {}
    assert with_doubt(0.0).otherwise(seen(1, 0, 0)) == {}
    assert with_doubt(0.1).otherwise(seen(1, 0, 0, topics=())) == {}
    assert with_doubt(0.1).otherwise(seen(1, 0, 0, topics=("no name of ours",))) == {}


def test_of_another_model_it_has_no_opinion() -> None:
    assert with_doubt(0.1, "use@1+another/reading-1").otherwise(seen(1, 0, 0)) == {}


def test_it_is_bayes_rule() -> None:
    probabilities = HEAD.probabilities(np.array([[0.3, 0.1, 0.0]], np.float32))[0]
    for error in (0.05, 0.2, 0.4):
        weighed = probabilities**1.5 * np.array([error / 2, error / 2, 1 - error])
        vector = np.array([[0.3, 0.1, 0.0]], np.float32)
        expected = TOPICS[int(weighed.argmax())]
        assert likeliest(HEAD, Doubt(error, 1.5), vector, ["sport"]) == [expected]


@pytest.mark.parametrize(
    ("topics", "after"),
    [
        (("sport",), (("art", 0.9),)),
        (("sport", "art"), (("art", 0.9),)),
        (("sport", "science"), (("art", 0.6), ("science", 0.3))),
    ],
)
def test_the_first_topic_gives_way_and_the_others_stay(topics: Any, after: Any) -> None:
    reader = LanguageReader("use@1", Scripted(lambda _: {}), with_doubt(0.1))
    own, corrected = reader.heard(seen(1, 0, 0, topics=topics))
    assert own.topics[0][0] == "sport"
    assert corrected.topics == after
    assert (corrected.tone, corrected.depth) == ("warm", 1)
    assert corrected.by == "use@1+m/reading-1 with aspects@12345678"
    assert uncorrected(corrected.by) == uncorrected(own.by) == own.by


def test_what_the_model_said_is_kept_and_nobody_is_asked_again(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "ariane.db")
    store.write([Post("p", "ann", "paints", NOW), Post("q", "ann", "runs", NOW)])
    vectors = {"p": (1.0, 0.0, 0.0), "q": (0.0, 0.0, 1.0)}
    store.write_readings(
        [
            Reading(name, 1, np.array(one, np.float32), (), "", "", "", "en", "use@1+aspects@1")
            for name, one in vectors.items()
        ],
        [],
    )
    model = Scripted(lambda _: {"topics": ["sport"]})
    reader = LanguageReader("use@1", model, with_doubt(0.1, "use@1+scripted/reading-1"))
    assert deepen(store, reader, at=NOW, most=9).read == 2
    held = store.readings(["p", "q"])
    assert held["p"].topics == (("art", 0.9),)
    assert held["p"].by == f"{reader.name} with aspects@12345678"
    assert (held["q"].topics, held["q"].by) == ((("sport", 0.9),), reader.name)
    own = store.readings(["p", "q", "no post"], reader.name)
    assert {name: one.topics[0][0] for name, one in own.items()} == {"p": "sport", "q": "sport"}
    assert deepen(store, reader, at=NOW, most=9).read == 0
    assert len(model.seen) == 2
    store.close()


def test_a_run_without_doubts_has_no_opinion_and_one_for_another_encoder_is_refused(
    tmp_path: Path,
) -> None:
    heads = dict.fromkeys(ASPECTS, HEAD)
    about = {"encoder": "use@1", "version": "12345678", TEACHER: "use@1+m/reading-1"}
    save(tmp_path / WEIGHTS, heads, about)
    assert opinion("use@1", tmp_path) is None
    save(tmp_path / WEIGHTS, heads, about | {DOUBTS: '{"topic": {"error": 0.1, "sharpness": 1}}'})
    found = opinion("use@1", tmp_path)
    assert found is not None
    assert found.otherwise(seen(1, 0, 0)) == {"topic": "art"}
    assert found.name == "aspects@12345678"
    with pytest.raises(ArianeError, match="holds heads for use@1, not for use@2"):
        opinion("use@2", tmp_path)
