"""The words of the page: every key in English and in French, in this one place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ariane.serve.page.words_account import ACCOUNT
from ariane.serve.page.words_ask import ASK
from ariane.serve.page.words_feed import FEED
from ariane.serve.page.words_site import SITE
from ariane.why.words import ASPECTS

_NARROW = re.compile(r" ([;:!?»%])|(«) ")


def _set(text: str) -> str:
    """French as it is set: no line breaks before high punctuation or inside quotation marks."""
    return _NARROW.sub(lambda m: f"\u00a0{m[1]}" if m[1] else f"{m[2]}\u00a0", text)


WORDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        key: (english, _set(french))
        for key, (english, french) in {**SITE, **FEED, **ASK, **ACCOUNT}.items()
    }
)
"""Key → (English, French)."""


def say(language: str, key: str, **values: object) -> str:
    """What a key says in a language; English for any but French."""
    return WORDS[key][language == "fr"].format(**values)


def counted(language: str, key: str, count: int, **values: object) -> str:
    """What `key.one` or `key.many` says of so many; French counts 0 with one."""
    one = count < 2 if language == "fr" else count == 1
    return say(language, f"{key}.{'one' if one else 'many'}", count=count, **values)


def aspect(language: str, name: str) -> str:
    """A topic, tone, intent or format in the reader's language; a name of no list as it stands."""
    if f"aspect.{name}" in WORDS:
        return say(language, f"aspect.{name}")
    return ASPECTS["fr" if language == "fr" else "en"].get(name, name.replace("_", " "))


def number(language: str, value: float, digits: int = 2, *, sign: bool = False) -> str:
    """A number as it is written in a language, with a true minus."""
    text = f"{value:{'+' if sign else ''}.{digits}f}".replace("-", "−")
    return text.replace(".", ",") if language == "fr" else text
