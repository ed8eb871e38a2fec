"""Download a repository of the hub: room is checked first, hashes after, and it can go on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.utils.tqdm import tqdm

from ariane.grok.errors import CheckpointError, check_space

RECORD = "sha256.json"
"""Which files were found whole, with size and time: they are not read through again."""

Progress = Callable[[str, int], None]
"""Told what is being done, and the bytes done since it was last told."""

BLOCK = 1 << 24


@dataclass(frozen=True)
class Remote:
    """A file as the hub describes it; small files have no SHA-256 there."""

    name: str
    size: int
    sha256: str | None


@contextmanager
def _asking(repository: str) -> Iterator[None]:
    """What the hub's client meets, which may be any error of its HTTP library, as one sentence."""
    try:
        yield
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError(
            f"The hub does not give {repository} ({reason}): look at its name and at the network, "
            "then run it again."
        ) from error


def listing(
    repository: str, revision: str | None = None, endpoint: str | None = None
) -> tuple[str, list[Remote]]:
    """The commit and its files; an endpoint of None is the public hub.

    Raises `CheckpointError` where it cannot be reached or does not give them.
    """
    with _asking(repository):
        about = HfApi(endpoint).model_info(repository, revision=revision, files_metadata=True)
    files = [
        Remote(one.rfilename, one.size or 0, one.lfs.sha256 if one.lfs else None)
        for one in about.siblings or ()
    ]
    return about.sha or "main", files


def work(files: list[Remote]) -> int:
    """The bytes that a download reports: those fetched, and those read again to be checked."""
    return sum(file.size * (2 if file.sha256 else 1) for file in files)


def _bar(progress: Progress, what: str) -> type[Any]:
    """A bar for the hub's own loop, which shows nothing and tells what it is told."""

    class Bar(tqdm):
        """One file's bytes; a file of which a part is there begins with that part."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            progress(what, int(options.get("initial") or 0))
            # The hub's bar has no types.
            super().__init__(*arguments, **{**options, "disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> None:
            """Pass the bytes on."""
            progress(what, int(n or 0))

    return Bar


def _digest(path: Path, progress: Progress) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            progress(f"checking {path.name}", len(block))
    return digest.hexdigest()


def _stamp(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def download(
    repository: str,
    folder: Path,
    commit: str,
    files: list[Remote],
    progress: Progress,
    endpoint: str | None = None,
) -> None:
    """Fetch what is not there yet and check every hash.

    Raises `CheckpointError` where the disk is too small, the hub breaks off, or a file is not what
    the hub says; such a file is removed, so that the next run fetches it again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record_path = folder / RECORD
    record = json.loads(record_path.read_text()) if record_path.exists() else {}
    todo = [file for file in files if not _is_known(folder / file.name, file, record)]
    check_space(folder, sum(file.size for file in todo if not (folder / file.name).exists()))
    for file in files:
        path = folder / file.name
        if file not in todo:
            progress(f"{file.name} is there", work([file]))
            continue
        bar = _bar(progress, f"fetching {file.name}")
        if path.exists():
            progress(f"{file.name} was fetched", file.size)
        with _asking(repository):
            hf_hub_download(
                repository,
                file.name,
                revision=commit,
                local_dir=folder,
                tqdm_class=bar,
                endpoint=endpoint,
            )
        _check(path, file, progress)
        record[file.name] = [*_stamp(path), file.sha256]
        record_path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _is_known(path: Path, file: Remote, record: dict[str, list[int | str]]) -> bool:
    """Whether a file was found whole before and has not been touched since."""
    known = record.get(file.name)
    return known is not None and path.exists() and known == [*_stamp(path), file.sha256]


def _check(path: Path, file: Remote, progress: Progress) -> None:
    size = path.stat().st_size
    if size != file.size:
        path.unlink()
        raise CheckpointError(
            f"{path} came with {size} bytes instead of {file.size} and was removed: run it again."
        )
    if file.sha256 is not None and _digest(path, progress) != file.sha256:
        path.unlink()
        raise CheckpointError(
            f"{path} does not have the hash that the hub gives and was removed: run it again."
        )
