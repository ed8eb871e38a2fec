"""What wishes are about: the kinds of target, and how far a post matches one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Final
from unicodedata import normalize

from ariane.forms import accented, formed
from ariane.types import CLAIMS, CallError, Candidate

UNSURE: Final = 0.2
"""Topics less probable than this do not count as a match."""


NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "topic": (
        *("politics", "justice", "economy", "work", "city", "transport", "climate", "science"),
        *("technology", "health", "education", "family", "food", "garden", "making", "animals"),
        *("travel", "sport", "games", "music", "screen", "books", "art", "history"),
    ),
    "tone": ("neutral", "warm", "enthusiastic", "funny", "ironic", "angry", "sad", "worried"),
    "intent": ("inform", "ask", "argue", "tell", "advise", "promote", "mobilise", "chat"),
    "format": ("note", "story", "list", "guide", "review", "news", "quote", "event"),
    "claim": CLAIMS,
}
"""The kinds of target whose names are a fixed list: what the reader can find in a post."""

FEW: Final = 10
"""A list of this many names or fewer is told whole, of a longer one the nearest names."""


def check_target(target: str) -> None:
    """Raise CallError unless `target` is "KIND:NAME" of a kind and a name that wishes know."""
    kind, colon, name = target.partition(":")
    if kind not in MATCHES or not colon or not name.strip():
        kinds = ", ".join(MATCHES)
        raise CallError(f"{target!r} is no target of a wish; write KIND:NAME, KIND one of {kinds}.")
    known = NAMES.get(kind)
    if known and _folded(name) not in known:
        raise CallError(
            f"{name.strip()!r} is no {kind}; {_instead(_folded(name), known)}, or wish by a word: "
            f"word:{name.strip()}."
        )


def _instead(name: str, known: tuple[str, ...]) -> str:
    """The names there are, where they are few; else the nearest, and where all of them stand."""
    if len(known) <= FEW:
        return f"there are {', '.join(known)}"
    near = get_close_matches(name, known, cutoff=0.5)
    nearest = f"the nearest: {', '.join(near)}; " if near else ""
    return f"{nearest}docs/steer.md lists all {len(known)}"


def matched(target: str, candidate: Candidate) -> float:
    """How far, 0 to 1, a post is what the wish is about; 0 also for a kind that is not known."""
    kind, name = _parted(target)
    match = MATCHES.get(kind)
    return match(name, candidate) if match and name else 0.0


@lru_cache(maxsize=4096)
def _parted(target: str) -> tuple[str, str]:
    kind, _, name = target.partition(":")
    return kind, name.strip() if kind == "author" else _folded(name)


def _topic(name: str, candidate: Candidate) -> float:
    topics = candidate.reading.topics if candidate.reading else ()
    found = max((share for topic, share in topics if _folded(topic) == name), default=0.0)
    return found if found >= UNSURE else 0.0


def _tone(name: str, candidate: Candidate) -> float:
    return float(candidate.reading is not None and _folded(candidate.reading.tone) == name)


def _intent(name: str, candidate: Candidate) -> float:
    return float(candidate.reading is not None and _folded(candidate.reading.intent) == name)


def _format(name: str, candidate: Candidate) -> float:
    return float(candidate.reading is not None and _folded(candidate.reading.format) == name)


def _claim(name: str, candidate: Candidate) -> float:
    return float(candidate.reading is not None and candidate.reading.claim == name)


def _language(name: str, candidate: Candidate) -> float:
    read = candidate.reading.language if candidate.reading else None
    return float(_folded(read or candidate.post.lang or "") == name)


def _author(name: str, candidate: Candidate) -> float:
    return float(candidate.post.author == name)


def _word(name: str, candidate: Candidate) -> float:
    pattern, accents = _pattern(name)
    return float(pattern.search(formed(candidate.post.text, accents)) is not None)


MATCHES: Final[Mapping[str, Callable[[str, Candidate], float]]] = {
    "topic": _topic,
    "tone": _tone,
    "intent": _intent,
    "format": _format,
    "claim": _claim,
    "language": _language,
    "author": _author,
    "word": _word,
}
"""The kinds of target, and how far a post matches a name of each (folded, but for authors)."""


def _folded(text: str) -> str:
    return normalize("NFKC", text).casefold().strip()


@lru_cache(maxsize=4096)
def _pattern(name: str) -> tuple[re.Pattern[str], bool]:
    """What a word wish is looked for by, and whether accents count: those that it has do."""
    accents = accented(name)
    return _whole(formed(name, accents)), accents


def _whole(word: str) -> re.Pattern[str]:
    """A word or phrase between word boundaries; scripts without spaces match anywhere."""
    inner = r"\s+".join(re.escape(part) for part in word.split())
    before = r"(?<!\w)" if _spaced(word[0]) else ""
    after = r"(?!\w)" if _spaced(word[-1]) else ""
    return re.compile(before + inner + after)


def _spaced(letter: str) -> bool:
    """Whether words of this letter's script stand between spaces (not so from Thai to CJK)."""
    return (letter.isalnum() or letter == "_") and not (
        "\u0e00" <= letter <= "\u0eff" or "\u3040" <= letter <= "\u9fff"
    )
