"""Events as the tests of this room draw them, and the store they go into."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from ariane.ingest.source import Records, Reject, Source
from ariane.ingest.targets import open_body
from ariane.ingest.wire import ON_ACCOUNTS, action_id, line
from ariane.types import HOUSE, Account, Action, ActionKind, Delete, Event, Label, Media, Post

NOW = 1_777_636_800_000  # 2026-05-01T12:00:00Z
LIKE: Mapping[str, Any] = {
    "type": "action",
    "viewer": "v1",
    "post": "p1",
    "kind": "like",
    "at": "2026-05-01T11:05:00Z",
}
POST: Mapping[str, Any] = {
    "type": "post",
    "id": "p1",
    "author": "a1",
    "text": "Bonjour",
    "at": "2026-05-01T11:00:00Z",
}

_no_controls = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
ids = st.text(_no_controls, min_size=1, max_size=20)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=60).map(
    lambda text: "".join(c for c in text if c in "\t\n\r" or (c >= " " and c != "\x7f"))
)
times = st.integers(-62_135_596_800_000, NOW)  # from the year 1
urls = st.from_regex(r"https?://[a-z]{1,9}\.example/[a-z0-9]{0,9}", fullmatch=True)
languages = st.from_regex(r"[a-z]{2}", fullmatch=True)
sizes = st.none() | st.integers(1, 4000)

media = st.builds(
    Media,
    url=urls,
    kind=st.sampled_from(["image", "video", "audio", "link"]),
    alt=st.none() | texts,
    mime=st.none() | st.just("image/png"),
    width=sizes,
    height=sizes,
)
posts = st.builds(
    Post,
    id=ids,
    author=ids,
    text=texts,
    at=times,
    rev=st.integers(0, 2**63 - 1),
    lang=st.none() | languages,
    url=st.none() | urls,
    media=st.lists(media, max_size=3).map(tuple),
    reply_to=st.none() | ids,
    root=st.none() | ids,
    repost_of=st.none() | ids,
    source=st.just("") | ids,
)
accounts = st.builds(
    Account,
    id=ids,
    name=st.none() | ids,
    birth_year=st.none() | st.integers(1900, 2026),
    country=st.none() | st.sampled_from(["FR", "US"]),
    hides_from_algorithms=st.booleans(),
    at=st.none() | times,
)
labels = st.builds(
    Label,
    subject=ids,
    value=ids,
    source=ids.filter(lambda source: not source.startswith(HOUSE)),
    at=times,
    confidence=st.floats(0, 1),
    until=st.none() | st.integers(0, 10**13),
    negates=st.booleans(),
)
deletes = st.builds(
    Delete, what=st.sampled_from(["post", "account"]), id=ids, at=times
) | st.builds(Delete, what=st.just("action"), id=ids, at=times, viewer=ids)


@st.composite
def actions(draw: st.DrawFn) -> Action:
    """An action under an id of its own, or under the one that it gets when it gives none."""
    kind = draw(st.sampled_from(list(ActionKind)))
    on_account = kind in ON_ACCOUNTS
    values = {
        "viewer": draw(ids),
        "kind": kind,
        "at": draw(times),
        "post": draw(st.none() | ids if on_account else ids),
        "account": draw(ids if on_account else st.none() | ids),
        "seconds": draw(st.none() | st.floats(0, 86_400)),
        "request": draw(st.none() | ids),
    }
    return Action(id=draw(st.none() | ids) or action_id(values), **values)


events: st.SearchStrategy[Event] = posts | accounts | labels | deletes | actions()


def written(lines: Iterable[Mapping[str, Any] | Event]) -> str:
    """Lines of the wire as JSONL."""
    dicts = [one if isinstance(one, Mapping) else line(one) for one in lines]
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in dicts)


def rejected(path: Path) -> list[dict[str, Any]]:
    """What a rejects file holds."""
    return [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]


def source(body: bytes, place: str = "/data/talk/file", **more: Any) -> Source:
    """Bytes as a source, at a fixed present."""
    return Source(place, partial(open_body, body), now=lambda: NOW, **more)


def items(records: Records) -> list[Event | Reject]:
    """All that a reader gives."""
    found = list(records.items)
    records.close()
    return found
