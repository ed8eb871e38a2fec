"""Short vectors of every read post in one memory-mapped file: one writer, any number of readers."""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from ariane.retrieve.layout import HEADER, Head, hash16, hash64, row_type, unpack_head, unpack_slot
from ariane.retrieve.projection import ENOUGH, SAMPLE, Projection, fit
from ariane.retrieve.writer import Project, Writer, ids_path, matrix_path
from ariane.types import ArianeError, Store, Vector, VectorRow

BATCH = 4_096
"""Rows that are taken from the store, and committed, at once."""

CHECKED = 1_000
"""Rows of each refresh that are looked at for posts which were deleted or erased since."""

GROWN = 10
"""A projection that was fitted to few posts is fitted anew when there are this many times more."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What was committed when it was looked at; it stays as it is while the file grows.

    `vectors` float32 (rows, width) is a view of the file, 0 as soon as a row is dead; `at`,
    `author` (hash64) and `language` (hash16) are (rows,). `matrix` (reader's width, width) is the
    fitted projection, None where a learned one made them.
    """

    vectors: Vector
    at: NDArray[np.int64]
    author: NDArray[np.uint64]
    live: NDArray[np.bool_]
    language: NDArray[np.uint16]
    starts: NDArray[np.uint64]
    lengths: NDArray[np.uint32]
    names: bytes | mmap.mmap
    matrix: Vector | None = None

    def __len__(self) -> int:
        return len(self.at)

    def ids(self, rows: NDArray[np.intp]) -> list[str]:
        """The posts of some rows."""
        starts, lengths = self.starts[rows].tolist(), self.lengths[rows].tolist()
        return [
            self.names[start : start + length].decode(errors="surrogatepass")
            for start, length in zip(starts, lengths, strict=True)
        ]

    def between(
        self, since: int | None, until: int, languages: Sequence[str] = ()
    ) -> NDArray[np.intp]:
        """The live rows that were published in (since, until], in these languages if given."""
        within: NDArray[np.bool_] = self.live & (self.at <= until)
        if since is not None:
            within &= self.at > since
        if languages:
            within &= np.isin(self.language, [hash16(language) for language in languages])
        return np.flatnonzero(within)


def _rows(
    records: NDArray[np.void], names: bytes | mmap.mmap, matrix: Vector | None = None
) -> Rows:
    """The columns that every search reads are copied out: in the file they lie far apart."""
    return Rows(
        records["vector"],
        records["at"].copy(),
        records["author"].copy(),
        records["live"] != 0,
        records["language"].copy(),
        records["id"],
        records["length"],
        names,
        matrix,
    )


EMPTY = _rows(np.zeros(0, row_type(1)), b"")


@dataclass(frozen=True, slots=True)
class _Mapped:
    rows: Rows
    file: mmap.mmap
    inode: int
    turn: int


class VectorFile:
    """A file at `path` that follows the store's readings when `refresh` is called.

    Rows are made by `projection`, or else by one that is fitted to the first posts and kept with
    them; `space` names whose vectors they are, so that another reader's start a new file.
    """

    def __init__(
        self,
        path: Path,
        projection: Projection | None = None,
        *,
        width: int = 128,
        space: str = "",
    ) -> None:
        row_type(width)
        self.path, self.projection, self.width = path, projection, width
        self.digest = projection.digest if projection else f"fitted-{width}-{hash64(space):016x}"
        self._mapped: _Mapped | None = None
        self._reading = Lock()
        self._writing = Lock()
        self._writer: Writer | None = None

    def rows(self) -> Rows:
        """What is committed now; empty where there is no file, or none that is whole."""
        with self._reading:
            mapped = self._mapped
            try:
                inode = self.path.stat().st_ino
            except FileNotFoundError:
                return EMPTY
            if mapped is not None and mapped.inode == inode:
                slot = unpack_slot(mapped.file[:HEADER])
                if slot is not None and slot.turn == mapped.turn:
                    return mapped.rows
            self._mapped = self._map()
            return self._mapped.rows if self._mapped else EMPTY

    def refresh(self, store: Store) -> int:
        """Take in what the store read since; how many rows. Nothing while another writer does.

        Of posts that are gone from the store, the file learns by looking at a part of its rows.
        """
        with self._writing, _alone(self.path) as alone:
            if not alone:
                return 0
            try:
                return self._follow(store)
            except OSError as error:
                raise ArianeError(
                    f"The vector file {self.path} cannot be written ({error.strerror}); "
                    "make room or set its rights, what is in it stays whole."
                ) from error

    def _map(self) -> _Mapped | None:
        for _ in range(3):  # a file that is replaced between two steps is looked at again
            try:
                return self._map_once()
            except FileNotFoundError:
                continue
        return None

    def _map_once(self) -> _Mapped | None:
        with self.path.open("rb") as file:
            header = file.read(HEADER)
            head, slot = unpack_head(header), unpack_slot(header)
            if head is None or slot is None or head.digest != self.digest:
                return None
            kind = row_type(head.width)
            size = HEADER + slot.rows * kind.itemsize
            status = os.fstat(file.fileno())
            if status.st_size < size:
                return None
            mapped = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        with ids_path(self.path, head).open("rb") as file:
            if os.fstat(file.fileno()).st_size < slot.ids:
                return None
            names = mmap.mmap(file.fileno(), slot.ids, access=mmap.ACCESS_READ) if slot.ids else b""
        matrix = None if self.projection else self._matrix(head)
        if matrix is None and not self.projection:
            return None
        records = np.frombuffer(mapped, kind, slot.rows, HEADER)
        return _Mapped(_rows(records, names, matrix), mapped, status.st_ino, slot.turn)

    def _follow(self, store: Store) -> int:
        writer = self._open()
        if writer is None:
            return self._rebuild(store, None)
        matrix = None if self.projection else self._matrix(writer.head)
        wide, project = self._project(matrix)
        taken = 0
        while batch := store.vectors(writer.slot.sequence, BATCH):
            if matrix is not None and batch[-1].vector.size != wide:
                return self._rebuild(store, batch[-1].vector.size)
            taken += writer.append(batch, wide, project)
        writer.check(store.posts, CHECKED)
        return self._rebuild(store, wide) if self._stale(writer) else taken

    def _open(self) -> Writer | None:
        """The writer of the file as it is, or None where it must be written anew."""
        if self._writer is not None and not self._writer.current:
            self._writer.close()
            self._writer = None
        writer = self._writer or Writer.open(self.path)
        self._writer = writer
        if writer is None or writer.head.digest != self.digest:
            return None
        lost = self.projection is None and self._matrix(writer.head) is None
        return None if lost else writer

    def _matrix(self, head: Head) -> Vector | None:
        """The projection that was fitted for a file, or None where it is lost."""
        try:
            found: Vector = np.load(matrix_path(self.path, head))
        except (OSError, ValueError, EOFError):
            return None
        return found if found.ndim == 2 and found.shape[1] == head.width else None

    def _stale(self, writer: Writer) -> bool:
        fitted, rows = writer.slot.fitted, writer.slot.rows
        return writer.sparse or (fitted < SAMPLE and rows >= max(ENOUGH, GROWN * fitted))

    def _rebuild(self, store: Store, wide: int | None) -> int:
        """Write the whole file anew beside the old one, then put it in its place."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        sample = _take(store, SAMPLE if self.projection is None else BATCH)
        if not sample:
            return 0
        matrix = None
        fitted = SAMPLE
        if self.projection is None:
            wide = wide or sample[-1].vector.size
            same = [row.vector for row in sample if row.vector.size == wide]
            matrix = fit(np.stack(same) if same else np.zeros((0, wide), np.float32), self.width)
            fitted = len(same)
        wide, project = self._project(matrix)
        width = self.projection.width if self.projection else self.width
        writer = Writer.create(self.path, width, self.digest, fitted)
        if matrix is not None:
            np.save(matrix_path(self.path, writer.head), matrix)
        taken, batch = 0, sample
        while batch:
            taken += writer.append(batch, wide, project)
            batch = store.vectors(writer.slot.sequence, BATCH)
        writer.publish()
        if self._writer is not None:
            self._writer.close()
        self._writer = writer
        return taken

    def _project(self, matrix: Vector | None) -> tuple[int, Project]:
        if self.projection is not None:
            return self.projection.wide, self.projection
        fitted = np.zeros((0, self.width), np.float32) if matrix is None else matrix

        def project(vectors: Vector, authors: Sequence[str]) -> Vector:
            return vectors @ fitted

        return len(fitted), project


def _take(store: Store, count: int) -> list[VectorRow]:
    rows: list[VectorRow] = []
    while len(rows) < count:
        batch = store.vectors(rows[-1].sequence if rows else 0, BATCH)
        if not batch:
            break
        rows += batch
    return rows


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Whether this process, of all, now holds the writer's lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
