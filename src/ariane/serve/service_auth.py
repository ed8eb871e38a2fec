"""Service auth: the JWT by which an AT Protocol service asks in a user's name.

Source: https://atproto.com/specs/xrpc#inter-service-authentication-jwt.
"""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from ariane.serve.identity import Identities, UnknownIdentity
from ariane.serve.multikey import ALGORITHMS, is_low
from ariane.serve.problems import Refusal

LONGEST = 8192
"""Characters of a token."""

LONGEST_LIFE = 3600
"""Seconds that a token may be good for; the protocol's own are good for one minute."""

LEEWAY = 5
"""Seconds that clocks may differ."""

REMEMBERED = 100_000


class Seen:
    """Tokens that were used and have not expired: each is good for one request."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()
        self._clock = clock

    def again(self, token: str, until: float) -> bool:
        """Whether this token was used before; remembers it until it expires."""
        signed = token.rpartition(".")[0]
        digest = hashlib.sha256(signed.encode()).digest()
        now = self._clock()
        with self._lock:
            while self._until:
                oldest, end = next(iter(self._until.items()))
                if end >= now and len(self._until) < REMEMBERED:
                    break
                del self._until[oldest]
            if digest in self._until:
                return True
            self._until[digest] = until + LEEWAY
        return False


def verify(token: str, method: str, did: str, identities: Identities, seen: Seen) -> str:
    """The DID of the user in whose name a request for `method` is made to the service `did`.

    Raises Refusal (401) where the token is malformed, forged, expired, for another service or
    method, used before, or its issuer's key cannot be had. Blocks while a key is looked up.
    """
    issuer, until = _said(token, method, did)
    try:
        if not _signed(token, identities.key(issuer)):
            key = identities.key(issuer, anew=True)  # it may have been rotated
            if not _signed(token, key):
                raise _bad("BadJwtSignature", f"The token's signature is not that of {issuer}.")
    except UnknownIdentity as error:
        raise _bad("BadJwtSignature", str(error)) from None
    _use(token, until, seen)
    return issuer


def verify_held(
    token: str, method: str, did: str, identities: Identities, seen: Seen
) -> str | None:
    """As `verify`, by a key that is remembered: None where it takes a look-up. Never blocks."""
    issuer, until = _said(token, method, did)
    try:
        key = identities.held(issuer)
    except UnknownIdentity as error:
        raise _bad("BadJwtSignature", str(error)) from None
    if key is None or not _signed(token, key):
        return None
    _use(token, until, seen)
    return issuer


def _said(token: str, method: str, did: str) -> tuple[str, float]:
    """The issuer and the end of a token that says all that it must."""
    claims = _claims(token)
    _check(claims, method, did)
    return str(claims["iss"]), float(claims["exp"])


def _use(token: str, until: float, seen: Seen) -> None:
    if seen.again(token, until):
        raise _bad("JwtReplayed", "The token was used before; send a new one with each request.")


def _claims(token: str) -> dict[str, Any]:
    malformed = _bad("BadJwt", "The token is no service-auth JWT.")
    if len(token) > LONGEST:
        raise malformed
    try:
        header = jwt.get_unverified_header(token)
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise malformed from None
    if header.get("alg") not in ALGORITHMS.values() or header.get("typ", "JWT") != "JWT":
        raise malformed
    if not isinstance(claims.get("iss"), str) or type(claims.get("exp")) not in (int, float):
        raise malformed
    return claims


def _check(claims: dict[str, Any], method: str, did: str) -> None:
    now = time.time()
    if not now - LEEWAY < claims["exp"]:
        raise _bad("JwtExpired", "The token has expired; send a new one.")
    if not claims["exp"] <= now + LONGEST_LIFE + LEEWAY:
        raise _bad("BadJwt", f"The token is good for more than {LONGEST_LIFE} s; send a shorter.")
    issued = claims.get("iat")
    if issued is not None and (type(issued) not in (int, float) or not issued <= now + LEEWAY):
        raise _bad("BadJwt", "The token was issued in the future; correct the clock.")
    if not isinstance(claims.get("aud"), str) or claims["aud"].partition("#")[0] != did:
        raise _bad("BadJwtAudience", f"The token is for another service than {did}.")
    if claims.get("lxm") != method:
        raise _bad("BadJwtLexiconMethod", f"The token is not for {method}.")


def _signed(token: str, key: ec.EllipticCurvePublicKey) -> bool:
    """Whether the token bears this key's signature, in the key's algorithm, low-S."""
    encoded = token.rpartition(".")[2]
    try:
        signature = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        jwt.decode(
            token,
            key,
            algorithms=[ALGORITHMS[key.curve.name]],
            options={"verify_exp": False, "verify_aud": False, "verify_iat": False},
        )
    except (jwt.PyJWTError, ValueError):
        return False
    return is_low(signature, key)


def _bad(name: str, sentence: str) -> Refusal:
    return Refusal(401, sentence, name=name)
