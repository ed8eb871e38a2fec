"""Keys: one random key a person, under which all that is personal is sealed.

Destroying the key destroys what it sealed, in every copy of the file that lacks the key.
"""

from __future__ import annotations

import json
import os
import sqlite3
from binascii import b2a_base64
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ariane.types import ArianeError

NOBODY = 0
"""The person whose key is the store's own."""

KEY_BYTES = 32
NONCE_BYTES = 12  # NIST SP 800-38D: random 96-bit nonces hold for 2^32 messages a key
DIGEST_BYTES = 12  # two among a billion names share one in 2^-38 of all stores


def new_key() -> bytes:
    """A random 256-bit key."""
    return os.urandom(KEY_BYTES)


class Key:
    """AES-256-GCM under one key."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(secret)

    def seal(self, identity: str, plain: bytes) -> bytes:
        """Nonce and ciphertext; `identity` names the row, so that no row can stand for another."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, identity.encode())

    def open(self, identity: str, sealed: bytes) -> bytes:
        """What was sealed for this row; ArianeError where the bytes are not those."""
        try:
            return self._cipher.decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], identity.encode()
            )
        except InvalidTag:
            raise ArianeError(
                f"the sealed row {identity} does not open with its person's key: the store's file "
                "was altered; restore it from a backup."
            ) from None


@dataclass(frozen=True, slots=True)
class Person:
    """A viewer as the tables know them: a number, and the key of all that is theirs."""

    number: int
    key: Key


class Names:
    """Keyed digests: equal for equal names, telling nothing to one without the store's key."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def digest(self, what: str, name: str) -> str:
        """The digest of a post's, account's, wish's, request's or person's name."""
        data = f"{what}\0{name}".encode()
        short = blake2b(data, digest_size=DIGEST_BYTES, key=self._secret).digest()
        return b2a_base64(short, newline=False).decode()

    def action(self, viewer: str, name: str) -> str:
        """The digest of an action: its id is its viewer's own, and another's may be the same."""
        return self.digest("action", f"{viewer}\0{name}")


def names(connection: sqlite3.Connection) -> Names:
    """The digests of this store."""
    row = connection.execute("SELECT key FROM keys WHERE person = ?", (NOBODY,)).fetchone()
    return Names(row[0])


def person(connection: sqlite3.Connection, viewer: str | None) -> Person | None:
    """The person behind a viewer, nobody for None; None where nothing of theirs is held."""
    row = (
        connection.execute("SELECT person, key FROM keys WHERE person = ?", (NOBODY,))
        if viewer is None
        else connection.execute("SELECT person, key FROM keys WHERE viewer = ?", (viewer,))
    )
    found = row.fetchone()
    return None if found is None else Person(found[0], Key(found[1]))


def persons(connection: sqlite3.Connection, viewers: Collection[str]) -> dict[str, Person]:
    """The person behind each viewer, with a new key for those that are new."""
    found = _persons(connection, viewers)
    missing = [viewer for viewer in viewers if viewer not in found]
    connection.executemany(
        "INSERT INTO keys (viewer, key) VALUES (?, ?)", [(name, new_key()) for name in missing]
    )
    return found | _persons(connection, missing)


def _persons(connection: sqlite3.Connection, viewers: Collection[str]) -> dict[str, Person]:
    rows = connection.execute(
        "SELECT viewer, person, key FROM keys WHERE viewer IN (SELECT value FROM json_each(?))",
        (as_list(viewers),),
    )
    return {viewer: Person(number, Key(key)) for viewer, number, key in rows}


def as_list(names: Iterable[str]) -> str:
    """Names as the JSON text that `json_each` takes; one with NUL, which none may hold, is out."""
    return json.dumps([name for name in names if "\0" not in name])
