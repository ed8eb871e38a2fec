"""A post's text as paragraphs of plain pieces and links; nothing of it is ever taken for markup."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

ADDRESS: Final = re.compile(r"https?://[^\s<>\"'“”«»]+", re.IGNORECASE)
TRAILING: Final = ".,;:!?)]}…’*_"
SHOWN: Final = 40
"""Characters of an address that are shown."""

CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
"""What would change how a page is read beyond the text itself: controls and bidi overrides."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text, and where it leads to if it is a link."""

    text: str
    href: str | None = None


def paragraphs(text: str) -> tuple[tuple[Piece, ...], ...]:
    """The lines of a text; empty ones part paragraphs and are left out."""
    lines = CONTROLS.sub("", text).split("\n")
    return tuple(_pieces(line) for line in lines if line.strip())


def outward(url: str | None) -> str | None:
    """An http or https address, None for any other."""
    if url is None or CONTROLS.search(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def _pieces(line: str) -> tuple[Piece, ...]:
    found: list[Piece] = []
    end = 0
    for match in ADDRESS.finditer(line):
        url = match[0].rstrip(TRAILING)
        if outward(url) is None:
            continue
        if match.start() > end:
            found.append(Piece(line[end : match.start()]))
        found.append(Piece(_shown(url), url))
        end = match.start() + len(url)
    if end < len(line):
        found.append(Piece(line[end:]))
    return tuple(found)


def _shown(url: str) -> str:
    bare = url.partition("://")[2].rstrip("/")
    return bare if len(bare) <= SHOWN else f"{bare[: SHOWN - 1]}…"
