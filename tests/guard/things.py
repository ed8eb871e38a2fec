"""Posts, readings and labels to try rules on, and Hypothesis strategies for them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from ariane.guard.policies import CLASSIFIED, MEDIA_CLASSIFIED
from ariane.types import Candidate, Label, Media, Post, Ranked, Reading, Term, Viewer

SOURCE = "ariane/guard@test"
VALUES = (
    *("spam", "harassment", "self-harm", "sexual", "porn", "nudity", "graphic-media", "threat"),
    *("!hide", "!warn", "!no-unauthenticated", "hides-from-algorithms", "rude", "anything-else"),
)
AUTHORS = ("ann", "ben", "cat")


def reading(post: str, rev: int = 1) -> Reading:
    vector = np.zeros(4, dtype=np.float32)
    return Reading(post, rev, vector, (), "", "", "", "en", "test@1")


def label(subject: str, value: str, confidence: float = 1.0, source: str = SOURCE) -> Label:
    return Label(subject, value, source, 0, confidence)


def checked(post: str = "p", author: str = "ann", *labels: Label, **more: object) -> Candidate:
    """A candidate that was read and classified."""
    made = Post(post, author, "text", 0, **more)  # type: ignore[arg-type]
    return Candidate(made, reading(post, made.rev), (label(post, CLASSIFIED), *labels))


def ranked(candidate: Candidate, score: float = 1.0) -> Ranked:
    return Ranked(candidate, (), score, (Term("like", score),))


@st.composite
def candidates(draw: st.DrawFn, name: str) -> Candidate:
    author = draw(st.sampled_from(AUTHORS))
    rev = draw(st.integers(1, 2))
    kinds = draw(st.lists(st.sampled_from(["image", "video", "audio", "link"]), max_size=2))
    media = tuple(Media("https://x.example/m", kind) for kind in kinds)
    values = draw(st.lists(st.sampled_from(VALUES), max_size=3))
    labels = [
        Label(
            draw(st.sampled_from([name, author])),
            value,
            draw(st.sampled_from([SOURCE, "did:web:labels.example", author])),
            0,
            draw(st.floats(0, 1)),
        )
        for value in values
    ]
    for marker in (CLASSIFIED, MEDIA_CLASSIFIED):
        if draw(st.booleans()):
            labels.append(Label(name, marker, draw(st.sampled_from([SOURCE, "someone"])), 0))
    read = draw(st.sampled_from([None, 1, 2]))
    return Candidate(
        Post(name, author, "text", 0, rev=rev, media=media, repost_of=draw(st.none() | posts())),
        None if read is None else reading(name, read),
        tuple(labels),
    )


def posts() -> st.SearchStrategy[str]:
    return st.sampled_from([f"p{n}" for n in range(6)])


@st.composite
def many(draw: st.DrawFn) -> list[Candidate]:
    count = draw(st.integers(0, 6))
    return [draw(candidates(f"p{n}")) for n in range(count)]


@st.composite
def ranking(draw: st.DrawFn) -> list[Ranked]:
    """As `rank` gives it: best score first, ties by post id."""
    scores = st.floats(-5, 5, allow_nan=False)
    items = [ranked(candidate, draw(scores)) for candidate in draw(many())]
    return sorted(items, key=lambda item: (-item.score, item.candidate.post.id))


viewers = st.builds(
    Viewer,
    id=st.none() | st.sampled_from([*AUTHORS, "viewer"]),
    follows=st.frozensets(st.sampled_from(AUTHORS)),
    mutes=st.frozensets(st.sampled_from(AUTHORS), max_size=1),
    blocks=st.frozensets(st.sampled_from(AUTHORS), max_size=1),
    seen=st.frozensets(posts(), max_size=3),
    minor=st.booleans(),
)
