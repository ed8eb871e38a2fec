"""Ask and viewer → candidates: every source looks, what they find is merged and hydrated once."""

from __future__ import annotations

from dataclasses import replace

from ariane.retrieve.merge import merge
from ariane.retrieve.sources import RetrieveSettings, Sources, since
from ariane.retrieve.vectors import VectorFile
from ariane.types import Ask, Candidate, Viewer

__all__ = ["RetrieveSettings", "Sources", "VectorFile", "refresh", "retrieve"]


def retrieve(sources: Sources, ask: Ask, viewer: Viewer) -> list[Candidate]:
    """Candidates for this request, those that stand highest in any source first.

    What the viewer has seen is not found again, nor are reposts of it. A feed that names languages
    or an age gets nothing else, so a post of unknown language is in none that names one.
    """
    if sources.held is not None:
        return list(sources.held)
    wanted = ask.feed.sources
    parts = [part for part in sources.parts if not wanted or part.name in wanted]
    found = merge({part.name: part.find(ask, viewer) for part in parts}, sources.limit, viewer.seen)
    held = sources.store.candidates(list(found), ask.at)
    return [
        replace(held[post], sources=names)
        for post, names in found.items()
        if post in held and _fits(ask, viewer, held[post])
    ]


def refresh(sources: Sources) -> int:
    """Let the vector files follow the store; how many readings they took in."""
    return sum(file.refresh(sources.store) for file in sources.files)


def _fits(ask: Ask, viewer: Viewer, candidate: Candidate) -> bool:
    post, reading = candidate.post, candidate.reading
    if post.repost_of in viewer.seen:
        return False
    oldest = since(ask)
    if oldest is not None and post.at <= oldest:
        return False
    language = (reading.language if reading else None) or post.lang
    return not ask.feed.languages or language in ask.feed.languages
