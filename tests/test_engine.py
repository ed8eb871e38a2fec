"""The engine: every part by its setting, a wrong one named, a broken checkpoint survived."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.homes import community, with_ranker

from ariane.engine import load, open_store
from ariane.feed import for_you
from ariane.home import Settings, init, new_run, read_settings, runs
from ariane.types import ActionKind, CallError, FeedSpec, NotFoundError


def home(tmp_path: Path, text: str = "") -> Path:
    (tmp_path / "ariane.toml").write_text(text)
    return tmp_path


def test_what_init_writes_reads_back_as_the_defaults(tmp_path: Path) -> None:
    init(tmp_path / "new")
    found = read_settings(tmp_path / "new")
    own = Settings()
    assert (found.store, found.compose, found.retrieve) == (own.store, own.compose, own.retrieve)
    assert found.values[ActionKind.LIKE] == ActionKind.LIKE.value_by_default
    with pytest.raises(CallError, match="exists already"):
        init(tmp_path / "new")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[stroe]\npath = 'x'", r"\[stroe\]"),
        ("[store]\npth = 'x'", r"\[store\] pth"),
        ("[store]\nhistory = 'long'", r"\[store\] history"),
        ("[store]\nkind = 'oracle'", "oracle is no store"),
        ("[read]\nencoder = 'none'", "none is no encoder"),
        ("[retrieve]\nparts = ['magic']", "magic"),
        ("[values]\nlove = 1", r"\[values\] love"),
        ("[values]\nlike = 'much'", r"\[values\] like"),
        ("[values]\nimpression = 1.0", r"\[values\] impression"),
        ("[feeds.mine]\nsauces = []", r"\[feeds.mine\] sauces"),
        ("[feeds]\nx = 3", r"\[feeds.x\]"),
        ("[feeds.x]\nname = 'y'", r"\[feeds.x\]"),
        ("[feeds.'French Science']", "French Science"),
        ("[feeds.x]\nsources = ['nearist']", "nearist"),
        (
            "[feeds.x]\nwishes = [{ id = 'w', target = 'topik:art', direction = 1 }]",
            "topik",
        ),
        ("[values]\nlike = nan", r"\[values\] like"),
        ("feeds = 3", r"\[feeds\]"),
        ("values = 3", r"\[values\]"),
        ("[compose]\npool = 0", r"\[compose\] pool .* cannot be 0"),
        ("[compose]\nvariety = 1.5", r"\[compose\] variety .* cannot be 1.5"),
        ("[compose]\nexploration = nan", r"\[compose\] exploration .* cannot be nan"),
        ("[retrieve]\nwidth = 512", r"\[retrieve\] width .* cannot be 512"),
        ("[why]\nruns = -1", r"\[why\] runs .* cannot be -1"),
        ("[store]\nhistory = 0", r"\[store\] history .* cannot be 0"),
        ("[ingest]\nfetch_seconds = 0", r"\[ingest\] fetch_seconds .* cannot be 0"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(CallError, match=named):
        engine = load(home(tmp_path, text))
        _ = engine.reader


def test_the_operators_feeds_stand_beside_the_houses(tmp_path: Path) -> None:
    engine = load(home(tmp_path, "[feeds.french]\nlanguages = ['fr']\norder = 'latest'\n"))
    assert set(engine.feeds) == {"for-you", "following", "french"}
    assert engine.ask(None, "french", at=0).feed.languages == ("fr",)
    engine.store.write_feed(FeedSpec(name="written"))
    assert "written" in engine.feeds
    with pytest.raises(NotFoundError, match="nothing is no feed here"):
        engine.ask(None, "nothing", at=0)


def test_runs_are_numbered_by_part(tmp_path: Path) -> None:
    assert new_run(tmp_path, "ranker").name == "ranker-1"
    (runs(tmp_path) / "ranker-7").mkdir(parents=True)
    (runs(tmp_path) / "ranker-old").mkdir()
    assert new_run(tmp_path, "ranker").name == "ranker-8"
    assert new_run(tmp_path, "retriever").name == "retriever-1"


@pytest.mark.parametrize("harm", ["missing", "cut", "garbage"])
def test_a_broken_checkpoint_serves_recent_and_says_so(
    tmp_path: Path, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    community(tmp_path)
    with_ranker(tmp_path)
    weights = runs(tmp_path) / "ranker-1" / "model.safetensors"
    if harm == "missing":
        weights.unlink()
    elif harm == "cut":
        weights.write_bytes(weights.read_bytes()[:1000])
    else:
        weights.write_bytes(b"\x00" * 1000)
    engine = load(tmp_path)
    engine.refresh()
    feed = for_you(engine, engine.ask("v1", at=time.time_ns() // 1_000_000))
    assert feed.model == "recent"
    assert len(feed.page.items) == 20
    assert "ranker-1" in caplog.text


def test_a_ranker_that_gives_no_numbers_costs_its_rank_not_the_feed(tmp_path: Path) -> None:
    import torch

    from ariane.rank.model import RankerConfig, RankerModel

    community(tmp_path)
    model = RankerModel(replace(RankerConfig.sized("nano"), name="ranker-1"))
    with torch.no_grad():
        model.action_head.bias.fill_(float("nan"))
    model.save(runs(tmp_path) / "ranker-1")
    store = open_store(tmp_path)
    store.promote("ranker", "ranker-1")
    store.close()
    engine = load(tmp_path)
    feed = for_you(engine, engine.ask("v1", at=time.time_ns() // 1_000_000))
    assert feed.model == "recent"


def test_a_broken_retriever_is_named_and_costs_one_source(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    community(tmp_path)
    store = open_store(tmp_path)
    store.promote("retriever", "retriever-1")
    store.close()
    engine = load(tmp_path)
    assert "retriever-1" in caplog.text
    feed = for_you(engine, engine.ask("v1", at=time.time_ns() // 1_000_000))
    assert len(feed.page.items) == 20
