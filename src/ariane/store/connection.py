"""Connections to one SQLite file: one a thread and process, transactions, errors as sentences."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ariane.store.schema import MIGRATIONS, migrate, version
from ariane.types import ArianeError, CallError

PAGE_BYTES = 8192  # three readings of 512 floats a page; at 4,096 it would be one
CACHE_KIBIBYTES = 64 * 1024  # an upper limit for each connection, taken as it is used
CHECKPOINT_PAGES = 4096  # 32 MiB of log before it is folded into the file
RETRY_SECONDS = 0.02
FILE_MODE = 0o600
IN_MEMORY = ":memory:"

_REMEDIES = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space",
    sqlite3.SQLITE_IOERR: "the disk does not answer; check the disk and its free space",
    sqlite3.SQLITE_READONLY: "it is read-only; give this user the right to write to it",
    sqlite3.SQLITE_PERM: "access is denied; give this user the right to write to it",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that its folder exists and is writable",
    sqlite3.SQLITE_BUSY: "another process holds it; wait for that process, or stop it",
    sqlite3.SQLITE_LOCKED: "another process holds it; wait for that process, or stop it",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore it from a backup",
    sqlite3.SQLITE_TOOBIG: "a text or value is larger than 1 GB; shorten it",
    sqlite3.SQLITE_NOTADB: "it is not a store; name another file, or restore it from a backup",
}


class _Connection(sqlite3.Connection):
    """A connection that can be referred to weakly, so that one of an ended thread is let go."""

    process: int


class _Local(threading.local):
    connection: _Connection | None = None


class Connections:
    """The connections of one store; every thread gets its own, also in a forked process."""

    def __init__(self, path: Path, busy_seconds: float) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._local = _Local()
        self._open: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._inherited: list[_Connection] = []
        self._lock = threading.Lock()
        self._closed = False
        with self.errors():
            self._create()
            self._migrate()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One snapshot of the store."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that is on the disk when the block has ended."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def truncate_log(self) -> None:
        """Fold the write-ahead log into the file and empty it, so that what was deleted is gone."""
        with self.errors():
            self._get().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close every connection of this process."""
        with self._lock:
            self._closed = True
            for connection in tuple(self._open):
                if connection.process == os.getpid():
                    connection.close()
            self._open.clear()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """SQLite's errors as one sentence that names the file and the remedy."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            remedy = _REMEDIES.get(code)
            if remedy is None:
                raise
            raise ArianeError(f"The store {self.path} failed ({error}): {remedy}.") from error
        except UnicodeEncodeError as error:
            raise CallError(
                f"the text {error.object[:80]!r} holds half of a surrogate pair, which is no "
                "Unicode text; mend it where it was made."
            ) from None
        except OverflowError:
            raise CallError(
                "a number does not fit in 64 bits; times are milliseconds since 1970."
            ) from None

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self.errors():
            connection = self._get()
            connection.execute(begin)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _get(self) -> _Connection:
        if self._closed:
            raise ArianeError(f"The store {self.path} was closed; open it again.")
        held = self._local.connection
        if held is not None and held.process == os.getpid():
            return held
        if held is not None:  # of the process that this one was forked from: not ours to close
            self._inherited.append(held)
        connection = self._connect()
        connection.process = os.getpid()
        self._local.connection = connection
        with self._lock:
            self._open.add(connection)
        return connection

    def _connect(self) -> _Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=self._busy_seconds,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
            factory=_Connection,
        )
        connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
        self._enter_wal(connection)
        for pragma in (
            "synchronous=FULL",
            "secure_delete=ON",
            "temp_store=MEMORY",
            f"cache_size=-{CACHE_KIBIBYTES}",
            f"wal_autocheckpoint={CHECKPOINT_PAGES}",
        ):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _enter_wal(self, connection: sqlite3.Connection) -> None:
        # A change of the journal's mode does not wait for other processes by itself.
        deadline = time.monotonic() + self._busy_seconds
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > deadline:
                    raise
            time.sleep(RETRY_SECONDS)

    def _create(self) -> None:
        # For its owner alone, since everyone's keys are in it; the log takes the file's mode over.
        # An existing file is not opened: closing it would end the locks that SQLite has on it.
        # Where it cannot be made, SQLite says why.
        if str(self.path) == IN_MEMORY:
            return
        with suppress(OSError):
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL, FILE_MODE))

    def _migrate(self) -> None:
        with self.reading() as connection:
            current = version(connection)
        if current > len(MIGRATIONS):
            raise ArianeError(
                f"The store {self.path} has schema version {current} and this Ariane knows "
                f"{len(MIGRATIONS)}; use the Ariane that wrote it, or a newer one."
            )
        if current < len(MIGRATIONS):
            with self.writing() as connection:
                migrate(connection)
