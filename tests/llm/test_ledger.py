"""The day's books: never passed, whatever ends in between and however many processes ask."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.llm.scripted import completion, fails, gives, says, scripted, streams

from ariane.llm import LanguageModelSettings, Ledger, Spent, open_llm
from ariane.llm.ledger import FILE
from ariane.types import (
    BudgetError,
    LanguageModel,
    LanguageModelError,
    Message,
    ModelDownError,
    ModelGarbageError,
    ModelRefusedError,
    ModelSlowError,
)

HELLO = [Message("user", "Bonjour")]
NOON = 1_777_636_800.0  # 2026-05-01T12:00:00Z
DAY = 86_400.0


def test_a_question_is_booked_at_its_most_and_corrected(tmp_path: Path) -> None:
    prices = LanguageModelSettings(price_in=2.0, price_out=10.0)
    ledger = Ledger(tmp_path, prices, lambda: NOON)
    booked = ledger.reserve(1_000, 500)
    assert ledger.spent() == Spent("2026-05-01", 1_000, 500, pytest.approx(0.007))
    ledger.settle(booked, 100, 50)
    assert ledger.spent() == Spent("2026-05-01", 100, 50, pytest.approx(0.0007))
    ledger.settle(ledger.reserve(10, 10), None, 3)
    assert ledger.spent().tokens_in == 110
    assert ledger.spent().tokens_out == 53


def test_a_new_day_begins_anew(tmp_path: Path) -> None:
    times = [NOON]
    ledger = Ledger(tmp_path, LanguageModelSettings(tokens_a_day=10), lambda: times[0])
    booked = ledger.reserve(5, 5)
    with pytest.raises(BudgetError, match="10 tokens of 2026-05-01"):
        ledger.reserve(1, 0)
    times[0] += DAY
    ledger.reserve(1, 1)
    ledger.settle(booked, 0, 0)  # yesterday's question ends today, and is yesterday's
    assert ledger.spent() == Spent("2026-05-02", 1, 1)


def test_books_that_begin_anew_owe_nothing(tmp_path: Path) -> None:
    """Deleting them is the remedy that their error names, also while questions are under way."""
    ledger = Ledger(tmp_path, LanguageModelSettings(tokens_a_day=100), lambda: NOON)
    booked = ledger.reserve(50, 50)
    (tmp_path / FILE).unlink()
    ledger.settle(booked, 1, 1)
    assert ledger.spent() == Spent("2026-05-01", 1, 1)


ASKED = st.tuples(st.integers(0, 60), st.integers(0, 60), st.sampled_from(["end", "die", "none"]))


@given(st.lists(ASKED, max_size=12), st.integers(1, 200), st.sampled_from(["tokens", "money"]))
def test_no_booking_passes_the_budget(asked: list[Any], most: int, kind: str) -> None:
    limits: dict[str, Any] = {"tokens": {"tokens_a_day": most}, "money": {"money_a_day": most}}
    prices = {"price_in": 1e6, "price_out": 2e6}
    settings = LanguageModelSettings(**limits[kind], **prices)
    with TemporaryDirectory() as home:
        ledger = Ledger(Path(home), settings, lambda: NOON)
        for tokens_in, tokens_out, end in asked:
            with suppress(BudgetError):
                booked = ledger.reserve(tokens_in, tokens_out)
                if end == "end":
                    ledger.settle(booked, tokens_in // 2, tokens_out // 2)
                elif end == "none":
                    ledger.settle(booked, None, None)
            spent = ledger.spent()
            assert min(spent.tokens_in, spent.tokens_out) >= 0
            held = spent.tokens_in + spent.tokens_out if kind == "tokens" else spent.money
            assert held <= most + 1e-6


def test_threads_share_the_books(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, LanguageModelSettings(), lambda: NOON)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: ledger.settle(ledger.reserve(9, 9), 2, 1), range(100)))
    assert ledger.spent() == Spent("2026-05-01", 200, 100)


def test_processes_share_the_books(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ariane.llm import *\n"
        "ledger = Ledger(Path(sys.argv[1]), LanguageModelSettings(), lambda: 1_777_636_800.0)\n"
        "for _ in range(50): ledger.settle(ledger.reserve(9, 9), 2, 1)\n"
    )
    call = [sys.executable, "-c", code, str(tmp_path)]
    started = [subprocess.Popen(call) for _ in range(3)]
    assert [one.wait() for one in started] == [0, 0, 0]
    ledger = Ledger(tmp_path, LanguageModelSettings(), lambda: NOON)
    assert ledger.spent() == Spent("2026-05-01", 300, 150)
    assert {path.name for path in tmp_path.iterdir()} == {FILE, f"{FILE}.lock"}


@pytest.mark.parametrize("held", ["", "{", "[]", '{"day": 7}', "\x00"])
def test_books_that_cannot_be_read_ask_nothing(held: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(held)
    with scripted(says("x")) as server, pytest.raises(BudgetError, match="delete it"):
        model(server.url, tmp_path).answer(HELLO)
    assert server.asked == []


def test_books_that_cannot_be_written_ask_nothing(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(BudgetError, match="cannot be written"):
        Ledger(tmp_path / "home", LanguageModelSettings()).reserve(1, 1)


def test_books_that_vanish_cost_no_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ledger = Ledger(tmp_path, LanguageModelSettings(), lambda: NOON)
    booked = ledger.reserve(5, 5)
    (tmp_path / FILE).write_text("{")
    ledger.settle(booked, 1, 1)
    assert "stays booked" in caplog.text


def model(url: str, home: Path, **more: Any) -> LanguageModel:
    """A model at an address, asked once."""
    given = {"retries": 0, **more}
    settings = LanguageModelSettings(kind="url", url=url, model="m", **given)
    found = open_llm(settings, home)
    assert found is not None
    return found


def books(home: Path) -> tuple[int, int]:
    """Tokens in and out of today."""
    spent = Ledger(home, LanguageModelSettings()).spent()
    return spent.tokens_in, spent.tokens_out


def test_over_budget_nothing_is_asked(tmp_path: Path) -> None:
    with scripted(says("Salut.")) as server:
        asked = model(server.url, tmp_path, tokens_a_day=200)
        assert asked.answer(HELLO, limit=100) == "Salut."
        assert books(tmp_path) == (11, 7)
        with pytest.raises(BudgetError):
            asked.answer(HELLO, limit=190)
        with pytest.raises(BudgetError):
            next(iter(asked.stream(HELLO, limit=190)))
        assert len(server.asked) == 1
    assert books(tmp_path) == (11, 7)


def test_money_is_counted_by_its_prices(tmp_path: Path) -> None:
    prices = {"price_in": 3.0, "price_out": 15.0}
    with scripted(says("Salut.")) as server:
        asked = model(server.url, tmp_path, money_a_day=0.002, **prices)
        asked.answer(HELLO, limit=100)
        with pytest.raises(BudgetError, match=r"the 0\.002 of"):
            asked.answer(HELLO, limit=200)
    held = json.loads((tmp_path / FILE).read_text())
    assert held["money"] == pytest.approx((11 * 3 + 7 * 15) / 1e6)


def test_a_repair_that_is_not_paid_for_is_not_asked(tmp_path: Path) -> None:
    with scripted(says("prose")) as server, pytest.raises(ModelGarbageError):
        model(server.url, tmp_path, tokens_a_day=190).answer(HELLO, {"type": "object"}, limit=5)
    assert len(server.asked) == 1


def test_what_was_refused_costs_nothing(tmp_path: Path) -> None:
    for status in (401, 429, 503):
        with scripted(fails(status)) as server, suppress(Exception):
            model(server.url, tmp_path).answer(HELLO)
    assert books(tmp_path) == (0, 0)


def test_what_nobody_counted_is_booked_at_its_most(tmp_path: Path) -> None:
    with scripted(streams("Salut.", usage=False)) as server:
        assert list(model(server.url, tmp_path).stream(HELLO, limit=50)) == ["Salut."]
    assert books(tmp_path)[1] == 50
    assert books(tmp_path)[0] >= len("Bonjour")


def test_what_came_too_late_is_booked_at_its_most(tmp_path: Path) -> None:
    with scripted(lambda _: server.over.wait(20) and None) as server:
        with pytest.raises(ModelSlowError):
            model(server.url, tmp_path, timeout_seconds=0.3).answer(HELLO, limit=50)
        assert books(tmp_path)[1] == 50


def test_no_connection_costs_nothing(tmp_path: Path) -> None:
    with scripted(says("x")) as server:
        url = server.url
    with pytest.raises(ModelDownError):
        model(url, tmp_path).answer(HELLO)
    assert books(tmp_path) == (0, 0)


DECLINED = {
    "refusal": says(None, refusal="No."),
    "filter": says("", "content_filter"),
    "a streamed filter": streams("Sa", why="content_filter"),
}


@pytest.mark.parametrize("name", DECLINED)
def test_a_refusal_costs_what_the_server_counted(name: str, tmp_path: Path) -> None:
    with scripted(DECLINED[name]) as server:
        asked = model(server.url, tmp_path)
        with pytest.raises(ModelRefusedError):
            list(asked.stream(HELLO)) if "stream" in name else asked.answer(HELLO)
    assert books(tmp_path) == (11, 7)


def breaks_off(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "99999")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [')
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)


FAILING = {
    "broken off": breaks_off,
    "500": fails(500),
    "too late": lambda handler: handler.server.held.over.wait(20) and None,
}


@pytest.mark.parametrize("name", FAILING)
def test_every_attempt_that_may_be_owed_is_booked_at_its_most(name: str, tmp_path: Path) -> None:
    with scripted(FAILING[name]) as server:
        with pytest.raises(LanguageModelError):
            model(server.url, tmp_path, timeout_seconds=0.5).answer(HELLO, limit=50)
        assert books(tmp_path)[1] == 50
        with pytest.raises(LanguageModelError):
            model(server.url, tmp_path, timeout_seconds=0.5, retries=1).answer(HELLO, limit=50)
        assert books(tmp_path)[1] == 150


def test_no_attempt_passes_the_budget(tmp_path: Path) -> None:
    with scripted(fails(500)) as server, pytest.raises(BudgetError):
        model(server.url, tmp_path, retries=9, tokens_a_day=200).answer(HELLO, limit=50)
    assert len(server.asked) == 2
    assert 0 < sum(books(tmp_path)) <= 200


@given(st.lists(st.sampled_from(["says", "refuses", "counts nothing", 503]), max_size=4))
@settings(max_examples=10)
def test_no_question_passes_the_budget(ends: list[Any]) -> None:
    """Whatever becomes of its attempts, the books hold at least what the server counted."""
    does = {
        "says": says("Salut."),
        "refuses": says(None, refusal="No."),
        "counts nothing": gives(json.dumps({**completion("Salut."), "usage": None}).encode()),
        503: fails(503),
    }
    with scripted(*(does[end] for end in ends), says("x")) as server, TemporaryDirectory() as home:
        asked = model(server.url, Path(home), tokens_a_day=300)
        counted = 0
        for end in [*ends, "says"]:
            with suppress(LanguageModelError):
                before = len(server.asked)
                try:
                    asked.answer(HELLO, limit=50)
                finally:
                    counted += 18 * (end != 503) * (len(server.asked) - before)
            assert counted <= sum(books(Path(home))) <= 300


def test_thoughts_that_stand_in_the_sum_alone_are_counted(tmp_path: Path) -> None:
    counts = {"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 1_135}
    with scripted(gives(json.dumps({**completion("Salut."), "usage": counts}).encode())) as server:
        model(server.url, tmp_path).answer(HELLO)
    assert books(tmp_path) == (32, 1_103)


def test_counts_that_are_none_are_no_count(tmp_path: Path) -> None:
    with scripted(gives(json.dumps({**completion("Salut."), "usage": {}}).encode())) as server:
        model(server.url, tmp_path).answer(HELLO, limit=50)
    assert books(tmp_path)[1] == 50


def left(stream: Iterator[str], pieces: int) -> list[str]:
    """The first pieces of a stream, which is left then."""
    found = list(islice(stream, pieces))
    stream.close()  # type: ignore[attr-defined]
    return found


def test_a_stream_that_is_left_stays_booked_at_its_most(tmp_path: Path) -> None:
    """What was thought before its first word is in no piece, and nobody counted it."""
    with scripted(streams("Sa", "lut", " à toi.")) as server:
        stream = model(server.url, tmp_path).stream(HELLO, limit=50)
        assert left(stream, 2) == ["Sa", "lut"]
    assert books(tmp_path)[1] == 50
    assert books(tmp_path)[0] >= len("Bonjour")


@pytest.mark.parametrize("end", [(), ("\n", "")])
def test_a_stream_that_is_left_after_its_last_word_costs_what_was_counted(
    end: tuple[str, ...], tmp_path: Path
) -> None:
    """So it is with the thoughts of a server that counts them beyond the limit."""
    counts = {"prompt_tokens": 600, "completion_tokens": 50, "total_tokens": 4_650}
    with scripted(streams("Sa", "lut.", *end, counts=counts)) as server:
        assert left(model(server.url, tmp_path).stream(HELLO, limit=50), 2) == ["Sa", "lut."]
    assert books(tmp_path) == (600, 4_050)


@pytest.mark.parametrize(
    ("end", "booked"), [({"why": None}, 50), ({"usage": False}, 50), ({"why": "content_filter"}, 7)]
)
def test_a_stream_that_ends_badly_after_it_was_left_costs_its_reader_no_error(
    end: dict[str, Any], booked: int, tmp_path: Path
) -> None:
    with scripted(streams("Salut.", **end)) as server:
        assert left(model(server.url, tmp_path).stream(HELLO, limit=50), 1) == ["Salut."]
    assert books(tmp_path)[1] == booked


def test_a_stream_that_is_left_costs_what_was_counted_so_far(tmp_path: Path) -> None:
    event = {"choices": [{"delta": {"content": "Sa"}}]}
    counted = {**event, "usage": {"prompt_tokens": 11, "completion_tokens": 1, "total_tokens": 40}}
    lines = "".join(f"data: {json.dumps(one)}\n\n" for one in (counted, event))
    with scripted(gives(lines.encode(), "text/event-stream")) as server:
        stream = model(server.url, tmp_path).stream(HELLO)
        next(stream)
        stream.close()  # type: ignore[attr-defined]
    assert books(tmp_path) == (11, 29)
