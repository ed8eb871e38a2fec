"""SqliteStore passes the suite; what is its own: the file's bytes, query plans, crashes, errors."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.store.suite import StoreSuite
from tests.store.world import NOW, K, act, ask, post, reading, served

from ariane.store import actions, removal
from ariane.store.sqlite import SqliteStore, StoreSettings
from ariane.types import (
    Account,
    ArianeError,
    Ask,
    CallError,
    Delete,
    Label,
    Wish,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ariane.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path)
    yield store
    store.close()


@pytest.fixture(scope="module")
def fresh_store(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], SqliteStore]:
    return lambda: SqliteStore(tmp_path_factory.mktemp("store") / "ariane.db")


class TestSqliteStore(StoreSuite):
    @pytest.fixture
    def open_store(self, path: Path) -> Callable[..., SqliteStore]:
        return lambda **settings: SqliteStore(path, StoreSettings(**settings))


def file_bytes(path: Path) -> bytes:
    return b"".join(part.read_bytes() for part in path.parent.glob(path.name + "*"))


# --- what the file tells -----------------------------------------------------------------------


def test_what_a_person_did_and_said_is_never_plain_and_gone_when_erased(
    store: SqliteStore, path: Path
) -> None:
    store.write([post("shown-1"), post("shown-2")])
    store.write([act("act-7f3a", K.LIKE, "post-91c2", viewer="person-55d1", request="req-a1")])
    store.write([act("act-undone", K.FOLLOW, account="friend-02be", viewer="person-55d1")])
    store.write([Delete("action", "act-undone", 11, "person-55d1")])
    store.write([act("act-f", K.FOLLOW, account="friend-9e1f", viewer="person-55d1")])
    store.write_wish("person-55d1", Wish("wish-31aa", "word:zeppelin", 1, said="more zeppelins"))
    store.write([post("own-77", author="person-55d1", text="a secret of one's own")])
    store.write([Account("person-55d1", "Jane Roe"), Label("person-55d1", "expert", "c", 1)])
    served(store, "served-1", ["shown-1", "shown-2"], viewer="person-55d1")
    secrets = b"post-91c2 friend-02be friend-9e1f wish-31aa zeppelin act-7f3a act-f topic:science"
    held = file_bytes(path)
    assert [word for word in secrets.split() if word in held] == []
    assert b"person-55d1" in held
    assert store.erase("person-55d1")
    held = file_bytes(path)
    plain = [b"person-55d1", b"Jane Roe", b"secret of one", b"own-77", b"expert", b"served-1"]
    assert [word for word in plain if word in held] == []
    assert b"shown-1" in held


def test_the_key_is_destroyed_with_the_person(store: SqliteStore, path: Path) -> None:
    store.write([act("a", K.LIKE, "p")])
    (key,) = sqlite3.connect(path).execute("SELECT key FROM keys WHERE viewer = 'vic'").fetchone()
    assert key in file_bytes(path)
    store.erase("vic")
    assert key not in file_bytes(path)


def test_a_sealed_row_cannot_stand_for_another(store: SqliteStore, path: Path) -> None:
    store.write([act("a", K.LIKE, "p"), act("b", K.BLOCK, "q", 11)])
    other = sqlite3.connect(path)
    other.execute("UPDATE actions SET sealed = (SELECT sealed FROM actions WHERE at = 10)")
    other.commit()
    with pytest.raises(ArianeError, match="altered"):
        store.viewer(ask())


def test_verdicts_of_policies_are_kept_without_the_viewer(store: SqliteStore, path: Path) -> None:
    store.write([post("p"), post("q"), post("r"), post("s")])
    served(store, "one", ["p", "q"], ["r", "s"])
    served(store, "two", ["p", "q"], ["r", "s"], viewer="eve")
    rows = sqlite3.connect(path).execute("SELECT post, rev, policy, decision, at FROM verdicts")
    assert rows.fetchall() == [("r", 1, "spam@2", "drop", NOW), ("p", 1, "care@1", "label", NOW)]


def test_long_logs_are_read_and_forgotten_in_slices(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "STREAM_ROWS", 3)
    monkeypatch.setattr(removal, "FORGET_ROWS", 2)
    made = [act(f"{n}", K.LIKE, "p", at=n // 4, viewer=f"v{n % 3}") for n in range(10)]
    store.write([*made, act("f", K.FOLLOW, account="ann", at=0), post("p")])
    for n in range(5):
        served(store, f"r{n}", ["p"], at=1)
    assert [one.id for one in store.actions()] == [*"0123f456789"]
    assert store.forget(actions=2, receipts=2) == 8 + 5
    assert [one.id for one in store.actions()] == ["f", "8", "9"]


def test_what_stands_is_undone_also_where_the_log_has_lost_the_action(
    store: SqliteStore, path: Path
) -> None:
    store.write([act("m", K.MUTE, account="ann"), act("f", K.FOLLOW, account="ann")])
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM actions")
    assert store.standing("vic", K.MUTE, "ann") == ["m"]
    store.write([Delete("action", "m", 10, "vic")])
    assert store.viewer(ask()).mutes == frozenset()
    assert store.viewer(ask()).follows == {"ann"}


def test_the_file_and_its_log_are_for_their_owner_alone(path: Path) -> None:
    umask = os.umask(0o022)
    try:
        store = SqliteStore(path)
        store.write([post("p")])
        modes = {part.name: part.stat().st_mode & 0o777 for part in path.parent.iterdir()}
        assert modes == dict.fromkeys(["ariane.db", "ariane.db-wal", "ariane.db-shm"], 0o600)
        store.close()
    finally:
        os.umask(umask)


def test_a_store_in_memory_makes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    SqliteStore(":memory:").close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("days", [-1, float("nan"), float("inf")])
def test_a_retention_that_is_none_is_refused(days: float) -> None:
    with pytest.raises(CallError, match="keep_receipts_days"):
        StoreSettings(keep_receipts_days=days)


# --- no request scans a table ------------------------------------------------------------------

SMALL = {"readers", "retention"}  # a row a reader, and one row


@contextmanager
def traced(store: SqliteStore) -> Iterator[list[str]]:
    statements: list[str] = []
    connection = store._connections._get()
    connection.set_trace_callback(statements.append)
    yield statements
    connection.set_trace_callback(None)


def scans(store: SqliteStore, statement: str) -> list[str]:
    connection = store._connections._get()
    plan = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + statement)]
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")} - SMALL
    aliases = {alias: name for name, alias in re.findall(r"(\w+) ([a-z])\b", statement)}
    names = [re.match(r"SCAN (\w+)", detail) for detail in plan]
    return [name[0] for name in names if name and aliases.get(name[1], name[1]) in tables]


def hot_path(store: SqliteStore) -> None:
    """Every call that a request, an ingest or a following index makes."""
    events = [post("p"), post("q", 2), act("l", K.LIKE, "p"), act("m", K.MUTE, "p")]
    store.write([*events, Account("ann"), Label("p", "spam", "c", 1), Delete("post", "x", 1)])
    store.write(
        [*events, Delete("action", "m", 1, "vic"), Delete("account", "bob", 1), post("p", rev=2)]
    )
    store.write([act("m2", K.MUTE, "gone"), act("m3", K.FOLLOW, "p")])
    store.unread("reader@1", 9)
    store.write_readings([reading("p", rev=2), reading("q")], [])
    store.unread("reader@2", 9)
    store.readings(["p"])
    store.posts(["p"])
    store.account("ann")
    store.vectors(0, 9)
    for name in ("one", "two"):
        served(store, name, ["p", "q"], after="one")
        store.viewer(Ask("x", "vic", NOW, after=name))
    store.viewer(ask(profiled=False))
    store.standing("vic", K.MUTE, "ann")
    store.recent(NOW, 9, since=0)
    store.recent(NOW, 9, languages=["en", "fr"])
    store.recent(NOW, 9, authors=["ann"], languages=["en"])
    store.receipt("two")
    store.served_to("two")
    store.did("vic", "l")
    store.write_wish("vic", Wish("w", "topic:art", 1))
    store.wishes("vic", NOW)
    store.delete_wish("vic", "w")
    list(store.actions(5))
    store.forget(actions=1, receipts=1, anonymous=1)
    store.export("vic")
    store.erase("vic")


def test_no_hot_query_scans_a_table(store: SqliteStore) -> None:
    with traced(store) as statements:
        hot_path(store)
    assert scans(store, "SELECT text FROM posts p WHERE text = 'x'") == ["SCAN p"]
    asked = {one for one in statements if re.match(r"SELECT|UPDATE|DELETE|INSERT|WITH", one)}
    assert len(asked) > 60
    found = {one: scans(store, one) for one in asked}
    assert {one: scan for one, scan in found.items() if scan} == {}


@pytest.mark.parametrize(
    "search", [{"since": 0}, {"authors": ["ann"]}, {"languages": ["en"]}], ids=str
)
def test_recent_reads_indexes_alone(store: SqliteStore, search: dict[str, Any]) -> None:
    with traced(store) as statements:
        store.recent(NOW, 9, **search)
    assert covered(store, statements)


def test_what_an_author_published_is_read_from_an_index_alone(store: SqliteStore) -> None:
    with traced(store) as statements:
        store.published("ann", NOW, 9, "p")
    assert covered(store, statements)


def covered(store: SqliteStore, statements: list[str]) -> bool:
    (statement,) = [one for one in statements if "FROM posts" in one]
    plan = store._connections._get().execute("EXPLAIN QUERY PLAN " + statement).fetchall()
    return "USING COVERING INDEX" in plan[0][3]


# --- crashes and processes ---------------------------------------------------------------------

WRITER = """
import sys
from ariane.store import actions, removal
from ariane.store.sqlite import SqliteStore
from ariane.types import Action, ActionKind, Cursor, Post, Wish
store, first = SqliteStore(sys.argv[1]), int(sys.argv[2])
for number in range(first, first + 100_000):
    name = str(number)
    store.write(
        [Post(f"{name}/{n}", "ann", "text", number) for n in range(20)]
        + [Action(f"{name}/{n}", f"v{n}", ActionKind.LIKE, number, "p") for n in range(20)],
        Cursor("source", name),
    )
    store.write_wish("v0", Wish(name, "topic:art", 1))
    print(number, flush=True)
"""


@pytest.mark.slow
def test_what_was_acknowledged_survives_kill_9(path: Path) -> None:
    first = 0
    for turn in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(first)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        acknowledged = int(writer.stdout.readline())
        time.sleep(0.03 * turn)
        writer.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *map(int, writer.stdout.read().split())])
        writer.wait()
        store = SqliteStore(path)
        wanted = [f"{number}/{n}" for number in range(acknowledged + 1) for n in range(20)]
        assert store.posts(wanted).keys() == set(wanted)
        assert {one.id for one in store.actions()} >= set(wanted)
        assert len(store.wishes("v0", NOW)) >= acknowledged + 1
        # A batch is there whole or not at all, and its cursor with it.
        assert store.counts().posts == 20 * (int(store.cursor("source") or 0) + 1)
        first = acknowledged + 1
        store.close()


def _write_many(path: Path, number: int) -> None:
    store = SqliteStore(path)
    for turn in range(20):
        store.write([post(f"{number}/{turn}"), act(f"{number}/{turn}", K.LIKE, "p")])
    store.close()


@pytest.mark.slow
def test_processes_create_and_write_one_file_together(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_many, args=(path, n)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    store = SqliteStore(path)
    assert (store.counts().posts, store.counts().actions) == (60, 60)
    assert store.counts().viewers == 1
    store.close()


def test_a_forked_process_gets_connections_of_its_own(store: SqliteStore) -> None:
    store.write([post("p")])
    child = os.fork()
    if child == 0:
        try:
            store.write([post("q")])
            store.close()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert store.posts(["p", "q"]).keys() == {"p", "q"}


# --- errors ------------------------------------------------------------------------------------


def expect(path: Path, remedy: str) -> Any:
    return pytest.raises(ArianeError, match=f"^The store {re.escape(str(path))} .*{remedy}.*\\.$")


def test_a_locked_store_says_so(path: Path) -> None:
    store = SqliteStore(path, StoreSettings(busy_seconds=0.05))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with expect(path, "wait for that process"):
        store.write([post("p")])
    assert store.posts(["p"]) == {}
    other.execute("ROLLBACK")
    store.write([post("p")])
    store.close()


def test_a_file_that_another_program_holds_says_so(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE held (x)")
    other.execute("BEGIN EXCLUSIVE")
    with expect(path, "wait for that process"):
        SqliteStore(path, StoreSettings(busy_seconds=0.1))
    other.close()


def test_a_full_disk_says_so_and_loses_nothing(store: SqliteStore, path: Path) -> None:
    store.write([post("p")])
    connection = store._connections._get()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages + 2}")
    with expect(path, "free some space"):
        store.write([post(f"{n}", text="x" * 10_000) for n in range(20)])
    assert store.recent(NOW, 99) == ["p"]
    store.write([post("q")])


def test_a_read_only_store_says_so(store: SqliteStore, path: Path) -> None:
    store._connections._get().execute("PRAGMA query_only=ON")
    with expect(path, "right to write"):
        store.write([post("p")])
    assert store.posts(["p"]) == {}


def test_a_damaged_store_says_so(path: Path) -> None:
    store = SqliteStore(path)
    store.write([post(f"{n}", text="x" * 2000) for n in range(200)])
    store.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 3)
        file.write(b"\xff" * (size // 2))
    store = SqliteStore(path)
    with expect(path, "restore it from a backup"):
        store.posts([f"{n}" for n in range(200)])
    store.close()


def test_a_file_that_is_no_store_says_so(path: Path) -> None:
    path.write_text("this is a letter, not a database\n" * 100)
    with expect(path, "name another file"):
        SqliteStore(path)


def test_a_missing_folder_says_so(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "ariane.db"
    with expect(path, "folder"):
        SqliteStore(path)


def test_a_store_of_a_newer_ariane_says_so(path: Path) -> None:
    SqliteStore(path).close()
    other = sqlite3.connect(path)
    other.execute("INSERT INTO versions VALUES (999, 0)")
    other.commit()
    with expect(path, "newer one"):
        SqliteStore(path)
