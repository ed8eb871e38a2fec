"""Following: new and grown files, half-written ones, and URLs that fail for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.ingest.events import LIKE, POST, rejected, written
from tests.ingest.server import Handler, Server, serving
from tests.ingest.test_feeds import ITEM, rss
from tests.ingest.test_ingest import many

from ariane.ingest import IngestSettings, Report, ingest
from ariane.ingest import visit as visiting
from ariane.store.sqlite import SqliteStore
from ariane.types import CallError

QUICK = IngestSettings(
    follow_seconds=0.02, follow_url_seconds=0.02, private_addresses=True, fetch_seconds=5
)
PATIENCE = 30.0


@contextmanager
def following(store: SqliteStore, target: str, **more: Any) -> Iterator[list[Report]]:
    """A target followed in a thread while the block runs; its reports, the last one at the end."""
    stop, reports = threading.Event(), []

    def follow() -> None:
        reports.append(ingest(store, target, follow=True, settings=QUICK, stop=stop, **more))

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield reports
    finally:
        stop.set()
        thread.join(PATIENCE)
    assert not thread.is_alive()


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


def passes(seconds: float = 0.2) -> None:
    """Time for several looks."""
    time.sleep(seconds)


def test_new_and_grown_files_of_a_folder_are_taken_in(store: SqliteStore) -> None:
    folder = Path("in")
    folder.mkdir()
    lines = written(many(6)).splitlines(keepends=True)
    with following(store, "in") as reports:
        (folder / "a.jsonl").write_text("".join(lines[:2]))
        until(lambda: store.counts().actions == 2)
        with (folder / "a.jsonl").open("a") as grown:
            grown.write(lines[2] + lines[3][:-9])
            grown.flush()
            until(lambda: store.counts().actions == 3)
            passes()
            grown.write(lines[3][-9:])
        (folder / "deep").mkdir()
        (folder / "deep" / "b.csv").write_text("id,author,text,at\np,a,t,2026-05-01T11:00:00Z\n")
        until(lambda: (store.counts().actions, store.counts().posts) == (4, 1))
    assert reports == [Report(taken=5)]
    assert not Path("in.rejects.jsonl").exists()


def test_a_file_is_followed_as_it_grows_and_when_it_is_replaced(store: SqliteStore) -> None:
    path = Path("a.jsonl")
    path.write_text(written(many(2)))
    with following(store, "a.jsonl") as reports:
        until(lambda: store.counts().actions == 2)
        path.unlink()
        passes()
        path.write_text(written([POST]))
        until(lambda: store.counts().posts == 1)
    assert reports == [Report(taken=3)]


def test_a_file_half_copied_gets_another_look_and_a_broken_one_is_set_aside_once(
    store: SqliteStore,
) -> None:
    folder = Path("in")
    folder.mkdir()
    rows = [{key: value for key, value in LIKE.items() if key != "type"}]
    pq.write_table(pa.Table.from_pylist(rows), "whole.parquet")
    whole = Path("whole.parquet").read_bytes()
    (folder / "a.parquet").write_bytes(whole[:-8])
    with following(store, "in") as reports:
        until(lambda: Path("in.rejects.jsonl").exists())
        passes()
        (folder / "a.parquet").write_bytes(whole)
        until(lambda: store.counts().actions == 1)
    assert reports == [Report(taken=1, rejected=1)]
    assert len(rejected(Path("in.rejects.jsonl"))) == 1


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as held:
        yield held


def test_a_url_is_polled_and_a_failure_that_lasts_is_set_aside_once(
    store: SqliteStore, server: Server
) -> None:
    body, failing, polls = [rss()], [False], [0]

    def answer(handler: Handler) -> None:
        polls[0] += 1
        handler.answer(body[0], 503 if failing[0] else 200)

    url = server.route("/feed", answer)
    with following(store, url) as reports:
        until(lambda: store.counts().posts == 1)
        failing[0], seen = True, polls[0]
        until(lambda: polls[0] > seen + 3)
        body[0], failing[0] = rss(ITEM + ITEM.replace("g1", "g2")), False
        until(lambda: store.counts().posts == 2)
    assert reports[0].taken == 3
    assert [one["error"] for one in rejected(Path("feed.rejects.jsonl"))] == [
        f"{url} answered 503; check the address."
    ]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.jsonl", written(many(3)).rstrip()),
        ("a.csv", "id,author,text,at\np,a,t,2026-05-01T11:00:00Z\nq,a,t,2026-05-01T11:00:00Z"),
    ],
)
def test_the_last_line_of_a_followed_url_needs_no_end(
    store: SqliteStore, server: Server, name: str, body: str
) -> None:
    url = server.serve(f"/{name}", body.encode(), etag='"1"')
    with following(store, url):
        until(lambda: store.counts().actions == 3 or store.counts().posts == 2)


def test_a_list_in_a_followed_folder_is_looked_at_again(store: SqliteStore, server: Server) -> None:
    url = server.serve("/feed", rss())
    Path("in").mkdir()
    Path("in/list.opml").write_text(f'<opml><outline xmlUrl="{url}"/></opml>')
    with following(store, "in"):
        until(lambda: store.counts().posts == 1)
        server.serve("/feed", rss(ITEM + ITEM.replace("g1", "g2")))
        until(lambda: store.counts().posts == 2)


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("nowhere", "nowhere does not exist"),
        ("file:///etc/passwd", "is no http or https URL"),
    ],
)
def test_a_wrong_target_is_not_followed(store: SqliteStore, target: str, error: str) -> None:
    with pytest.raises(CallError, match=error):
        ingest(store, target, follow=True, settings=QUICK)


@pytest.mark.parametrize("stop", [None, threading.Event()], ids=["no stop", "stop"])
def test_an_interrupt_ends_the_following_by_itself_or_with_the_report_of_who_can_stop_it(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, stop: threading.Event | None
) -> None:
    Path("a.jsonl").write_text(written(many(2)))
    look = visiting.Visit.file
    looks: list[Path] = []

    def interrupted(visit: visiting.Visit, path: Path) -> str:
        looks.append(path)
        if len(looks) == 2:
            raise KeyboardInterrupt
        Path("a.jsonl").write_text(written(many(3)))
        return look(visit, path)

    monkeypatch.setattr(visiting.Visit, "file", interrupted)
    if stop is None:
        with pytest.raises(KeyboardInterrupt):
            ingest(store, "a.jsonl", follow=True, settings=QUICK)
    else:
        assert ingest(store, "a.jsonl", follow=True, settings=QUICK, stop=stop).taken == 3
    assert store.counts().actions == 3
