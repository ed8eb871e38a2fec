"""How this feed works, told from the engine that is live: the document that everyone may read.

It says what article 27 of the Digital Services Act (EU 2022/2065) asks of a recommender: the main
parameters, which of them weigh most and why, and how to change them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError, safe_open

from ariane.engine import Engine
from ariane.guard import DEMOTION
from ariane.home import runs
from ariane.rank.batch import CANDIDATE_NAMES, CONTEXT_NAMES, HISTORY_NAMES, POST_NAMES
from ariane.report.promote import CONFIG, WEIGHTS, signed_report
from ariane.report.words import (
    ABSENT,
    ACTIONS,
    GROUPS,
    INPUTS,
    OPTIONS,
    PLACES,
    RULES,
    STAGES,
    TERMS,
    TOKENS,
    WITHOUT,
    Words,
    words,
)
from ariane.steer.apply import SCALE
from ariane.types import PREDICTED, Rule

OTHERS: Final = ("vectors", "author", "post")
"""What a token holds beside its names."""

BASELINES: Final = ("random", "popularity", "recency", "knn", "logistic", "logistic_live")
"""Of the baselines in the report, those that are told of."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a stage does: a source, a rule, a policy, a named term."""

    name: str
    what: Words


@dataclass(frozen=True, slots=True)
class Stage:
    """One step from all posts to a page."""

    name: str
    title: Words
    what: Words
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Input:
    """One input of the ranker: of which token, and in which group its importance is measured."""

    token: str
    name: str
    group: str
    what: Words


@dataclass(frozen=True, slots=True)
class Worth:
    """What an action is worth in the score."""

    kind: str
    title: Words
    value: float


@dataclass(frozen=True, slots=True)
class Importance:
    """What AUC loses without a group of inputs, `[low, mid, high]`; None where it was not told."""

    group: str
    title: Words
    why: Words
    loss: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class Model:
    """The live ranker; `figures` are those of its signed report, None where none is valid.

    `until` is the last time that it learned from, "" where that was no fixed one; `key` the
    public key that signed the report.
    """

    name: str
    size: str
    parameters: int
    reader: str
    window: int
    until: str
    exposures: int
    viewers: int
    posts: int
    key: str | None
    figures: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Option:
    """One way to change what is shown, and where it is to be had."""

    name: str
    href: str
    what: Words


@dataclass(frozen=True, slots=True)
class Spec:
    """One named feed, with what its operator wishes for everyone."""

    name: str
    title: Words
    order: str
    sources: tuple[str, ...]
    languages: tuple[str, ...]
    max_age_hours: float | None
    wishes: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """The whole document; `model` is None where no trained ranker is live.

    `measured` says on how much `importances` were measured; both are empty where they were not.
    """

    stages: tuple[Stage, ...]
    values: tuple[Worth, ...]
    model: Model | None
    importances: tuple[Importance, ...]
    measured: Mapping[str, Any]
    tokens: Mapping[str, Words]
    inputs: tuple[Input, ...]
    absent: tuple[Words, ...]
    options: tuple[Option, ...]
    feeds: tuple[Spec, ...]

    def json(self) -> dict[str, Any]:
        """The document as JSON values."""
        told: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return told


def algorithm(engine: Engine) -> Algorithm:
    """How this feed works, of the engine as it is now."""
    model = _model(runs(engine.home) / engine.ranker.name)
    measured = dict((model.figures or {}).get("importances", {})) if model else {}
    losses: Mapping[str, list[float] | None] = measured.pop("loss", {})
    return Algorithm(
        stages=_stages(engine, model),
        values=tuple(
            Worth(kind.value, words(*ACTIONS[kind.value]), engine.value.kinds.get(kind, 0.0))
            for kind in PREDICTED
        ),
        model=model,
        importances=_importances(losses),
        measured=measured,
        tokens={
            name: words(*text, window=model.window if model else 0) for name, text in TOKENS.items()
        },
        inputs=_inputs() if model else (),
        absent=tuple(words(*text) for text in ABSENT),
        options=_options(model),
        feeds=tuple(
            Spec(
                spec.name,
                spec.title,
                spec.order,
                spec.sources,
                spec.languages,
                spec.max_age_hours,
                tuple(asdict(wish) for wish in spec.wishes),
            )
            for spec in engine.feeds.values()
        ),
    )


def _stages(engine: Engine, model: Model | None) -> tuple[Stage, ...]:
    """The stages in the order of `feed.arrange`."""
    mix, chosen = engine.mix, engine.settings.retrieve
    values: dict[str, Any] = {
        "limit": chosen.limit,
        "model": engine.ranker.name,
        "kinds": len(PREDICTED),
        "pool": mix.pool,
    }
    named = {**asdict(mix), "scale": SCALE, "demotion": DEMOTION}
    parts = {
        "retrieve": tuple(
            Part(one.name, words(*PLACES[one.name]))
            for one in engine.sources.parts
            if getattr(one, "vectors", one) is not None  # towers that no retriever was trained for
        ),
        "rules": tuple(Part(_name(rule), words(*RULES[_name(rule)])) for rule in engine.before),
        "policies": tuple(Part(one.name, one.title) for one in engine.policies),
        "terms": tuple(Part(name, words(*text, **named)) for name, text in TERMS.items()),
    }
    order = ("retrieve", "rules", "rank" if model else "recent", "value", "policies", "terms")
    said = {name: what for name, (_, what) in STAGES.items()}
    said.update({} if model else WITHOUT)
    return tuple(
        Stage(name, words(*STAGES[name][0]), words(*said[name], **values), parts.get(name, ()))
        for name in (*order, "page")
    )


def _options(model: Model | None) -> tuple[Option, ...]:
    """What one can change, said without a model where there is none."""
    instead = {} if model else WITHOUT
    return tuple(
        Option(name, at, words(*instead.get(name, text))) for name, (at, text) in OPTIONS.items()
    )


def _name(rule: Rule) -> str:
    return str(getattr(rule, "__name__", rule))


def _inputs() -> tuple[Input, ...]:
    """Every input of the ranker, by the names that its tokens have."""
    held = {
        "history": ("kind", "sign", *HISTORY_NAMES[1:], *OTHERS),
        "candidate": (*CANDIDATE_NAMES, *OTHERS),
        "context": CONTEXT_NAMES,
    }
    return tuple(
        Input(token, name, _group(token, name), words(*INPUTS[name]))
        for token, names in held.items()
        for name in names
    )


def _group(of: str, name: str) -> str:
    """The group of inputs in which `evaluate.importance` takes an input away."""
    if of != "candidate":
        return of
    singular = {"age": "ages", "author": "authors", "post": "posts", "vectors": "vectors"}
    return "aspects" if name in POST_NAMES else singular[name]


def _importances(losses: Mapping[str, list[float] | None]) -> tuple[Importance, ...]:
    """Every measured group, the most important first."""
    found = []
    for group, loss in losses.items():
        title, why = GROUPS[group]
        told = None if loss is None else (loss[0], loss[1], loss[2])
        found.append(Importance(group, words(*title), words(*why), told))
    return tuple(sorted(found, key=lambda one: -one.loss[1] if one.loss else 0.0))


def _model(run: Path) -> Model | None:
    """The live ranker, from its run; None where it is no trained one."""
    try:
        held = json.loads((run / CONFIG).read_text(encoding="utf-8"))
        config, trained = held["ranker"], held["training"]
        parameters = _parameters(run / WEIGHTS)
    except (OSError, KeyError, ValueError, SafetensorError):
        return None
    signed = signed_report(run)
    return Model(
        name=config["name"],
        size=config["size"],
        parameters=parameters,
        reader=config["reader"],
        window=config["window"],
        until=_day(trained.get("until")),
        exposures=trained.get("exposures", 0),
        viewers=trained.get("viewers", 0),
        posts=trained.get("posts", 0),
        key=signed["key"] if signed else None,
        figures=_figures(signed["report"]["figures"]) if signed else None,
    )


def _parameters(weights: Path) -> int:
    """How many numbers the model holds."""
    total = 0
    with safe_open(weights, framework="numpy") as file:
        for name in file.keys():  # noqa: SIM118 - an open file is no mapping
            size = 1
            for length in file.get_slice(name).get_shape():
                size *= length
            total += size
    return total


def _day(until: Mapping[str, int] | int | None) -> str:
    """The last day that was learned from."""
    last = max(until.values(), default=None) if isinstance(until, Mapping) else until
    return "" if last is None else f"{datetime.fromtimestamp(last / 1000, UTC):%Y-%m-%d}"


def _figures(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Of a report's figures, those that this document tells."""
    told = {name: figures[name] for name in ("ranker", "won", "importances") if name in figures}
    if "protocol" in figures:
        told["protocol"] = {**figures["protocol"], "until": None}
    ahead = figures.get("differences", {})
    told["differences"] = {name: ahead[name] for name in BASELINES if name in ahead}
    return told
