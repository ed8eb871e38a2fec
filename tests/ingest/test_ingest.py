"""The whole room on real files and a real store: choice of format, resuming, rejects, errors."""

from __future__ import annotations

import gzip
import json
import lzma
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.ingest.events import LIKE, POST, rejected, written
from tests.ingest.server import Handler, Server, serving
from tests.ingest.test_feeds import ATOM, ITEM, JSON, rss

import ariane.ingest as room
from ariane.ingest import IngestSettings, Report, ingest
from ariane.ingest import rejects as rejecting
from ariane.ingest.rejects import rejects_path
from ariane.store.sqlite import SqliteStore
from ariane.types import ArianeError, CallError, Cursor, Event, Written

SMALL = IngestSettings(batch_events=3, private_addresses=True, fetch_seconds=5)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as held:
        yield held


def many(count: int) -> list[dict[str, Any]]:
    return [LIKE | {"post": f"p{number}"} for number in range(count)]


class Failing:
    """A store whose write fails once it has been written to so often."""

    def __init__(self, store: SqliteStore, writes: int) -> None:
        self._store, self._left = store, writes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, events: Sequence[Event], cursor: Cursor | None = None) -> Written:
        if not self._left:
            raise ArianeError("the disk is full; make room.")
        self._left -= 1
        return self._store.write(events, cursor)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.jsonl", written([POST]).encode()),
        ("a.ndjson.gz", gzip.compress(written([POST]).encode())),
        ("a.jsonl.xz", lzma.compress(written([POST]).encode())),
        ("a.csv", b"id,author,text,at\np1,a1,hi,2026-05-01T11:00:00Z\n"),
        ("a.csv.gz", gzip.compress(b"id,author,text,at\np1,a1,hi,2026-05-01T11:00:00Z\n")),
        ("a.xml", rss()),
        ("a.atom", ATOM.encode()),
        ("a.json", json.dumps(JSON).encode()),
        ("comments.csv", b"timestamp,comment-id,author-id,comment-body\n1542406176584,1,2,Hi\n"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # a gzip body holds the time
)
def test_the_format_is_told_from_the_file(
    store: SqliteStore, tmp_path: Path, name: str, body: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(body)
    first = ingest(store, str(path))
    assert store.counts().posts == 1
    assert first.taken >= 1
    assert ingest(store, str(path)).taken == 0
    assert store.counts().posts == 1


def test_a_parquet_file_is_taken_in(store: SqliteStore, tmp_path: Path) -> None:
    rows = [{key: value for key, value in like.items() if key != "type"} for like in many(10)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert ingest(store, str(tmp_path / "a.parquet"), settings=SMALL) == Report(taken=10)
    assert ingest(store, str(tmp_path / "a.parquet")) == Report()


def test_a_folder_is_taken_in_file_by_file_and_a_broken_one_is_set_aside(
    store: SqliteStore, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / "a.jsonl").write_text(written(many(2)))
    (folder / "b.parquet").write_bytes(b"nonsense")
    (folder / "c.csv").write_bytes(b"")
    (folder / "deep" / "d.jsonl.gz").write_bytes(gzip.compress(written([POST]).encode()))
    (folder / "e.jsonl.xz").write_bytes(lzma.compress(written(many(500)).encode())[:-30])
    for ignored in ("README.md", ".f.jsonl", "old.rejects.jsonl", ".hidden/g.jsonl"):
        (folder / ignored).write_text("nonsense\n")
    report = ingest(store, str(folder))
    assert (report.taken, report.rejected) == (store.counts().posts + store.counts().actions, 3)
    found = rejected(Path("in.rejects.jsonl"))
    assert [Path(one["source"]).name for one in found] == ["b.parquet", "c.csv", "e.jsonl.xz"]
    assert all(one["line"] is None and one["error"].endswith(".") for one in found)


def test_a_kind_takes_its_files_alone_and_overrules_a_suffix(
    store: SqliteStore, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_text(written([POST]))
    (folder / "b.csv").write_text("viewer,post,kind,at\nv,p1,like,2026-05-01T11:00:00Z\n")
    assert ingest(store, str(folder), kind="tables") == Report(taken=1)
    assert ingest(store, str(folder), kind="jsonl") == Report(taken=1)
    with pytest.raises(CallError, match="holds no file of kind feeds"):
        ingest(store, str(folder), kind="feeds")
    with pytest.raises(CallError, match="holds no file of kind polis"):
        ingest(store, str(folder), kind="polis")
    (tmp_path / "events.log").write_text(written(many(1)))
    assert ingest(store, str(tmp_path / "events.log"), kind="jsonl").taken == 1


@pytest.mark.parametrize(
    ("target", "kind", "error"),
    [
        ("nowhere.jsonl", None, "nowhere.jsonl does not exist"),
        ("nowhere.jsonl", "csv", "kind 'csv' is unknown; it is one of jsonl, tables, feeds"),
        ("empty", None, "empty holds no file of a known suffix"),
        ("page.xml", None, "is a web page; give the address of its feed"),
        ("notes.txt", None, "is of no known format; say which of jsonl"),
        ("object.json", None, "is no JSON Feed"),
        ("ftp://e.example/a", None, "is no http or https URL"),
        ("https://127.0.0.1/a", None, "is at no public address"),
    ],
)
def test_a_wrong_target_is_named(
    store: SqliteStore, target: str, kind: str | None, error: str
) -> None:
    Path("empty").mkdir()
    Path("page.xml").write_text("<!DOCTYPE html><html><p>Hello</html>")
    Path("notes.txt").write_text("Hello")
    Path("object.json").write_text('{"a": 1}')
    with pytest.raises(ArianeError, match=error):
        ingest(store, target, kind=kind)


def test_a_file_that_cannot_be_read_is_named(store: SqliteStore) -> None:
    Path("loop.jsonl").symlink_to("loop.jsonl")
    with pytest.raises(ArianeError, match="cannot be read"):
        ingest(store, "loop.jsonl")


def test_an_empty_jsonl_is_no_events(store: SqliteStore) -> None:
    Path("a.jsonl").touch()
    assert ingest(store, "a.jsonl") == Report()


def test_a_truncated_file_is_taken_up_to_its_end_and_later_whole(store: SqliteStore) -> None:
    packed = gzip.compress(written(many(2_000)).encode())
    path = Path("a.jsonl.gz")
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(ArianeError, match=r"a\.jsonl\.gz cannot be read past line \d+"):
        ingest(store, str(path))
    before = store.counts().actions
    assert 500 < before < 2_000
    path.write_bytes(packed)
    assert ingest(store, str(path)) == Report(taken=2_000 - before)


def test_bad_lines_are_set_aside_with_number_and_reason(store: SqliteStore) -> None:
    path = Path("a.jsonl")
    path.write_bytes(
        written(many(4)).encode() + b"caf\xe9\n" + written(many(6)).encode() + b'{"type": "x"}\n'
    )
    report = ingest(store, str(path), settings=SMALL)
    assert report == Report(taken=6, same=4, rejected=2)
    assert rejected(Path("a.jsonl.rejects.jsonl")) == [
        {
            "source": str(path.resolve()),
            "line": 5,
            "error": "byte 0xE9 at column 4 is not UTF-8; convert the file.",
            "text": "caf\ufffd",
        },
        {
            "source": str(path.resolve()),
            "line": 12,
            "error": "type 'x' is unknown; it is one of post, account, action, label, delete.",
            "text": '{"type": "x"}',
        },
    ]
    assert ingest(store, str(path)) == Report()
    ingest(store, str(path), rejects=Path("other.jsonl"))
    assert not Path("other.jsonl").exists()


def test_rejects_that_cannot_be_written_stop_before_their_batch(store: SqliteStore) -> None:
    path = Path("a.jsonl")
    path.write_text(written(many(4)) + "{\n" + written(many(9)[4:]))
    with pytest.raises(ArianeError, match=r"rejects file /dev/full cannot be written \(No space"):
        ingest(store, str(path), rejects=Path("/dev/full"), settings=SMALL)
    assert store.counts().actions == 3
    with pytest.raises(ArianeError, match="give another with --rejects"):
        ingest(store, str(path), rejects=Path("no/such/folder/r.jsonl"))
    assert ingest(store, str(path)) == Report(taken=6, rejected=1)


@pytest.mark.parametrize("writes", range(4))
@pytest.mark.parametrize("name", ["a.xml", "a.json"])
def test_a_feed_that_was_interrupted_is_taken_in_whole_the_next_time(
    store: SqliteStore, name: str, writes: int
) -> None:
    """An account and seven posts: batches of three, three and two."""
    entries = [JSON["items"][0] | {"id": number} for number in range(7)]
    xml = rss("".join(ITEM.replace("g1", f"g{number}") for number in range(7)))
    bodies = {"a.xml": xml, "a.json": json.dumps(JSON | {"items": entries}).encode()}
    Path(name).write_bytes(bodies[name])
    if writes < 3:
        with pytest.raises(ArianeError, match="the disk is full"):
            ingest(Failing(store, writes), name, settings=SMALL)
        assert store.counts().posts == max(0, 3 * writes - 1)
    report = ingest(store, name, settings=SMALL)
    assert report.taken + report.same == 8
    assert store.counts().posts == 7
    assert ingest(store, name, settings=SMALL) == Report()


@pytest.mark.parametrize("place", [10, 400])
@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress], ids=["gz", "xz"])
def test_packed_files_that_are_corrupt_are_set_aside_whatever_they_hold(
    store: SqliteStore, pack: Callable[[bytes], bytes], place: int
) -> None:
    Path("in").mkdir()
    for name in ("a.jsonl", "b.csv", "c.xml", "d.opml", "e.json", "f.parquet"):
        packed = bytearray(pack(random.Random(0).randbytes(50_000).hex().encode()))
        packed[place : place + 200] = b"\xff" * 200
        Path(f"in/{name}.{'gz' if pack is gzip.compress else 'xz'}").write_bytes(packed)
    Path("in/z.jsonl").write_text(written(many(2)))
    report = ingest(store, "in", settings=SMALL)
    assert report.taken == 2
    broken = [one for one in rejected(Path("in.rejects.jsonl")) if one["line"] is None]
    assert [Path(one["source"]).name[0] for one in broken] == list("abcdef")


def test_rejects_are_their_owners_alone_and_on_the_disk_before_the_batch(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("a.jsonl").write_text("{\n" + written(many(2)))
    synced: list[int] = []
    monkeypatch.setattr(rejecting.os, "fsync", lambda _: synced.append(store.counts().actions))
    ingest(store, "a.jsonl")
    assert synced == [0]
    assert Path("a.jsonl.rejects.jsonl").stat().st_mode & 0o777 == 0o600
    Path("b.jsonl").write_text("{\n" + written(many(3)))
    assert ingest(store, "b.jsonl", rejects=Path("/dev/null")).rejected == 1


def test_labels_in_the_houses_name_are_set_aside(store: SqliteStore) -> None:
    label = {"type": "label", "subject": "p", "value": "spam", "at": LIKE["at"]}
    houses = [label | {"source": "ariane/x"}, label | {"source": "ariane/x", "negates": True}]
    Path("a.jsonl").write_text(written([*houses, label | {"source": "me"}]))
    assert ingest(store, "a.jsonl") == Report(taken=1, rejected=2)


def test_a_store_that_fails_leaves_its_batches_whole_and_the_rest_to_come(
    store: SqliteStore,
) -> None:
    Path("a.jsonl").write_text(written(many(10)))
    with pytest.raises(ArianeError, match="the disk is full"):
        ingest(Failing(store, 2), "a.jsonl", settings=SMALL)
    assert store.counts().actions == 6
    assert ingest(store, "a.jsonl", settings=SMALL) == Report(taken=4)


def test_progress_hears_every_batch(store: SqliteStore) -> None:
    Path("a.jsonl").write_text(written(many(8)))
    heard: list[Report] = []
    ingest(store, "a.jsonl", progress=heard.append, settings=SMALL)
    assert [report.taken for report in heard] == [3, 6, 8]


def test_a_batch_of_long_texts_is_written_before_it_has_its_number(store: SqliteStore) -> None:
    Path("a.jsonl").write_text(
        written([POST | {"id": str(n), "text": "ten chars!"} for n in range(5)])
    )
    heard: list[Report] = []
    ingest(store, "a.jsonl", progress=heard.append, settings=IngestSettings(batch_characters=20))
    assert [report.taken for report in heard] == [2, 4, 5]


def test_a_slow_source_is_written_before_its_batch_is_full(store: SqliteStore) -> None:
    Path("a.jsonl").write_text(written(many(3)))
    heard: list[Report] = []
    ingest(store, "a.jsonl", progress=heard.append, settings=IngestSettings(batch_seconds=0))
    assert [report.taken for report in heard] == [1, 2, 3, 3]


def test_appended_lines_alone_are_taken_and_an_edit_is_noticed(store: SqliteStore) -> None:
    path = Path("a.jsonl")
    path.write_text(written(many(5)))
    ingest(store, str(path))
    path.write_text(written(many(7)))
    assert ingest(store, str(path)) == Report(taken=2)
    path.write_text(written([POST, *many(7)]))
    assert ingest(store, str(path)) == Report(taken=1, same=7)


@pytest.mark.parametrize(
    ("body", "kind", "packed"),
    [
        (written(many(3)), None, False),
        (written(many(3)), "jsonl", True),
        ("viewer,post,kind,at\n" + "v,p,like,2026-05-01T11:00:00Z\n", "tables", False),
    ],
)
def test_standard_input_is_taken_to_its_end(
    tmp_path: Path, body: str, kind: str | None, packed: bool
) -> None:
    code = (
        "import sys\nfrom ariane.ingest import ingest\n"
        "from ariane.store.sqlite import SqliteStore\n"
        f"print(ingest(SqliteStore(sys.argv[1]), '-', kind={kind!r}).taken)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "piped.db")],
        input=gzip.compress(body.encode()) if packed else body.encode(),
        capture_output=True,
        check=True,
    )
    assert int(done.stdout) == body.count("like")


def test_urls_are_taken_in_whatever_their_format_and_asked_again_only_for_what_is_new(
    store: SqliteStore, server: Server
) -> None:
    server.serve("/feed", rss(), content_type="application/rss+xml", etag='"1"')
    server.serve("/a.jsonl.gz", gzip.compress(written(many(7)).encode()))
    server.serve("/table", b"id\na1\n", content_type="text/csv; charset=utf-8")
    for path, taken in (("/feed", 2), ("/a.jsonl.gz", 7), ("/table", 1)):
        assert ingest(store, server.url + path, settings=SMALL) == Report(taken=taken)
        assert ingest(store, server.url + path, settings=SMALL).taken == 0
    sent = [headers.get("if-none-match") for path, headers in server.asked if path == "/feed"]
    assert sent == [None, '"1"']


def test_an_answer_not_modified_is_nothing_new(store: SqliteStore, server: Server) -> None:
    def answer(handler: Handler) -> None:
        same = handler.headers["If-None-Match"] is not None
        handler.answer(b"" if same else rss(), 304 if same else 200, etag='"1"')

    url = server.route("/feed", answer)
    assert ingest(store, url, settings=SMALL).taken == 2
    assert ingest(store, url, settings=SMALL) == Report()


def test_a_list_takes_its_feeds_and_sets_broken_ones_aside(
    store: SqliteStore, server: Server
) -> None:
    server.serve("/good", rss())
    server.serve("/page", b"<html>no feed</html>")
    server.route("/gone", lambda handler: handler.answer(b"", 410))
    feeds = [f"{server.url}{path}" for path in ("/gone", "/page", "/list", "/good")]
    outlines = "".join(f'<outline xmlUrl="{url}"/>' for url in [*feeds, "file:///etc/passwd"])
    server.serve("/list", f"<opml><body>{outlines}</body></opml>".encode())
    Path("subscriptions.opml").write_text(f"<opml><body>{outlines}</body></opml>")
    for target in ("subscriptions.opml", f"{server.url}/list"):
        report = ingest(store, target, settings=SMALL)
        assert report.rejected == 4
        errors = [one["error"] for one in rejected(rejects_path(target))]
        for part in ("answered 410", "is a web page", "a list inside a list", "is no http or"):
            assert any(part in error for error in errors)
    assert store.counts().posts == 1


@pytest.mark.parametrize(("module", "extra"), [("parquet", "tables"), ("feeds", "feeds")])
def test_a_missing_extra_is_named_with_its_remedy(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, module: str, extra: str
) -> None:
    name = {"parquet": "pyarrow", "feeds": "feedparser"}[module]
    monkeypatch.delitem(sys.modules, f"ariane.ingest.{module}", raising=False)
    monkeypatch.setitem(sys.modules, name, None)
    Path("a.parquet").write_bytes(b"PAR1")
    Path("a.xml").write_bytes(rss())
    target = "a.parquet" if module == "parquet" else "a.xml"
    with pytest.raises(CallError, match=rf"needs {name}.*; install it with .*ariane\[{extra}\]"):
        ingest(store, target)


def test_a_missing_part_of_our_own_is_not_called_an_extra(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "PARTS", {"jsonl": "ariane.ingest.nothing"})
    Path("a.jsonl").write_text(written(many(1)))
    with pytest.raises(ModuleNotFoundError):
        ingest(store, "a.jsonl")


def test_rejects_that_cannot_be_closed_are_no_success(store: SqliteStore) -> None:
    Path("a.jsonl").write_text("{\n")
    with pytest.raises(ArianeError, match="rejects file /dev/full cannot be written"):
        ingest(store, "a.jsonl", rejects=Path("/dev/full"))


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("-", "stdin"),
        ("/data/polis/", "polis"),
        ("a b.jsonl", "a_b.jsonl"),
        ("https://e.example/feed.xml?token=/secret#/part", "feed.xml"),
        ("https://e.example/#a?b", "e.example"),
        ("https://e.example/", "e.example"),
        ("https://...", "target"),
    ],
)
def test_the_rejects_file_is_named_after_its_target(target: str, name: str) -> None:
    assert rejects_path(target) == Path(f"{name}.rejects.jsonl")
