"""Against the planted truth of a simulated world: what was read, and the reasons that are given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ariane.engine import Engine
from ariane.evaluate.world import Person, World, true
from ariane.feed import for_you
from ariane.metrics import macro_f1
from ariane.types import Feed, Past, Reading, Reason, Store

ASPECTS: Final = ("topic", "tone", "intent", "format")
LOTS: Final = 500


def read_rightly(store: Store, world: World) -> list[dict[str, Any]]:
    """Accuracy and macro-F1 of each aspect by language, over all posts of the world that were read.

    What the reader left unnamed counts as wrong; `named` is the share that it named.
    """
    readings = dict(_readings(store, list(world.truths)))
    rows = []
    for aspect in ASPECTS:
        for language in sorted({truth.language for truth in world.truths.values()}):
            chosen = [
                name
                for name, truth in world.truths.items()
                if truth.language == language and name in readings
            ]
            meant = [getattr(world.truths[name], aspect) for name in chosen]
            told = [_told(readings[name], aspect) for name in chosen]
            rows.append(
                {
                    "aspect": aspect,
                    "language": language,
                    "posts": len(chosen),
                    "accuracy": float(np.mean([a == b for a, b in zip(meant, told, strict=True)])),
                    "macro F1": macro_f1(meant, told),
                    "named": float(np.mean([bool(name) for name in told])),
                }
            )
    return rows


def explained_rightly(engine: Engine, world: World, *, people: int, at: int) -> dict[str, Any]:
    """How far printed reasons name what was planted, on one page for each of so many people.

    A reason that names a shared topic, tone, format or author is right if that is a taste of the
    person's and true of the post. Beside it stands chance: the same reason held against another
    post of the same page. Evidence is right if the post acted on and the post shown meet a taste
    in common; chance is any action of that sign of the same history.
    """
    tried = [person.id for person in world.people if person.name][:people]
    feeds = [for_you(engine, engine.ask(viewer, at=at)) for viewer in tried]
    tally = _Tally()
    for feed in feeds:
        _count(tally, world, feed)
    return {
        "pages": len(feeds),
        "reasons": tally.reasons,
        "named": tally.named,
        "right": _share(tally.right, tally.named),
        "right by chance": _share(tally.chance, tally.named),
        "evidence": tally.evidence,
        "evidence right": _share(tally.evidence_right, tally.evidence),
        "evidence right by chance": _share(tally.evidence_chance, tally.drawn),
        "meant for the person": _share(tally.meant, tally.items),
    }


@dataclass(slots=True)
class _Tally:
    """What is counted over pages."""

    items: int = 0
    meant: int = 0
    reasons: int = 0
    named: int = 0
    right: int = 0
    chance: float = 0.0
    evidence: int = 0
    evidence_right: int = 0
    drawn: int = 0
    evidence_chance: int = 0


def _count(tally: _Tally, world: World, feed: Feed) -> None:
    person = world.person(feed.viewer.id)
    if person is None:
        return
    shown = {item.candidate.post.id: item for item in feed.page.items}
    liked = {
        name: frozenset(
            taste.target for taste in true(person, world.truths[name]) if taste.weight > 0
        )
        for name in shown
    }
    tally.items += len(shown)
    tally.meant += sum(bool(targets) for targets in liked.values())
    for reason in feed.reasons:
        tally.reasons += 1
        targets = _named(reason)
        if targets:
            tally.named += 1
            tally.right += bool(targets & liked[reason.post])
            others = [bool(targets & liked[name]) for name in shown if name != reason.post]
            tally.chance += sum(others) / max(len(others), 1)
        _weigh(tally, world, person, feed, reason)


def _weigh(tally: _Tally, world: World, person: Person, feed: Feed, reason: Reason) -> None:
    """Whether the actions that a reason rests on were done for what the post is."""

    def alike(past: Past) -> bool:
        acted = world.truths.get(past.action.post or "")
        if acted is None:
            return False
        shared = {taste.target for taste in true(person, acted)}
        return any(taste.target in shared for taste in true(person, world.truths[reason.post]))

    evidence = set(reason.evidence)
    given = [past for past in feed.viewer.history if past.action.id in evidence and past.post]
    signs = {past.action.kind.sign for past in given}
    drawn = [past for past in feed.viewer.history if past.post and past.action.kind.sign in signs]
    tally.evidence += len(given)
    tally.evidence_right += sum(map(alike, given))
    tally.drawn += len(drawn)
    tally.evidence_chance += sum(map(alike, drawn))


def _named(reason: Reason) -> frozenset[str]:
    """The targets that a cause names: "topic+tone:science+warm" → topic:science, tone:warm."""
    kinds, _, names = reason.cause.partition(":")
    if not set(kinds.split("+")) <= {*ASPECTS, "author"}:
        return frozenset()
    parts = zip(kinds.split("+"), names.split("+"), strict=False)
    return frozenset(f"{kind}:{name}" for kind, name in parts)


def _readings(store: Store, posts: Sequence[str]) -> Iterator[tuple[str, Reading]]:
    for start in range(0, len(posts), LOTS):
        yield from store.readings(posts[start : start + LOTS]).items()


def _told(reading: Reading, aspect: str) -> str:
    if aspect == "topic":
        return reading.topics[0][0] if reading.topics else ""
    told: str = getattr(reading, aspect)
    return told


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None
