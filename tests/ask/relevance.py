"""Relevance: which posts of the town a question is about, and what a peer without meaning finds.

Each question over the town names the planted topics that an answer can have, and words of either
language; they were written from the questions alone, before anything was asked. A post is to the
point if it was planted with one of these topics, and it or the first post of its thread has one of
these words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from ariane.ask import MOST
from ariane.ask.meant import subject
from ariane.demo.town import Town


@dataclass(frozen=True)
class Found:
    """Of the posts that were cited for some questions: how many are to the point."""

    cited: int
    right: int
    questions: int
    answered: int
    """Questions with a citation that is to the point."""

    @property
    def share(self) -> float:
        """The share of the citations that are to the point."""
        return self.right / max(1, self.cited)

    def __str__(self) -> str:
        return (
            f"{self.right} of {self.cited} citations to the point ({self.share:.3f}), "
            f"{self.answered} of {self.questions} questions with one"
        )


class Judge:
    """Knows what the town's posts were meant to be."""

    def __init__(self, made: Town) -> None:
        self.posts = {post.id: post for post in made.posts}
        self.truths = made.world.truths

    def right(self, asked: Mapping[str, Any], name: str) -> bool:
        """Whether a post is to the point of a question."""
        post = self.posts[name]
        first = self.posts.get(post.root or name, post)
        words = re.compile(rf"\b(?:{asked['words']})\b", re.IGNORECASE)
        said = words.search(post.words) or words.search(first.words)
        return said is not None and self.truths[name].topic in asked["topics"]

    def found(self, asked: Sequence[Mapping[str, Any]], cited: Sequence[list[str]]) -> Found:
        """How many of the posts that were cited for each question are to the point."""
        pairs = zip(asked, cited, strict=True)
        right = [sum(self.right(one, name) for name in names) for one, names in pairs]
        return Found(sum(map(len, cited)), sum(right), len(asked), sum(map(bool, right)))


class Peer:
    """TF-IDF over words, as scikit-learn has it: the posts that share the rarest words."""

    def __init__(self, posts: Mapping[str, str]) -> None:
        self.names = list(posts)
        self.vectors = TfidfVectorizer(strip_accents="unicode", sublinear_tf=True)
        self.matrix = self.vectors.fit_transform(posts.values())

    def __call__(self, question: str) -> list[str]:
        """As many posts as an answer may cite, best first."""
        scores = (self.matrix @ self.vectors.transform([subject(question)]).T).toarray()[:, 0]
        best = np.argsort(-scores, kind="stable")[:MOST]
        return [self.names[row] for row in best if scores[row] > 0]
