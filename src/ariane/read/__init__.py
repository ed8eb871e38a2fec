"""Post → Reading: every post is read once, and the labels drawn from a reading come with it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from ariane.types import Classify, Label, Post, Reader, Reading, Store

__all__ = ["read"]

_log = logging.getLogger(__name__)


def read(
    store: Store,
    reader: Reader,
    classify: Classify,
    *,
    batch: int = 256,
    progress: Callable[[int], None] | None = None,
    aside: set[str] | None = None,
) -> int:
    """Read every unread post; how many were read.

    A batch's readings and labels are written in one transaction. A post that fails to be read or
    classified is set aside with a warning, keeps no reading (so that it reaches no minor), and is
    tried again by the next call. `progress` gets the number read so far. Posts in `aside` are not
    tried, and those that fail are added to it.
    """
    done, aside = 0, set() if aside is None else aside
    while posts := _next(store, reader.name, batch, aside):
        pairs = _read_each(reader, classify, posts)
        aside.update({post.id for post in posts} - {reading.post for reading, _ in pairs})
        store.write_readings(
            [reading for reading, _ in pairs], [label for _, labels in pairs for label in labels]
        )
        done += len(pairs)
        if progress:
            progress(done)
    return done


def _next(store: Store, reader: str, batch: int, aside: set[str]) -> list[Post]:
    unread = store.unread(reader, batch + len(aside))
    return [post for post in unread if post.id not in aside][:batch]


def _read_each(
    reader: Reader, classify: Classify, posts: Sequence[Post]
) -> list[tuple[Reading, tuple[Label, ...]]]:
    """Readings with their labels; a batch that fails is read post by post."""
    try:
        readings = reader.read(posts)
        return [
            (reading, classify(post, reading))
            for post, reading in zip(posts, readings, strict=True)
        ]
    except Exception as error:
        if len(posts) == 1:
            _log.warning("post %s is set aside unread: %s", posts[0].id, error)
            return []
    return [pair for post in posts for pair in _read_each(reader, classify, [post])]
