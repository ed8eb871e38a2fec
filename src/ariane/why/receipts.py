"""One true reason for every post of a page, each from an exact counterfactual, and their replay."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import PositiveInt

from ariane.types import Feed, Page, Ranked, Reason, Viewer
from ariane.why.causes import WEIGHT, Cause, History, Key
from ariane.why.counterfactual import WISH, Arrange, Places, Runs, places

NEARLY: Final = 0.8
"""A smaller cause is named if it moves the post at least this much of what the largest one does."""

EXPLAINED: Final = 0.3
"""What one more try is worth for a post that a set moves already, beside one that none does."""

PART: Final = 0.8
"""How early parts of the history are tried, beside the weights of causes with a name."""

ALONE: Final = 0.1
"""A cause that does less than this part of what the whole history does is no single cause."""


@dataclass(frozen=True)
class WhySettings:
    """How much is run to explain."""

    runs: PositiveInt = 12
    """The most counterfactual pages that are arranged to explain one page; at least one is."""

    runs_one_post: PositiveInt = 32
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

    Page-wide, the whole history and at most `settings.runs` sets in all are deleted, each once,
    and every item is read from the same runs. Named is the smallest of the sets that move it down
    the most; where none does, the whole history, if that moves it; else how it was found.
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
        self.history = History(viewer)
        self.parts: list[Key] = [(False, part) for part in self.history.parts()]
        self.everything = tuple(past.action.id for past in viewer.history)
        self._nothing = self.runs.without("", self.everything) if self.everything else self.now
        self._causes: dict[str, list[Cause]] = {}
        self.tried: dict[Key, Places] = {}
        self._explored = {
            moved.post for moved in page.terms if moved.term == "exploration" and moved.places > 0
        }

    def causes(self, item: Ranked) -> list[Cause]:
        """Proposals for an item: none where exploration put it, wishes where no action did."""
        post = item.candidate.post.id
        if post not in self._causes:
            found = [] if post in self._explored else self.history.causes(item)
            personal = self.fall(post) > 0
            self._causes[post] = [c for c in found if personal or c.kind == "wish"]
        return self._causes[post]

    def run(self, most: int) -> None:
        """Try sets in turn, those first that may explain most of what is not explained yet."""
        left: dict[Key, dict[str, float]] = {}
        for item in self.page.items:
            post = item.candidate.post.id
            proposed = {cause.key: WEIGHT[cause.kind] for cause in self.causes(item)}
            if self.fall(post) > 0 and post not in self._explored:
                proposed = dict.fromkeys(self.parts, PART) | proposed
            for key, weight in proposed.items():
                left.setdefault(key, {})[post] = weight
        tries: Counter[str] = Counter()
        explained: set[str] = set()
        while left and self.runs.count < most:
            gain = {
                key: sum(
                    weight / (1 + tries[post]) * (EXPLAINED if post in explained else 1.0)
                    for post, weight in posts.items()
                )
                for key, posts in left.items()
            }
            best = max(gain, key=lambda key: gain[key])
            then = self.try_set(best)
            tries.update(left.pop(best).keys())
            explained |= {post for post in tries if self._enough(post, then)}

    def try_set(self, key: Key) -> Places:
        """Where every candidate stands without a set."""
        self.tried[key] = self.runs.without(WISH if key[0] else "", key[1])
        return self.tried[key]

    def drop(self, post: str, then: Places) -> int:
        """How many places a post loses."""
        return then.of(post) - self.now.of(post)

    def fall(self, post: str) -> int:
        """How many places a post loses without all of the history."""
        return self.drop(post, self._nothing)

    def moving(self, item: Ranked) -> list[Reason]:
        """A claim for every set that was tried and moves an item down.

        Sets that share nothing with the item count too, and are named by what was done.
        """
        post = item.candidate.post.id
        named = {cause.key: cause for cause in self.causes(item)}
        personal = self.fall(post) > 0 and post not in self._explored
        found = []
        for key, then in self.tried.items():
            if self.drop(post, then) > 0 and (key in named or (personal and not key[0])):
                cause = named.get(key) or self.history.unnamed(key[1], item)
                found.append(self.claim(post, cause.cause, cause.evidence))
        return found

    def reason(self, item: Ranked) -> Reason:
        """What the runs show about one item: the smallest of the causes that do the most."""
        post, rank = item.candidate.post.id, self.now.of(item.candidate.post.id)
        drops = {reason: (reason.rank_without or rank) - rank for reason in self.moving(item)}
        largest = max(drops.values(), default=0)
        if largest and largest >= ALONE * self.fall(post):
            enough = [reason for reason, drop in drops.items() if drop >= NEARLY * largest]
            return min(enough, key=lambda r: (len(r.evidence), -WEIGHT[r.cause.partition(":")[0]]))
        if self.fall(post) > 0 and post not in self._explored:
            return self.claim(post, "history:", self.everything)
        return self.unclaimed(item)

    def claim(self, post: str, cause: str, evidence: tuple[str, ...]) -> Reason:
        """A reason with both of its ranks."""
        then = self.runs.without(cause, evidence).of(post)
        return Reason(post, "rank", cause, evidence, self.now.of(post), then)

    def unclaimed(self, item: Ranked) -> Reason:
        """A reason without evidence: how the post was found, where only one source found it."""
        post, author = item.candidate.post.id, item.candidate.post.author
        sources = item.candidate.sources
        stage: Literal["retrieve", "rank", "compose"] = "rank"
        cause = "everyone:"
        if post in self._explored:
            stage, cause = "compose", "exploration:"
        elif sources == ("following",) and author in self.viewer.follows:
            stage, cause = "retrieve", f"follow:{author}"
        elif sources == ("fresh",):
            stage, cause = "retrieve", "fresh:"
        return Reason(post, stage, cause, (), self.now.of(post), None)

    def _enough(self, post: str, then: Places) -> bool:
        return self.drop(post, then) >= max(1.0, ALONE * self.fall(post))


def _shown(page: Page) -> list[tuple[str, float]]:
    return [(item.candidate.post.id, item.score) for item in page.items]
