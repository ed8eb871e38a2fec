"""Port-Aubin: an invented bilingual town, its posts written by hand and its readers simulated.

`accounts.jsonl` and `posts.jsonl` are package data under CC0. Every post carries what it is meant
to be; no classifier of Ariane was trained on it or looked at while it was written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from ariane.evaluate.world import (
    DAY,
    Person,
    Taste,
    Truth,
    World,
    accounts,
    save_world,
    simulate,
)
from ariane.types import Event, Media, Post, Store

SOURCE: Final = "town"
DAYS: Final = 14
READERS: Final = 200
"""People who read and write nothing, beside those who have an account."""

BATCH: Final = 5_000

NOTICE: Final = {
    "en": "Port-Aubin does not exist: its posts were written for this demonstration, and its "
    "people's reactions are simulated from tastes that were planted in them.",
    "fr": "Port-Aubin n'existe pas : ses publications ont été écrites pour cette démonstration, "
    "et les réactions de ses habitants sont simulées à partir de goûts qu'on leur a donnés.",
}

LIKED: Final = (2.8, 2.2, 1.6, 1.2)
"""What a person's topics weigh, the dearest first."""

TONES: Final = ("warm", "enthusiastic", "funny", "ironic")
"""Tones that are dear to some."""

SHUNNED: Final = ("angry", "ironic", "worried", "sad")
"""Tones that some turn from."""

BAD: Final = (
    Taste("policy:spam", -3.0),
    Taste("policy:harassment", -2.0),
    Taste("policy:adult", -1.0),
)
"""What nobody came for."""


@dataclass(frozen=True, slots=True)
class Town:
    """The planted world, its posts and who follows whom."""

    world: World
    posts: tuple[Post, ...]
    follows: Mapping[str, tuple[str, ...]]

    def events(self) -> Iterator[Event]:
        """Accounts, posts and what everyone does, as they are taken in."""
        yield from accounts(person for person in self.world.people if person.name)
        yield from self.posts
        yield from simulate(self.world, self.posts, self.follows)


def town(now: int) -> Town:
    """The town whose fourteen days end with the last midnight (UTC) before `now`.

    The hours of the day are those of the town's own clock, so that a run gives the same figures on
    any day.
    """
    written, said = _lines("accounts"), _lines("posts")
    start = now // DAY * DAY - DAYS * DAY
    people = (*_residents(written), *_readers(written))
    truths = {line["id"]: _truth(line) for line in said}
    roots: dict[str, str] = {}
    posts = tuple(_post(line, start, roots) for line in said)
    return Town(World(NOTICE, people, truths), posts, _follows(people, written))


def take_in(store: Store, home: Path, now: int) -> int:
    """Write the town into a home's store, and its planted truth beside it; how many were new."""
    made = town(now)
    save_world(home, made.world)
    events, new = made.events(), 0
    while batch := list(islice(events, BATCH)):
        new += store.write(batch).new
    return new


def _lines(name: str) -> list[dict[str, Any]]:
    text = (files(__name__) / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _truth(line: Mapping[str, Any]) -> Truth:
    aspects = (line[part] for part in ("topic", "tone", "intent", "format", "claim", "policy"))
    return Truth(line["author"], line["lang"], *aspects)


def _post(line: Mapping[str, Any], start: int, roots: dict[str, str]) -> Post:
    """A line as a post; `roots` remembers the beginning of each thread."""
    parent = line["reply_to"]
    root = None if parent is None else roots.get(parent, parent)
    roots[line["id"]] = root or line["id"]
    seen = line["image"]
    return Post(
        id=line["id"],
        author=line["author"],
        text=line["text"],
        at=start + (line["day"] * 1440 + line["minute"]) * 60_000,
        lang=line["lang"],
        media=(Media(f"https://port-aubin.example/{line['id']}.jpg", alt=seen),) if seen else (),
        reply_to=parent,
        root=root,
        source=SOURCE,
    )


def _residents(written: Sequence[Mapping[str, Any]]) -> Iterator[Person]:
    """Those who have an account: they like what they write about."""
    topics = sorted({topic for line in written for topic in line["topics"]})
    for number, line in enumerate(written):
        tastes = _tastes(np.random.default_rng((1, number)), line["topics"], topics, written)
        own = f"author:{line['id']}"
        tastes = tuple(taste for taste in tastes if taste.target != own)
        yield Person(
            line["id"], line["name"], line["lang"], line["bio"], tastes, line["birth_year"]
        )


def _readers(written: Sequence[Mapping[str, Any]]) -> Iterator[Person]:
    """Those who only read; they have no name."""
    topics = sorted({topic for line in written for topic in line["topics"]})
    for number in range(READERS):
        rng = np.random.default_rng((2, number))
        liked = rng.choice(topics, 3, replace=False).tolist()
        lang = str(rng.choice(["fr", "en", "both"], p=(0.35, 0.35, 0.3)))
        yield Person(f"reader-{number + 1:03}", "", lang, "", _tastes(rng, liked, topics, written))


def _tastes(
    rng: np.random.Generator,
    liked: Sequence[str],
    topics: Sequence[str],
    written: Sequence[Mapping[str, Any]],
) -> tuple[Taste, ...]:
    """Dear topics, two that bore, a tone, and one writer who is read whatever they write about."""
    others = [topic for topic in topics if topic not in liked]
    tastes = [Taste(f"topic:{name}", weight) for name, weight in zip(liked, LIKED, strict=False)]
    tastes += [Taste(f"topic:{name}", -2.0) for name in rng.choice(others, 2, replace=False)]
    dear = str(rng.choice(TONES))
    tastes.append(Taste(f"tone:{dear}", 1.0))
    if rng.random() < 0.6:
        shunned = [tone for tone in SHUNNED if tone != dear]
        tastes.append(Taste(f"tone:{rng.choice(shunned)}", -1.6))
    if rng.random() < 0.3:
        tastes.append(Taste(f"format:{rng.choice(['guide', 'story', 'review', 'list'])}", 1.2))
    alike = [line["id"] for line in written if set(line["topics"]) & set(liked)]
    tastes.append(Taste(f"author:{rng.choice(alike)}", 1.8))
    return (*tastes, *BAD)


def _follows(
    people: Sequence[Person], written: Sequence[Mapping[str, Any]]
) -> dict[str, tuple[str, ...]]:
    """Everyone follows the writer dear to them, and some who write about what they like."""
    found: dict[str, tuple[str, ...]] = {}
    for number, person in enumerate(people):
        rng = np.random.default_rng((3, number))
        targets = {taste.target for taste in person.tastes if taste.weight > 0}
        alike = [
            line["id"]
            for line in written
            if line["id"] != person.id and {f"topic:{name}" for name in line["topics"]} & targets
        ]
        dear = [name.partition(":")[2] for name in targets if name.startswith("author:")]
        some = rng.choice(alike, min(len(alike), int(rng.integers(4, 12))), replace=False)
        found[person.id] = tuple(sorted({*dear, *some.tolist()}))
    return found
