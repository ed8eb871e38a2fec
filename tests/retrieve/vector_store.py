"""What the sources stand on in tests: a real store with posts that were read by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ariane.store.sqlite import SqliteStore
from ariane.types import Action, ActionKind, Ask, Past, Post, Reading, VectorRow, Viewer

WIDE = 16
HOUR = 3_600_000
NOW = 1_800_000_000_000
ASK = Ask("request", "viewer", NOW, size=10)


def unit(seed: int, wide: int = WIDE) -> np.ndarray:
    vector = np.random.default_rng(seed).standard_normal(wide).astype(np.float32)
    return vector / np.linalg.norm(vector)


def near(vector: np.ndarray, seed: int, by: float = 0.2) -> np.ndarray:
    mixed = vector + by * unit(seed, vector.size)
    return mixed / np.linalg.norm(mixed)


def reading(post: str, vector: np.ndarray, language: str | None = "en") -> Reading:
    return Reading(post, 1, vector, (("city", 0.8),), "", "", "", language, "test@1")


def crowd(path: Path, about: np.ndarray, *, few: int = 5, many: int = 400) -> SqliteStore:
    """A few posts in French, three weeks old, and many nearer ones in English, newer and older."""
    posts = [posted(f"fr{n}", f"f{n}", hours=500 + n) for n in range(few)]
    posts += [posted(f"en{n}", f"e{n}", hours=1 + 3 * n) for n in range(many)]
    store = SqliteStore(path / "ariane.db")
    store.write(posts)
    store.write_readings(
        [
            reading(post.id, near(about, n, 0.9 if post.id[0] == "f" else 0.1), post.id[:2])
            for n, post in enumerate(posts)
        ],
        [],
    )
    return store


def posted(name: str, author: str = "ann", hours: float = 1.0, **more: object) -> Post:
    return Post(name, author, f"text of {name}", NOW - int(hours * HOUR), **more)


def store_with(path: Path, posts: Sequence[Post], vectors: dict[str, np.ndarray]) -> SqliteStore:
    store = SqliteStore(path / "ariane.db")
    store.write(posts)
    store.write_readings([reading(name, vector) for name, vector in vectors.items()], [])
    return store


def liked(name: str, vector: np.ndarray, kind: ActionKind = ActionKind.LIKE) -> Past:
    action = Action(f"{kind} {name}", "viewer", kind, NOW - 1, post=name)
    return Past(action, Post(name, "zoe", "", 0), reading(name, vector))


def viewer(*pasts: Past, **more: object) -> Viewer:
    return Viewer("viewer", pasts, **more)


class Rows:
    """A store that only hands out vectors, and may be given more."""

    def __init__(self, count: int = 0, wide: int = WIDE) -> None:
        self.rows: list[VectorRow] = []
        self.gone: set[str] = set()
        for number in range(count):
            self.add(f"p{number}", unit(number, wide), at=number)

    def add(self, post: str, vector: np.ndarray, author: str = "ann", at: int = 0) -> None:
        self.rows.append(VectorRow(len(self.rows) + 1, post, author, at, vector))

    def vectors(self, after: int, limit: int) -> list[VectorRow]:
        newest = {row.post: row for row in self.rows if row.post not in self.gone}
        kept = [row for row in self.rows if newest.get(row.post) is row and row.sequence > after]
        return kept[:limit]

    def posts(self, ids: Sequence[str]) -> dict[str, Post]:
        return {post: Post(post, "ann", "", 0) for post in ids if post not in self.gone}
