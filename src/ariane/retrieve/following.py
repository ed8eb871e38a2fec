"""Recent posts of the accounts that the viewer follows."""

from __future__ import annotations

from dataclasses import dataclass

from ariane.retrieve.sources import RetrieveSettings, since
from ariane.types import Ask, Store, Viewer


@dataclass(frozen=True)
class Following:
    """Newest first, of every age; nothing for one who follows nobody."""

    store: Store
    limit: int = RetrieveSettings.each
    name: str = "following"

    def find(self, ask: Ask, viewer: Viewer) -> list[str]:
        """Ids of posts, newest first."""
        if not viewer.follows:
            return []
        return self.store.recent(
            ask.at,
            self.limit + len(viewer.seen),
            since=since(ask),
            authors=sorted(viewer.follows),
            languages=ask.feed.languages,
        )
