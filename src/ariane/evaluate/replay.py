"""What happened, predicted again: a run against its baselines on exposures later than its training.

Each source (`Post.source`) is cut in time by itself. The ranker's weights are frozen at the cut;
a viewer's history is live, those actions after the cut included. Candidates are the posts that the
viewer was first shown after the cut, seen posts included, so that each has a known answer; not the
viewer's own ones, which no feed shows.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from ariane.evaluate.baselines import baselines
from ariane.evaluate.importance import importances
from ariane.evaluate.trial import METRICS, K, Reals, Trial
from ariane.rank.model import CONFIG, RankerModel
from ariane.train.examples import Bools, Examples, load_examples, lots
from ariane.types import ActionKind, ArianeError, CallError, Store

LIKELY = ("ranker", "popularity", "logistic", "logistic_live")
"""Methods whose scores are probabilities."""
ALIKE = ("until", "size", "seed", "recipe")
"""What runs that are compared were all trained with."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run that is to be evaluated may see: each source until its cut, and which posts."""

    until: Mapping[str, int]
    withheld: frozenset[str]


def plan(store: Store, *, share: float = 0.8, withhold: float = 0.2, seed: int = 0) -> Plan:
    """Cuts after this share of each source's actions in time, and this share of its posts.

    Actions of the same millisecond fall on one side. Raises CallError for a share that leaves
    nothing on one side, and ArianeError where there is no action on a post.
    """
    if not 0.0 < share < 1.0:
        raise CallError(
            f"A holdout of {1.0 - share:g} leaves nothing to train on or to test: give a share "
            "between 0 and 1, such as 0.2."
        )
    times: defaultdict[str, list[int]] = defaultdict(list)
    acted = [(action.post, action.at) for action in store.actions() if action.post is not None]
    sources: dict[str, str] = {}
    for some in lots(sorted({post for post, _ in acted})):
        sources |= {post.id: post.source for post in store.posts(some).values()}
    for post, at in acted:
        if post in sources:
            times[sources[post]].append(at)
    if not times:
        raise ArianeError("No action on a post was found to evaluate on: ingest some first.")
    cuts = {source: each[int(share * len(each))] - 1 for source, each in sorted(times.items())}
    return Plan(cuts, frozenset(post for post in sources if _drawn(post, seed) < withhold))


def evaluate(
    store: Store,
    run: Path,
    *,
    blind: Path | None = None,
    cold: tuple[Path, Path] | None = None,
    known: Callable[[str, str], float] | None = None,
    kind: ActionKind = ActionKind.LIKE,
    seed: int = 0,
    draws: int = 2000,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """The result of a run as JSON values; docs/evaluate.md names every key.

    `blind` is a run that was trained alike but without readings; `cold` are a run that was trained
    without some posts, and its blind twin, compared on those posts. `known` is the true value of a
    viewer's liking a post, where it was planted: the ceiling. Raises CallError for a run that was
    trained without a cut for each source, or otherwise not like the one it is compared with.
    """
    say = progress or _quiet
    ranker, trained = _load(run)
    twin = _twin(blind, trained) if blind else None
    pair = _cold(cold, trained) if cold else None
    say("evaluate: reading the store")
    examples = load_examples(store, own=True, seed=seed)
    before, later = sides(examples, trained["until"])
    after = later & ~examples.own
    trial = Trial(examples, kind, draws, seed)
    say(f"evaluate: {int(after.sum())} exposures after the cut, against the baselines")
    scores = baselines(examples, before, kind, seed).scores()
    told = {"ranker": trial.forecast(ranker, after)}
    told |= {name: score[after] for name, score in scores.items()}
    if known:
        told["ceiling"] = _ceiling(examples, after, known)
    entries = {name: trial.entry(score, after) for name, score in told.items()}
    result: dict[str, Any] = {"protocol": trial.protocol(trained["until"], before, later)}
    result |= {name: entry.means() for name, entry in entries.items()}
    for name in LIKELY:
        result[name]["ece"] = trial.calibration(told[name], after)
    mine = entries.pop("ranker")
    entries.pop("ceiling", None)
    result["differences"] = {name: trial.difference(mine, each) for name, each in entries.items()}
    result["won"] = won(result["differences"])
    say("evaluate: without each group of inputs")
    result["importances"] = importances(ranker, examples, after, trial.head, draws=draws, seed=seed)
    result["reading"] = {}
    if twin:
        say("evaluate: with and without the readings")
        result["reading"]["warm"] = trial.reading(after, ranker, twin)
    if pair:
        say("evaluate: with and without the readings, on withheld posts")
        read, unread, withheld = pair
        new = after & np.isin(np.array(examples.posts), withheld)[examples.post]
        result["reading"]["withheld"] = trial.reading(new, read, unread)
    return result


def rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A result as a table: one row a method, what it reached and how far the ranker is ahead."""
    table = []
    for name in ("ranker", *(["ceiling"] if "ceiling" in result else []), *result["differences"]):
        ahead = result["differences"].get(name, {})
        row = {"method": name}
        for metric in METRICS:
            row[metric] = _number(result[name][metric])
            row[f"ranker ahead, {metric}"] = _interval(ahead.get(metric))
        table.append(row)
    for name, pair in result["reading"].items():
        row = {"method": f"reading, {name} posts"}
        for metric in METRICS:
            row[metric] = _number(pair["with"][metric])
            row[f"ranker ahead, {metric}"] = _interval(pair["difference"][metric])
        table.append(row)
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _interval(value: list[float] | None) -> str:
    return "" if value is None else f"{value[1]:+.4f} ({value[0]:+.4f} to {value[2]:+.4f})"


def _ceiling(examples: Examples, chosen: Bools, known: Callable[[str, str], float]) -> Reals:
    """The true value of each chosen exposure."""
    pairs = zip(examples.viewer[chosen].tolist(), examples.post[chosen].tolist(), strict=True)
    return np.array(
        [known(examples.viewers[viewer], examples.posts[post]) for viewer, post in pairs]
    )


def sides(examples: Examples, until: Mapping[str, int]) -> tuple[Bools, Bools]:
    """The exposures up to their source's cut, and those after it; neither where there is none."""
    known = np.array([source in until for source in examples.sources])
    cuts = np.array([until.get(source, 0) for source in examples.sources], np.int64)
    known, later = known[examples.post], examples.at > cuts[examples.post]
    return known & ~later, known & later


def won(differences: Mapping[str, Mapping[str, list[float] | None]]) -> dict[str, bool]:
    """Ahead of every baseline: on AUC with its whole interval, on NDCG not below."""
    area, gain = ([each[metric] for each in differences.values()] for metric in METRICS)
    return {
        "auc": all(interval is not None and interval[0] > 0 for interval in area),
        f"ndcg@{K}": all(interval is not None and interval[1] >= 0 for interval in gain),
    }


def _load(run: Path) -> tuple[RankerModel, dict[str, Any]]:
    """A run's model, and what its training kept about itself."""
    model = RankerModel.load(run)
    about: dict[str, Any] = json.loads((run / CONFIG).read_bytes())["training"]
    if not isinstance(about.get("until"), dict):
        raise CallError(
            f"The run {run.name} was trained without a cut for each source, so that nothing is "
            "left to evaluate it on: train one by `ariane train ranker --holdout 0.2`."
        )
    return model, about | {"run": run.name, "size": model.config.size}


def _twin(run: Path, trained: Mapping[str, Any]) -> RankerModel:
    """The model of a run that was trained like another one, but without readings."""
    model, about = _load(run)
    _compare(about, trained, (*ALIKE, "withheld"))
    for each, reading in ((trained, True), (about, False)):
        if each["reading"] is not reading:
            raise CallError(
                f"The run {each['run']} was trained {'without' if reading else 'with'} readings: "
                "compare a run with them and its twin without."
            )
    return model


def _cold(
    runs: tuple[Path, Path], trained: Mapping[str, Any]
) -> tuple[RankerModel, RankerModel, list[str]]:
    """The models of a run trained without some posts and of its blind twin, and these posts."""
    model, about = _load(runs[0])
    _compare(about, trained, ALIKE)
    return model, _twin(runs[1], about), about["withheld"]


def _compare(about: Mapping[str, Any], other: Mapping[str, Any], keys: Sequence[str]) -> None:
    """Raises CallError unless two runs were trained alike in these."""
    for key in keys:
        if about[key] != other[key]:
            raise CallError(
                f"The runs {other['run']} and {about['run']} differ in {key!r}: train both alike."
            )


def _drawn(post: str, seed: int) -> float:
    """A number in [0, 1) that a post keeps whatever else the store holds."""
    digest = blake2b(f"{seed}:{post}".encode("utf8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _quiet(_: str) -> None:
    pass
