"""Posts, what was read in them, and the labels on them: every read is a few set-based queries."""

from __future__ import annotations

import heapq
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np

from ariane.store.codec import from_json
from ariane.store.keys import as_list
from ariane.types import Candidate, Label, Media, Post, Reading, VectorRow

HIDES = "hides-from-algorithms"

_COLUMNS = 12  # of a post, in the order of its fields


def posts(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, Post]:
    """The live posts among these."""
    rows = connection.execute(
        "SELECT id, author, text, at, rev, lang, url, media, reply_to, root, repost_of, source"
        " FROM posts WHERE id IN (SELECT value FROM json_each(?))",
        (as_list(ids),),
    )
    return {row[0]: _post(row) for row in rows}


def read_posts(
    connection: sqlite3.Connection, ids: Iterable[str]
) -> dict[str, tuple[Post, Reading | None]]:
    """The live posts among these, each with its reading in force."""
    rows = connection.execute(
        "SELECT id, author, text, p.at, rev, lang, url, media, reply_to, root, repost_of, source,"
        " name, vector, topics, tone, intent, format, r.language, entities, claim, gist, labels,"
        " depth"
        " FROM posts p LEFT JOIN readings r ON sequence = reading"
        " LEFT JOIN readers n ON n.number = r.reader WHERE id IN (SELECT value FROM json_each(?))",
        (as_list(ids),),
    )
    return {row[0]: (_post(row), _reading(row)) for row in rows}


def posts_as_read(
    connection: sqlite3.Connection, pairs: Iterable[tuple[str, str | None]]
) -> dict[tuple[str, str | None], tuple[Post, Reading | None]]:
    """The live posts of (post, reader) pairs, each with this reader's reading (None: with none)."""
    rows = connection.execute(
        "SELECT id, author, text, p.at, rev, lang, url, media, reply_to, root, repost_of, source,"
        " name, vector, topics, tone, intent, format, r.language, entities, claim, gist, labels,"
        " depth,"
        " by FROM (SELECT json_extract(value, '$[0]') AS wanted, json_extract(value, '$[1]') AS by"
        " FROM json_each(?)) JOIN posts p ON p.id = wanted LEFT JOIN readers n ON name = by"
        " LEFT JOIN readings r ON r.post = p.number AND r.reader = n.number",
        (json.dumps(list(pairs)),),
    )
    return {(row[0], row[-1]): (_post(row), _reading(row)) for row in rows}


def unread(connection: sqlite3.Connection, reader: str, limit: int) -> list[Post]:
    """Live posts that this reader has not read, newest first."""
    number, others = 0, [0]
    for other, name in connection.execute("SELECT number, name FROM readers"):
        number = other if name == reader else number
        others += [other] if name != reader else []
    newest = [
        connection.execute(
            "SELECT id, author, text, at, rev, lang, url, media, reply_to, root, repost_of, source"
            " FROM posts p WHERE reader = ? AND NOT EXISTS"
            " (SELECT 1 FROM readings r WHERE r.post = p.number AND r.reader = ?)"
            " ORDER BY at DESC LIMIT ?",
            (other, number, limit),
        )
        for other in others
    ]
    merged = heapq.merge(*newest, key=lambda row: -row[3])
    return [_post(row) for row in islice(merged, limit)]


def current(connection: sqlite3.Connection, readings: Sequence[Reading]) -> list[Reading]:
    """The readings of posts that are live and were not edited since."""
    revisions = dict(
        connection.execute(
            "SELECT id, rev FROM posts WHERE id IN (SELECT value FROM json_each(?))",
            (as_list({reading.post for reading in readings}),),
        ).fetchall()
    )
    return [reading for reading in readings if revisions.get(reading.post) == reading.rev]


def write_readings(connection: sqlite3.Connection, readings: Sequence[Reading]) -> None:
    """Keep current readings; of two by one reader of one revision, the first."""
    connection.executemany(
        "INSERT INTO readers (name) VALUES (?) ON CONFLICT DO NOTHING",
        [(name,) for name in {reading.by for reading in readings}],
    )
    numbers = dict(connection.execute("SELECT name, number FROM readers").fetchall())
    connection.executemany(
        "INSERT INTO readings (post, reader, vector, topics, tone, intent, format, language,"
        " entities, claim, gist, labels, depth)"
        " SELECT number, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM posts WHERE id = ?"
        " ON CONFLICT DO NOTHING",
        [
            (
                numbers[reading.by],
                np.ascontiguousarray(reading.vector, dtype="<f4").tobytes(),
                json.dumps([(name, float(part)) for name, part in reading.topics]),
                reading.tone,
                reading.intent,
                reading.format,
                reading.language,
                json.dumps(reading.entities),
                reading.claim,
                reading.gist,
                json.dumps(reading.labels),
                reading.depth,
                reading.post,
            )
            for reading in readings
        ],
    )
    connection.execute(
        "UPDATE posts SET (reading, reader, language) ="
        " (SELECT sequence, r.reader, coalesce(r.language, posts.lang) FROM readings r"
        " WHERE r.post = posts.number ORDER BY depth DESC, sequence DESC LIMIT 1)"
        " WHERE id IN (SELECT value FROM json_each(?))"
        " AND EXISTS (SELECT 1 FROM readings r WHERE r.post = posts.number)",
        (as_list({reading.post for reading in readings}),),
    )


def vectors(connection: sqlite3.Connection, after: int, limit: int) -> list[VectorRow]:
    """The reading in force of each live post, where it was written after this sequence number."""
    rows = connection.execute(
        "SELECT sequence, p.id, author, p.at, vector, p.language FROM readings r"
        " JOIN posts p ON p.number = r.post AND p.reading = sequence"
        " WHERE sequence > ? ORDER BY sequence LIMIT ?",
        (after, limit),
    )
    return [
        VectorRow(sequence, post, author, at, np.frombuffer(vector, dtype="<f4"), language)
        for sequence, post, author, at, vector, language in rows
    ]


def candidates(connection: sqlite3.Connection, ids: Iterable[str], at: int) -> dict[str, Candidate]:
    """Live posts that were published by `at`, with the labels in force on them and on authors."""
    found = {
        post.id: (post, reading)
        for post, reading in read_posts(connection, ids).values()
        if post.at <= at
    }
    authors = {post.author for post, _ in found.values()}
    labels = labels_in_force(connection, found.keys() | authors, at)
    for (author,) in connection.execute(
        "SELECT id FROM accounts WHERE hides AND id IN (SELECT value FROM json_each(?))",
        (as_list(authors),),
    ):
        labels[author].append(Label(author, HIDES, source=author, at=0))
    return {
        name: Candidate(post, reading, (*labels.get(name, ()), *labels.get(post.author, ())))
        if name != post.author
        else Candidate(post, reading, tuple(labels.get(name, ())))
        for name, (post, reading) in found.items()
    }


def labels_in_force(
    connection: sqlite3.Connection, subjects: Iterable[str], at: int
) -> defaultdict[str, list[Label]]:
    """Labels by subject that stand at `at`: a source's last word, neither negated nor over."""
    rows = connection.execute(
        "SELECT subject, value, source, at, confidence, until, negates"
        " FROM labels WHERE subject IN (SELECT value FROM json_each(?)) AND at <= ?"
        " ORDER BY subject, value, source, at, negates",
        (as_list(subjects), at),
    )
    last = {row[:3]: row for row in rows}
    standing: defaultdict[str, list[Label]] = defaultdict(list)
    for subject, value, source, since, confidence, until, negates in last.values():
        if not negates and (until is None or at < until):
            standing[subject].append(Label(subject, value, source, since, confidence, until))
    return standing


def all_labels(connection: sqlite3.Connection, subject: str) -> list[Label]:
    """Every label that was ever put on a subject."""
    rows = connection.execute(
        "SELECT subject, value, source, at, confidence, until, negates FROM labels"
        " WHERE subject = ?",
        (subject,),
    )
    return [
        Label(subject, value, source, at, confidence, until, bool(negates))
        for subject, value, source, at, confidence, until, negates in rows
    ]


def published_by(connection: sqlite3.Connection, author: str) -> list[str]:
    """Ids of an author's live posts, newest first."""
    rows = connection.execute(
        "SELECT id FROM posts WHERE author = ? ORDER BY at DESC, id", (author,)
    )
    return [name for (name,) in rows]


def published(
    connection: sqlite3.Connection, author: str, at: int, limit: int, after: str
) -> list[tuple[int, str]]:
    """Times and ids of an author's live posts up to `at`, newest first; answered from an index."""
    rows = connection.execute(
        "SELECT at, id FROM posts WHERE author = :author AND at <= :at"
        " AND (at < :at OR id > :after) ORDER BY at DESC, id LIMIT :limit",
        {"author": author, "at": at, "limit": limit, "after": after},
    )
    return rows.fetchall()


def replies(connection: sqlite3.Connection, ids: Iterable[str], at: int) -> dict[str, list[str]]:
    """Ids of the live replies to these posts published by `at`, oldest first."""
    rows = connection.execute(
        "SELECT reply_to, id FROM posts WHERE reply_to IN (SELECT value FROM json_each(?))"
        " AND at <= ? ORDER BY at, id",
        (as_list(ids), at),
    )
    found: dict[str, list[str]] = defaultdict(list)
    for parent, reply in rows:
        found[parent].append(reply)
    return dict(found)


def recent(
    connection: sqlite3.Connection,
    at: int,
    limit: int,
    *,
    since: int,
    authors: Sequence[str] | None,
    languages: Sequence[str],
) -> list[str]:
    """Ids of live posts published in (since, at], newest first; answered from indexes alone."""
    if authors is not None:
        found: Iterator[Any] = connection.execute(
            "SELECT at, id FROM posts WHERE author IN (SELECT value FROM json_each(:authors))"
            " AND at > :since AND at <= :at AND (:any OR language IN"
            " (SELECT value FROM json_each(:languages)))"
            " ORDER BY at DESC, id LIMIT :limit",
            {
                "authors": as_list(set(authors)),
                "since": since,
                "at": at,
                "any": not languages,
                "languages": as_list(languages),
                "limit": limit,
            },
        )
    elif languages:
        found = heapq.merge(
            *(
                connection.execute(
                    "SELECT at, id FROM posts WHERE language = ? AND at > ? AND at <= ?"
                    " ORDER BY at DESC, id LIMIT ?",
                    (language, since, at, limit),
                )
                for language in sorted(set(languages))
            ),
            key=lambda row: (-row[0], row[1]),
        )
    else:
        found = connection.execute(
            "SELECT at, id FROM posts WHERE at > ? AND at <= ? ORDER BY at DESC, id LIMIT ?",
            (since, at, limit),
        )
    return [name for _, name in islice(found, limit)]


def _post(row: Sequence[Any]) -> Post:
    media = from_json(tuple[Media, ...], json.loads(row[7])) if row[7] else ()
    name, author, text, at, rev, lang, url = row[:7]
    reply_to, root, repost_of, source = row[8:_COLUMNS]
    return Post(name, author, text, at, rev, lang, url, media, reply_to, root, repost_of, source)


def _reading(row: Sequence[Any]) -> Reading | None:
    by, vector, topics, tone, intent, form, language, entities, claim, gist, labels, depth = row[
        _COLUMNS : _COLUMNS + 12
    ]
    if vector is None:
        return None
    floats, told = np.frombuffer(vector, dtype="<f4"), (_names(entities), claim, gist)
    aspects = (_topics(topics), tone, intent, form, language)
    return Reading(row[0], row[4], floats, *aspects, by, *told, _names(labels), depth)


@lru_cache(maxsize=16_384)
def _names(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


@lru_cache(maxsize=16_384)
def _topics(text: str) -> tuple[tuple[str, float], ...]:
    return tuple((name, probability) for name, probability in json.loads(text))
