from __future__ import annotations

import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rank.world import WIDTH, ask, candidate, model, viewer

from ariane.rank.batch import (
    CandidateTokens,
    ContextTokens,
    HistoryTokens,
    candidate_tokens,
    context_tokens,
    history_tokens,
)
from ariane.rank.model import RankerModel
from ariane.rank.session import TILE, SessionRanker
from ariane.types import PREDICTED, Forecast, Viewer

POOL = [candidate(index) for index in range(300)]
LENGTHS = (0, 1, 63, 64, 65, 127, 128, 129, 300)


@cache
def shared() -> RankerModel:
    return model()


def session(**options: int) -> SessionRanker:
    return SessionRanker(shared(), **options)


@cache
def known(length: int) -> Forecast:
    """The whole pool at once, from nothing: what every other way must give to the bit."""
    return session().forecast(ask(), viewer(length), POOL)


def same(got: Forecast, whole: Forecast, rows: list[int]) -> bool:
    return np.array_equal(got.probabilities, whole.probabilities[rows]) and np.array_equal(
        got.seconds, whole.seconds[rows]
    )


exact = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@exact
@given(st.sampled_from(LENGTHS), st.lists(st.integers(0, 299), max_size=300, unique=True))
def test_a_score_is_the_same_in_any_company_and_order(length: int, rows: list[int]) -> None:
    got = session().forecast(ask(), viewer(length), [POOL[row] for row in rows])
    assert same(got, known(length), rows)


@exact
@given(st.integers(0, TILE - 1), st.integers(0, 299), st.sampled_from(LENGTHS))
def test_a_score_is_the_same_in_every_slot_of_the_tile(slot: int, row: int, length: int) -> None:
    rows = [(row + 1 + shift) % 300 for shift in range(slot)] + [row]
    got = session().forecast(ask(), viewer(length), [POOL[one] for one in rows])
    assert same(got, known(length), rows)


@pytest.mark.parametrize(
    "changes",
    [{"attention_cap": 2.0}, {"experts": 4}, {"hidden": 64, "heads": 4, "key_heads": 2}],
    ids=["capped", "experts", "wider"],
)
def test_every_kind_of_body_is_exact(changes: dict[str, object]) -> None:
    ranker = SessionRanker(model(**changes))
    whole = ranker.forecast(ask(), viewer(70), POOL)
    rows = np.random.default_rng(0).permutation(300).tolist()
    assert same(ranker.forecast(ask(), viewer(70), [POOL[row] for row in rows]), whole, rows)
    for row in range(0, 300, 23):
        assert same(ranker.forecast(ask(), viewer(70), [POOL[row]]), whole, [row])


@pytest.mark.skipif(platform.machine() != "x86_64", reason="these are names of x86 instructions")
def test_an_older_processor_is_exact_too() -> None:
    """PyTorch and oneMKL are held to AVX2, for their whole process."""
    code = (
        "import numpy as np\n"
        "from ariane.rank.session import SessionRanker\n"
        "from tests.rank.world import ask, candidate, model, viewer\n"
        "pool = [candidate(index) for index in range(200)]\n"
        "ranker = SessionRanker(model())\n"
        "whole = ranker.forecast(ask(), viewer(70), pool).probabilities\n"
        "turned = ranker.forecast(ask(), viewer(70), pool[::-1]).probabilities\n"
        "assert np.array_equal(turned[::-1], whole)\n"
    )
    environment = os.environ | {"MKL_ENABLE_INSTRUCTIONS": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=root, check=True)


@pytest.mark.parametrize("length", LENGTHS)
def test_every_candidate_alone_scores_as_in_the_pool(length: int) -> None:
    ranker = session()
    for row in range(0, 300, 13):
        assert same(ranker.forecast(ask(), viewer(length), [POOL[row]]), known(length), [row])


@exact
@given(st.lists(st.integers(0, 140), min_size=1, max_size=5), st.integers(1, 5))
def test_a_cache_cold_warm_extended_or_cut_changes_nothing(
    lengths: list[int], sessions: int
) -> None:
    ranker = session(sessions=sessions)
    for length in lengths:
        got = ranker.forecast(ask(), viewer(length), POOL[:3])
        cold = session().forecast(ask(), viewer(length), POOL[:3])
        assert same(got, cold, [0, 1, 2])


@exact
@given(st.sets(st.integers(0, 139), max_size=60))
def test_a_deletion_is_as_if_the_actions_never_were(gone: set[int]) -> None:
    whole = viewer(140)
    without = whole.without(frozenset(f"x{index}" for index in gone))
    ranker = session()
    ranker.forecast(ask(), whole, POOL[:2])
    got = ranker.forecast(ask(), without, POOL[:2])
    assert same(got, session().forecast(ask(), without, POOL[:2]), [0, 1])


@pytest.mark.parametrize("length", LENGTHS)
def test_serving_computes_what_training_did(length: int) -> None:
    made, who = shared(), viewer(length)
    past = history_tokens(who.history, WIDTH, made.config.window)
    found = candidate_tokens(POOL[:50], ask().at, WIDTH)
    with torch.no_grad():
        packed = made(
            HistoryTokens.stack([past], len(past.names)),
            ContextTokens.stack([context_tokens([ask()] * 50)], 50),
            CandidateTokens.stack([found], 50),
            np.full((1, 50), len(past.names)),
        )
    trained = packed.logits.sigmoid()[0].numpy()
    assert np.abs(trained - known(length).probabilities[:50]).max() < 1e-5
    assert np.abs(packed.seconds[0].numpy() - known(length).seconds[:50]).max() < 1e-5


def test_history_counts_and_so_does_the_request() -> None:
    base = known(65).probabilities
    assert np.abs(known(64).probabilities - base).max() > 1e-4
    later = session().forecast(ask(at=ask().at + 90_000_000), viewer(65), POOL)
    assert np.abs(later.probabilities - base).max() > 1e-4


def test_a_forecast_has_a_row_a_candidate() -> None:
    told = known(65)
    assert told.model == session().name == "ranker"
    assert told.probabilities.shape == (300, len(PREDICTED))
    assert told.probabilities.dtype == told.seconds.dtype == np.float32
    assert ((told.probabilities > 0) & (told.probabilities < 1)).all()
    nothing = session().forecast(ask(), viewer(5), [])
    assert nothing.probabilities.shape == (0, len(PREDICTED))


def test_appending_an_action_encodes_one_block_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made = model()
    ranker, starts = SessionRanker(made), []
    encode = made.encode

    def counted(history: HistoryTokens, start: int, before: object = ()) -> object:
        starts.append(start)
        return encode(history, start, before)

    monkeypatch.setattr(made, "encode", counted)
    for length in (100, 100, 101, 128, 300, 301):
        ranker.forecast(ask(), viewer(length), POOL[:1])
    assert starts == [0, 64, 64, 64, 0, 64, 64]


def test_memory_is_bounded_and_a_viewer_can_be_forgotten() -> None:
    ranker = session(sessions=2)
    for name in "abcdef":
        ranker.forecast(ask(), viewer(128, name), POOL[:1])
    assert len(ranker._blocks) == 4
    ranker.forget("f")
    assert len(ranker._blocks) == 2
    ranker.forget("nobody")
    assert len(ranker._blocks) == 2


def test_what_never_was_is_scored_alike_and_pushes_nothing_out() -> None:
    ranker = session()
    ranker.forecast(ask(), viewer(129), POOL[:5])
    kept = len(ranker._blocks)
    other = viewer(129).without(frozenset({viewer(129).history[3].action.id}))
    passed = ranker.passing().forecast(ask(), other, POOL[:5])
    assert len(ranker._blocks) == kept
    assert same(passed, session().forecast(ask(), other, POOL[:5]), list(range(5)))


def test_two_viewers_of_one_history_share_nothing() -> None:
    ranker = session()
    for who in (viewer(10, "a"), viewer(10, None), viewer(10, "a")):
        ranker.forecast(ask(), who, POOL[:1])
    assert len(ranker._blocks) == 2


def test_requests_at_once_get_the_scores_of_requests_in_turn() -> None:
    ranker = session(sessions=1)

    def one(length: int) -> bool:
        return same(ranker.forecast(ask(), viewer(length), POOL), known(length), list(range(300)))

    for length in LENGTHS:
        known(length)
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(one, LENGTHS * 3))


def test_a_viewer_without_history_is_scored() -> None:
    assert np.isfinite(session().forecast(ask(), Viewer(None), POOL).probabilities).all()


def test_the_number_of_threads_is_left_as_it_was() -> None:
    before = torch.get_num_threads()
    session(threads=before + 1).forecast(ask(), viewer(3), POOL[:1])
    assert torch.get_num_threads() == before
