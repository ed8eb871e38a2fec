"""What taking in may cost, and what an event may hold."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """The bounds of a line, of a file, of a fetch, and the pace of following."""

    text_characters: PositiveInt = 100_000
    """The longest text of a post that is taken in; a longer one is rejected, never cut."""

    id_characters: PositiveInt = 512
    """The longest id that is taken in."""

    media_items: NonNegativeInt = 32
    """The most media that one post may carry."""

    future_hours: NonNegativeFloat = 24.0
    """How far ahead of this machine's clock the time of an event may lie."""

    line_bytes: PositiveInt = 4_194_304
    """The longest line of a file; a longer one is rejected without being held in memory."""

    batch_events: PositiveInt = 5_000
    """How many events are written in one transaction with their cursor."""

    batch_characters: PositiveInt = 8_000_000
    """How much text of posts one batch may hold before it is written, full or not."""

    batch_seconds: PositiveFloat = 2.0
    """The longest that taken events wait for their batch to fill while more arrive."""

    fetch_bytes: PositiveInt = 33_554_432
    """The largest body that is fetched from a URL."""

    row_group_bytes: PositiveInt = 1_073_741_824
    """The largest row group of a Parquet file that is read, as its footer says it is unpacked."""

    fetch_seconds: PositiveFloat = 30.0
    """The longest that one fetch may take, with its redirects, from first byte to last."""

    private_addresses: bool = False
    """Whether URLs may lead to loopback, link-local and private addresses."""

    opml_feeds: PositiveInt = 1_000
    """The most feeds that one OPML list may name."""

    follow_seconds: PositiveFloat = 5.0
    """How long to wait before looking at a followed file or folder again."""

    follow_url_seconds: PositiveFloat = 300.0
    """How long to wait before fetching a followed URL again; longer while it fails."""


DEFAULTS = IngestSettings()
