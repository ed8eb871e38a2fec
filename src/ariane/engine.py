"""The engine: `ariane.toml` and promoted checkpoints made into parts; the one place of choice."""

from __future__ import annotations

import gc
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, runtime_checkable

from threadpoolctl import threadpool_limits

from ariane.compose import Mix
from ariane.guard.policies import GuardSettings, Policy, load_policies, policy_rules
from ariane.guard.rules import BEFORE
from ariane.home import (
    RankSettings,
    Settings,
    StoreSettings,
    checkpoint,
    read_settings,
    runs,
    worth_of,
)
from ariane.llm import LanguageModelSettings, open_llm
from ariane.read.llm import LanguageReader
from ariane.read.opinion import Opinion
from ariane.retrieve import Sources, VectorFile, refresh
from ariane.settings import build
from ariane.steer import wish_term
from ariane.types import (
    FOLLOWING,
    FOR_YOU,
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

log = logging.getLogger(__name__)

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
        run = checkpoint(self.home, self.store, "reader")
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
        run = checkpoint(self.home, self.store, "reader")
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
            value=Value(worth_of(recipe["values"]), self.value.terms),
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
    towers = _part("source.towers").open(checkpoint(home, store, "retriever"), folder, each)
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
    promoted = checkpoint(home, store, "ranker")
    rungs = (recent,) if promoted is None else (*_session(promoted, settings), recent)
    ranker: Ranker = _part("ranker.ladder")(rungs)
    return ranker


def _session(checkpoint: Path, settings: RankSettings) -> tuple[Ranker, ...]:
    try:
        model = _part("ranker.model").load(checkpoint)
    except ArianeError as error:
        log.error("serving recent-and-safe, since the promoted ranker does not load: %s", error)
        return ()
    return (_part("ranker.session")(model, sessions=settings.sessions),)


@cache
def _encoder(name: str) -> Encoder:
    """One encoder a process, whatever is swapped around it."""
    encoder: Encoder = _part(f"encoder.{name}")()
    return encoder


_opened = cache(open_llm)
_opening = Lock()


def _llm(settings: LanguageModelSettings, home: Path) -> LanguageModel | None:
    """One language model a process, whatever is swapped around it and however many ask first."""
    with _opening:  # it takes seconds, in which another thread would open a second one
        return _opened(settings, home)


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
