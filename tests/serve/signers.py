"""Keys, tokens and a DID directory on loopback, as an AT Protocol network would have them."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from ariane.serve.multikey import ALGORITHMS, ALPHABET, CURVES, ORDERS

METHOD = "app.bsky.feed.getFeedSkeleton"
SERVICE = "did:web:feed.example.org"


def encode58(data: bytes) -> str:
    """Base58btc, written apart from the code under test."""
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = ALPHABET[rest] + text
    return ALPHABET[0] * (len(data) - len(data.lstrip(b"\0"))) + text


def multikey(key: ec.EllipticCurvePrivateKey) -> str:
    """The public half as a multikey."""
    prefix = {curve.name: prefix for prefix, curve in CURVES.items()}[key.curve.name]
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
    )
    return "z" + encode58(prefix + point)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def service_token(
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    *,
    high: bool = False,
    header: dict[str, Any] | None = None,
    **claims: Any,
) -> str:
    """A service-auth JWT; a claim given as None is left out, `high` signs with the higher s."""
    now = int(time.time())
    said = {
        "iss": issuer,
        "aud": SERVICE,
        "exp": now + 60,
        "iat": now,
        "lxm": METHOD,
        "jti": str(time.perf_counter_ns()),
    } | claims
    kept = {name: value for name, value in said.items() if value is not None}
    top = {"typ": "JWT", "alg": ALGORITHMS[key.curve.name]} | (header or {})
    signed = ".".join(base64url(json.dumps(part).encode()) for part in (top, kept))
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    order = ORDERS[key.curve.name]
    low = min(s, order - s)
    s = order - low if high else low
    return f"{signed}.{base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def document(did: str, key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    """A DID document with one signing key."""
    return {
        "id": did,
        "verificationMethod": [
            {"id": f"{did}#other", "type": "Multikey", "publicKeyMultibase": "zNothing"},
            {
                "id": f"{did}#atproto",
                "type": "Multikey",
                "controller": did,
                "publicKeyMultibase": multikey(key),
            },
        ],
    }


class Directory:
    """A PLC directory: documents by path, and how often each was asked for."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.url = ""

    def put(self, did: str, key: ec.EllipticCurvePrivateKey) -> None:
        self.answers[f"/{did}"] = json.dumps(document(did, key)).encode()


@contextmanager
def directory() -> Iterator[Directory]:
    """A real HTTP server on loopback that answers as a PLC directory, or as a did:web host."""
    state = Directory()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            body = state.answers.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
