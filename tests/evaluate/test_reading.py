"""What a model's reading gives the ranker, against the encoder's alone; run with `-s` for figures.

No model that reads well is at hand, so a *scripted* one answers through the whole real path: it is
asked with the published prompt and fills in the published form from what was planted in the town,
wrong on a tenth. `ARIANE_SIZE=small` trains as the demo does, which takes minutes.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
from tests.read.models import Scripted

from ariane.demo.town import take_in, town
from ariane.engine import Engine, load
from ariane.evaluate import plan
from ariane.evaluate.planted import read_rightly
from ariane.evaluate.replay import sides
from ariane.evaluate.trial import METRICS, Trial
from ariane.evaluate.world import World
from ariane.home import init
from ariane.material import material
from ariane.rank.model import RankerModel
from ariane.read import read
from ariane.read.aspects import ASPECTS
from ariane.read.deepen import deepen
from ariane.read.llm import LONGEST, LanguageReader
from ariane.train import train_ranker
from ariane.train.examples import Bools, load_examples
from ariane.types import ActionKind

NOW = 1_790_000_000_000
WRONG = 0.1
SIZE = os.environ.get("ARIANE_SIZE", "")
SEEDS = range(int(os.environ.get("ARIANE_SEEDS", "1")))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(7_200),
    pytest.mark.skipif(not SIZE, reason="takes minutes: set ARIANE_SIZE to nano or small"),
]


def scripted(world: World) -> Scripted:
    """A model that says of each post what was planted, and another name on a tenth of all."""
    draw, forms = np.random.default_rng(0), dict[str, dict[str, Any]]()
    for post in town(NOW).posts:
        names = {aspect: getattr(world.truths[post.id], aspect) for aspect in ASPECTS}
        for aspect, name in names.items():
            if draw.random() < WRONG:
                names[aspect] = str(draw.choice([one for one in ASPECTS[aspect] if one != name]))
        topic = names.pop("topic")
        forms[material(post.words, LONGEST)] = {"topics": [topic], **names}
    return Scripted(lambda shown: forms[shown["post"]["text"]])


def trained(engine: Engine, folder: Path, seed: int) -> tuple[Trial, RankerModel]:
    """A ranker on the readings in force, the plan's posts withheld, and what it is tried on."""
    chosen = plan(engine.store)
    run = train_ranker(
        engine.store,
        folder,
        size=SIZE,
        until=chosen.until,
        withhold=chosen.withheld,
        seed=seed,
    )
    examples = load_examples(engine.store, own=True, seed=seed)
    return Trial(examples, ActionKind.LIKE, 2000, seed), RankerModel.load(run)


def read_by_the_encoder(home: Path) -> Engine:
    """The town, taken in and read by the encoder."""
    init(home)
    engine = load(home)
    take_in(engine.store, home, NOW)
    read(engine.store, engine.reader, engine.classify)
    return engine


def read_by_the_model(home: Path) -> Engine:
    """The same, and all of it read on by the scripted model."""
    engine, world = load(home), town(NOW).world
    reader = LanguageReader(engine.encoder.name, scripted(world))
    done = deepen(engine.store, reader, at=NOW, most=len(world.truths))
    assert (done.read, done.failed) == (len(world.truths), {})
    right = [row["accuracy"] for row in read_rightly(engine.store, world)]
    assert min(right) > 1.0 - 2 * WRONG
    return engine


def test_a_model_s_reading_beside_the_encoder_s_on_cold_posts(tmp_path: Path) -> None:
    plain = read_by_the_encoder(tmp_path / "plain")
    plain.store.close()
    copytree(tmp_path / "plain", tmp_path / "deep")
    plain, deep = load(tmp_path / "plain"), read_by_the_model(tmp_path / "deep")
    for seed in SEEDS:
        other, without = trained(plain, tmp_path / f"plain-{seed}", seed)
        trial, ranker = trained(deep, tmp_path / f"deep-{seed}", seed)
        later = sides(trial.examples, plan(deep.store).until)[1] & ~trial.examples.own
        for name, some in (("cold", later & cold(deep, trial)), ("all later", later)):
            told = trial.beside(some, ranker, other, without)
            print(f"\nseed {seed}, {name} posts: {json.dumps(told)}", flush=True)
            assert told["exposures"] > 0
            assert all(told["with"][metric] is not None for metric in METRICS)
    plain.store.close()
    deep.store.close()


def cold(engine: Engine, trial: Trial) -> Bools:
    """Which exposures show a post that neither ranker was trained on."""
    posts = np.array(trial.examples.posts)[trial.examples.post]
    return np.isin(posts, list(plan(engine.store).withheld))
