"""The engine: `ariane.toml` and promoted checkpoints made into parts; the one place of choice."""

from __future__ import annotations

import gc
import logging
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache, cached_property
from importlib import import_module
from math import isfinite
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from pydantic import NonNegativeInt
from threadpoolctl import threadpool_limits

from ariane.compose import Mix
from ariane.guard.policies import GuardSettings, Policy, load_policies, policy_rules
from ariane.guard.rules import BEFORE
from ariane.ingest import IngestSettings
from ariane.llm import LanguageModelSettings, check, open_llm
from ariane.read.llm import LanguageReader
from ariane.read.opinion import Opinion
from ariane.retrieve import RetrieveSettings, Sources, VectorFile, refresh
from ariane.settings import FILE, build, load_tables, section, template
from ariane.steer import wish_term
from ariane.store.sqlite import StoreSettings as SqliteSettings
from ariane.targets import check_target
from ariane.types import (
    FOLLOWING,
    FOR_YOU,
    PREDICTED,
    ActionKind,
    ArianeError,
    Ask,
    CallError,
    Candidate,
    Classify,
    Encoder,
    Feed,
    FeedSpec,
    LanguageModel,
    NotFoundError,
    Page,
    Ranker,
    Reader,
    Reason,
    Rule,
    Source,
    Store,
    Value,
    Vector,
    Viewer,
    WithdrawnError,
)
from ariane.why import WhySettings

log = logging.getLogger(__name__)

FEED_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")

PARTS: Mapping[str, str] = {
    "store.sqlite": "ariane.store.sqlite:SqliteStore",
    "encoder.use": "ariane.read.encoder:SentenceEncoder",
    "reader": "ariane.read.reader:EncoderReader",
    "deeper": "ariane.read.llm:LanguageReader",
    "opinion": "ariane.read.opinion:opinion",
    "classify": "ariane.guard.classify:Classifier",
    "source.following": "ariane.retrieve.following:Following",
    "source.nearest": "ariane.retrieve.nearest:Nearest",
    "source.towers": "ariane.retrieve.towers:Towers",
    "source.fresh": "ariane.retrieve.fresh:Fresh",
    "source.wished": "ariane.retrieve.wished:Wished",
    "ranker.model": "ariane.rank.model:RankerModel",
    "ranker.session": "ariane.rank.session:SessionRanker",
    "ranker.recent": "ariane.rank.recent:RecentRanker",
    "ranker.ladder": "ariane.rank.ladder:Ladder",
}
"""The named parts that settings choose among; the only late imports of this file."""


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


@runtime_checkable
class Passing(Protocol):
    """A ranker with a cache, which histories that never were should not fill."""

    def passing(self) -> Ranker:
        """The same ranker, its cache only read."""


@dataclass(frozen=True)
class Engine:
    """Every part of a request, chosen and frozen: a hot swap replaces the whole."""

    home: Path
    settings: Settings
    store: Store
    sources: Sources
    before: tuple[Rule, ...]
    ranker: Ranker
    value: Value
    policies: tuple[Policy, ...]
    after: tuple[Rule, ...]
    mix: Mix

    @property
    def encoder(self) -> Encoder:
        """The encoder of texts; one a process, loaded when it is first asked for."""
        return _encoder(self.settings.read.encoder)

    @cached_property
    def reader(self) -> Reader:
        """The reader, with the promoted student's heads where there is one.

        No request needs it, so that it is loaded when a post is first read. A student that cannot
        be loaded is told in the log, and the heads of the package read.
        """
        run = _checkpoint(self.home, self.store, "reader")
        try:
            reader: Reader = _part("reader")(self.encoder, run)
        except ArianeError as error:
            log.error("the package's heads read, since the student does not load: %s", error)
            reader = _part("reader")(self.encoder)
        return reader

    @cached_property
    def deeper(self) -> LanguageReader | None:
        """What reads with the language model, or None without one."""
        if self.llm is None or not self.settings.read.deepen:
            return None
        deeper: LanguageReader = _part("deeper")(self.encoder.name, self.llm, self.opinion)
        return deeper

    @cached_property
    def opinion(self) -> Opinion | None:
        """The promoted student's second opinion of the model; None without one that loads."""
        run = _checkpoint(self.home, self.store, "reader")
        if run is None:
            return None
        try:
            opinion: Opinion | None = _part("opinion")(self.encoder.name, run)
        except ArianeError as error:
            log.error("what the model says stands, since the student does not load: %s", error)
            return None
        return opinion

    @cached_property
    def classify(self) -> Classify:
        """What draws labels from readings, at take-in."""
        classify: Classify = _part("classify")()
        return classify

    @cached_property
    def llm(self) -> LanguageModel | None:
        """The language model, or None where the settings name none; no request waits for it.

        None too, told in the log, where the extra that brings its client is missing.
        """
        try:
            return _llm(self.settings.llm, self.home)
        except CallError as error:
            log.error("all goes on without a language model: %s", error)
            return None

    @property
    def feeds(self) -> dict[str, FeedSpec]:
        """Every feed by name: the house's two, the operator's file, those that were written."""
        house = {spec.name: spec for spec in (FOR_YOU, FOLLOWING)}
        return {**house, **(self.settings.feeds or {}), **self.store.feeds()}

    def spec(self, name: str) -> FeedSpec:
        """A feed by name; NotFoundError where there is none."""
        feeds = self.feeds
        if name not in feeds:
            raise NotFoundError(f"{name} is no feed here; the feeds are {', '.join(feeds)}.")
        return feeds[name]

    def ask(
        self,
        viewer: str | None,
        feed: str = FOR_YOU.name,
        *,
        at: int,
        size: int = 20,
        after: str | None = None,
        surface: str = "home",
        language: str = "en",
        profiled: bool = True,
    ) -> Ask:
        """One request, with an id of its own, to a feed by name."""
        name = secrets.token_hex(16)
        return Ask(name, viewer, at, self.spec(feed), size, after, surface, language, profiled)

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """The settings that arrange a page, as JSON values, for its receipt."""
        return {
            "values": {kind.value: worth for kind, worth in self.value.kinds.items()},
            "compose": asdict(self.mix),
            "guard": asdict(self.settings.guard),
            "policies": [policy.name for policy in self.policies],
        }

    def receipt(self, ask: Ask, viewer: Viewer, page: Page, reasons: tuple[Reason, ...]) -> Feed:
        """A page as served: with the candidates that could reach it, which is what replay needs."""
        return Feed(ask, viewer, self._reachable(page), reasons, page.model, self.recipe)

    def _reachable(self, page: Page) -> Page:
        return replace(page, ranked=page.ranked[: max(self.mix.pool, len(page.items))])

    def holding(self, page: Page) -> Engine:
        """The same engine with this page's candidates and the ranker that scored them, no others.

        What `why` and replay arrange with: their claims are among these candidates. Raises
        WithdrawnError where that ranker is gone.
        """
        reach: tuple[Candidate, ...] = tuple(
            ranked.candidate for ranked in self._reachable(page).ranked
        )
        removed = tuple(removed.candidate for removed in page.removed)
        held = replace(self.sources, held=reach + removed)
        return replace(self, sources=held, ranker=self._ranker_of(page.model))

    def as_served(self, feed: Feed) -> Engine:
        """The engine that arranged a feed: its candidates, its ranker, its settings.

        Raises WithdrawnError where the ranker or a policy is no longer what it was.
        """
        recipe = feed.recipe
        if recipe["policies"] != self.recipe["policies"]:
            raise WithdrawnError(
                f"request {feed.ask.id} was guarded by {', '.join(recipe['policies'])}, which are "
                "not the policies of this version; replay it with the version that served it."
            )
        guarding = build(recipe["guard"], "the recipe's guard", GuardSettings)
        then = replace(
            self,
            value=Value(_values(recipe["values"]), self.value.terms),
            mix=build(recipe["compose"], "the recipe's compose", Mix),
            after=policy_rules(self.policies, guarding),
        )
        return then.holding(feed.page)

    def _ranker_of(self, model: str) -> Ranker:
        rungs: Sequence[Ranker] = getattr(self.ranker, "rungs", (self.ranker,))
        for rung in rungs:
            if model in ("", rung.name):
                return rung.passing() if isinstance(rung, Passing) else rung
        session = _session(runs(self.home) / model, self.settings.rank)
        if not session:
            raise WithdrawnError(f"the ranker {model} is gone, and with it what it arranged.")
        return session[0]

    def refresh(self) -> int:
        """Let the vector files follow the store; how many readings they took in."""
        return refresh(self.sources)


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
        values=_values(tables.get("values", {})),
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


def open_store(home: Path) -> Store:
    """The store of a home."""
    return _store(home, read_settings(home).store)


def load(home: Path) -> Engine:
    """The engine of a home: its settings, its store, and the checkpoints promoted there.

    Without a promoted ranker, or with one that cannot be loaded, the feed is recent-and-safe; the
    log, the page's `model` and `/v1/health/ready` say so. The process computes on one thread a
    request from here on.
    """
    threadpool_limits(1, "blas")  # threads that spin for one another cost twice and gain nothing
    settings = read_settings(home)
    store = _store(home, settings.store)
    policies = load_policies()
    return Engine(
        home=home,
        settings=settings,
        store=store,
        sources=_sources(home, store, settings),
        before=BEFORE,
        ranker=_ranker(home, store, settings.rank),
        value=Value(settings.values or {}, (wish_term,)),
        policies=policies,
        after=policy_rules(policies, settings.guard),
        mix=settings.compose,
    )


def settle() -> None:
    """Leave what is loaded out of every later search for garbage, which held up requests."""
    gc.collect()
    gc.freeze()


def _part(name: str) -> Any:  # noqa: ANN401 - a part is whatever its table names
    if name not in PARTS:
        kind = name.partition(".")[0]
        there = ", ".join(key.partition(".")[2] for key in PARTS if key.startswith(f"{kind}."))
        raise CallError(f"{name.partition('.')[2]} is no {kind} that there is; choose {there}.")
    module, _, attribute = PARTS[name].partition(":")
    return getattr(import_module(module), attribute)


def _store(home: Path, settings: StoreSettings) -> Store:
    store: Store = _part(f"store.{settings.kind}")(home / settings.path, settings)
    return store


def _sources(home: Path, store: Store, settings: Settings) -> Sources:
    """The parts that look for posts, over the vector files in the home's `vectors`."""
    folder, chosen = home / "vectors", settings.retrieve
    vectors = VectorFile(folder / "posts", width=chosen.width, space=settings.read.encoder)
    encoder, each = _Encoding(settings.read.encoder), chosen.each
    towers = _part("source.towers").open(_checkpoint(home, store, "retriever"), folder, each)
    makers: dict[str, Callable[[], Source]] = {
        "following": lambda: _part("source.following")(store, each),
        "nearest": lambda: _part("source.nearest")(vectors, chosen.interests, each),
        "towers": lambda: towers,
        "fresh": lambda: _part("source.fresh")(store, vectors, each, chosen.fresh_hours),
        "wished": lambda: _part("source.wished")(store, vectors, encoder, each),
    }
    unknown = [name for name in chosen.parts if name not in makers]
    if unknown:
        raise CallError(f"[retrieve] parts names {unknown[0]}; there are {', '.join(makers)}.")
    parts = tuple(makers[name]() for name in chosen.parts)
    files = (vectors,) if towers.vectors is None else (vectors, towers.vectors)
    return Sources(store, parts, limit=chosen.limit, files=files)


def _ranker(home: Path, store: Store, settings: RankSettings) -> Ranker:
    """The promoted ranker over recent-and-safe; the latter alone where there is none."""
    recent: Ranker = _part("ranker.recent")()
    checkpoint = _checkpoint(home, store, "ranker")
    rungs = (recent,) if checkpoint is None else (*_session(checkpoint, settings), recent)
    ranker: Ranker = _part("ranker.ladder")(rungs)
    return ranker


def _session(checkpoint: Path, settings: RankSettings) -> tuple[Ranker, ...]:
    try:
        model = _part("ranker.model").load(checkpoint)
    except ArianeError as error:
        log.error("serving recent-and-safe, since the promoted ranker does not load: %s", error)
        return ()
    return (_part("ranker.session")(model, sessions=settings.sessions),)


def _checkpoint(home: Path, store: Store, part: str) -> Path | None:
    name = store.promoted(part)
    return None if name is None else runs(home) / name


@cache
def _encoder(name: str) -> Encoder:
    """One encoder a process, whatever is swapped around it."""
    encoder: Encoder = _part(f"encoder.{name}")()
    return encoder


@cache
def _llm(settings: LanguageModelSettings, home: Path) -> LanguageModel | None:
    """One language model a process, whatever is swapped around it."""
    return open_llm(settings, home)


@dataclass(frozen=True)
class _Encoding:
    """An encoder that is loaded when something is first encoded."""

    name: str

    @property
    def width(self) -> int:
        """The width of its vectors."""
        return _encoder(self.name).width

    def encode(self, texts: Sequence[str]) -> Vector:
        """Unit vectors, float32 (texts, width)."""
        return _encoder(self.name).encode(texts)


def _values(table: Mapping[str, object]) -> dict[ActionKind, float]:
    predicted = {kind.value: kind for kind in PREDICTED}
    values = {kind: kind.value_by_default for kind in PREDICTED}
    for name, value in table.items():
        if name not in predicted:
            raise CallError(f"[values] {name} in {FILE} is no action that the ranker predicts.")
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise CallError(f"[values] {name} in {FILE} cannot be {value!r}; give a number.")
        values[predicted[name]] = float(value)
    return values
