"""HTML to plain text: what a reader would see, block by block."""

from __future__ import annotations

import re
from html.parser import HTMLParser

MARKUP_CHARACTERS = 1_000_000
"""How much markup of one entry is read; what follows could not fit in a post."""

BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption"}
    | {"figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav"}
    | {"ol", "p", "pre", "section", "table", "td", "th", "tr", "ul"}
)
HIDDEN = frozenset({"script", "style", "template"})

_SPACES = re.compile(r"\s+")
_GAPS = re.compile(r" *\n[ \n]*")


def plain(markup: str) -> str:
    """The text of a piece of HTML; a new block begins a new line."""
    parser = _Text()
    parser.feed(markup[:MARKUP_CHARACTERS])
    parser.close()
    return _GAPS.sub("\n", "".join(parser.parts)).strip()


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in HIDDEN
        if tag in BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in HIDDEN))
        if tag in BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(_SPACES.sub(" ", data))
