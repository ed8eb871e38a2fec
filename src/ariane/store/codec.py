"""Nouns to JSON values and back: what receipts, exports, wishes and feeds are kept as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from ariane.types import ArianeError

T = TypeVar("T")

Json: TypeAlias = Any
"""None, a bool, a number, a text, or lists and dicts of them."""

_Hint: TypeAlias = Any
_Noun: TypeAlias = Any


def to_json(value: object) -> Json:
    """A noun, or a collection of nouns, as JSON values; sets are sorted."""
    if value is None or (isinstance(value, bool | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {name: to_json(getattr(value, name)) for name in _names(type(value))}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    if isinstance(value, frozenset | set):
        return sorted(value)
    return value.item() if isinstance(value, np.generic) else value


def from_json(kind: type[T], value: Json) -> T:
    """The noun of this kind that `to_json` gave; a missing key takes its default.

    Raises ArianeError where the value is no such noun.
    """
    try:
        built: T = _build(kind, value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ArianeError(
            f"{str(value)[:80]!r} is no {kind.__name__} ({error}); the store's file was altered, "
            "restore it from a backup."
        ) from None
    return built


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


def _build(kind: _Hint, value: Json) -> _Noun:
    if is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        return kind(**{name: _build(hints[name], item) for name, item in value.items()})
    origin: Any = get_origin(kind)
    inner = get_args(kind)
    if origin in (Union, UnionType):
        return None if value is None else _build(inner[0], value)
    if origin is tuple:  # of any length, all of one kind
        return tuple(_build(inner[0], item) for item in value)
    if origin is Literal or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return value
    return value if value is None else kind(value)
