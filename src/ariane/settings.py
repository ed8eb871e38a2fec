"""Settings: tables of `ariane.toml` as dataclasses, and back, with their documentation.

A setting is a field of a dataclass that stands beside what it sets; the string literal under the
field documents it.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import json
import textwrap
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from ariane.types import CallError

T = TypeVar("T")

FILE = "ariane.toml"


def load_tables(home: Path) -> dict[str, Any]:
    """The tables of a home's `ariane.toml`."""
    path = home / FILE
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CallError(f"{path} does not exist; make one with `ariane init {home}`.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CallError(f"{path} is not valid TOML ({error}); mend that place.") from None
    except OSError as error:
        raise CallError(f"{path} cannot be read ({error.strerror}); check its rights.") from None


def section(tables: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """One table as the dataclass `kind`; a key or value that does not fit is a CallError."""
    return build(tables.get(name, {}), f"[{name}]", kind)


def build(table: object, where: str, kind: type[T]) -> T:
    """A TOML table as a dataclass, every key known and every value of its type."""
    if not isinstance(table, Mapping):
        raise CallError(f"{where} in {FILE} must be a table, not {table!r}.")
    known = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if unknown := [key for key in table if key not in known]:
        are = "is no setting" if len(unknown) == 1 else "are no settings"
        names = ", ".join(sorted(known))
        raise CallError(f"{where} {', '.join(unknown)} in {FILE} {are}; the settings are {names}.")
    try:
        return TypeAdapter(kind).validate_python(dict(table))
    except ValidationError as error:
        raise CallError("; ".join(_fault(one, where) for one in error.errors()) + ".") from None


def _fault(error: Mapping[str, Any], where: str) -> str:
    place = ".".join(str(part) for part in error["loc"])
    return f"{where} {place} in {FILE} cannot be {error['input']!r}: {error['msg']}"


def documentation(kind: type[Any]) -> dict[str, str]:
    """The string literal under each field of a dataclass and of those it extends, by field name."""
    texts: dict[str, str] = {}
    for parent in reversed(kind.__mro__):
        if dataclasses.is_dataclass(parent):
            texts |= _documented(parent)
    return texts


def _documented(kind: type[Any]) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    texts: dict[str, str] = {}
    for field, after in itertools.pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            texts[field.target.id] = " ".join(str(after.value.value).split())
    return texts


def template(tables: Mapping[str, Any]) -> str:
    """A commented `ariane.toml`: every setting of these tables, its documentation above.

    What is as by default is commented out.
    """
    parts: list[str] = []
    for name, value in tables.items():
        texts = documentation(type(value))
        lines, usual = [f"[{name}]"], type(value)()
        for field in dataclasses.fields(value):
            text = texts[field.name]
            lines += textwrap.wrap(text, 98, initial_indent="# ", subsequent_indent="# ")
            chosen = getattr(value, field.name)
            said = f"{field.name} = {_toml(chosen)}"
            lines.append(f"# {said}" if chosen == getattr(usual, field.name) else said)
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key} = {_toml(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return json.dumps(value, ensure_ascii=False)
