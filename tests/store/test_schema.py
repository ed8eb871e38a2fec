from __future__ import annotations

import hashlib
import sqlite3

from ariane.store.schema import MIGRATIONS, migrate, version

PUBLISHED = ["7e9f9f473d4edaf7", "ee0b30adc91594c5", "fa75c765051391ad", "70935f5a72719f8e"]
"""The digest of each migration, in order. A change of one of these lines breaks every store that
exists: append a migration, and its digest here, instead."""


def digest(statements: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(statements).encode()).hexdigest()[:16]


def test_migrations_are_only_appended_to() -> None:
    assert [digest(statements) for statements in MIGRATIONS] == PUBLISHED


def test_migrating_twice_changes_nothing() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    assert version(connection) == 0
    migrate(connection)
    before = list(connection.iterdump())
    migrate(connection)
    assert version(connection) == len(MIGRATIONS)
    assert list(connection.iterdump()) == before
