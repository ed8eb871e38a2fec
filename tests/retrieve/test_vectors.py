"""The vector file follows the store, is shared by processes, and is whole after any crash."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.retrieve.vector_store import WIDE, Rows, unit

from ariane.retrieve import layout, projection, vectors, writer
from ariane.retrieve.layout import HEADER, SLOTS, Head, Slot
from ariane.retrieve.search import best
from ariane.retrieve.vectors import VectorFile
from ariane.types import ArianeError, CallError


def ids(file: VectorFile) -> set[str]:
    rows = file.rows()
    return set(rows.ids(rows.between(None, 10**15)))


def found(file: VectorFile, query: np.ndarray, limit: int = 5) -> list[str]:
    rows = file.rows()
    assert rows.matrix is not None
    scores = rows.vectors @ (query @ rows.matrix)
    return best(rows, scores, limit, among=rows.between(None, 10**15))


def test_a_file_follows_the_store(tmp_path: Path) -> None:
    store, file = Rows(10), VectorFile(tmp_path / "posts")
    assert ids(file) == set()
    assert file.refresh(store) == 10
    assert file.refresh(store) == 0
    store.add("late", unit(99))
    before = file.rows()
    assert file.refresh(store) == 1
    assert ids(file) == {*(f"p{n}" for n in range(10)), "late"}
    assert len(before) == 10
    assert found(file, unit(99))[0] == "late"


def test_a_store_without_readings_makes_no_file(tmp_path: Path) -> None:
    file = VectorFile(tmp_path / "posts")
    assert file.refresh(Rows()) == 0
    assert len(file.rows()) == 0
    assert not (tmp_path / "posts").exists()


def test_a_newer_row_of_a_post_supersedes(tmp_path: Path) -> None:
    store, file = Rows(5), VectorFile(tmp_path / "posts")
    file.refresh(store)
    store.add("p2", unit(77), at=50)
    file.refresh(store)
    assert sorted(ids(file)) == [f"p{n}" for n in range(5)]
    assert found(file, unit(77))[0] == "p2"
    assert len(file.rows()) == 6
    assert len(file.rows().between(None, 10**15)) == 5


def test_nothing_is_left_of_the_vector_of_a_post_that_is_gone(tmp_path: Path) -> None:
    store, file = Rows(5), VectorFile(tmp_path / "posts")
    file.refresh(store)
    vector = file.rows().vectors[2].tobytes()
    assert vector in (tmp_path / "posts").read_bytes()
    store.gone.add("p2")
    file.refresh(store)
    assert ids(file) == {"p0", "p1", "p3", "p4"}
    assert vector not in (tmp_path / "posts").read_bytes()
    store.gone |= {"p0", "p1", "p3", "p4"}
    file.refresh(store)
    assert ids(file) == set()
    store.add("late", unit(9))
    assert VectorFile(tmp_path / "posts").refresh(store) == 1
    assert ids(file) == {"late"}


def test_every_row_is_looked_at_in_turn_whoever_refreshes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "CHECKED", 4)
    store, file = Rows(10), VectorFile(tmp_path / "posts")
    file.refresh(store)
    for post in ("p1", "p6", "p9"):
        store.gone.add(post)
    for _ in range(3):
        VectorFile(tmp_path / "posts").refresh(store)
    assert ids(file) == {f"p{n}" for n in range(10)} - store.gone
    store.gone.add("p2")
    file.refresh(store)
    assert "p2" not in ids(file)


def test_posts_that_are_gone_count_towards_writing_the_file_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "SMALL", 20)
    store, file = Rows(20), VectorFile(tmp_path / "posts")
    file.refresh(store)
    store.gone |= {f"p{n}" for n in range(5)}
    file.refresh(store)
    assert len(file.rows()) == 15
    assert ids(file) == {f"p{n}" for n in range(5, 20)}


def test_search_is_exact_and_keeps_to_its_window(tmp_path: Path) -> None:
    store, file = Rows(300), VectorFile(tmp_path / "posts")
    file.refresh(store)
    every = np.stack([row.vector for row in store.rows])
    query = unit(12345)
    right = [f"p{n}" for n in np.argsort(-(every @ query), kind="stable")]
    assert found(file, query, 20) == right[:20]
    rows = file.rows()
    scores = rows.vectors @ (query @ rows.matrix)
    window = best(rows, scores, 10, among=rows.between(100, 200))
    assert window == [post for post in right if 100 < int(post[1:]) <= 200][:10]
    every_row = rows.between(None, 10**9)
    without = best(rows, scores, 10, among=every_row, without=frozenset(right[:3]))
    assert without == right[3:13]
    assert best(rows, scores, 0, among=every_row) == []
    assert best(rows, scores, 10, among=rows.between(None, -1)) == []


def test_other_processes_see_what_is_committed(tmp_path: Path) -> None:
    store, path = Rows(20), tmp_path / "posts"
    VectorFile(path).refresh(store)
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        assert pool.map(_count, [path, path]) == [20, 20]


def _count(path: Path) -> int:
    return len(VectorFile(path).rows())


def test_readers_and_a_writer_at_once_see_only_whole_states(tmp_path: Path) -> None:
    store, file = Rows(50), VectorFile(tmp_path / "posts")
    file.refresh(store)
    wrong: list[str] = []
    done = False

    def read() -> None:
        reader = VectorFile(tmp_path / "posts")
        while not done:
            rows = reader.rows()
            last = len(rows) - 1
            name = rows.ids(np.array([last]))[0]
            if name != f"p{last}" or abs(np.linalg.norm(rows.vectors[last]) - 1) > 1e-4:
                wrong.append(name)

    threads = [Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(50, 200):
        store.add(f"p{number}", unit(number), at=number)
        file.refresh(store)
    done = True
    for thread in threads:
        thread.join()
    assert wrong == []


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    file = VectorFile(tmp_path / "posts")
    with vectors._alone(tmp_path / "posts") as alone:
        assert alone
        assert file.refresh(Rows(3)) == 0
    assert file.refresh(Rows(3)) == 3


def test_two_writers_in_turn_take_nothing_twice(tmp_path: Path) -> None:
    store = Rows(3)
    one, other = VectorFile(tmp_path / "posts"), VectorFile(tmp_path / "posts")
    assert one.refresh(store) == 3
    store.add("x", unit(50))
    assert other.refresh(store) == 1
    store.add("y", unit(51))
    assert one.refresh(store) == 1
    assert len(other.rows()) == len(one.rows()) == 5


@settings(max_examples=40)
@given(st.integers(0, 7), st.integers(0, 400), st.binary(min_size=1, max_size=64))
def test_bytes_after_the_last_commit_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, rows: int, cut: int, junk: bytes
) -> None:
    """A crash while appending leaves any bytes behind the committed rows, or half a slot."""
    path = tmp_path_factory.mktemp("crash") / "posts"
    store = Rows(8)
    file = VectorFile(path)
    file.refresh(store)
    held = path.read_bytes()
    head = layout.unpack_head(held[:HEADER])
    slot = layout.unpack_slot(held[:HEADER])
    assert head is not None and slot is not None
    with path.open("r+b") as opened:
        opened.seek(0, os.SEEK_END)
        opened.write(junk)
        half = layout.pack_slot(Slot(slot.turn + 1, slot.rows + rows, 999, 999, 0))[: cut % 40]
        opened.seek(SLOTS[(slot.turn + 1) % 2])
        opened.write(half)
    with writer.ids_path(path, head).open("ab") as opened:
        opened.write(junk)
    again = VectorFile(path)
    assert ids(again) == {f"p{n}" for n in range(8)}
    store.add("next", unit(9))
    assert again.refresh(store) == 1
    assert ids(again) == {*(f"p{n}" for n in range(8)), "next"}
    assert found(again, unit(9))[0] == "next"


def test_a_crash_before_the_old_row_is_marked_dead_is_mended(tmp_path: Path) -> None:
    store, file = Rows(3), VectorFile(tmp_path / "posts")
    file.refresh(store)
    store.add("p1", unit(40), at=1)
    file.refresh(store)
    size = layout.row_type(128).itemsize
    with (tmp_path / "posts").open("r+b") as opened:
        opened.seek(HEADER + 2 * size - 2)
        opened.write((1).to_bytes(2, "little"))
    again = VectorFile(tmp_path / "posts")
    assert found(again, unit(40)).count("p1") == 1
    again.refresh(store)
    assert len(again.rows().between(None, 10**15)) == 3


@pytest.mark.parametrize(
    "damage", ["empty", "magic", "short", "slots", "ids", "matrix", "half", "wild"]
)
def test_a_corrupt_file_finds_nothing_and_is_rebuilt(tmp_path: Path, damage: str) -> None:
    store, path = Rows(6), tmp_path / "posts"
    VectorFile(path).refresh(store)
    held = bytearray(path.read_bytes())
    head = layout.unpack_head(bytes(held[:HEADER]))
    assert head is not None
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "magic":
        path.write_bytes(b"not this" + held[8:])
    elif damage == "short":
        path.write_bytes(held[:-700])
    elif damage == "slots":
        path.write_bytes(held[:1024] + bytes(HEADER - 1024) + held[HEADER:])
    elif damage == "ids":
        writer.ids_path(path, head).unlink()
    elif damage == "matrix":
        writer.matrix_path(path, head).unlink()
    elif damage == "half":
        writer.matrix_path(path, head).write_bytes(b"\x93NUMPY")
    else:
        path.write_bytes(os.urandom(9000))
    file = VectorFile(path)
    assert len(file.rows()) == 0
    assert file.refresh(store) == 6
    assert len(ids(file)) == 6
    assert len(list(tmp_path.glob("posts.*.ids"))) == 1


def test_a_short_file_of_ids_is_rebuilt(tmp_path: Path) -> None:
    store, path = Rows(6), tmp_path / "posts"
    file = VectorFile(path)
    file.refresh(store)
    head = layout.unpack_head(path.read_bytes()[:HEADER])
    assert head is not None
    writer.ids_path(path, head).write_bytes(b"p0")
    again = VectorFile(path)
    assert len(again.rows()) == 0
    assert again.refresh(store) == 6


def test_many_dead_rows_are_compacted_and_open_readers_go_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "SMALL", 20)
    store, file = Rows(20), VectorFile(tmp_path / "posts")
    file.refresh(store)
    reader = VectorFile(tmp_path / "posts")
    before = reader.rows()
    for number in range(12):
        store.add(f"p{number}", unit(1000 + number))
    file.refresh(store)
    assert len(reader.rows()) == 20
    assert ids(reader) == {f"p{n}" for n in range(20)}
    assert before.ids(np.array([0])) == ["p0"]


def test_a_projection_is_fitted_anew_when_there_is_more_to_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "ENOUGH", 40)
    monkeypatch.setattr(projection, "ENOUGH", 40)
    store, file = Rows(3), VectorFile(tmp_path / "posts", width=4)
    file.refresh(store)
    first = file.rows().matrix
    for number in range(3, 60):
        store.add(f"p{number}", unit(number))
    file.refresh(store)
    second = file.rows().matrix
    assert first is not None and second is not None
    assert not np.allclose(first, second)
    assert len(file.rows()) == 60


def test_another_reader_or_width_starts_a_new_file(tmp_path: Path) -> None:
    store, path = Rows(5), tmp_path / "posts"
    VectorFile(path, space="one").refresh(store)
    other = VectorFile(path, space="two")
    assert len(other.rows()) == 0
    assert other.refresh(store) == 5
    narrow = VectorFile(path, space="two", width=8)
    assert narrow.refresh(store) == 5
    assert narrow.rows().vectors.shape == (5, 8)


def test_readings_of_another_width_replace_those_before(tmp_path: Path) -> None:
    store, file = Rows(5), VectorFile(tmp_path / "posts")
    file.refresh(store)
    for number in range(3):
        store.add(f"p{number}", unit(number, 2 * WIDE))
    file.refresh(store)
    assert ids(file) == {"p0", "p1", "p2"}
    assert file.rows().matrix is not None
    assert file.rows().matrix.shape[0] == 2 * WIDE


def test_a_vector_that_is_not_a_number_is_passed_over(tmp_path: Path) -> None:
    store, file = Rows(3), VectorFile(tmp_path / "posts")
    store.add("bad", np.full(WIDE, np.nan, np.float32))
    assert file.refresh(store) == 3
    assert file.refresh(store) == 0
    assert ids(file) == {"p0", "p1", "p2"}


def test_more_than_a_batch_and_ids_of_any_letters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "BATCH", 7)
    store = Rows(20)
    store.add("at://é/気候/" + "x" * 500, unit(5000))
    store.add("\udcff", unit(5001))
    file = VectorFile(tmp_path / "posts")
    assert file.refresh(store) == 22
    assert found(file, unit(5000))[0] == "at://é/気候/" + "x" * 500
    assert found(file, unit(5001))[0] == "\udcff"


def test_a_disk_that_cannot_be_written_is_one_sentence_and_the_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, file = Rows(4), VectorFile(tmp_path / "posts")
    file.refresh(store)
    store.add("more", unit(60))

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(ArianeError, match="No space left on device"):
            file.refresh(store)
    assert len(file.rows()) == 4
    assert file.refresh(store) == 1


@pytest.mark.parametrize("width", [0, 129, -1])
def test_a_width_that_no_file_holds_is_refused(tmp_path: Path, width: int) -> None:
    with pytest.raises(CallError, match=str(width)):
        VectorFile(tmp_path / "posts", width=width)


@given(
    st.integers(1, 128),
    st.text("0123456789abcdef", min_size=1, max_size=32),
    st.lists(st.integers(0, 2**63), min_size=5, max_size=5),
)
def test_headers_come_back_as_they_were_written(width: int, name: str, numbers: list[int]) -> None:
    head, slot = Head(width, name, "0" * 32), Slot(max(1, numbers[0]), *numbers[1:])
    header = bytearray(HEADER)
    packed = layout.pack_head(head)
    header[: len(packed)] = packed
    start = SLOTS[slot.turn % 2]
    header[start : start + len(layout.pack_slot(slot))] = layout.pack_slot(slot)
    assert layout.unpack_head(bytes(header)) == head
    assert layout.unpack_slot(bytes(header)) == slot


def test_a_fitted_projection_keeps_what_a_random_one_loses() -> None:
    draw = np.random.default_rng(0)
    low = draw.standard_normal((3000, 8)) @ draw.standard_normal((8, 64))
    many = (low / np.linalg.norm(low, axis=1, keepdims=True)).astype(np.float32)
    fitted, random = projection.fit(many, 8), projection.fit(many[:100], 8)
    for matrix in (fitted, random):
        assert np.allclose(matrix.T @ matrix, np.eye(8), atol=1e-5)
    exact = many[:50] @ many[:50].T
    errors = [np.abs((many[:50] @ m) @ (many[:50] @ m).T - exact).max() for m in (fitted, random)]
    assert errors[0] < 1e-4 < errors[1]
