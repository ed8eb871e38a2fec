"""Where a feed's posts come from: the parts that look, and the settings of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from ariane.retrieve.vectors import VectorFile
from ariane.types import Ask, Candidate, Source, Store

HOUR = 3_600_000


def since(ask: Ask) -> int | None:
    """The time after which this feed's posts were published; None where it takes any age."""
    hours = ask.feed.max_age_hours
    return None if hours is None else ask.at - int(hours * HOUR)


@dataclass(frozen=True)
class RetrieveSettings:
    """How candidates are found."""

    parts: tuple[str, ...] = ("following", "nearest", "towers", "fresh", "wished")
    """The sources that the engine has; a feed's own list chooses among them."""

    limit: PositiveInt = 500
    """The most candidates of one request."""

    each: PositiveInt = 300
    """The most posts that one source brings."""

    width: Annotated[int, Field(ge=1, le=128)] = 128
    """Numbers per post in the shared vector file, 1 to 128."""

    interests: PositiveInt = 6
    """The most interests that `nearest` tells apart in one viewer's history."""

    fresh_hours: PositiveFloat = 168.0
    """How old a post may be to count as fresh."""


@dataclass(frozen=True)
class Sources:
    """What `retrieve` looks through, in the order in which equals are merged.

    With `held`, these candidates are given as they stand and nothing is looked for: counterfactual
    and replay. `files` are the vector files that the parts search, for `refresh`.
    """

    store: Store
    parts: tuple[Source, ...]
    held: tuple[Candidate, ...] | None = None
    limit: int = RetrieveSettings.limit
    files: tuple[VectorFile, ...] = ()
