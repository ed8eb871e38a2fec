"""A town that is served, and readers who look at it; whatever goes wrong in a browser fails."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from shutil import copytree
from typing import Any, TypeAlias

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, expect, sync_playwright
from tests.browser.reader import Reader
from tests.browser.served import chromium, make, served

from ariane.evaluate.world import load_world

expect.set_options(timeout=20_000)  # milliseconds, for machines that have much else to do

ReadAs: TypeAlias = Callable[..., Reader]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of this process; the first process that comes makes it for all."""
    if chromium() is None:
        if os.environ.get("ARIANE_BROWSER") == "required":
            pytest.fail("there is no Chromium here, and ARIANE_BROWSER requires one")
        pytest.skip("there is no Chromium here; on Debian: apt-get install chromium")
    base = tmp_path_factory.getbasetemp()
    whole = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made = whole / "town"
    with FileLock(whole / "town.lock"):
        if not (made / "ready").exists():
            make(made)
            (made / "ready").touch()
    own = tmp_path_factory.mktemp("served") / "home"
    copytree(made, own)
    return own


@pytest.fixture(scope="session")
def url(home: Path) -> Iterator[str]:
    with served(home) as address:
        yield address


@pytest.fixture(scope="session")
def person(home: Path) -> Callable[[], str]:
    """A person of the town whom no other test has been, the last first."""
    world = load_world(home)
    assert world is not None
    named = [person.id for person in world.people if person.name]
    numbers = count()
    return lambda: named[-1 - next(numbers)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium a file: while Playwright runs, no other test may run a loop of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium())
        yield browser
        browser.close()


@pytest.fixture
def read_as(url: str, browser: Browser, person: Callable[[], str]) -> Iterator[ReadAs]:
    """Readers by kind; afterwards nothing of theirs may have gone wrong.

    No console error or warning, no request to another host, no breach of the content security
    policy, no layout shift of 0.1 or more.
    """
    readers: list[Reader] = []

    def come(who: str = "nobody", *options: Any, **more: Any) -> Reader:
        who = person() if who == "old" else who
        readers.append(Reader(browser, url, who, *options, **more))
        return readers[-1]

    yield come
    faults = [fault for reader in readers for fault in reader.leave()]
    assert faults == []
