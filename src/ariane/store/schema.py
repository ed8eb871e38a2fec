"""The tables of the SQLite store, as migrations that are only ever appended to.

What is personal stands in `sealed` columns, encrypted with the key of its person (`keys`); beside
it only numbers, times and keyed digests, which do not tell what was acted on. Person 0 is nobody:
its key is the store's own, for digests and for the receipts of anonymous readers.
"""

from __future__ import annotations

import sqlite3
import time

from ariane.store.keys import new_key

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE keys (
            person INTEGER PRIMARY KEY AUTOINCREMENT,
            viewer TEXT UNIQUE,
            key BLOB NOT NULL
        )""",
        # What was deleted, undone or erased, by digest: it stays out when it comes again.
        # `author` is that of a deleted post (who muted its author still mutes them), `person` the
        # one whose action was undone, `at` the time up to which an erased person's rows stay out.
        """CREATE TABLE gone (
            digest TEXT PRIMARY KEY, author TEXT, person INTEGER, at INTEGER
        ) WITHOUT ROWID""",
        "CREATE INDEX gone_by_author ON gone (author) WHERE author IS NOT NULL",
        "CREATE INDEX gone_by_person ON gone (person) WHERE person IS NOT NULL",
        # `reading` and `reader` are those of the reading in force (reader 0: unread), `language`
        # what it found, else what the post says.
        """CREATE TABLE posts (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            author TEXT NOT NULL,
            at INTEGER NOT NULL,
            rev INTEGER NOT NULL,
            language TEXT,
            reader INTEGER NOT NULL DEFAULT 0,
            reading INTEGER,
            lang TEXT, url TEXT, media TEXT, reply_to TEXT, root TEXT, repost_of TEXT,
            source TEXT NOT NULL,
            text TEXT NOT NULL
        )""",
        "CREATE INDEX posts_by_time ON posts (at DESC, id)",
        "CREATE INDEX posts_by_language ON posts (language, at DESC, id)",
        "CREATE INDEX posts_by_author ON posts (author, at DESC, id, language)",
        "CREATE INDEX posts_by_reader ON posts (reader, at DESC)",
        """CREATE TABLE accounts (
            id TEXT PRIMARY KEY, name TEXT, birth_year INTEGER, country TEXT,
            hides INTEGER NOT NULL
        ) WITHOUT ROWID""",
        """CREATE TABLE labels (
            subject TEXT, value TEXT, source TEXT, at INTEGER, negates INTEGER,
            confidence REAL NOT NULL, until INTEGER,
            PRIMARY KEY (subject, value, source, at, negates)
        ) WITHOUT ROWID""",
        "CREATE TABLE readers (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
        # Readings are of their post's current revision; those of an older one go with it.
        """CREATE TABLE readings (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            post INTEGER NOT NULL,
            reader INTEGER NOT NULL,
            topics TEXT NOT NULL, tone TEXT NOT NULL, intent TEXT NOT NULL,
            format TEXT NOT NULL, language TEXT,
            vector BLOB NOT NULL,
            UNIQUE (post, reader)
        )""",
        """CREATE TABLE actions (
            sequence INTEGER PRIMARY KEY,
            digest TEXT NOT NULL UNIQUE,
            person INTEGER NOT NULL,
            at INTEGER NOT NULL,
            sealed BLOB NOT NULL
        )""",
        "CREATE INDEX actions_by_person ON actions (person, at)",
        "CREATE INDEX actions_by_time ON actions (at)",
        # A person's follows (part 0) and mutes and blocks (part 1), whole, beside the log.
        """CREATE TABLE relations (
            person INTEGER, part INTEGER, sealed BLOB NOT NULL, PRIMARY KEY (person, part)
        ) WITHOUT ROWID""",
        """CREATE TABLE wishes (
            number INTEGER PRIMARY KEY,
            person INTEGER NOT NULL, digest TEXT NOT NULL, sealed BLOB NOT NULL,
            UNIQUE (person, digest)
        )""",
        # `shown` is small and read for the pages after this one; `sealed` is the whole receipt.
        """CREATE TABLE receipts (
            number INTEGER PRIMARY KEY,
            request TEXT NOT NULL UNIQUE,
            person INTEGER NOT NULL,
            at INTEGER NOT NULL,
            after TEXT,
            shown BLOB NOT NULL,
            sealed BLOB NOT NULL
        )""",
        "CREATE INDEX receipts_by_person ON receipts (person)",
        "CREATE INDEX receipts_by_time ON receipts (at)",
        # Who was served is not told: one row a decision, however often it was applied.
        """CREATE TABLE verdicts (
            number INTEGER PRIMARY KEY,
            post TEXT NOT NULL, rev INTEGER NOT NULL,
            policy TEXT NOT NULL, decision TEXT NOT NULL, statement TEXT NOT NULL,
            at INTEGER NOT NULL,
            UNIQUE (post, rev, policy, decision, statement)
        )""",
        "CREATE TABLE cursors (source TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE feeds (name TEXT PRIMARY KEY, spec TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE promoted (part TEXT PRIMARY KEY, checkpoint TEXT NOT NULL) WITHOUT ROWID",
        # The time before which raw actions were forgotten; older ones stay out.
        "CREATE TABLE retention (only INTEGER PRIMARY KEY CHECK (only = 1), before INTEGER)",
    ),
    (
        # Whether the one who was erased was a minor: all that is kept of their age.
        "ALTER TABLE gone ADD COLUMN minor INTEGER NOT NULL DEFAULT 0",
        # Receipts of nobody in particular are forgotten by their time.
        "DROP INDEX receipts_by_person",
        "CREATE INDEX receipts_by_person ON receipts (person, at)",
    ),
    ("CREATE INDEX posts_by_parent ON posts (reply_to, at, id) WHERE reply_to IS NOT NULL",),
    (
        # What a language model tells beyond an encoder; JSON lists of names, and texts.
        "ALTER TABLE readings ADD COLUMN entities TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE readings ADD COLUMN claim TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE readings ADD COLUMN gist TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE readings ADD COLUMN labels TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE readings ADD COLUMN depth INTEGER NOT NULL DEFAULT 0",
    ),
)
"""Each entry brings a store from the version before it to its own; none is ever changed."""


def version(connection: sqlite3.Connection) -> int:
    """The version of the tables, 0 where there are none yet."""
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'versions'").fetchone():
        return 0
    newest: int = connection.execute("SELECT max(number) FROM versions").fetchone()[0]
    return newest


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables to the newest version, in the transaction that is open."""
    current = version(connection)
    if current == 0:
        connection.execute("CREATE TABLE versions (number INTEGER PRIMARY KEY, at REAL NOT NULL)")
    for number, statements in enumerate(MIGRATIONS[current:], start=current + 1):
        for statement in statements:
            connection.execute(statement)
        connection.execute("INSERT INTO versions VALUES (?, ?)", (number, time.time()))
    connection.execute(
        "INSERT OR IGNORE INTO keys (person, viewer, key) VALUES (0, NULL, ?)", (new_key(),)
    )
