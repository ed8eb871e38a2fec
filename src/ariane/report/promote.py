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
CONFIG = "config.json"


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The operator's key at `path`; made there, readable by its owner only, where there is none."""
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
        return key
    try:
        held = load_pem_private_key(path.read_bytes(), password=None)
    except ValueError:
        raise CallError(f"{path} is not a private key; move it away to make a new one.") from None
    if not isinstance(held, Ed25519PrivateKey):
        raise CallError(f"{path} is not an Ed25519 key; move it away to make a new one.")
    return held


def trained(run: Path) -> dict[str, Any]:
    """What training wrote into a config: a retriever's recall, a reader's agreement."""
    config: dict[str, Any] = json.loads((run / CONFIG).read_text(encoding="utf-8"))
    figures: dict[str, Any] = config["trained"]
    return figures


def sign(run: Path, part: str, figures: Mapping[str, Any], key: Ed25519PrivateKey) -> Path:
    """Write a run's report: its part, its figures and the digest of its files, signed (RFC 8032).

    Raises CallError where the run has one already: what was signed once is not signed over.
    """
    report = {"run": run.name, "part": part, "files": _digest(run), "figures": figures}
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    signed = {"report": report, "key": public, "signature": key.sign(_canonical(report)).hex()}
    path = run / REPORT
    try:
        with path.open("x", encoding="utf-8") as file:
            json.dump(signed, file, indent=1, sort_keys=True)
    except FileExistsError:
        raise CallError(f"{path} is signed already; move it away to sign anew.") from None
    return path


def promote(store: Store, part: str, run: Path, key: Ed25519PrivateKey) -> None:
    """Make a run the live checkpoint of its part ("ranker", "retriever", "reader"), its report
    verified.

    Raises ArianeError where the report is missing, was signed by another key, or was signed for
    other files, another run or another part.
    """
    if not run.is_dir():
        raise NotFoundError(f"{run} is no run; `ariane train` prints the runs that it makes.")
    try:
        signed = json.loads((run / REPORT).read_text(encoding="utf-8"))
        report, signature = signed["report"], bytes.fromhex(signed["signature"])
        said = (report["run"], report["part"], report["files"])
    except FileNotFoundError:
        raise ArianeError(f"{run} has no {REPORT}; make one with `ariane evaluate`.") from None
    except (ValueError, KeyError, TypeError):
        raise ArianeError(f"{run / REPORT} is damaged; make it again.") from None
    public: Ed25519PublicKey = key.public_key()
    try:
        public.verify(signature, _canonical(report))
    except InvalidSignature:
        raise ArianeError(f"{run / REPORT} was not signed by this operator; sign it.") from None
    if said != (run.name, part, _digest(run)):
        raise ArianeError(
            f"{run} is not what its {REPORT} was signed for ({report['run']}, a {report['part']}); "
            "move the report away and evaluate the run again."
        )
    store.promote(part, run.name)


def signed_report(run: Path) -> dict[str, Any] | None:
    """A run's report with the key that signed it: `report` and `key` (hexadecimal).

    None where there is none, where its signature does not hold, or where it is for other files.
    """
    try:
        signed = json.loads((run / REPORT).read_text(encoding="utf-8"))
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signed["key"]))
        public.verify(bytes.fromhex(signed["signature"]), _canonical(signed["report"]))
        holds = signed["report"]["files"] == _digest(run)
    except (OSError, ValueError, KeyError, TypeError, InvalidSignature, ArianeError):
        return None
    return {"report": signed["report"], "key": signed["key"]} if holds else None


def _canonical(report: Mapping[str, Any]) -> bytes:
    return json.dumps(report, sort_keys=True, separators=(",", ":")).encode()


def _digest(run: Path) -> dict[str, str]:
    """SHA-256 of every file of a run but its report."""
    try:
        files = sorted(path for path in run.iterdir() if path.is_file() and path.name != REPORT)
        found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    except OSError as error:
        raise ArianeError(f"{run} cannot be read ({error.strerror}); check its rights.") from None
    if WEIGHTS not in found:
        raise ArianeError(f"{run} holds no {WEIGHTS}; train it again.")
    return found
