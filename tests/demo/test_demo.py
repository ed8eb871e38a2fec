"""The first run, whole: the command, on one real conversation and the smallest models."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest

from ariane.engine import load
from ariane.feed import for_you, replay

CONVERSATION = "london.youth.policing"


def demo(home: Path, *more: str) -> subprocess.CompletedProcess[str]:
    options = ("--once", "--json", "--size", "nano", "--home", str(home))
    command = (sys.executable, "-m", "ariane", "demo", *options, *more)
    return subprocess.run(command, capture_output=True, text=True, check=True)


@pytest.mark.slow
@pytest.mark.skipif("ARIANE_DATA" not in os.environ, reason="ARIANE_DATA is not set")
def test_from_nothing_to_a_trained_feed_whose_claims_replay(tmp_path: Path) -> None:
    data, home = tmp_path / "polis", tmp_path / "home"
    source = Path(os.environ["ARIANE_DATA"]) / "polis" / CONVERSATION
    copytree(source, data / CONVERSATION)
    polis = ("--data", "polis", str(data))
    first = demo(home, *polis)
    told = json.loads(first.stdout)
    assert 0.5 < told["ranker"]["auc"] < 1.0
    low, middle, high = told["differences"]["popularity"]["auc"]
    assert low <= middle <= high
    assert told["reading"]["withheld"]["exposures"] > 0
    assert "\nopen_accounts = true\n" in (home / "ariane.toml").read_text()

    viewer = first.stderr.partition("now try: ariane feed ")[2].split()[0]
    engine = load(home)
    feed = for_you(engine, engine.ask(viewer, at=2_000_000_000_000))
    assert feed.model == "ranker-1"
    found = replay(engine, feed.ask.id)
    assert found.same_page
    assert found.held == found.claims > 0
    engine.store.close()

    again = demo(home, *polis)
    assert json.loads(again.stdout) == told
    assert "ranker: pass" not in again.stderr


@pytest.mark.slow
def test_the_town_lives_and_its_truth_is_measured(tmp_path: Path) -> None:
    told = json.loads(demo(tmp_path / "home").stdout)
    ceiling, mine, chance = (told[name]["auc"] for name in ("ceiling", "ranker", "random"))
    assert ceiling > mine > chance
    assert told["reading"] == {}

    command = (sys.executable, "-m", "ariane", "evaluate", "--suite", "planted", "--viewers", "5")
    options = ("--json", "--home", str(tmp_path / "home"))
    done = subprocess.run((*command, *options), capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["reasons"]["pages"] == 5
    assert found["reasons"]["reasons"] > 50
    assert 0.0 < found["reasons"]["evidence right"] < 1.0
    topics = [row["accuracy"] for row in found["readings"] if row["aspect"] == "topic"]
    assert min(topics) > 0.5
