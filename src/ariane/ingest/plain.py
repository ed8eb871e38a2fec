"""HTML to plain text: what a reader would see, block by block, in time linear in its length."""

from __future__ import annotations

import html
import re

MARKUP_CHARACTERS = 1_000_000
"""How much markup of one entry is read; what follows could not fit in a post."""

BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption"}
    | {"figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav"}
    | {"ol", "p", "pre", "section", "table", "td", "th", "tr", "ul"}
)
HIDDEN = frozenset({"script", "style", "template"})

_OPENING = re.compile(r"<(?:(!--)|[!?]|(/?)([a-zA-Z][^\s/>]*))")
_STOP = re.compile(r">|=\s*([\"'])")
_CLOSING = {tag: re.compile(rf"</{tag}(?=[\s/>])", re.IGNORECASE) for tag in HIDDEN}
_SPACES = re.compile(r"\s+")
# No character has so high a number, and Python refuses to convert one of thousands of digits.
_NO_CHARACTER = re.compile(r"&#[0-9]{100,};?")


def plain(markup: str) -> str:
    """The text of a piece of HTML; a new block begins a new line."""
    lines = "".join(_parts(markup[:MARKUP_CHARACTERS])).split("\n")
    return "\n".join(line for line in (" ".join(one.split()) for one in lines) if line)


def _parts(markup: str) -> list[str]:
    """The texts between the tags on one line each, and a line end for every block's tag.

    Whatever is opened and never closed reaches to the end, as it does in a browser: nothing is
    looked at twice.
    """
    parts: list[str] = []
    at = 0
    while found := _OPENING.search(markup, at):
        parts.append(_text(markup[at : found.start()]))
        comment, closing, name = found.groups()
        tag = (name or "").lower()
        if comment:
            at = _after(markup, "-->", found.end())
        elif not tag:
            at = _after(markup, ">", found.end())
        else:
            at = _tag_end(markup, found.end())
        if tag in HIDDEN and not closing and not markup.endswith("/>", 0, at):
            end = _CLOSING[tag].search(markup, at)
            at = end.start() if end else len(markup)
        if tag in BLOCKS:
            parts.append("\n")
    parts.append(_text(markup[at:]))
    return parts


def _tag_end(markup: str, at: int) -> int:
    """Where a tag ends whose name ends at `at`; a value in quotes may hold its sign."""
    while stop := _STOP.search(markup, at):
        if not stop.group(1):
            return stop.end()
        at = _after(markup, stop.group(1), stop.end())
    return len(markup)


def _after(markup: str, sign: str, at: int) -> int:
    found = markup.find(sign, at)
    return len(markup) if found < 0 else found + len(sign)


def _text(raw: str) -> str:
    return _SPACES.sub(" ", html.unescape(_NO_CHARACTER.sub("\ufffd", raw)))
