"""The Polis data: taken from where it lies, or fetched once and verified."""

import functools
import hashlib
import http.server
import lzma
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from ariane.demo.polis import download, polis
from ariane.types import ArianeError, CallError

BODY = b"timestamp,comment-id\n"
FILES = {"a/votes.csv": {"bytes": len(BODY), "sha256": hashlib.sha256(BODY).hexdigest()}}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "served" / "a"
    folder.mkdir(parents=True)
    (folder / "votes.csv").write_bytes(BODY)
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "served")
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}/"
        listening.shutdown()


def test_a_given_directory_is_taken(tmp_path: Path) -> None:
    assert polis(tmp_path, tmp_path / "home", print) == tmp_path
    with pytest.raises(CallError, match="nowhere"):
        polis(tmp_path / "nowhere", tmp_path, print)


def test_the_data_directory_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "polis").mkdir()
    monkeypatch.setenv("ARIANE_DATA", str(tmp_path))
    assert polis(None, tmp_path / "home", print) == tmp_path / "polis"


def test_files_are_fetched_once_and_verified(server: str, tmp_path: Path) -> None:
    said: list[str] = []
    manifest = {"source": server, "files": FILES}
    for _ in range(2):
        into = download(manifest, tmp_path / "into", said.append, allow_private=True)
        assert (into / "a" / "votes.csv").read_bytes() == BODY
    assert said == ["fetching a/votes.csv"]
    (into / "a" / "votes.csv").write_bytes(b"cut")
    download(manifest, tmp_path / "into", said.append, allow_private=True)
    assert len(said) == 2


def test_another_file_than_expected_is_refused(server: str, tmp_path: Path) -> None:
    wrong = {"a/votes.csv": {"bytes": len(BODY), "sha256": "0" * 64}}
    with pytest.raises(ArianeError, match="sha256"):
        download({"source": server, "files": wrong}, tmp_path / "into", print, allow_private=True)
    assert not (tmp_path / "into" / "a").exists()


@pytest.mark.skipif("ARIANE_DATA" not in os.environ, reason="ARIANE_DATA is not set")
def test_the_manifest_names_the_very_files_that_are_measured_on() -> None:
    import json

    manifest = json.loads((files("ariane.demo") / "polis.json").read_text())
    folder = Path(os.environ["ARIANE_DATA"]) / "polis"
    for name, expected in manifest["files"].items():
        body = lzma.decompress((folder / f"{name}.xz").read_bytes())
        assert (len(body), hashlib.sha256(body).hexdigest()) == (
            expected["bytes"],
            expected["sha256"],
        )


WORKING = """
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from ariane.demo import _alone
pool = ProcessPoolExecutor(1, get_context("spawn"), _alone)
pool.submit(print, "at work", flush=True).result()
pool.submit(time.sleep, 600).result()
"""


@pytest.mark.slow
def test_a_training_ends_with_the_demo_that_was_killed() -> None:
    demo = subprocess.Popen([sys.executable, "-c", WORKING], stdout=subprocess.PIPE, text=True)
    assert demo.stdout is not None
    assert demo.stdout.readline() == "at work\n"
    demo.kill()
    demo.communicate(timeout=60)  # the pipe closes when the last process that holds it is gone
