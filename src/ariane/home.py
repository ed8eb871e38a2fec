"""A home: its `ariane.toml` made into settings, and where its checkpoints lie."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from pydantic import NonNegativeInt

from ariane.compose import Mix
from ariane.guard.policies import GuardSettings
from ariane.ingest import IngestSettings
from ariane.llm import LanguageModelSettings, check
from ariane.retrieve import RetrieveSettings
from ariane.settings import FILE, build, load_tables, section, template
from ariane.store.sqlite import StoreSettings as SqliteSettings
from ariane.targets import check_target
from ariane.types import PREDICTED, ActionKind, CallError, FeedSpec, Store
from ariane.why import WhySettings

FEED_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True)
class StoreSettings(SqliteSettings):
    """Where Ariane remembers, and how much of it a request is given."""

    kind: str = "sqlite"
    """The kind of store; sqlite is the one there is."""

    path: str = "ariane.db"
    """The store's file, seen from the home."""


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """How posts are read."""

    encoder: str = "use"
    """The sentence encoder; use is the multilingual one that comes with the package."""

    deepen: NonNegativeInt = 200
    """How many posts the language model of [llm] reads in one `ariane read`, and in one hour of
    serving; those first that need it most."""


@dataclass(frozen=True, slots=True)
class RankSettings:
    """How candidates are scored; what each action is worth stands in `[values]`."""

    sessions: NonNegativeInt = 1024
    """How many viewers' encoded histories are kept in memory."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All that `ariane.toml` sets, the server's part apart."""

    ingest: IngestSettings = field(default_factory=IngestSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    read: ReadSettings = ReadSettings()
    llm: LanguageModelSettings = field(default_factory=LanguageModelSettings)
    retrieve: RetrieveSettings = field(default_factory=RetrieveSettings)
    rank: RankSettings = RankSettings()
    guard: GuardSettings = field(default_factory=GuardSettings)
    compose: Mix = field(default_factory=Mix)
    why: WhySettings = field(default_factory=WhySettings)
    values: Mapping[ActionKind, float] | None = None
    feeds: Mapping[str, FeedSpec] | None = None


_VALUES = (
    "\n[values]\n# What each action that the ranker predicts is worth in the score.\n"
    + "".join(f"# {kind.value} = {kind.value_by_default}\n" for kind in PREDICTED)
)

_FEEDS = """
# A feed of your own:
# [feeds.french-science]
# title = { en = "French science", fr = "Sciences en français" }
# languages = ["fr"]
# wishes = [{ id = "science", target = "topic:science", direction = 1, strength = 0.7 }]
"""


def init(home: Path, **others: object) -> Path:
    """Write a commented `ariane.toml` into a home that has none; `others` are tables beside."""
    own = Settings()
    tables = {
        name: getattr(own, name)
        for name in ("ingest", "store", "read", "llm", "retrieve", "rank", "guard")
    }
    text = template({**tables, "compose": own.compose, "why": own.why, **others}) + _VALUES + _FEEDS
    path = home / FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise CallError(f"{path} exists already; edit that one.") from None
    return path


def runs(home: Path) -> Path:
    """Where a home's checkpoints lie, one directory a run."""
    return home / "models"


def new_run(home: Path, part: str) -> Path:
    """The directory of a run that is about to be trained: PART-N, one more than the last."""
    taken = [
        int(path.name.rpartition("-")[2])
        for path in runs(home).glob(f"{part}-*")
        if path.name.rpartition("-")[2].isdigit()
    ]
    return runs(home) / f"{part}-{max(taken, default=0) + 1}"


def read_settings(home: Path) -> Settings:
    """The settings of a home, every key known and every value of its type."""
    tables = load_tables(home)
    known = (*Settings.__dataclass_fields__, "serve")
    for name, table in tables.items():
        if name not in known:
            raise CallError(f"[{name}] in {home / FILE} is no table; there are {', '.join(known)}.")
        if not isinstance(table, Mapping):
            raise CallError(f"[{name}] in {home / FILE} must be a table, not {table!r}.")
    return Settings(
        ingest=section(tables, "ingest", IngestSettings),
        store=section(tables, "store", StoreSettings),
        read=section(tables, "read", ReadSettings),
        llm=check(section(tables, "llm", LanguageModelSettings)),
        retrieve=section(tables, "retrieve", RetrieveSettings),
        rank=section(tables, "rank", RankSettings),
        guard=section(tables, "guard", GuardSettings),
        compose=section(tables, "compose", Mix),
        why=section(tables, "why", WhySettings),
        values=worth_of(tables.get("values", {})),
        feeds={name: _feed(name, table) for name, table in tables.get("feeds", {}).items()},
    )


def _feed(name: str, table: object) -> FeedSpec:
    where = f"[feeds.{name}]"
    if not isinstance(table, Mapping) or "name" in table:
        raise CallError(f"{where} in {FILE} must be a table without a name of its own.")
    if not FEED_NAME.fullmatch(name):
        raise CallError(f"{where} in {FILE} is no feed name; use a-z, 0-9 and hyphens.")
    spec = build({"name": name, **table}, where, FeedSpec)
    unknown = set(spec.sources) - set(RetrieveSettings.parts)
    if unknown:
        there = ", ".join(RetrieveSettings.parts)
        raise CallError(f"{where} sources names {min(unknown)}; there are {there}.")
    for wish in spec.wishes:
        check_target(wish.target)
    return spec


def checkpoint(home: Path, store: Store, part: str) -> Path | None:
    """The promoted checkpoint of a part, or None where none is."""
    name = store.promoted(part)
    return None if name is None else runs(home) / name


def worth_of(table: Mapping[str, object]) -> dict[ActionKind, float]:
    """What each predicted action is worth in the score, by a table or by default."""
    predicted = {kind.value: kind for kind in PREDICTED}
    worth = {kind: kind.value_by_default for kind in PREDICTED}
    for name, value in table.items():
        if name not in predicted:
            raise CallError(f"[values] {name} in {FILE} is no action that the ranker predicts.")
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise CallError(f"[values] {name} in {FILE} cannot be {value!r}; give a number.")
        worth[predicted[name]] = float(value)
    return worth
