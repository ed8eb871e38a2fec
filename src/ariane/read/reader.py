"""Posts to readings, with an encoder and heads: the reader that needs no language model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ariane.read.aspects import UNREADABLE, Aspects
from ariane.read.language import language
from ariane.types import Encoder, Post, Reading


class EncoderReader:
    """Reads a post's text, with what its author wrote of its media (their alternative texts)."""

    def __init__(self, encoder: Encoder, run: Path | None = None) -> None:
        """With the heads of a run, or those of the package."""
        self._encoder = encoder
        self._aspects = Aspects(encoder, run)
        self.name = f"{encoder.name}+{self._aspects.name}"

    def read(self, posts: Sequence[Post]) -> list[Reading]:
        """One reading a post, in the same order; a post without text has no aspects."""
        texts = [post.words for post in posts]
        vectors = self._encoder.encode(texts)
        understood = self._aspects.understand(vectors)
        return [
            Reading(
                post=post.id,
                rev=post.rev,
                vector=vector,
                topics=seen.topics,
                tone=seen.tone,
                intent=seen.intent,
                format=seen.format,
                language=language(text) or _declared(post.lang),
                by=self.name,
            )
            for post, text, vector, seen in zip(
                posts,
                texts,
                vectors,
                [
                    seen if text else UNREADABLE
                    for seen, text in zip(understood, texts, strict=True)
                ],
                strict=True,
            )
        ]


def _declared(lang: str | None) -> str | None:
    """The language a source declared ("fr-CA"), as a two-letter code."""
    code = (lang or "").partition("-")[0].lower()
    return code if len(code) == 2 and code.isalpha() else None
