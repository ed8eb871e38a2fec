"""A served feed as one JSON value, and back: nothing is copied in it that the store holds.

Posts and readings stand as marks (revision, checksum, reader): once they are no longer what they
were, the receipt is withdrawn. Scores, probabilities and terms are kept exactly. Of ranked
candidates that are not on the page the score is kept, and neither forecast nor terms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias
from zlib import crc32

from ariane.store.codec import from_json, to_json
from ariane.types import (
    Action,
    Ask,
    Candidate,
    Feed,
    Label,
    Moved,
    Page,
    Past,
    Post,
    Ranked,
    Reading,
    Reason,
    Removed,
    Term,
    Verdict,
    Viewer,
    Wish,
    WithdrawnError,
)

Receipt: TypeAlias = dict[str, Any]
Pair: TypeAlias = tuple[str, str | None]
"""A post's id, and the name of the reader whose reading of it was used (None: unread)."""

_ABSENT = (None, None, None)  # the mark of a post that was not held


def pack(feed: Feed) -> Receipt:
    """The receipt of a feed; of `seen`, what the candidates are or repost."""
    page = feed.page
    candidates = {one.post.id: one for one in _candidates(page)}
    place = {name: number for number, name in enumerate(candidates)}
    return {
        "ask": to_json(feed.ask),
        "viewer": _pack_viewer(feed.viewer, candidates),
        "candidates": [
            [name, *_mark(one.post, one.reading), list(one.sources)]
            for name, one in candidates.items()
        ],
        "labels": [
            [place[name], *_label(label)]
            for name, one in candidates.items()
            for label in one.labels
        ],
        "items": [
            {
                "candidate": place[item.candidate.post.id],
                "forecast": [float(probability) for probability in item.forecast],
                "score": float(item.score),
                "terms": [[term.name, float(term.amount)] for term in item.terms],
                "verdicts": to_json(item.verdicts),
            }
            for item in page.items
        ],
        "ranked": [[place[one.candidate.post.id], float(one.score)] for one in page.ranked],
        "removed": [[place[one.candidate.post.id], to_json(one.verdict)] for one in page.removed],
        "moved": to_json(page.terms),
        "page_model": page.model,
        "reasons": to_json(feed.reasons),
        "model": feed.model,
        "recipe": to_json(feed.recipe),
    }


def action_ids(receipt: Receipt) -> list[str]:
    """The actions that the viewer's history held."""
    return [entry[0] for entry in receipt["viewer"]["history"]]


def pairs(receipt: Receipt, actions: Mapping[str, Action]) -> set[Pair]:
    """The posts and readings that the receipt needs again, given the actions of its history."""
    needed: set[Pair] = {(name, by) for name, _, _, by, _ in receipt["candidates"]}
    for action, rev, _, by in receipt["viewer"]["history"]:
        post = actions[action].post if action in actions else None
        if rev is not None and post is not None:
            needed.add((post, by))
    return needed


def unpack(
    receipt: Receipt,
    actions: Mapping[str, Action],
    read: Mapping[Pair, tuple[Post, Reading | None]],
) -> Feed:
    """The feed as it was served, from what is held of its evidence; WithdrawnError for the rest."""
    ask = from_json(Ask, receipt["ask"])
    labels: dict[int, list[Label]] = {}
    for number, *label in receipt["labels"]:
        labels.setdefault(number, []).append(Label(*label))
    candidates = [
        Candidate(
            *_as_it_was(ask.id, read, name, mark),
            labels=tuple(labels.get(number, ())),
            sources=tuple(sources),
        )
        for number, (name, *mark, sources) in enumerate(receipt["candidates"])
    ]
    return Feed(
        ask,
        _unpack_viewer(ask.id, receipt["viewer"], actions, read),
        _unpack_page(receipt, candidates),
        from_json(tuple[Reason, ...], receipt["reasons"]),
        receipt["model"],
        receipt["recipe"],
    )


def _candidates(page: Page) -> Iterator[Candidate]:
    yield from (item.candidate for item in page.items)
    yield from (one.candidate for one in page.ranked)
    yield from (one.candidate for one in page.removed)


def _label(label: Label) -> tuple[str | float | None, ...]:
    return (
        *(label.subject, label.value, label.source, label.at),
        *(label.confidence, label.until, label.negates),
    )


def _mark(post: Post, reading: Reading | None) -> tuple[int, int, str | None]:
    # The checksum tells two texts of one revision apart, which a careless source may send.
    text = f"{post.author}\0{post.at}\0{post.text}"
    return post.rev, crc32(text.encode()), None if reading is None else reading.by


def _as_it_was(
    request: str,
    read: Mapping[Pair, tuple[Post, Reading | None]],
    name: str,
    mark: Sequence[Any],
) -> tuple[Post, Reading | None]:
    by: str | None = mark[-1]
    post, reading = read.get((name, by), (None, None))
    if post is None:
        raise WithdrawnError(f"Request {request!r} cannot be replayed: post {name!r} was deleted.")
    if _mark(post, None)[:2] != tuple(mark[:2]):
        raise WithdrawnError(f"Request {request!r} cannot be replayed: post {name!r} was edited.")
    if by is not None and reading is None:
        raise WithdrawnError(
            f"Request {request!r} cannot be replayed: the reading of post {name!r} by {by} is gone."
        )
    return post, reading


def _unpack_page(receipt: Receipt, candidates: list[Candidate]) -> Page:
    items = tuple(
        Ranked(
            candidates[item["candidate"]],
            tuple(item["forecast"]),
            item["score"],
            tuple(Term(name, amount) for name, amount in item["terms"]),
            from_json(tuple[Verdict, ...], item["verdicts"]),
        )
        for item in receipt["items"]
    )
    whole = {(item.candidate.post.id, item.score): item for item in items}
    ranked = tuple(
        whole.get((candidates[number].post.id, score)) or Ranked(candidates[number], (), score)
        for number, score in receipt["ranked"]
    )
    removed = tuple(
        Removed(candidates[number], from_json(Verdict, verdict))
        for number, verdict in receipt["removed"]
    )
    terms = from_json(tuple[Moved, ...], receipt["moved"])
    return Page(items, ranked, removed, terms, receipt["page_model"])


def _pack_viewer(viewer: Viewer, candidates: Mapping[str, Candidate]) -> dict[str, Any]:
    return {
        "id": viewer.id,
        "history": [
            [past.action.id, *(_mark(past.post, past.reading) if past.post else _ABSENT)]
            for past in viewer.history
        ],
        "follows": to_json(viewer.follows),
        "mutes": to_json(viewer.mutes),
        "blocks": to_json(viewer.blocks),
        "wishes": to_json(viewer.wishes),
        "seen": sorted(_alike(candidates) & viewer.seen),
        "minor": viewer.minor,
    }


def _alike(candidates: Mapping[str, Candidate]) -> set[str]:
    """The posts that a rule on `seen` looks for: the candidates, and what they repost."""
    reposted = {one.post.repost_of for one in candidates.values() if one.post.repost_of}
    return candidates.keys() | reposted


def _unpack_viewer(
    request: str,
    packed: Mapping[str, Any],
    actions: Mapping[str, Action],
    read: Mapping[Pair, tuple[Post, Reading | None]],
) -> Viewer:
    history = []
    for name, *mark in packed["history"]:
        action = actions.get(name)
        if action is None:
            raise WithdrawnError(
                f"Request {request!r} cannot be replayed: action {name!r} was undone or forgotten."
            )
        if action.post is None or tuple(mark) == _ABSENT:
            history.append(Past(action))
        else:
            history.append(Past(action, *_as_it_was(request, read, action.post, mark)))
    return Viewer(
        packed["id"],
        tuple(history),
        frozenset(packed["follows"]),
        frozenset(packed["mutes"]),
        frozenset(packed["blocks"]),
        from_json(tuple[Wish, ...], packed["wishes"]),
        frozenset(packed["seen"]),
        packed["minor"],
    )
