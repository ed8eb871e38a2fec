"""The one writer of a vector file: rows and ids first, then the slot that counts them."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import replace
from mmap import ACCESS_READ, mmap
from pathlib import Path
from secrets import token_hex
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ariane.retrieve.layout import (
    HEADER,
    NEXT,
    SLOTS,
    Head,
    Slot,
    hash16,
    hash64,
    pack_head,
    pack_slot,
    row_type,
    unpack_head,
    unpack_slot,
)
from ariane.types import Vector, VectorRow

Project = Callable[[Vector, Sequence[str]], Vector]

DEAD = 4
"""A file is compacted when one row in this many is dead."""

SMALL = 1_000
"""Rows below which dead ones do not matter."""


def ids_path(path: Path, head: Head) -> Path:
    """Where the ids of a file lie."""
    return path.with_name(f"{path.name}.{head.token}.ids")


def matrix_path(path: Path, head: Head) -> Path:
    """Where the projection that was fitted for a file lies."""
    return path.with_name(f"{path.name}.{head.token}.npy")


class Writer:
    """An open file with, in memory, the row of every live post."""

    def __init__(self, path: Path, rows: int, ids: int, head: Head, slot: Slot) -> None:
        self.path, self.head, self.slot = path, head, slot
        self.type = row_type(head.width)
        self.places: dict[str, int] = {}
        self._rows, self._ids = rows, ids

    @classmethod
    def create(cls, path: Path, width: int, digest: str, fitted: int) -> Self:
        """A new, empty file beside `path`, which it replaces when it is `published`."""
        for old in path.parent.glob(f"{path.name}.*.rows"):
            old.unlink()
        head = Head(width, digest, token_hex(16))
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC
        rows = os.open(path.with_name(f"{path.name}.{head.token}.rows"), flags, 0o644)
        ids = os.open(ids_path(path, head), flags, 0o644)
        os.pwrite(rows, pack_head(head).ljust(HEADER, b"\0"), 0)
        writer = cls(path, rows, ids, head, Slot(turn=1, fitted=fitted))
        writer._commit(writer.slot)
        return writer

    @classmethod
    def open(cls, path: Path) -> Self | None:
        """The file at `path`, or None where there is none or it is not whole."""
        try:
            rows = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return None
        header = os.pread(rows, HEADER, 0)
        head, slot = unpack_head(header), unpack_slot(header)
        if head is None or slot is None or not ids_path(path, head).exists():
            os.close(rows)
            return None
        ids = os.open(ids_path(path, head), os.O_RDWR)
        writer = cls(path, rows, ids, head, slot)
        if not writer._whole():
            writer.close()
            return None
        found = writer._live(0, slot.rows)
        writer._place([post for post, _ in found], [row for _, row in found])
        return writer

    @property
    def current(self) -> bool:
        """Whether the file at the path is still this one, as this writer left it."""
        try:
            same = self.path.stat().st_ino == os.fstat(self._rows).st_ino
        except FileNotFoundError:
            return False
        return same and unpack_slot(os.pread(self._rows, HEADER, 0)) == self.slot and self._whole()

    @property
    def sparse(self) -> bool:
        """Whether so many rows are dead that the file should be written anew."""
        dead = self.slot.rows - len(self.places)
        return self.slot.rows >= SMALL and dead * DEAD >= self.slot.rows

    def append(self, batch: Sequence[VectorRow], wide: int, project: Project) -> int:
        """Take rows in, the newest of each post; those of another width are passed over."""
        fit = {row.post: row for row in batch if row.vector.size == wide}
        rows = [row for row in fit.values() if np.isfinite(row.vector).all()]
        names = [row.post.encode(errors="surrogatepass") for row in rows]
        records = self._records(rows, names, project)
        os.pwrite(self._ids, b"".join(names), self.slot.ids)
        os.pwrite(self._rows, records.tobytes(), self._offset(self.slot.rows))
        first = self.slot.rows
        self._commit(
            replace(
                self.slot,
                turn=self.slot.turn + 1,
                rows=first + len(rows),
                ids=self.slot.ids + sum(map(len, names)),
                sequence=batch[-1].sequence,
            )
        )
        self._place([row.post for row in rows], range(first, first + len(rows)))
        return len(rows)

    def check(self, live: Callable[[Sequence[str]], Container[str]], most: int) -> None:
        """Bury the posts that are gone among the next `most` rows; calls go through all in turns.

        `live` tells which of some posts are still there.
        """
        first = int.from_bytes(os.pread(self._rows, 8, NEXT), "little")
        first = first if first < self.slot.rows else 0
        found = self._live(first, first + most)
        left = live([post for post, _ in found]) if found else ()
        gone = [(post, row) for post, row in found if post not in left]
        self._bury([row for _, row in gone])
        for post, _ in gone:
            del self.places[post]
        os.pwrite(self._rows, (first + most).to_bytes(8, "little"), NEXT)

    def publish(self) -> None:
        """Put a created file in its place; readers of the old one find out by its inode."""
        self.path.with_name(f"{self.path.name}.{self.head.token}.rows").replace(self.path)
        for kind in ("ids", "npy"):
            for old in self.path.parent.glob(f"{self.path.name}.*.{kind}"):
                if self.head.token not in old.name:
                    old.unlink()

    def close(self) -> None:
        """Let go of the files."""
        os.close(self._rows)
        os.close(self._ids)

    def _records(
        self, rows: Sequence[VectorRow], names: Sequence[bytes], project: Project
    ) -> NDArray[np.void]:
        records = np.zeros(len(rows), self.type)
        if not rows:
            return records
        lengths = [len(name) for name in names]
        stacked = np.stack([row.vector for row in rows]).astype(np.float32, copy=False)
        records["vector"] = project(stacked, [row.author for row in rows])
        records["at"] = [row.at for row in rows]
        records["author"] = [hash64(row.author) for row in rows]
        records["id"] = self.slot.ids + np.cumsum([0, *lengths[:-1]])
        records["length"] = lengths
        records["live"] = 1
        records["language"] = [hash16(row.language) for row in rows]
        return records

    def _commit(self, slot: Slot) -> None:
        os.fsync(self._ids)
        os.fsync(self._rows)
        os.pwrite(self._rows, pack_slot(slot), SLOTS[slot.turn % 2])
        os.fsync(self._rows)
        self.slot = slot

    def _place(self, posts: Iterable[str], places: Iterable[int]) -> None:
        """Note where posts lie, and bury the rows that they had before."""
        dead = []
        for post, place in zip(posts, places, strict=True):
            if post in self.places:
                dead.append(self.places[post])
            self.places[post] = place
        self._bury(dead)

    def _bury(self, places: Sequence[int]) -> None:
        """Mark rows dead and leave nothing of their vectors, then tell readers."""
        for place in places:
            live = self.type["live"].itemsize  # a row ends with it, and begins with its vector
            os.pwrite(self._rows, bytes(self.type["vector"].itemsize), self._offset(place))
            os.pwrite(self._rows, bytes(live), self._offset(place + 1) - live)
        if places:
            self._commit(replace(self.slot, turn=self.slot.turn + 1))

    def _live(self, first: int, end: int) -> list[tuple[str, int]]:
        """The live posts of the rows from `first` to before `end`, and their rows."""
        if not self.slot.ids:
            return []
        rows = mmap(self._rows, self._offset(self.slot.rows), access=ACCESS_READ)
        ids = mmap(self._ids, self.slot.ids, access=ACCESS_READ)
        records = np.frombuffer(rows, self.type, self.slot.rows, HEADER)[first:end]
        live = np.flatnonzero(records["live"])
        starts, lengths = records["id"][live].tolist(), records["length"][live].tolist()
        return [
            (ids[start : start + length].decode(errors="surrogatepass"), first + row)
            for start, length, row in zip(starts, lengths, live.tolist(), strict=True)
        ]

    def _whole(self) -> bool:
        return (
            os.fstat(self._rows).st_size >= self._offset(self.slot.rows)
            and os.fstat(self._ids).st_size >= self.slot.ids
        )

    def _offset(self, row: int) -> int:
        return HEADER + row * self.type.itemsize
