"""Promotion: a checkpoint goes live only with a report that is signed for exactly its bytes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from ariane.types import ArianeError, CallError, NotFoundError, Store

KEY = "operator.pem"
"""The operator's signing key, in the home; the demo makes one for itself."""

REPORT = "report.json"
WEIGHTS = "model.safetensors"


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The operator's key at `path`; made there, readable by its owner only, where there is none."""
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
        return key
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)  # type: ignore[assignment]
    except ValueError:
        raise CallError(f"{path} is not a private key; move it away to make a new one.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise CallError(f"{path} is not an Ed25519 key; move it away to make a new one.")
    return key


def sign(run: Path, figures: Mapping[str, Any], key: Ed25519PrivateKey) -> Path:
    """Write a run's report: the figures and the digest of its weights, signed (RFC 8032)."""
    report = {"run": run.name, "weights": _digest(run), "figures": figures}
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    signed = {"report": report, "key": public, "signature": key.sign(_canonical(report)).hex()}
    path = run / REPORT
    path.write_text(json.dumps(signed, indent=1, sort_keys=True), encoding="utf-8")
    return path


def promote(store: Store, part: str, run: Path, key: Ed25519PrivateKey) -> None:
    """Make a run the live checkpoint of its part ("ranker", "retriever"), its report verified.

    Raises ArianeError where the report is missing, was signed by another key, or was signed for
    other weights.
    """
    if not run.is_dir():
        raise NotFoundError(f"{run} is no run; `ariane train` prints the runs that it makes.")
    try:
        signed = json.loads((run / REPORT).read_text(encoding="utf-8"))
        report, signature = signed["report"], bytes.fromhex(signed["signature"])
    except FileNotFoundError:
        raise ArianeError(f"{run} has no {REPORT}; make one with `ariane evaluate`.") from None
    except (ValueError, KeyError, TypeError):
        raise ArianeError(f"{run / REPORT} is damaged; make it again.") from None
    public: Ed25519PublicKey = key.public_key()
    try:
        public.verify(signature, _canonical(report))
    except InvalidSignature:
        raise ArianeError(f"{run / REPORT} was not signed by this operator; sign it.") from None
    if report["weights"] != _digest(run):
        raise ArianeError(f"{run / WEIGHTS} is not what its {REPORT} was signed for; evaluate it.")
    store.promote(part, run.name)


def _canonical(report: Mapping[str, Any]) -> bytes:
    return json.dumps(report, sort_keys=True, separators=(",", ":")).encode()


def _digest(run: Path) -> str:
    try:
        return hashlib.sha256((run / WEIGHTS).read_bytes()).hexdigest()
    except OSError as error:
        raise ArianeError(f"{run / WEIGHTS} cannot be read ({error.strerror}).") from None
