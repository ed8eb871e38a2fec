from __future__ import annotations

import json
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.train.planted import BEGIN, LIKE, MINUTE, WIDTH, action, planted

from ariane.evaluate import evaluate, page, plan, rows
from ariane.evaluate.replay import won
from ariane.rank.model import RankerConfig, RankerModel
from ariane.store.sqlite import SqliteStore
from ariane.train.ranker import Recipe, train_ranker
from ariane.types import ArianeError, CallError

RECIPE = Recipe(passes=1, steps=80, tokens=1024)
METHODS = (
    "random",
    "popularity",
    "recency",
    "knn",
    "knn_live",
    "logistic",
    "logistic_live",
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SqliteStore:
    return planted(tmp_path_factory.mktemp("replay") / "store.db", viewers=80, posts=60, each=40)


@pytest.fixture(scope="module")
def runs(store: SqliteStore, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run, its blind twin, and the two again without the withheld posts."""
    home, seen = tmp_path_factory.mktemp("runs"), plan(store)
    found = {}
    for name, reading, withhold in (
        ("run", True, frozenset[str]()),
        ("blind", False, frozenset[str]()),
        ("cold", True, seen.withheld),
        ("cold_blind", False, seen.withheld),
    ):
        found[name] = train_ranker(
            store,
            home / name,
            size="nano",
            until=seen.until,
            reading=reading,
            withhold=withhold,
            recipe=RECIPE,
        )
    return found


@pytest.fixture(scope="module")
def result(store: SqliteStore, runs: dict[str, Path]) -> dict[str, object]:
    return evaluate(
        store,
        runs["run"],
        blind=runs["blind"],
        cold=(runs["cold"], runs["cold_blind"]),
        draws=200,
    )


def test_plan_cuts_each_source_at_its_own_share(tmp_path: Path) -> None:
    store = planted(tmp_path / "store.db", viewers=10, posts=20, each=10)
    planted(tmp_path / "store.db", viewers=5, posts=20, each=10, source="other", seed=3)
    for share in (0.5, 0.8):
        cuts = plan(store, share=share).until
        assert set(cuts) == {"planted", "other"}
        for source, cut in cuts.items():
            times = [one.at for one in store.actions() if (one.post or "").startswith(source)]
            assert sum(at <= cut for at in times) / len(times) == pytest.approx(share, abs=0.05)


def test_withheld_posts_stay_withheld_as_the_store_grows(tmp_path: Path) -> None:
    store = planted(tmp_path / "store.db", viewers=10, posts=200, each=100)
    before = plan(store).withheld
    planted(tmp_path / "store.db", viewers=10, posts=200, each=100, source="other")
    after = plan(store).withheld
    assert {post for post in after if post.startswith("planted")} == before
    assert 0.1 < len(before) / 200 < 0.3
    assert plan(store, withhold=0.0).withheld == frozenset()
    assert plan(store, seed=1).withheld != after


def test_plan_refuses_a_share_that_leaves_nothing_and_a_store_that_is_empty(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path / "store.db")
    with pytest.raises(ArianeError, match="ingest some first"):
        plan(store)
    for share, holdout in ((1.0, "0"), (-0.5, "1.5")):
        with pytest.raises(CallError, match=f"A holdout of {holdout} leaves"):
            plan(store, share=share)


ABOUT: dict[str, object] = {
    "until": {"planted": BEGIN + 700 * MINUTE},
    "withheld": [],
    "reading": True,
    "seed": 0,
    "recipe": asdict(RECIPE),
}


def untrained(path: Path, size: str = "nano", **about: object) -> Path:
    """A run that has learned nothing, and what it says of its training."""
    model = RankerModel(replace(RankerConfig.sized(size), width=WIDTH, reader="planted@1"))
    model.save(path, ABOUT | about)
    return path


@pytest.mark.parametrize(
    ("key", "other"),
    [
        ("until", {"planted": BEGIN}),
        ("seed", 1),
        ("size", "small"),
        ("recipe", asdict(Recipe())),
    ],
)
def test_runs_compared_were_trained_alike(tmp_path: Path, key: str, other: object) -> None:
    store = SqliteStore(tmp_path / "store.db")
    run, alike = untrained(tmp_path / "run"), untrained(tmp_path / "alike", reading=False)
    odd = untrained(tmp_path / "odd", **{"reading": False, key: other})
    read = untrained(tmp_path / "read", **{key: other})
    with pytest.raises(CallError, match=f"run and odd differ in '{key}': train both alike"):
        evaluate(store, run, blind=odd)
    with pytest.raises(CallError, match=f"run and read differ in '{key}'"):
        evaluate(store, run, cold=(read, odd))
    with pytest.raises(CallError, match=f"run and odd differ in '{key}'"):
        evaluate(store, run, blind=alike, cold=(run, odd))


def test_reading_is_compared_with_none(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    read, blind = untrained(tmp_path / "read"), untrained(tmp_path / "blind", reading=False)
    with pytest.raises(CallError, match="run read was trained with readings"):
        evaluate(store, read, blind=read)
    for call in ({"blind": blind}, {"cold": (blind, blind)}):
        with pytest.raises(CallError, match="run blind was trained without readings"):
            evaluate(store, blind, **call)


def test_run_without_a_cut_is_refused_with_the_command_that_makes_one(tmp_path: Path) -> None:
    run = untrained(tmp_path / "run", until=None)
    with pytest.raises(CallError, match=r"by `ariane train ranker --holdout 0\.2`"):
        evaluate(SqliteStore(tmp_path / "store.db"), run)


def test_own_posts_and_sources_without_a_cut_are_not_tested(tmp_path: Path) -> None:
    store = planted(tmp_path / "store.db", viewers=6, posts=20, each=15)
    run = untrained(tmp_path / "run")
    before = evaluate(store, run, draws=2)
    late = BEGIN + 2000 * MINUTE
    mine = [
        action(f"o{at}", "planted/a1", LIKE, at, post=f"planted/p{index}")
        for index, at in ((1, BEGIN), (8, late), (15, late + 1))
    ]
    planted(tmp_path / "store.db", viewers=6, posts=20, each=15, source="other")
    store.write(mine)
    after = evaluate(store, run, draws=2)
    assert (before["protocol"]["own"], after["protocol"]["own"]) == (0, 2)
    assert after["protocol"]["exposures"] == before["protocol"]["exposures"]
    assert after["protocol"]["viewers"] == before["protocol"]["viewers"]
    assert after["ranker"] == before["ranker"]


def test_won_is_against_every_baseline() -> None:
    ahead: dict[str, list[float] | None] = {"auc": [0.1, 0.2, 0.3], "ndcg@10": [-0.1, 0.1, 0.2]}
    behind: dict[str, list[float] | None] = {"auc": [0.0, 0.2, 0.3], "ndcg@10": [-0.2, -0.1, 0.2]}
    assert won(dict.fromkeys(METHODS, ahead)) == {"auc": True, "ndcg@10": True}
    for name in METHODS:
        told = dict.fromkeys(METHODS, ahead) | {name: behind}
        assert won(told) == {"auc": False, "ndcg@10": False}


@pytest.mark.slow
def test_result_has_the_documented_keys_and_is_json(result: dict[str, object]) -> None:
    assert set(result) == {
        "protocol",
        "ranker",
        *METHODS,
        "differences",
        "won",
        "importances",
        "reading",
    }
    assert set(result["differences"]) == set(METHODS)
    assert set(result["reading"]) == {"warm", "withheld"}
    assert "NaN" not in json.dumps(result)
    document = (Path(__file__).parents[2] / "docs" / "evaluate.md").read_text()
    for key in (*result, *result["protocol"], *result["reading"]["warm"]):
        assert f"`{key}`" in document, f"docs/evaluate.md does not name {key}"


@pytest.mark.slow
def test_ranker_wins_where_tastes_differ_and_popularity_tells_nothing(
    result: dict[str, object],
) -> None:
    assert result["ranker"]["auc"] > 0.8
    assert 0.3 < result["random"]["auc"] < 0.7
    low, middle, high = result["differences"]["popularity"]["auc"]
    assert 0 < low <= middle <= high
    assert middle == pytest.approx(result["ranker"]["auc"] - result["popularity"]["auc"], abs=2e-4)
    assert result["won"]["auc"] in (True, False)


@pytest.mark.slow
def test_reading_is_what_helps_on_posts_that_training_never_saw(
    result: dict[str, object],
) -> None:
    cold = result["reading"]["withheld"]
    assert 0 < cold["exposures"] < result["protocol"]["exposures"]["test"]
    assert cold["difference"]["auc"][0] > 0
    assert cold["with"]["auc"] > 0.7


@pytest.mark.slow
def test_same_run_has_the_same_result(
    store: SqliteStore, runs: dict[str, Path], result: dict[str, object]
) -> None:
    said: list[str] = []
    again = evaluate(store, runs["run"], draws=200, progress=said.append)
    assert again["differences"] == result["differences"]
    assert again["reading"] == {}
    assert said


@pytest.mark.slow
def test_runs_that_were_not_trained_alike_are_refused(
    store: SqliteStore, runs: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(CallError, match="differ in 'withheld': train both alike"):
        evaluate(store, runs["run"], blind=runs["cold_blind"])
    uncut = train_ranker(store, tmp_path / "uncut", size="nano", recipe=Recipe(passes=1, steps=1))
    with pytest.raises(CallError, match="without a cut for each source"):
        evaluate(store, uncut)


@pytest.mark.slow
def test_table_has_a_row_for_every_method_and_reading(result: dict[str, object]) -> None:
    table = rows(result)
    assert [row["method"] for row in table] == [
        "ranker",
        *METHODS,
        "reading, warm posts",
        "reading, withheld posts",
    ]
    assert table[0]["ranker ahead, auc"] == ""
    assert table[1]["ranker ahead, auc"].startswith("+")


class Shape(HTMLParser):
    """Which tags are open at the end, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ("line", "circle")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not {name for name, _ in attrs} & {"src", "href", "onclick"}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.slow
def test_page_is_whole_and_needs_nothing_else(result: dict[str, object]) -> None:
    shape = Shape(page(result))
    text = " ".join(shape.text)
    assert shape.open == []
    assert f"{result['ranker']['auc']:.4f}" in text
    assert "Logistic regression, popularity live" in text
    assert "withheld posts" in text


def bare(value: float | None) -> dict[str, object]:
    """A result in which nothing could be told from the viewers there were."""
    figures = {"auc": value, "ndcg@10": value}
    return {
        "protocol": {
            "kind": "like",
            "until": {"<s>": BEGIN + MINUTE},
            "exposures": {"train": 3, "test": 1},
            "sampled": 0,
            "own": 0,
            "viewers": {"auc": 0, "ndcg@10": 0},
            "draws": 10,
        },
        "ranker": figures,
        "random": figures,
        "differences": {"random": {"auc": None, "ndcg@10": None}},
        "reading": {},
    }


def test_page_and_table_of_a_result_without_viewers_are_empty_not_wrong() -> None:
    assert rows(bare(None)) == [
        {
            "method": name,
            "auc": "",
            "ranker ahead, auc": "",
            "ndcg@10": "",
            "ranker ahead, ndcg@10": "",
        }
        for name in ("ranker", "random")
    ]
    assert Shape(page(bare(None))).open == []
    assert "<s>" not in page(bare(None))
