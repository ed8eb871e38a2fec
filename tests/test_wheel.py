"""The wheel: it holds the package and nothing else, and what it declares is enough to run it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[1]
EVENTS = """\
{"type": "post", "id": "p1", "author": "ana", "text": "Le télescope a vu une galaxie naine.", \
"at": "2026-05-01T12:00:00Z"}
{"type": "post", "id": "p2", "author": "ben", "text": "Our club lost again, three to nil.", \
"at": "2026-05-01T13:00:00Z"}
{"type": "action", "viewer": "zoe", "post": "p1", "kind": "like", "at": "2026-05-01T15:00:00Z"}
"""
DATA = {
    "ask/prompts/*.md",
    "demo/polis.json",
    "demo/town/accounts.jsonl",
    "demo/town/posts.jsonl",
    "grok/kernels_grok2.cpp",
    "grok/verification.txt",
    "guard/heads.safetensors",
    "guard/policies/*.md",
    "guard/prototypes.jsonl",
    "py.typed",
    "read/heads.safetensors",
    "read/prompts/*.json",
    "read/prompts/*.md",
    "read/prototypes.jsonl",
    "serve/page/static/*",
    "serve/page/templates/*.html",
}
"""What the package needs beside its modules; each pattern matches at least one file."""

pytestmark = pytest.mark.slow


def pip(*arguments: str | Path) -> None:
    """Run pip without an index, so that it can only take what is here."""
    call = [sys.executable, "-m", "pip", *arguments]
    quiet = ("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    done = subprocess.run([*call, *quiet], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    pip("wheel", "--no-build-isolation", "--wheel-dir", folder, REPOSITORY)
    (built,) = folder.iterdir()
    return built


def declared() -> dict[str, Distribution]:
    """The packages that Ariane asks for without an extra, and those that they ask for."""
    found: dict[str, Distribution] = {}
    waiting = [("ariane", frozenset({""}))]
    asked = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in asked:
            continue
        asked.add((name, extras))
        found[name] = distribution(name)
        for requirement in map(Requirement, found[name].requires or ()):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
                wanted = frozenset({"", *requirement.extras})
                waiting.append((canonicalize_name(requirement.name), wanted))
    del found["ariane"]
    return found


def link(packages: Iterator[Distribution], folder: Path) -> None:
    """Lay links to what these packages installed into a folder that stands for a site."""
    folder.mkdir()
    for package in packages:
        for top in {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}:
            if not (folder / top).exists():
                (folder / top).symlink_to(Path(str(package.locate_file(top))))


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel and what it declares, and a folder to work in."""

    environment: Path
    folder: Path

    def call(self, *words: str) -> list[str]:
        return [str(self.environment / "bin" / words[0]), *words[1:]]

    @property
    def variables(self) -> dict[str, str]:
        """Nothing of this process's own, and a proxy that answers no one."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        dead = "http://127.0.0.1:9"
        proxies = {"http_proxy": dead, "https_proxy": dead, "no_proxy": ""}
        return kept | proxies | {"HOME": str(self.folder), "OMP_NUM_THREADS": "1"}

    def run(self, *words: str, status: int = 0) -> str:
        done = subprocess.run(
            self.call(*words),
            check=False,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.variables,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if status == 0 else done.stderr


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Nothing is downloaded: the declared packages are those of the environment of the tests."""
    root = tmp_path_factory.mktemp("installed")
    environment, folder = root / "environment", root / "elsewhere"
    folder.mkdir()
    venv.create(environment, symlinks=True)
    pip("--python", environment / "bin" / "python", "install", wheel)
    (site,) = environment.glob("lib/python*/site-packages")
    link(iter(declared().values()), root / "declared")
    (site / "declared.pth").write_text(f"{root / 'declared'}\n", encoding="utf-8")
    (folder / "events.jsonl").write_text(EVENTS, encoding="utf-8")
    return Installed(environment, folder)


def listed() -> set[str]:
    """The files of the package that are in the repository, or would be."""
    call = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "src/ariane"]
    found = subprocess.run(call, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    names = {name for name in found.split("\0") if name and (REPOSITORY / name).is_file()}
    return {name.removeprefix("src/") for name in names}


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    about = {name for name in names if re.match(r"ariane-[\d.]+\.dist-info/", name)}
    assert names - about == listed()
    assert {name.partition("/")[2] for name in about} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
        "licenses/NOTICE",
    }


def test_everything_in_the_wheel_is_a_module_or_data_that_is_known(wheel: Path) -> None:
    names = {Path(name) for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    matched = {p: {name for name in names if name.match(f"ariane/{p}")} for p in DATA}
    assert [pattern for pattern, found in matched.items() if not found] == []
    assert [n for n in names if n.suffix != ".py"] == [
        n for n in names if any(n in found for found in matched.values())
    ]


def test_it_is_the_wheel_that_runs_and_none_of_the_undeclared(installed: Installed) -> None:
    where = installed.run("python", "-c", "import ariane; print(ariane.__file__)")
    assert Path(where.strip()).is_relative_to(installed.environment)
    for name in ("pytest", "pyarrow", "feedparser", "sklearn"):
        assert "ModuleNotFoundError" in installed.run("python", "-c", f"import {name}", status=1)


def test_help_and_the_guest_house_need_no_home(installed: Installed) -> None:
    assert "Usage: ariane" in installed.run("ariane", "--help")
    grok = "import ariane.grok; print(ariane.grok.Grok2ForCausalLM.__name__)"
    assert installed.run("python", "-c", grok) == "Grok2ForCausalLM\n"


def test_the_whole_way_goes_without_an_extra(installed: Installed) -> None:
    """Init, ingest, read, feed, and the page: policies, prototypes, heads, templates are there."""
    installed.run("ariane", "init", "home")
    at = ("--home", "home")
    (taken,) = json.loads(installed.run("ariane", "ingest", "events.jsonl", *at, "--json"))
    assert (taken["new"], taken["rejected"]) == (3, 0)
    (read,) = json.loads(installed.run("ariane", "read", *at, "--json"))
    assert read["posts read"] == 2
    page = json.loads(installed.run("ariane", "feed", "ana", *at, "--json"))
    assert [item["post"] for item in page["items"]] == ["p2"]  # one's own is not shown
    assert page["items"][0]["why"]
    (installed.folder / "posts.parquet").write_bytes(b"PAR1")
    asked = installed.run("ariane", "ingest", "posts.parquet", *at, status=2)
    assert "pip install 'ariane[tables]'" in asked


def test_the_page_and_the_town_are_in_the_wheel(installed: Installed) -> None:
    counted = "from ariane.demo.town import town; print(len(town(1_780_000_000_000).posts))"
    assert int(installed.run("python", "-c", counted)) > 1_500
    installed.run("ariane", "init", "served")
    installed.run("ariane", "ingest", "events.jsonl", "--home", "served")
    serving = subprocess.Popen(
        installed.call("ariane", "serve", "--home", "served", "--port", "0"),
        cwd=installed.folder,
        env=installed.variables,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert serving.stdout is not None
        address = re.search(r"http://\S+", serving.stdout.readline())
        assert address
        with httpx.Client(base_url=address[0], trust_env=False) as client:
            page = client.get("/").raise_for_status().text
            assert "<article" in page
            linked = re.findall(r"(?:src|href)=\"(/static/[^\"]+)\"", page)
            assert len(linked) >= 3
            for path in linked:
                assert client.get(path).raise_for_status().content
    finally:
        serving.kill()
        serving.wait()
        serving.stdout.close()
