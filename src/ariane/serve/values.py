"""Values of the wire: what an id, a time, a name and a target may be, as OpenAPI says them.

Times are ISO 8601 with a zone, as on the wire of events.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from ariane.targets import MATCHES, NAMES, check_target
from ariane.types import CallError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
LAST_YEAR = 9998
EARLIEST = (datetime(1, 1, 1, tzinfo=UTC) - EPOCH) // MILLISECOND
LATEST = (datetime(9999, 12, 31, tzinfo=UTC) - EPOCH) // MILLISECOND


def moment(milliseconds: int) -> datetime:
    """A time of the store as one of the wire; what no calendar holds is its first or last day."""
    return EPOCH + min(max(milliseconds, EARLIEST), LATEST) * MILLISECOND


def milliseconds(at: datetime) -> int:
    """A time of the wire as one of the store."""
    return (at - EPOCH) // MILLISECOND


def _storable(at: datetime) -> datetime:
    if not EPOCH.year <= at.year <= LAST_YEAR:
        raise ValueError(f"a time lies in the years {EPOCH.year} to {LAST_YEAR}")
    return at


def _no_control(text: str) -> str:
    if any(ord(sign) < 32 or 0xD800 <= ord(sign) <= 0xDFFF for sign in text):
        raise ValueError("control characters and lone surrogates are not taken")
    return text


Time = Annotated[AwareDatetime, AfterValidator(_storable)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=512), AfterValidator(_no_control)]
Line = Annotated[str, StringConstraints(max_length=500), AfterValidator(_no_control)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
FeedName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Absent = SkipJsonSchema[None]
"""A query parameter that is left out: None to us, and not null, which a URL cannot say."""


def _target(text: str) -> str:
    try:
        check_target(text)
    except CallError as error:
        raise ValueError(str(error)) from None
    return text


_PATTERNS = "|".join(
    f"{kind}:({'|'.join(NAMES[kind])})$" if kind in NAMES else f"{kind}:[a-z]" for kind in MATCHES
)

Target = Annotated[
    str,
    StringConstraints(max_length=200),
    AfterValidator(_no_control),
    AfterValidator(_target),
    Field(json_schema_extra={"pattern": f"^({_PATTERNS})"}),
]


class Strict(BaseModel):
    """A body that is taken: an unknown key is a mistake, not something to pass over."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
