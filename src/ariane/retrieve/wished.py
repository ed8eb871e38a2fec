"""Posts that the viewer, or the feed's operator, wished for more of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ariane.retrieve.merge import merge
from ariane.retrieve.search import best, within
from ariane.retrieve.sources import RetrieveSettings, since
from ariane.retrieve.vectors import VectorFile
from ariane.types import Ask, Encoder, Store, Viewer, Wish


@dataclass(frozen=True)
class Wished:
    """By author and language from the store, by topic and word from the nearest vectors.

    Without an encoder, wishes for topics and words bring nothing here and still move the score.
    """

    store: Store
    vectors: VectorFile
    encoder: Encoder | None = None
    limit: int = RetrieveSettings.each
    name: str = "wished"

    def find(self, ask: Ask, viewer: Viewer) -> list[str]:
        """Ids of posts, best first, from each wish in turn."""
        found = {wish.id: self._one(ask, viewer, wish) for wish in _more(ask, viewer)}
        return list(merge(found, self.limit, viewer.seen))

    def _one(self, ask: Ask, viewer: Viewer, wish: Wish) -> list[str]:
        kind, _, name = wish.target.partition(":")
        wanted, spoken = self.limit + len(viewer.seen), ask.feed.languages
        if kind == "author":
            return self.store.recent(
                ask.at, wanted, since=since(ask), authors=[name], languages=spoken
            )
        if kind == "language":
            if spoken and name not in spoken:
                return []
            return self.store.recent(ask.at, wanted, since=since(ask), languages=[name])
        rows = self.vectors.rows()
        if kind not in ("topic", "word") or self.encoder is None or rows.matrix is None:
            return []
        query = self.encoder.encode([name.replace("_", " ")])[0]
        if query.size != len(rows.matrix):
            return []
        scores, among = rows.vectors @ (query @ rows.matrix), within(rows, ask)
        return best(rows, scores, self.limit, among=among, without=viewer.seen)


def _more(ask: Ask, viewer: Viewer) -> Iterator[Wish]:
    for wish in (*viewer.wishes, *ask.feed.wishes):
        if wish.direction > 0 and (wish.until is None or ask.at < wish.until):
            yield wish
