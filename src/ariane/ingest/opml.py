"""OPML: a list of feeds, as feed readers export their subscriptions."""

from __future__ import annotations

from collections.abc import Mapping
from xml.parsers import expat

from ariane.ingest.entries import body_of
from ariane.ingest.source import BrokenSourceError, Source


def addresses(source: Source) -> tuple[str, ...]:
    """The addresses of the feeds in an OPML list, each once, in its order."""
    found: dict[str, None] = {}

    def outline(tag: str, attributes: Mapping[str, str]) -> None:
        address = attributes.get("xmlUrl", "").strip() if tag.lower() == "outline" else ""
        if address:
            found[address] = None

    def entity(*declared: object) -> None:
        raise BrokenSourceError(f"{source.place} declares XML entities; a list needs none.")

    parser = expat.ParserCreate()
    parser.StartElementHandler = outline
    parser.EntityDeclHandler = entity
    try:
        parser.Parse(body_of(source), True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise BrokenSourceError(f"{source.place} is no OPML ({error}); export it again.") from None
    if len(found) > source.settings.opml_feeds:
        most = source.settings.opml_feeds
        raise BrokenSourceError(f"{source.place} names {len(found):,} feeds; at most {most:,}.")
    return tuple(found)
