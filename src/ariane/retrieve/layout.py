"""The bytes of a vector file: a header that is committed in turns, then rows of one size.

    0     MAGIC, width of a row's vector, digest of the projection, name of the file of ids
    1024  slot 0 ┐ turn, rows, sequence, bytes of ids, rows when fitted, checksum:
    2048  slot 1 ┘ written in turns, so that a write which was cut short leaves the other one
    3072  which row is looked at next for posts that are gone; in no slot, losing it loses a turn
    4096  rows

Rows and ids are on the disk before the slot that counts them.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np

from ariane.types import CallError

MAGIC = b"ARIANEV2"
HEADER = 4096
SLOTS = (1024, 2048)
NEXT = 3072
_HEAD = struct.Struct("<8sI32s32s")
_SLOT = struct.Struct("<5Q")
_SUM = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Head:
    """What never changes in one file."""

    width: int
    digest: str
    """Which projection made the rows."""
    token: str
    """Names the files of ids and of the fitted projection that belong to this one."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What is committed."""

    turn: int = 0
    rows: int = 0
    sequence: int = 0
    ids: int = 0
    fitted: int = 0


def row_type(width: int) -> np.dtype[np.void]:
    """One row: vector, time, hash of the author, where its id lies, language, if it is live."""
    if not 1 <= width <= 128:
        raise CallError(f"A vector file holds 1 to 128 numbers per post, not {width}.")
    return np.dtype(
        [
            ("vector", "<f4", (width,)),
            ("at", "<i8"),
            ("author", "<u8"),
            ("id", "<u8"),
            ("length", "<u4"),
            ("language", "<u2"),
            ("live", "<u2"),
        ]
    )


def pack_head(head: Head) -> bytes:
    """The first bytes of a file."""
    return _HEAD.pack(MAGIC, head.width, head.digest.encode(), head.token.encode())


def pack_slot(slot: Slot) -> bytes:
    """A slot with its checksum."""
    body = _SLOT.pack(slot.turn, slot.rows, slot.sequence, slot.ids, slot.fitted)
    return body + _SUM.pack(zlib.crc32(body))


def unpack_head(header: bytes) -> Head | None:
    """The head, or None where these are not the first bytes of a vector file."""
    if len(header) < HEADER:
        return None
    magic, width, digest, token = _HEAD.unpack_from(header)
    if magic != MAGIC or not 1 <= width <= 128 or not token.isalnum():
        return None
    return Head(width, digest.rstrip(b"\0").decode("ascii", "replace"), token.decode("ascii"))


def unpack_slot(header: bytes) -> Slot | None:
    """The newest slot that was written whole, or None."""
    found = []
    for start in SLOTS if len(header) >= HEADER else ():
        body = header[start : start + _SLOT.size]
        (checksum,) = _SUM.unpack_from(header, start + _SLOT.size)
        if zlib.crc32(body) == checksum and any(body):
            found.append(Slot(*_SLOT.unpack(body)))
    return max(found, key=lambda slot: slot.turn, default=None)


@lru_cache(maxsize=65536)
def hash64(text: str) -> int:
    """The same 64 bits for the same text in every process and release."""
    return int.from_bytes(
        blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest(), "little"
    )


def hash16(language: str | None) -> int:
    """A language as a row keeps it, 0 where it is not known; two may share one number."""
    return 1 + hash64(language) % 0xFFFF if language else 0
