"""The report on the algorithm: it tells what is live, all of it, in both languages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.homes import community, with_ranker

from ariane.__main__ import main
from ariane.compose import Mix
from ariane.engine import Engine, load
from ariane.evaluate.importance import GROUPS as MEASURED
from ariane.guard.rules import BEFORE
from ariane.home import runs
from ariane.rank.batch import CANDIDATE_NAMES, CONTEXT_NAMES, HISTORY_NAMES
from ariane.report.algorithm import Algorithm, algorithm
from ariane.report.markdown import markdown
from ariane.report.promote import KEY, REPORT, WEIGHTS, sign, signed_report, signing_key
from ariane.report.words import ACTIONS, GROUPS, INPUTS, PLACES, RULES
from ariane.retrieve import RetrieveSettings
from ariane.types import PREDICTED, ActionKind, Value

FIGURES = {
    "protocol": {
        "kind": "like",
        "until": {"town": 1},
        "exposures": {"train": 400, "test": 12_345},
        "viewers": {"auc": 67},
    },
    "ranker": {"auc": 0.7421, "ndcg@10": 0.5, "ece": 0.01},
    "differences": {"popularity": {"auc": [0.1, 0.2, 0.3]}, "knn_live": {"auc": None}},
    "won": {"auc": True},
    "importances": {
        "exposures": 8001,
        "viewers": 60,
        "auc": 0.74,
        "loss": {**{name: [-0.01, 0.0, 0.01] for name in MEASURED}, "history": [0.1, 0.1234, 0.15]},
    },
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    community(folder)
    with_ranker(folder)
    sign(runs(folder) / "ranker-1", "ranker", FIGURES, signing_key(folder / KEY))
    return folder


@pytest.fixture
def engine(home: Path) -> Iterator[Engine]:
    found = load(home)
    yield found
    found.store.close()


def texts(value: object) -> Iterator[dict[str, str]]:
    """Every text of the document, in its languages."""
    if isinstance(value, dict):
        if "en" in value:
            yield value
        else:
            for item in value.values():
                yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def test_all_that_can_be_told_has_words() -> None:
    assert set(ACTIONS) == {kind.value for kind in ActionKind}
    assert set(GROUPS) == set(MEASURED)
    assert set(RULES) == {rule.__name__ for rule in BEFORE}
    assert set(PLACES) == set(RetrieveSettings.parts)
    named = {*HISTORY_NAMES, *CANDIDATE_NAMES, *CONTEXT_NAMES, "vectors", "author", "post", "sign"}
    assert set(INPUTS) == named


def test_every_stage_input_and_value_is_told_in_both_languages(engine: Engine) -> None:
    told = algorithm(engine)
    found = told.json()
    assert json.loads(json.dumps(found)) == found
    for text in texts(found):
        assert set(text) == {"en", "fr"}
        assert text["en"].strip()
        assert text["fr"].strip()
        assert "{" not in text["en"] + text["fr"]
    names = [stage.name for stage in told.stages]
    assert names == ["retrieve", "rules", "rank", "value", "policies", "terms", "page"]
    inputs = {token: [one.name for one in told.inputs if one.token == token] for token in TOKENS}
    for token, listed in TOKENS.items():
        assert set(listed) <= set(inputs[token])
    assert {one.group for one in told.inputs} == set(MEASURED) - {"reading"}
    assert [worth.kind for worth in told.values] == [kind.value for kind in PREDICTED]


TOKENS = {"history": HISTORY_NAMES, "candidate": CANDIDATE_NAMES, "context": CONTEXT_NAMES}


def test_it_is_told_of_the_engine_as_it_is(engine: Engine) -> None:
    changed = replace(
        engine,
        value=Value({**engine.value.kinds, ActionKind.LIKE: 7.5}),
        mix=Mix(pool=33, variety=0.125),
    )
    told = algorithm(changed)
    assert {worth.kind: worth.value for worth in told.values}["like"] == 7.5
    text = markdown(told, "en")
    assert "The 33 best" in text
    assert "0.125" in text
    assert "- Liked: +7.5" in text


def test_the_figures_are_those_of_the_signed_report(engine: Engine) -> None:
    told = algorithm(engine)
    assert told.model is not None
    assert told.model.figures is not None
    assert (told.model.name, told.model.size) == ("ranker-1", "nano")
    assert told.model.parameters > 100_000
    assert told.model.figures["ranker"]["auc"] == 0.7421
    assert told.model.figures["protocol"]["until"] is None
    assert told.importances[0].group == "history"
    assert told.measured == {"exposures": 8001, "viewers": 60, "auc": 0.74}
    english, french = (markdown(told, language) for language in ("en", "fr"))
    assert "74.2% of the pairs" in english
    assert "12.3 (10.0 to 15.0)" in english
    assert "12\u202f345 expositions" in french
    assert "74,2\u00a0% des paires" in french


def test_without_a_report_that_holds_no_figure_is_told(engine: Engine, home: Path) -> None:
    run = runs(home) / "ranker-1"
    report = run / REPORT
    kept = report.read_text()
    report.write_text(kept.replace("0.7421", "0.9999"))
    try:
        assert signed_report(run) is None
        told = algorithm(engine)
    finally:
        report.write_text(kept)
    assert told.model is not None
    assert told.model.figures is None
    assert told.importances == ()
    assert "0.9999" not in json.dumps(told.json())
    assert "no valid signed report" in markdown(told, "en")
    assert "It was not measured" in markdown(told, "en")


def test_a_report_for_other_weights_or_none_does_not_hold(tmp_path: Path) -> None:
    run = tmp_path / "ranker-1"
    run.mkdir()
    (run / WEIGHTS).write_bytes(b"weights")
    assert signed_report(run) is None
    sign(run, "ranker", {"auc": 0.7}, signing_key(tmp_path / KEY))
    held = signed_report(run)
    assert held is not None
    assert held["report"]["figures"] == {"auc": 0.7}
    (run / WEIGHTS).write_bytes(b"others")
    assert signed_report(run) is None
    (run / WEIGHTS).unlink()
    assert signed_report(run) is None


def test_where_no_model_is_live_it_says_that_posts_come_by_time(tmp_path: Path) -> None:
    community(tmp_path)
    engine = load(tmp_path)
    told: Algorithm = algorithm(engine)
    engine.store.close()
    assert told.model is None
    assert told.inputs == told.importances == ()
    assert [stage.name for stage in told.stages][2] == "recent"
    english, french = (markdown(told, language) for language in ("en", "fr"))
    assert "newer posts simply come first" in english
    assert "multiplied by how new the post is" in english
    for untrue in ("Each prediction", "After the model", "without the model", "a second model"):
        assert untrue not in english
    for untrue in ("Chaque prévision", "Après le modèle", "sans le modèle", "second modèle"):
        assert untrue not in french


def test_the_command_prints_markdown_or_json(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "algorithm", "--home", str(home), "--language", "fr"]) == 0
    assert capsys.readouterr().out.startswith("# Comment marche ce fil\n")
    assert main(["report", "algorithm", "--home", str(home), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"]["name"] == "ranker-1"
    assert main(["report", "nothing", "--home", str(home)]) == 2
    assert "nothing is no report" in capsys.readouterr().err
    assert main(["report", "algorithm", "--home", str(home), "--language", "de"]) == 2
    assert "de is no language" in capsys.readouterr().err
