"""Encoded blocks of histories, kept for the next request."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from threading import Lock

from ariane.rank.batch import HistoryTokens
from ariane.rank.model import Keys
from ariane.types import HISTORY_BLOCK


def digests(history: HistoryTokens) -> list[bytes]:
    """One digest a block of history tokens (N, …), each over that block and all before it."""
    found: list[bytes] = []
    for start in range(0, len(history.names), HISTORY_BLOCK):
        digest = blake2b(found[-1] if found else b"", digest_size=16)
        for array in history.take(slice(start, start + HISTORY_BLOCK)).arrays().values():
            digest.update(array.tobytes())
        found.append(digest.digest())
    return found


class Blocks:
    """Keys and values of the blocks used last, by viewer and digest.

    A digest stands for all that a block's keys depend on, so a changed history simply has other
    digests, and an appended action leaves all full blocks in place.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str | None, bytes], Keys] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, viewer: str | None, digest: bytes) -> Keys | None:
        """A block, if it is still kept."""
        with self._lock:
            keys = self._kept.get((viewer, digest))
            if keys is not None:
                self._kept.move_to_end((viewer, digest))
            return keys

    def put(self, viewer: str | None, digest: bytes, keys: Keys) -> None:
        """Keep a block, at the cost of the one not used for longest."""
        with self._lock:
            self._kept[viewer, digest] = keys
            self._kept.move_to_end((viewer, digest))
            while len(self._kept) > self.capacity:
                self._kept.popitem(last=False)

    def forget(self, viewer: str | None) -> None:
        """Drop all that is kept of a viewer."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == viewer]:
                del self._kept[key]
