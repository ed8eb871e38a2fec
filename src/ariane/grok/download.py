"""Download a repository of the hub: room is checked first, hashes after, and it can go on."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.utils.tqdm import tqdm

from ariane.grok.errors import CheckpointError, check_space
from ariane.grok.progress import Progress, Sum, silent
from ariane.grok.writing import write_text

RECORD = "sha256.json"
"""Which files were found whole, with size and time: they are not read through again."""

CHANGED_HERE = ("config.json", "generation_config.json")
"""What `verify` may write a choice into: changed since it came, it is kept."""

BEGUN = Path(".cache", "huggingface", "download")
"""Where the hub's client keeps the beginnings of files."""

OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS}
"""Errors of the system that are none of the hub's."""

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
        if isinstance(error, OSError) and error.errno in OF_THE_DISK:
            raise
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


def _work(files: list[Remote]) -> int:
    """The bytes that a download reports: those fetched, and those read again to be checked."""
    return sum(file.size * (2 if file.sha256 else 1) for file in files)


def _bar(told: Sum, what: str) -> type[Any]:
    """A bar for the hub's own loop, which shows nothing and tells what it is told."""

    class Bar(tqdm):
        """One file's bytes; a file of which a part is there begins with that part."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            told.add(int(options.get("initial") or 0), what)
            # The hub's bar has no types.
            super().__init__(*arguments, **{**options, "disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> None:
            """Pass the bytes on."""
            told.add(int(n or 0), what)

    return Bar


def _digest(path: Path, told: Sum) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            told.add(len(block), f"checking {path.name}")
    return digest.hexdigest()


def _stamp(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def download(
    repository: str,
    folder: Path,
    commit: str,
    files: list[Remote],
    progress: Progress = silent,
    endpoint: str | None = None,
) -> list[str]:
    """Fetch what is not there yet and check every hash; the names of files changed here are given.

    Those are kept as they are. Raises `CheckpointError` where the disk is too small, the hub breaks
    off, or a file is not what the hub says; such a file is removed, so that the next run fetches
    it again. What the disk refuses is an OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record = _read_record(folder / RECORD)
    changed = [file.name for file in files if _is_changed(folder / file.name, file, record)]
    there = [file for file in files if _is_known(folder / file.name, file, record)]
    todo = [file for file in files if file not in there and file.name not in changed]
    absent = sum(file.size for file in todo if not (folder / file.name).exists())
    begun = sum(part.stat().st_size for part in (folder / BEGUN).rglob("*.incomplete"))
    check_space(folder, absent - begun)
    told = Sum(_work(files), progress)
    told.add(_work(files) - _work(todo), "looking at what is there")
    for file in todo:
        path = folder / file.name
        if path.exists():
            told.add(file.size, f"{file.name} was fetched")
        with _asking(repository):
            hf_hub_download(
                repository,
                file.name,
                revision=commit,
                local_dir=folder,
                tqdm_class=_bar(told, f"fetching {file.name}"),
                endpoint=endpoint,
            )
        _check(path, file, told)
        record[file.name] = [*_stamp(path), file.sha256]
        write_text(folder / RECORD, json.dumps(record, indent=2) + "\n")
    return changed


def _read_record(path: Path) -> dict[str, Any]:
    """What earlier runs found whole; nothing where it is torn, and all is checked again."""
    try:
        record = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _is_changed(path: Path, file: Remote, record: dict[str, Any]) -> bool:
    """Whether a file that came whole was changed here, as `verify` does."""
    told = file.name in record and path.exists() and file.name in CHANGED_HERE
    return told and record[file.name][:2] != _stamp(path)


def _is_known(path: Path, file: Remote, record: dict[str, Any]) -> bool:
    """Whether a file was found whole before and has not been touched since."""
    known = record.get(file.name)
    return known is not None and path.exists() and known == [*_stamp(path), file.sha256]


def _check(path: Path, file: Remote, told: Sum) -> None:
    size = path.stat().st_size
    if size != file.size:
        path.unlink()
        raise CheckpointError(
            f"{path} came with {size} bytes instead of {file.size} and was removed: run it again."
        )
    if file.sha256 is not None and _digest(path, told) != file.sha256:
        path.unlink()
        raise CheckpointError(
            f"{path} does not have the hash that the hub gives and was removed: run it again."
        )
