"""Ingestion as a machine: whatever is written, repeated, damaged or cut off, one state comes of it.

Real files, a real store. The model is a dictionary of what must be live.
"""

from __future__ import annotations

import gzip
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.ingest.events import NOW, rejected, written
from tests.ingest.test_ingest import Failing

from ariane.ingest import IngestSettings, Report, ingest
from ariane.store.sqlite import SqliteStore
from ariane.types import Action, ActionKind, ArianeError, Delete, Event, Post

SMALL = IngestSettings(batch_events=2)
names = st.sampled_from(["a", "b", "c"])


class Ingestion(RuleBasedStateMachine):
    """Three files into which events, repeats, deletes and nonsense are written, and a store."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        (self.root / "in").mkdir()
        self.store = SqliteStore(self.root / "ariane.db")
        self.files: dict[str, list[Event | str]] = {}
        self.fresh = True
        self.serial = 0

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def add(self, name: str, *lines: Event | str) -> None:
        self.files.setdefault(name, []).extend(lines)
        self.fresh = False

    @rule(name=names, post=st.integers(0, 4), rev=st.integers(1, 3))
    def write_post(self, name: str, post: int, rev: int) -> None:
        text = f"text of revision {rev}"
        self.add(name, Post(f"p{post}", "author", text, NOW - 1000 + rev, rev))

    @rule(name=names, viewer=st.integers(0, 1), post=st.integers(0, 4), at=st.integers(0, 2))
    def write_action(self, name: str, viewer: int, post: int, at: int) -> None:
        given = f"{viewer} {post} {at}"
        self.add(name, Action(given, f"v{viewer}", ActionKind.LIKE, NOW - 500 + at, f"p{post}"))

    @rule(name=names, post=st.integers(0, 4))
    def delete_post(self, name: str, post: int) -> None:
        self.add(name, Delete("post", f"p{post}", NOW))

    @rule(name=names, viewer=st.integers(0, 1), post=st.integers(0, 4), at=st.integers(0, 2))
    def delete_action(self, name: str, viewer: int, post: int, at: int) -> None:
        self.add(name, Delete("action", f"{viewer} {post} {at}", NOW, f"v{viewer}"))

    @rule(name=names, wrong=st.sampled_from(["{", "[]", '{"type": "post"}', "\ufffd", "x" * 99]))
    def write_nonsense(self, name: str, wrong: str) -> None:
        self.serial += 1
        self.add(name, f"{wrong} {self.serial}")

    @precondition(lambda self: self.files)
    @rule(data=st.data())
    def write_again(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.files)))
        self.add(data.draw(names), *data.draw(st.permutations(self.files[name])))

    @precondition(lambda self: self.files)
    @rule(data=st.data())
    def reorder(self, data: st.DataObject) -> None:
        """Rewrite a file in another order: nothing of its position holds any more."""
        name = data.draw(st.sampled_from(sorted(self.files)))
        self.files[name] = data.draw(st.permutations(self.files[name]))
        self.fresh = False

    @rule(name=names, post=st.integers(0, 4))
    def write_at_the_beginning(self, name: str, post: int) -> None:
        """Rewrite a file with another first line: what was taken in stands elsewhere now."""
        first = Post(f"p{post}", "author", "the latest text", NOW, 4)
        self.files[name] = [first, *self.files.get(name, [])]
        self.fresh = False

    @rule(writes=st.integers(0, 4), packed=st.booleans(), cut=st.integers(1, 40))
    def take_in_and_fail(self, writes: int, packed: bool, cut: int) -> None:
        """The store fails after some batches, over files whose last line may be half written."""
        self.save(packed, cut)
        with suppress(ArianeError):
            self.ingest(Failing(self.store, writes))
        self.fresh = False

    @rule(packed=st.booleans(), restart=st.booleans())
    def take_in(self, packed: bool, restart: bool) -> None:
        self.save(packed)
        if restart:
            self.store.close()
            self.store = SqliteStore(self.root / "ariane.db")
        self.ingest(self.store)
        assert self.ingest(self.store) == Report()
        self.fresh = True

    def save(self, packed: bool, cut: int = 0) -> None:
        for name, lines in self.files.items():
            text = "".join(one + "\n" if isinstance(one, str) else written([one]) for one in lines)
            body = text.encode()[: len(text.encode()) - cut or None]
            path = self.root / "in" / f"{name}.jsonl"
            path.write_bytes(gzip.compress(body) if packed else body)

    def ingest(self, store: Any) -> Report:
        if not self.files:
            return Report()
        rejects = self.root / "rejects"
        return ingest(store, str(self.root / "in"), rejects=rejects, settings=SMALL)

    @invariant()
    def the_store_holds_what_the_lines_say(self) -> None:
        if not self.fresh:
            return
        lines = [one for lines in self.files.values() for one in lines]
        gone = {(one.what, one.id) for one in lines if isinstance(one, Delete)}
        posts: dict[str, Post] = {}
        for one in lines:
            if isinstance(one, Post) and ("post", one.id) not in gone:
                held = posts.get(one.id)
                posts[one.id] = one if held is None or one.rev > held.rev else held
        actions = {
            one.id: one
            for one in lines
            if isinstance(one, Action) and ("action", one.id) not in gone
        }
        assert self.store.posts([f"p{number}" for number in range(5)]) == posts
        assert {one.id: one for one in self.store.actions()} == actions
        nonsense = {one for one in lines if isinstance(one, str)}
        if nonsense:
            assert nonsense <= {one["text"] for one in rejected(self.root / "rejects")}


Ingestion.TestCase.settings = settings(
    max_examples=int(os.environ.get("MACHINE_EXAMPLES", "40")), stateful_step_count=30
)
TestIngestion = Ingestion.TestCase
