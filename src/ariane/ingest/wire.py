"""The wire format: one JSON object an event, checked field by field; nothing unknown passes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, get_args, get_type_hints

from ariane.ingest import fields
from ariane.ingest.fields import Bounds, bounds, iso, shown
from ariane.ingest.settings import DEFAULTS, IngestSettings
from ariane.types import (
    HOUSE,
    Account,
    Action,
    ActionKind,
    CallError,
    Delete,
    Event,
    Label,
    Media,
    Post,
)

Check: TypeAlias = Callable[[str, object, Bounds], object]

ON_ACCOUNTS = frozenset({ActionKind.FOLLOW, ActionKind.PROFILE, ActionKind.MUTE, ActionKind.BLOCK})
"""Kinds done to an account, whichever post they were done from; a report may be of either."""

_canonical = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

TIMES = frozenset({"at", "until"})
MEDIA_KINDS: tuple[str, ...] = get_args(get_type_hints(Media)["kind"])
DELETED: tuple[str, ...] = get_args(get_type_hints(Delete)["what"])


@dataclass(frozen=True, slots=True)
class Shape:
    """One type of line: the keys that it must have, those that it may, and what it becomes."""

    make: Callable[[dict[str, Any]], Any]
    required: Mapping[str, Check]
    optional: Mapping[str, Check]

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key, those required first."""
        return (*self.required, *self.optional)


def now() -> int:
    """This machine's clock, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def event(
    line: Mapping[str, Any], *, settings: IngestSettings = DEFAULTS, at: int | None = None
) -> Event:
    """One line of the wire as an event; `at` (ms) is the present, this machine's clock if None.

    Raises CallError, in one sentence that names the value, for whatever is not the wire format.
    """
    kind = line.get("type")
    shape = SHAPES.get(kind) if isinstance(kind, str) else None
    if shape is None:
        raise CallError(f"type {shown(kind)} is unknown; it is one of {', '.join(SHAPES)}.")
    limits = bounds(settings, now() if at is None else at)
    made: Event = shape.make(_filled(shape, f"{kind} ", line, limits))
    return made


def line(event: Event) -> dict[str, Any]:
    """An event as its line of the wire, without what is null or the default: `event`'s inverse."""
    return {"type": NAMES[type(event)]} | _written(event)


def action_id(values: Mapping[str, Any]) -> str:
    """The id of an action that was given none: a hash of all that it says."""
    said = [values.get(key) for key in ("viewer", "kind", "at", "post", "account")]
    said += [values.get(key) for key in ("seconds", "request")]
    return hashlib.blake2b(_canonical(["action", *said]).encode(), digest_size=16).hexdigest()


def _filled(shape: Shape, kind: str, line: Mapping[str, Any], limits: Bounds) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in line.items():
        if key == "type" and shape is not MEDIA:
            continue
        required = shape.required.get(key)
        check = required or shape.optional.get(key)
        if check is None:
            known = ", ".join(shape.keys)
            raise CallError(f"{kind}key {shown(key)} is unknown; the keys are {known}.")
        if value is not None or required:
            values[key] = check(f"{kind}{key}", value, limits)
    for key in shape.required:
        if key not in values:
            raise CallError(f"{kind}key {key} is missing; add it.")
    return values


def _media(key: str, value: object, limits: Bounds) -> tuple[Media, ...]:
    if type(value) not in {list, tuple} or not isinstance(value, list | tuple):
        raise CallError(f"{key} is {shown(value)}; give a list of objects.")
    if len(value) > limits.settings.media_items:
        most = limits.settings.media_items
        raise CallError(f"{key} has {len(value)} items; at most {most} are taken in.")
    items = []
    for item in value:
        if not isinstance(item, Mapping):
            raise CallError(f"{key} holds {shown(item)}; give objects with a url.")
        items.append(MEDIA.make(_filled(MEDIA, "media ", item, limits)))
    return tuple(items)


def _media_kind(key: str, value: object, limits: Bounds) -> str:
    return fields.one_of(key, value, MEDIA_KINDS)


def _kind(key: str, value: object, limits: Bounds) -> ActionKind:
    return KINDS[fields.one_of(key, value, KINDS)]


def _what(key: str, value: object, limits: Bounds) -> str:
    return fields.one_of(key, value, DELETED)


def _label_source(key: str, value: object, limits: Bounds) -> str:
    source = fields.ident(key, value, limits)
    if source.startswith(HOUSE):  # the guard trusts such labels, so that none may come from outside
        raise CallError(
            f"{key} {shown(value)} begins with {HOUSE}, as those of this installation's own "
            "classifiers do; name another source."
        )
    return source


def _action(values: dict[str, Any]) -> Action:
    kind = values["kind"]
    if kind in ON_ACCOUNTS:
        if "account" not in values:
            raise CallError(f"action {kind} names no account; add the account it was done to.")
    elif "post" not in values and not (kind is ActionKind.REPORT and "account" in values):
        raise CallError(f"action {kind} names no post; add the post it was done to.")
    if "id" not in values:
        values["id"] = action_id(values)
    return Action(**values)


def _delete(values: dict[str, Any]) -> Delete:
    if values["what"] == "action" and "viewer" not in values:
        raise CallError("delete action names no viewer; add the viewer whose action it was.")
    if values["what"] != "action" and "viewer" in values:
        raise CallError(f"delete {values['what']} has a viewer; only an action's takes one.")
    return Delete(**values)


def _written(noun: Event | Media) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in dataclasses.fields(noun):
        value = getattr(noun, field.name)
        if value == field.default:
            continue
        if field.name in TIMES:
            value = iso(value)
        elif isinstance(value, ActionKind):
            value = str(value)
        elif isinstance(value, tuple):
            value = [_written(item) for item in value]
        values[field.name] = value
    return values


KINDS: Mapping[str, ActionKind] = {str(kind): kind for kind in ActionKind}

MEDIA = Shape(
    lambda values: Media(**values),
    {"url": fields.url},
    {
        "kind": _media_kind,
        "alt": fields.text,
        "mime": fields.name,
        "width": fields.pixels,
        "height": fields.pixels,
    },
)

SHAPES: Mapping[str, Shape] = {
    "post": Shape(
        lambda values: Post(**values),
        {"id": fields.ident, "author": fields.ident, "text": fields.text, "at": fields.time},
        {
            "rev": fields.whole,
            "lang": fields.language,
            "url": fields.url,
            "media": _media,
            "reply_to": fields.ident,
            "root": fields.ident,
            "repost_of": fields.ident,
            "source": fields.name,
        },
    ),
    "account": Shape(
        lambda values: Account(**values),
        {"id": fields.ident},
        {
            "name": fields.name,
            "birth_year": fields.birth_year,
            "country": fields.country,
            "hides_from_algorithms": fields.flag,
            "at": fields.time,
        },
    ),
    "action": Shape(
        _action,
        {"viewer": fields.ident, "kind": _kind, "at": fields.time},
        {
            "id": fields.ident,
            "post": fields.ident,
            "account": fields.ident,
            "seconds": fields.seconds,
            "request": fields.ident,
        },
    ),
    "label": Shape(
        lambda values: Label(**values),
        {
            "subject": fields.ident,
            "value": fields.ident,
            "source": _label_source,
            "at": fields.time,
        },
        {"confidence": fields.share, "until": fields.any_time, "negates": fields.flag},
    ),
    "delete": Shape(
        _delete,
        {"what": _what, "id": fields.ident, "at": fields.time},
        {"viewer": fields.ident},
    ),
}
"""Every type of line, with its keys and their checks."""

NAMES: Mapping[type[Event], str] = {
    Post: "post",
    Account: "account",
    Action: "action",
    Label: "label",
    Delete: "delete",
}
