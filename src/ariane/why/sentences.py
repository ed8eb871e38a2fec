"""Reasons in words, English and French, by a fixed grammar filled from the receipt alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ariane.types import Feed, Past, Reason
from ariane.why.causes import SENSITIVE
from ariane.why.words import ASPECTS, PATTERNS, VERBS

LONGEST: Final = 60
"""Letters of a post that are quoted."""

QUOTED: Final = 2
"""Posts that are quoted; further ones are counted."""

MARKS: Final = str.maketrans("“”«»", '""""')
"""What stands for quotation marks in what is quoted, so that nothing of it ends its quotation."""


def sentence(reason: Reason, feed: Feed, language: str) -> str:
    """One reason in a sentence or two; in French for "fr", in English for any other language.

    Quoted are posts of the viewer's own history. Topics that would say something about the person
    (health, religion, …) are never named.
    """
    tongue = "fr" if language.partition("-")[0] == "fr" else "en"
    pattern = PATTERNS[tongue]
    kind, _, name = reason.cause.partition(":")
    rank = ordinal(reason.rank, tongue)
    if reason.rank_without is None:
        return pattern[_alone(feed) if kind == "everyone" else kind].format(rank=rank)
    then = ordinal(reason.rank_without, tongue)
    if kind == "history":
        return pattern["history"].format(rank=rank, then=then, count=len(reason.evidence))
    if kind == "wish":
        because = _wished(reason, feed, tongue, name)
    elif kind == "follow":
        because = pattern["because follow"]
    else:
        because = _did(reason, feed, tongue) + _shared(kind, name, tongue)
    many = "without many" if len(reason.evidence) > 1 else "without one"
    without = pattern["without it" if kind in ("wish", "follow") else many]
    return f"{pattern['because'].format(rank=rank, because=because)} {without.format(then=then)}"


def _alone(feed: Feed) -> str:
    """What can be said of a place that no claim explains: only all actions at once were tried."""
    viewer = feed.viewer
    lists = (viewer.wishes, viewer.follows, viewer.mutes, viewer.blocks, viewer.seen)
    known = viewer.history or any(lists) or viewer.minor or feed.ask.after is not None
    if known and feed.by_time:
        return "time"
    if viewer.history:
        return "everyone"
    return "no action" if known else "anyone"


def ordinal(number: int, language: str) -> str:
    """1 → "1st" in English, "1ʳᵉ" in French, where it is said of a publication."""
    if language == "fr":
        return f"{number}ʳᵉ" if number == 1 else f"{number}ᵉ"
    teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def shortened(text: str, longest: int = LONGEST) -> str:
    """A text on one line, cut between words if it can be."""
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    cut = line[: longest - 1]
    whole = cut.rsplit(" ", 1)[0] if " " in cut[longest // 2 :] else cut
    return whole.rstrip(" ,;:.–-") + "…"


def _quote(text: str, pattern: Mapping[str, str]) -> str:
    return pattern["quote"].format(text=text.translate(MARKS))


def _did(reason: Reason, feed: Feed, language: str) -> str:
    """What the viewer did, to which posts: "you liked “A” and “B”"."""
    evidence = {past.action.id: past for past in feed.viewer.history}
    pasts = [evidence[action] for action in reason.evidence if action in evidence]
    kinds = {past.action.kind for past in pasts}
    signs = {kind.sign for kind in kinds}
    mixed = "turned away" if signs == {-1} else "several"
    verb = VERBS[language][kinds.pop().value if len(kinds) == 1 else mixed]
    return verb.format(posts=_posts(pasts, len(reason.evidence), language))


def _posts(pasts: Sequence[Past], count: int, language: str) -> str:
    pattern = PATTERNS[language]
    texts = [shortened(past.post.text) for past in pasts if past.post and past.post.text.strip()]
    quotes = [_quote(text, pattern) for text in dict.fromkeys(texts)][:QUOTED]
    others = count - len(quotes)
    if others:
        which = ("other" if others == 1 else "others") if quotes else "posts"
        which = "post" if not quotes and others == 1 else which
        quotes.append(pattern[which].format(count=others))
    return pattern["and"].join([", ".join(quotes[:-1]), quotes[-1]] if quotes[1:] else quotes)


def _shared(kind: str, name: str, language: str) -> str:
    """What the cause says that they share: " (energy, analysis)"."""
    if kind == "author":
        return f" ({PATTERNS[language]['same author']})"
    if kind == "entity":
        return f" ({name})"
    if kind not in ("topic", "tone", "format", "topic+tone"):
        return ""
    names = [part for part in name.split("+") if part not in SENSITIVE]
    said = [ASPECTS[language].get(part, part.replace("_", " ")) for part in names]
    return f" ({', '.join(said)})" if said else ""


def _wished(reason: Reason, feed: Feed, language: str, target: str) -> str:
    pattern = PATTERNS[language]
    said = next((wish.said for wish in feed.viewer.wishes if wish.id in reason.evidence), "")
    if said:
        return pattern["because said"].format(said=_quote(shortened(said), pattern))
    name = target.partition(":")[2]
    return pattern["because wish"].format(name=ASPECTS[language].get(name, name.replace("_", " ")))
