"""The documents are true: their commands run, their settings, links, map and figures are there."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import dropwhile, takewhile
from pathlib import Path

import pytest
import typer.main

from ariane.commands import app

REPOSITORY = Path(__file__).parents[1]
SOURCE = REPOSITORY / "src" / "ariane"
PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])
SHELLS = {"sh", "bash", "console", "shell"}
BLOCK = re.compile(r"^(<!-- run -->\n)?[ ]*```(\w*)\n(.*?)^[ ]*```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, and whether the page says that it runs as it stands."""

    language: str
    text: str
    runs: bool


def read(page: Path) -> str:
    """A page's text."""
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(m[2], m[3], bool(m[1])) for m in BLOCK.finditer(read(page))]


def prose(page: Path) -> str:
    """A page without its fenced blocks and comments."""
    return re.sub(r"<!--.*?-->", "", BLOCK.sub("", read(page)), flags=re.DOTALL)


def spans(page: Path) -> list[str]:
    """The inline code of a page, in order; cells of a table write a vertical line as `\\|`."""
    return [span.replace("\\|", "|") for span in re.findall(r"`([^`\n]+)`", prose(page))]


def simple_commands(script: str) -> Iterator[list[str]]:
    """The words of every simple command of a shell script, without redirections."""
    script = re.sub(r"<<\s*'?(\w+)'?(.*?)\n.*?^\1$", r"\2", script, flags=re.MULTILINE | re.DOTALL)
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line.strip().removeprefix("$ "), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for token in [*lexer, ";"]:
            if set(token) <= set("|&;()"):
                yield words
                words = []
            else:
                words.append(token)


def ariane_calls(script: str) -> Iterator[list[str]]:
    """The arguments of every call of `ariane` in a shell script."""
    for command in simple_commands(script):
        words = list(dropwhile(lambda word: re.match(r"\w+=", word), command))
        words = list(takewhile(lambda word: not set(word) <= set("<>"), words))
        if words and Path(words[0]).name == "ariane":
            yield words[1:]
        elif words[1:3] == ["-m", "ariane"]:
            yield words[3:]


def complaint(arguments: list[str], bare: bool = False) -> str | None:
    """What is wrong with a call: a command or an option that is not there, a value of no use.

    With `bare`, a command may be named without its arguments.
    """
    command = typer.main.get_command(app)
    rest = list(arguments)
    while rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest.pop(0)]
    if "--help" in rest or (not rest and (bare or hasattr(command, "commands"))):
        return None
    if hasattr(command, "commands"):
        return f"ariane {shlex.join(arguments)}: there is no command {rest[0]}"
    try:
        command.make_context(command.name, rest)
    except Exception as error:
        return f"ariane {shlex.join(arguments)}: {error}"
    return None


def in_blocks(page: Path) -> list[list[str]]:
    """Every call of `ariane` in the shell blocks of a page."""
    scripts = [block.text for block in blocks(page) if block.language in SHELLS]
    return [call for script in scripts for call in ariane_calls(script)]


def in_prose(page: Path) -> list[list[str]]:
    """Every call of `ariane` that stands as inline code on a page."""
    scripts = [span for span in spans(page) if span.startswith("ariane ")]
    return [call for script in scripts for call in ariane_calls(script)]


def named(pages: list[Path]) -> list[str]:
    """The pages' names, for the tests' ids."""
    return [str(page.relative_to(REPOSITORY)) for page in pages]


every_page = pytest.mark.parametrize("page", PAGES, ids=named(PAGES))


@every_page
def test_every_command_of_a_page_is_there(page: Path) -> None:
    said = [complaint(call) for call in in_blocks(page)]
    said += [complaint(call, bare=True) for call in in_prose(page)]
    assert [sentence for sentence in said if sentence] == []


def test_a_command_or_option_that_is_not_there_is_found() -> None:
    script = (
        "ariane fed v1 | head\n"
        "A=1 .venv/bin/ariane feed v1 --colour \\\n  red > page.txt\n"
        "python -m ariane feed v1 --size 5 && cat <<'END'\nariane nothing\nEND\n"
    )
    said = [complaint(call) for call in ariane_calls(script)]
    assert said[0] is not None
    assert "fed" in said[0]
    assert said[1] is not None
    assert "--colour" in said[1]
    assert said[2:] == [None]


def test_every_command_is_in_the_list_of_commands() -> None:
    """docs/operate.md names each command that there is."""
    called = {tuple(call[:2]) for call in in_prose(REPOSITORY / "docs" / "operate.md")}
    group = typer.main.get_command(app)
    for name, command in group.commands.items():
        for inner in getattr(command, "commands", {}) or [None]:
            path = (name,) if inner is None else (name, inner)
            assert any(call[: len(path)] == path for call in called), " ".join(path)


def run(script: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a script as a reader would, in an empty directory, with Ariane on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=home,
        env={**os.environ, "PATH": path, "HOME": str(home)},
        check=False,
        capture_output=True,
        text=True,
    )


def script(page: Path) -> str:
    """What a page marks as such to be run."""
    return "\n".join(block.text for block in blocks(page) if block.runs)


RUNNABLE = list({script(page): page for page in PAGES if script(page)}.values())
"""One page for each script: what two languages say alike is run once."""


@pytest.mark.slow
@pytest.mark.parametrize("page", RUNNABLE, ids=named(RUNNABLE))
def test_the_blocks_marked_as_such_run(page: Path, tmp_path: Path) -> None:
    done = run(script(page), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_has_commands_that_run() -> None:
    assert REPOSITORY / "README.md" in RUNNABLE


@pytest.mark.parametrize("page", [p for p in PAGES if "make " in read(p)], ids=str)
def test_every_make_target_of_a_page_is_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", read(REPOSITORY / "Makefile"), re.MULTILINE))
    scripts = [block.text for block in blocks(page) if block.language in SHELLS]
    scripts += [span for span in spans(page) if span.startswith("make ")]
    used = {
        words[1]
        for script in scripts
        for words in simple_commands(script)
        if words[:1] == ["make"] and len(words) > 1
    }
    assert used - targets == set()


def test_the_settings_are_those_that_init_writes(tmp_path: Path) -> None:
    """docs/operate.md shows `ariane.toml` as `ariane init` writes it, every setting documented."""
    done = run("ariane init .", tmp_path)
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "ariane.toml").read_text(encoding="utf-8")
    shown = [b.text for b in blocks(REPOSITORY / "docs" / "operate.md") if b.language == "toml"]
    assert shown == [written]


def drawn_map() -> dict[str, set[str]]:
    """README's map of the tree: each entry of src/ariane with the files that its lines name."""
    tree = next(b.text for b in blocks(REPOSITORY / "README.md") if b.text.startswith("src/ariane"))
    found: dict[str, set[str]] = {}
    for line in tree.splitlines()[1:]:
        entry = re.match(r"  (\w+(?:\.py|/))", line)
        if entry:
            name = entry[1]
            found[name] = set()
        rest = line[entry.end() :] if entry else line
        found[name] |= set(re.findall(r"[\w/*-]+\.(?:py|md|json|html)\b", rest))
    return found


def test_the_map_of_the_tree_is_true() -> None:
    """Every room stands in the map, no other does, and the files that it names are there."""
    rooms = {f"{path.parent.name}/" for path in SOURCE.glob("*/__init__.py")}
    drawn = drawn_map()
    assert set(drawn) == rooms | {path.name for path in SOURCE.glob("*.py")}
    named = [f"{room}{file}" for room, files in drawn.items() for file in files]
    assert named
    assert [pattern for pattern in named if not list(SOURCE.glob(pattern))] == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path)
        for path in SOURCE.rglob("*.py")
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


@cache
def anchors(page: Path) -> set[str]:
    """The addresses of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = []
    for target in re.findall(r"\]\((?!\w+:)([^)\s]+)\)", prose(page)):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            lost.append(target)
    assert lost == []


@every_page
def test_every_file_and_test_that_is_named_is_there(page: Path) -> None:
    lost = []
    for span in spans(page):
        if re.fullmatch(r"(src|tests|docs)/[\w./*-]+(::\w+)?", span):
            path, _, test = span.partition("::")
            there = list(REPOSITORY.glob(path.rstrip("/")))
            if not there or (test and f"def {test}(" not in there[0].read_text(encoding="utf-8")):
                lost.append(span)
    assert lost == []


def test_the_index_lists_every_page() -> None:
    index = REPOSITORY / "docs" / "index.md"
    linked = {(index.parent / t).resolve() for t in re.findall(r"\]\(([^)#]+\.md)\)", read(index))}
    assert set(PAGES) - linked - {index} == set()


def tracked() -> list[Path]:
    """The files that are in the repository, or would be."""
    call = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(call, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    return [path for name in listed.split("\0") if name and (path := REPOSITORY / name).is_file()]


def test_no_file_holds_a_path_of_one_machine() -> None:
    roots = "|".join(("work", "root", "farm", "opt/pypi", "opt/wheels", "tmp/bash"))
    path = re.compile(rf"(?<![\w.:])/(?:{roots})[/\s\"'`]".encode())
    assert [str(file) for file in tracked() if path.search(file.read_bytes())] == []


def test_every_figure_says_how_when_and_where_it_was_measured() -> None:
    page = read(REPOSITORY / "docs" / "figures.md")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.replace("\\|", "¦").splitlines()
        if line.startswith("|")
    ]
    heads = [row for row in rows if row[:1] == ["figure"]]
    assert heads == [["figure", "value", "command", "date", "machine"]] * len(heads)
    assert heads
    for row in rows:
        if row in heads or set("".join(row)) <= set("-: "):
            continue
        assert len(row) == 5, row
        assert all(row), row
        assert re.search(r"`[^`]+`", row[2]), f"no command: {row}"
        date.fromisoformat(row[3])


def test_the_changelog_has_a_place_for_the_next_release() -> None:
    titles = re.findall(r"^## (.*)$", read(REPOSITORY / "CHANGELOG.md"), re.MULTILINE)
    assert titles[0] == "Unreleased"


STATUS = {
    "README.md": ("works", "partly", "not yet", "cannot be verified here"),
    "README.fr.md": ("marche", "en partie", "pas encore", "invérifiable ici"),
}


def announced(name: str) -> list[tuple[int, tuple[str, ...]]]:
    """Each row of the table of what was announced: which status, and the code that backs it."""
    rows = re.findall(r"^\| .* \|$", read(REPOSITORY / name).split("\n## ")[1], re.MULTILINE)[1:]
    found = []
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split(" | ")]
        which = [n for n, word in enumerate(STATUS[name]) if cells[-1].startswith(word)]
        assert len(which) == 1, f"{name}: {cells[-1]} is no status"
        found.append((which[0], tuple(re.findall(r"`([^`]+)`", " ".join(cells[2:-1])))))
    return found


@pytest.mark.parametrize("name", STATUS)
def test_what_is_said_of_the_announcement_is_backed_or_not_yet(name: str) -> None:
    rows = announced(name)
    assert len(rows) >= 12
    for status, backing in rows:
        tests = [span for span in backing if span.startswith("tests/")]
        assert (status == 2) == (not tests)
        assert all((REPOSITORY / test).is_file() for test in tests)


def test_both_readmes_say_the_same_of_the_announcement() -> None:
    assert announced("README.md") == announced("README.fr.md")
