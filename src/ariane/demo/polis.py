"""The public Polis conversations: on this machine, or fetched and verified by hash."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from ariane.ingest.fetch import fetch
from ariane.types import ArianeError, CallError


def polis(path: Path | None, home: Path, progress: Callable[[str], None]) -> Path:
    """A directory of conversations: `path`, else `$ARIANE_DATA/polis`, else a verified download."""
    if path is not None:
        if not path.is_dir():
            raise CallError(f"{path} is no directory; give the one that holds the conversations.")
        return path
    data = os.environ.get("ARIANE_DATA")
    if data and (Path(data) / "polis").is_dir():
        return Path(data) / "polis"
    manifest = json.loads((files("ariane.demo") / "polis.json").read_text(encoding="utf-8"))
    return download(manifest, home / "polis", progress)


def download(
    manifest: Mapping[str, Any],
    into: Path,
    progress: Callable[[str], None],
    *,
    allow_private: bool = False,
) -> Path:
    """Fetch what is not there yet; `manifest` has a `source` URL and `files` by bytes and sha256.

    Raises ArianeError where a file is not the one that the manifest names.
    """
    for name, expected in manifest["files"].items():
        target = into / name
        if target.is_file() and _matches(target.read_bytes(), expected):
            continue
        progress(f"fetching {name}")
        url, most = manifest["source"] + name, expected["bytes"]
        body = fetch(url, limit_bytes=most, allow_private=allow_private).body
        if not _matches(body, expected):
            raise ArianeError(
                f"{name} from {manifest['source']} is not the file expected (sha256 differs); "
                "download the conversations by hand and give their directory."
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
    return into


def _matches(body: bytes, expected: Mapping[str, Any]) -> bool:
    found = {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    return found == dict(expected)
