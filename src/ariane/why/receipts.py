"""One true reason for every post of a page, each from an exact counterfactual, and their replay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ariane.types import Feed, Page, Ranked, Reason, Viewer
from ariane.why.causes import WEIGHT, Cause, History
from ariane.why.counterfactual import Arrange, Places, Runs, places

NEARLY: Final = 0.8
"""A smaller cause is named if it moves the post at least this much of what the largest one does."""

EXPLAINED: Final = 0.3
"""What one more try is worth for a post that a set moves already, beside one that none does."""

ALONE: Final = 0.1
"""A cause that does less than this part of what the whole history does is no single cause."""


@dataclass(frozen=True)
class WhySettings:
    """How much is run to explain."""

    runs: int = 12
    """The most counterfactual pages that are arranged to explain one page."""

    runs_one_post: int = 48
    """The most that are arranged to explain one post when someone asks about it."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Whether a receipt gave the same page again, and how many of its claims held."""

    same_page: bool
    claims: int
    held: int
    failures: tuple[str, ...]


def why(
    arrange: Arrange, viewer: Viewer, page: Page, settings: WhySettings | None = None
) -> tuple[Reason, ...]:
    """One reason an item of the page, in its order.

    Page-wide, at most `settings.runs` sets of actions are deleted, each once, and every item is
    read from the same runs. Named is the smallest of the sets that move it down the most. Where
    none does, the whole history is named if that moves it, or else a reason that is not personal.
    """
    settings = settings or WhySettings()
    inquiry = Inquiry(arrange, viewer, page)
    inquiry.run(settings.runs)
    return tuple(inquiry.reason(item) for item in page.items)


def replay_claims(arrange: Arrange, feed: Feed) -> Replay:
    """Arrange a served feed again, and without the evidence of every claim that gives a number.

    The page is the same if its posts are, in order, with bit-equal scores. A claim holds if both
    of its ranks come out again.
    """
    page = arrange(feed.viewer)
    same = _shown(page) == _shown(feed.page)
    now, runs = places(page), Runs(arrange, feed.viewer)
    claims = [(r, r.rank_without) for r in feed.reasons if r.rank_without is not None]
    failures = []
    for reason, said in claims:
        rank = now.of(reason.post)
        then = runs.without(reason.cause, reason.evidence).of(reason.post)
        if (rank, then) != (reason.rank, said):
            failures.append(
                f"{reason.post}: {reason.cause} was printed as {reason.rank} → {said} "
                f"and replays as {rank} → {then}"
            )
    return Replay(same, len(claims), len(claims) - len(failures), tuple(failures))


class Inquiry:
    """The counterfactual runs of one page, and what they show about its items."""

    def __init__(self, arrange: Arrange, viewer: Viewer, page: Page) -> None:
        self.viewer, self.page = viewer, page
        self.now = places(page)
        self.runs = Runs(arrange, viewer)
        self.everything = tuple(past.action.id for past in viewer.history)
        self.history = History(viewer)
        self._causes: dict[str, list[Cause]] = {}
        self._tried: dict[Cause, Places] = {}
        self._nothing: Places | None = None
        self._explained: set[str] = set()
        self._explored = {
            moved.post for moved in page.terms if moved.term == "exploration" and moved.places > 0
        }

    def causes(self, item: Ranked) -> list[Cause]:
        """Proposals for an item; none where exploration put it."""
        post = item.candidate.post.id
        if post not in self._causes:
            explored = post in self._explored
            self._causes[post] = [] if explored else self.history.causes(item)
        return self._causes[post]

    def run(self, most: int) -> None:
        """Try the whole history, then sets in turn: those that may explain most of what is left."""
        if self.everything and most > 0:
            self._nothing = self.runs.without("", self.everything)
        left: dict[frozenset[str], list[tuple[str, Cause]]] = {}
        for item in self.page.items:
            for cause in self.causes(item):
                pair = (item.candidate.post.id, cause)
                left.setdefault(frozenset(cause.evidence), []).append(pair)
        tries: Counter[str] = Counter()
        while left and self.runs.count < most:
            gain = {key: self._gain(pairs, tries) for key, pairs in left.items()}
            best = max(gain, key=lambda key: gain[key])
            if not gain[best]:
                return
            for post, cause in left.pop(best):
                self.try_cause(cause)
                tries[post] += 1
                if self.drop(post, cause) > 0:
                    self._explained.add(post)

    def try_cause(self, cause: Cause) -> Places:
        """Where every candidate stands without a cause."""
        then = self._tried[cause] = self.runs.without(cause.cause, cause.evidence)
        return then

    def drop(self, post: str, cause: Cause) -> int:
        """How many places a post loses without a cause that was tried."""
        return self._tried[cause].of(post) - self.now.of(post)

    def fall(self, post: str) -> int:
        """How many places a post loses without all of the history, if that was tried."""
        return self._nothing.of(post) - self.now.of(post) if self._nothing else 0

    def reason(self, item: Ranked) -> Reason:
        """What the runs show about one item."""
        post = item.candidate.post.id
        fall = self.fall(post)
        drops = {c: self.drop(post, c) for c in self.causes(item) if c in self._tried}
        largest = max(drops.values(), default=0)
        if largest >= max(1.0, ALONE * fall):
            enough = [cause for cause, drop in drops.items() if drop >= NEARLY * largest]
            cause = min(enough, key=lambda c: (len(c.evidence), -WEIGHT[c.kind]))
            return self.claim(post, cause.cause, cause.evidence)
        if fall > 0 and post not in self._explored:
            return self.claim(post, "history:", self.everything)
        return self.impersonal(item)

    def moving(self, item: Ranked) -> list[Reason]:
        """A claim for every cause that was tried and moves an item down."""
        post = item.candidate.post.id
        tried = [cause for cause in self.causes(item) if cause in self._tried]
        return [
            self.claim(post, cause.cause, cause.evidence)
            for cause in tried
            if self.drop(post, cause) > 0
        ]

    def claim(self, post: str, cause: str, evidence: tuple[str, ...]) -> Reason:
        """A reason with both of its ranks."""
        then = self.runs.without(cause, evidence).of(post)
        return Reason(post, "rank", cause, evidence, self.now.of(post), then)

    def impersonal(self, item: Ranked) -> Reason:
        """A reason that no action of the viewer's is behind, but for whom they follow."""
        post, author = item.candidate.post.id, item.candidate.post.author
        sources = item.candidate.sources
        stage: Literal["retrieve", "rank", "compose"] = "rank"
        cause = "everyone:"
        if post in self._explored:
            stage, cause = "compose", "exploration:"
        elif "following" in sources and author in self.viewer.follows:
            stage, cause = "retrieve", f"follow:{author}"
        elif sources == ("fresh",):
            stage, cause = "retrieve", "fresh:"
        return Reason(post, stage, cause, (), self.now.of(post), None)

    def _gain(self, pairs: Sequence[tuple[str, Cause]], tries: Counter[str]) -> float:
        """What trying one set may still explain, over all items that propose it."""
        gain = 0.0
        for post, cause in pairs:
            if self.fall(post) > 0 or cause.kind == "wish":
                worth = WEIGHT[cause.kind] / (1 + tries[post])
                gain += worth * (EXPLAINED if post in self._explained else 1.0)
        return gain


def _shown(page: Page) -> list[tuple[str, float]]:
    return [(item.candidate.post.id, item.score) for item in page.items]
