"""The town served for real, in seconds: read by the real reader, ranked by random weights.

The ranker's order means nothing, but it differs from post to post, and it depends on what a reader
did and wished.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import which

import torch

from ariane.demo.town import take_in
from ariane.engine import load, open_store
from ariane.home import init, runs
from ariane.rank.model import RankerConfig, RankerModel
from ariane.read import read
from ariane.serve.settings import ServeSettings

RANKER = "ranker-1"
SECONDS = 60


def chromium() -> str | None:
    """Where Debian's Chromium is, or what `ARIANE_CHROMIUM` names in its place."""
    return os.environ.get("ARIANE_CHROMIUM") or which("chromium")


def make(home: Path) -> None:
    """Write a home that holds the town, where anyone may sign in as anyone."""
    toml = init(home, serve=ServeSettings())
    text = toml.read_text(encoding="utf-8")
    own = "[serve]\nopen_accounts = true\nrate = 1000.0\nburst = 1000"  # one address, many readers
    toml.write_text(text.replace("[serve]", own, 1), encoding="utf-8")
    engine = load(home)
    take_in(engine.store, home, time.time_ns() // 1_000_000)
    read(engine.store, engine.reader, engine.classify)
    _rank(home, engine.reader.name)
    engine.store.close()
    fresh = load(home)
    fresh.refresh()
    fresh.store.close()


def _rank(home: Path, reader: str) -> None:
    torch.manual_seed(0)
    model = RankerModel(replace(RankerConfig.sized("nano"), name=RANKER, reader=reader))
    with torch.no_grad():
        model.action_head.weight.mul_(3.0)
    model.save(runs(home) / RANKER)
    store = open_store(home)
    store.promote("ranker", RANKER)
    store.close()


@contextmanager
def served(home: Path) -> Iterator[str]:
    """`ariane serve` on a free port; its address, without a slash at the end."""
    command = (sys.executable, "-m", "ariane", "serve", "--home", str(home), "--port", "0")
    with (home / "serve.log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield _address(server, home / "serve.log")
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and server.poll() is None:
        found = re.search(r"http://[\d.]+:\d+", log.read_text(encoding="utf-8"))
        if found:
            return found[0]
        time.sleep(0.05)
    raise RuntimeError(f"ariane serve did not start: {log.read_text(encoding='utf-8')}")
