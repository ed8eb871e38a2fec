"""The house stands: every import goes down a floor, no circle, nothing late but by a PARTS table.

The floors are read from CONTRIBUTING.md, imports from the syntax tree of every file: those under
`TYPE_CHECKING` and inside functions too, and the names in PARTS tables as if they were imports.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGE = "ariane"
DOORS = ("ariane.engine", "ariane.commands.parts", "ariane.grok.parts")
FORBIDDEN_NAMES = re.compile(r"^(utils?|common|helpers?|misc)$")


@dataclass(frozen=True)
class Module:
    """One file: its dotted name, its syntax tree, and whether it is a folder's front page."""

    name: str
    tree: ast.Module
    front: bool

    @property
    def room(self) -> str:
        """The folder or file directly under the package; the package's own front page is ""."""
        return self.name.split(".")[1] if "." in self.name else ""


def modules(package: Path) -> dict[str, Module]:
    """Every Python file of the package by dotted name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        front = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if front else parts)
        found[name] = Module(name, ast.parse(path.read_text(encoding="utf-8")), front)
    return found


def floors(text: str) -> dict[str, int]:
    """The floors as CONTRIBUTING.md draws them: lines of `number room · room …` in one block."""
    block = re.search(r"^```floors\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert block, "CONTRIBUTING.md draws no floors"
    found: dict[str, int] = {}
    for line in block[1].splitlines():
        number, rooms = line.split(maxsplit=1)
        found |= {room.strip(): int(number) for room in rooms.split("·")}
    return found


def parts(module: Module) -> dict[str, str]:
    """The module's PARTS table; its expression may use only literals, `|` and `dict`."""
    for node in module.tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "PARTS" for target in targets):
            expression = ast.Expression(node.value)
            return dict(eval(compile(expression, module.name, "eval"), {"dict": dict}))
    return {}


def statements(module: Module) -> list[ast.Import | ast.ImportFrom]:
    """Every import statement of the file, wherever it stands."""
    return [node for node in ast.walk(module.tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def targets(house: Mapping[str, Module], module: Module) -> Iterator[str]:
    """The modules of the house that a file imports or names in its PARTS."""
    for node in statements(module):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            base = node.module or ""
            if node.level:
                up = module.name.split(".")
                up = up[: len(up) - node.level + (1 if module.front else 0)]
                base = ".".join([*up, base]) if base else ".".join(up)
            inside = [f"{base}.{alias.name}" for alias in node.names]
            names = [name if name in house else base for name in inside]
        yield from (name for name in names if name.split(".")[0] == PACKAGE)
    for value in parts(module).values():
        name = value.partition(":")[0]
        if name.split(".")[0] == PACKAGE:
            yield name


def climbs(house: Mapping[str, Module], floor: Mapping[str, int]) -> list[str]:
    """Imports that do not go down; the package's own front page stands above every floor."""
    wrong = []
    for module in house.values():
        if module.room and module.room not in floor:
            wrong.append(f"{module.name}: its room has no floor")
            continue
        for target in targets(house, module):
            room = target.partition(".")[2].partition(".")[0]
            if target not in house:
                wrong.append(f"{module.name} names {target}, which is not there")
            elif room == module.room or not module.room or not room:
                continue  # inside a room: `circles`; the package's front page: `front_pages`
            elif floor.get(room, 99) >= floor[module.room]:
                wrong.append(f"{module.name} imports {target}, which is not on a lower floor")
    return wrong


def front_pages(house: Mapping[str, Module]) -> list[str]:
    """Files that import the front page of a folder they lie in."""
    return [
        f"{module.name} imports its front page {target}"
        for module in house.values()
        for target in targets(house, module)
        if module.name.startswith(f"{target}.")
    ]


def circle(house: Mapping[str, Module]) -> list[str]:
    """One circle of files, if there is any."""
    graph = {name: set(targets(house, module)) - {name} for name, module in house.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [" → ".join(error.args[1])]
    return []


def late(house: Mapping[str, Module]) -> list[str]:
    """Imports that run later than the file's own, and not through a PARTS table that may do so."""
    wrong = []
    for module in house.values():
        for function in ast.walk(module.tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = [
                    n for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom)
                ]
                wrong += [f"{module.name}:{n.lineno} imports inside {function.name}" for n in inner]
        by_name = [n for n in ast.walk(module.tree) if isinstance(n, ast.Call) and _loads(n)]
        table = parts(module)
        if by_name and not (table and (module.front or module.name in DOORS)):
            wrong.append(f"{module.name}:{by_name[0].lineno} imports by name without a PARTS table")
        wrong += [
            f"{module.name}:{call.lineno} imports a name that is not taken from PARTS"
            for call in by_name
            if any(isinstance(argument, ast.Constant) for argument in call.args[:1])
        ]
        if module.front and module.room:
            wrong += [
                f"{module.name} loads {value} by name, which is not its own file"
                for value in table.values()
                if not value.startswith(f"{module.name}.")
            ]
    return wrong


def _loads(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    return name in {"import_module", "__import__"}


def missing(house: Mapping[str, Module]) -> list[str]:
    """Attributes that a PARTS table names and that their module does not define."""
    wrong = []
    for module in house.values():
        for value in parts(module).values():
            name, _, attribute = value.partition(":")
            if attribute and name in house and attribute not in set(_defined(house[name].tree)):
                wrong.append(f"{module.name} names {value}, which is not defined there")
    return wrong


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            names = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (name.id for name in names if isinstance(name, ast.Name))


FLOORS = floors((REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8"))
HOUSE = modules(REPOSITORY / "src" / PACKAGE)


def test_every_import_goes_to_a_lower_floor() -> None:
    assert climbs(HOUSE, FLOORS) == []


def test_no_file_imports_its_front_page() -> None:
    assert front_pages(HOUSE) == []


def test_no_circle_of_files() -> None:
    assert circle(HOUSE) == []


def test_nothing_is_imported_late_but_by_a_parts_table() -> None:
    assert late(HOUSE) == []


def test_every_named_part_is_there() -> None:
    assert missing(HOUSE) == []


def test_no_room_is_a_drawer() -> None:
    assert [name for name in HOUSE for part in name.split(".") if FORBIDDEN_NAMES.match(part)] == []


TINY = {"engine": 3, "rank": 2, "guard": 2, "types": 0}


@pytest.mark.parametrize(
    ("check", "files", "said"),
    [
        ("climbs", {"types.py": "import ariane.engine", "engine.py": ""}, "not on a lower floor"),
        ("climbs", {"rank.py": "from ariane import guard", "guard.py": ""}, "not on a lower floor"),
        (
            "climbs",
            {
                "rank.py": "from typing import TYPE_CHECKING\n"
                "if TYPE_CHECKING:\n    from ariane.guard import x",
                "guard.py": "x = 1",
            },
            "not on a lower floor",
        ),
        ("climbs", {"types.py": "def f():\n    from .rank import x", "rank.py": ""}, "lower floor"),
        ("climbs", {"attic.py": ""}, "no floor"),
        ("climbs", {"engine.py": "PARTS = {'a': 'ariane.rank.gone:X'}"}, "not there"),
        (
            "front_pages",
            {"rank/__init__.py": "", "rank/a.py": "from ariane.rank import b"},
            "front",
        ),
        ("front_pages", {"rank/__init__.py": "", "rank/a.py": "from . import b"}, "front"),
        (
            "circle",
            {
                "rank/__init__.py": "",
                "rank/a.py": "from ariane.rank import b",
                "rank/b.py": "def f():\n    from ariane.rank.a import x",
            },
            "ariane.rank.a",
        ),
        ("late", {"rank.py": "def f():\n    import json"}, "imports inside f"),
        ("late", {"engine.py": "async def f():\n    from json import loads"}, "imports inside f"),
        ("late", {"rank.py": "import importlib\nimportlib.import_module(x)"}, "without a PARTS"),
        (
            "late",
            {"rank.py": "PARTS = {'a': 'b'}\nimport importlib\nimportlib.import_module(x)"},
            "without a PARTS",
        ),
        ("late", {"engine.py": "PARTS = {'a': 'b'}\nimport_module('c')"}, "not taken from PARTS"),
        ("late", {"rank/__init__.py": "PARTS = {'a': 'ariane.types:Post'}"}, "not its own file"),
        ("missing", {"engine.py": "PARTS = {'a': 'ariane.rank:X'}", "rank.py": "Y = 1"}, "defined"),
    ],
)
def test_each_fault_is_found(tmp_path: Path, check: str, files: dict[str, str], said: str) -> None:
    for name, text in {"__init__.py": "", **files}.items():
        path = tmp_path / PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    house = modules(tmp_path / PACKAGE)
    checks = {
        "climbs": lambda: climbs(house, TINY),
        "front_pages": lambda: front_pages(house),
        "circle": lambda: circle(house),
        "late": lambda: late(house),
        "missing": lambda: missing(house),
    }
    found = checks.pop(check)()
    assert len(found) == 1
    assert said in found[0]


def test_a_sound_house_passes(tmp_path: Path) -> None:
    package = tmp_path / PACKAGE
    (package / "rank").mkdir(parents=True)
    (package / "__init__.py").write_text("PARTS = {'a': 'ariane.engine'} | {'b': 'ariane.types'}")
    (package / "types.py").write_text("")
    (package / "engine.py").write_text(
        "from importlib import import_module\nimport ariane.types\n"
        "PARTS: dict[str, str] = {'model': 'ariane.rank.model:Model'}\n"
        "def f(name):\n    return import_module(PARTS[name])\n"
    )
    (package / "rank" / "__init__.py").write_text("from ariane.rank.model import Model\n")
    (package / "rank" / "model.py").write_text("from ..types import x\nclass Model: ...\n")
    house = modules(package)
    found = [climbs(house, TINY), front_pages(house), circle(house), late(house), missing(house)]
    assert found == [[], [], [], [], []]
