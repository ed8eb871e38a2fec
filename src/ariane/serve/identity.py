"""Identity: the signing key of a DID, from its document, fetched within bounds and remembered.

Sources: https://atproto.com/specs/did, https://w3c-ccg.github.io/did-method-web/.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from cryptography.hazmat.primitives.asymmetric import ec

from ariane.ingest.fetch import fetch
from ariane.serve.multikey import public_key
from ariane.types import ArianeError

DOCUMENT_BYTES = 65_536
FETCH_SECONDS = 3.0
FRESH_SECONDS = 600.0
"""How long a document is believed."""

FAILED_SECONDS = 30.0
"""How long a document that could not be had, or a key that did not fit, is not asked for again."""

REMEMBERED = 10_000

_PLC = re.compile(r"did:plc:[a-z2-7]{24}")
_WEB = re.compile(r"did:web:(?P<host>[a-z0-9.-]{1,253}(?:%3[Aa][0-9]{1,5})?)")
_LOOPBACK = re.compile(r"(?:localhost|127\.0\.0\.1)(?::[0-9]+)?")


class UnknownIdentity(Exception):
    """A DID whose key could not be had, in one sentence."""


@dataclass(frozen=True, slots=True)
class _Remembered:
    at: float
    key: ec.EllipticCurvePublicKey | None
    failure: str = ""


class Identities:
    """Resolves did:plc through its directory and did:web from its host.

    `private` allows loopback and private addresses, and plain HTTP to loopback, as tests need.
    """

    def __init__(
        self, directory: str, private: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._directory, self._private, self._clock = directory.rstrip("/"), private, clock
        self._held: OrderedDict[str, _Remembered] = OrderedDict()
        self._lock = threading.Lock()

    def held(self, did: str) -> ec.EllipticCurvePublicKey | None:
        """The signing key of a DID where it is remembered; never blocks.

        Raises UnknownIdentity where it could not be had a moment ago.
        """
        held = self._remembered(did, FRESH_SECONDS)
        return None if held is None else _known(held)

    def key(self, did: str, anew: bool = False) -> ec.EllipticCurvePublicKey:
        """The signing key of a DID, `anew` from its document, as after a key was rotated.

        Raises UnknownIdentity. Blocks for as long as the fetch takes.
        """
        held = self._remembered(did, FAILED_SECONDS if anew else FRESH_SECONDS)
        if held is None:
            held = self._resolve(did)
            with self._lock:
                self._held[did] = held
                self._held.move_to_end(did)
                if len(self._held) > REMEMBERED:
                    self._held.popitem(last=False)
        return _known(held)

    def _remembered(self, did: str, seconds: float) -> _Remembered | None:
        """What is known of a DID for no longer than `seconds`, or a failure's."""
        with self._lock:
            held = self._held.get(did)
        if held is None:
            return None
        most = seconds if held.key is not None else FAILED_SECONDS
        return held if self._clock() - held.at <= most else None

    def _resolve(self, did: str) -> _Remembered:
        try:
            key = signing_key(did, self._document(self.address(did)))
            return _Remembered(self._clock(), key)
        except (ArianeError, ValueError, RecursionError) as error:
            failure = f"The signing key of {did} cannot be had: {error}"
            return _Remembered(self._clock(), None, failure)

    def address(self, did: str) -> str:
        """Where a DID's document lies; ValueError for a DID that is no did:plc or did:web."""
        if _PLC.fullmatch(did):
            return f"{self._directory}/{did}"
        web = _WEB.fullmatch(did)
        if web is None:
            raise ValueError("it is no did:plc and no did:web of a bare host.")
        host = unquote(web["host"])
        plain = self._private and _LOOPBACK.fullmatch(host)
        if ":" in host and not plain:
            raise ValueError("a did:web with a port is for local tests only.")
        return f"{'http' if plain else 'https'}://{host}/.well-known/did.json"

    def _document(self, address: str) -> object:
        fetched = fetch(
            address,
            limit_bytes=DOCUMENT_BYTES,
            timeout=FETCH_SECONDS,
            allow_private=self._private,
        )
        return json.loads(fetched.body)


def _known(held: _Remembered) -> ec.EllipticCurvePublicKey:
    if held.key is None:
        raise UnknownIdentity(held.failure)
    return held.key


def signing_key(did: str, document: object) -> ec.EllipticCurvePublicKey:
    """The `#atproto` verification method of a DID document; ValueError where there is none."""
    if not isinstance(document, dict) or document.get("id") != did:
        raise ValueError("the document is another's.")
    methods = document.get("verificationMethod")
    for method in methods if isinstance(methods, list) else ():
        if not isinstance(method, dict) or method.get("id") not in ("#atproto", f"{did}#atproto"):
            continue
        multikey = method.get("publicKeyMultibase")
        if method.get("type") == "Multikey" and isinstance(multikey, str):
            return public_key(multikey)
    raise ValueError("the document has no #atproto Multikey.")
