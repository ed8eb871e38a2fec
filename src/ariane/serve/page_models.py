"""Wire models of a page: its items, their scores and reasons, and the replay of its receipt."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from ariane.serve.models import PostOut
from ariane.serve.values import moment
from ariane.types import LANGUAGES, PREDICTED, Feed, Ranked, Reason
from ariane.why.sentences import sentence


class ReasonOut(BaseModel):
    """Why a post stands where it stands: a claim that the receipt replays."""

    post: str
    stage: str
    cause: str
    evidence: list[str]
    rank: int
    rank_without: int | None
    sentence: dict[str, str]

    @classmethod
    def of(cls, reason: Reason, feed: Feed) -> ReasonOut:
        """A reason of a served feed, with its sentence in every language."""
        return cls(
            post=reason.post,
            stage=reason.stage,
            cause=reason.cause,
            evidence=list(reason.evidence),
            rank=reason.rank,
            rank_without=reason.rank_without,
            sentence={language: sentence(reason, feed, language) for language in LANGUAGES},
        )


class MarkOut(BaseModel):
    """What a policy did to a post that it let pass, with its statement."""

    decision: str
    policy: str
    statement: dict[str, str]


class ItemOut(BaseModel):
    """A post of a page: how it was found, its score by terms, and why it is there."""

    rank: int
    post: PostOut
    sources: list[str]
    topics: list[str]
    labels: list[str]
    score: float
    terms: dict[str, float]
    forecast: dict[str, float]
    marks: list[MarkOut]
    reasons: list[ReasonOut]

    @classmethod
    def of(cls, rank: int, item: Ranked, feed: Feed) -> ItemOut:
        """An item of a served feed."""
        found = item.candidate
        terms: dict[str, float] = {}
        for term in item.terms:
            terms[term.name] = terms.get(term.name, 0.0) + term.amount
        return cls(
            rank=rank,
            post=PostOut.of(found.post),
            sources=list(found.sources),
            topics=[name for name, _ in found.reading.topics] if found.reading else [],
            labels=sorted({label.value for label in found.labels}),
            score=item.score,
            terms=terms,
            forecast=dict(zip((kind.value for kind in PREDICTED), item.forecast, strict=False)),
            marks=[
                MarkOut(
                    decision=verdict.decision.value,
                    policy=verdict.policy,
                    statement=dict(verdict.statement),
                )
                for verdict in item.verdicts
            ],
            reasons=[
                ReasonOut.of(reason, feed)
                for reason in feed.reasons
                if reason.post == found.post.id
            ],
        )


class MovedOut(BaseModel):
    """The places that a named term gave (+) or cost (−) a post."""

    post: str
    term: str
    places: int


class PageOut(BaseModel):
    """One page; `next` is the `after` of the page that follows, `request` names the receipt."""

    request: str
    feed: str
    model: str
    profiled: bool
    items: list[ItemOut]
    moved: list[MovedOut]
    removed: dict[str, int]
    next: str | None

    @classmethod
    def of(cls, feed: Feed) -> PageOut:
        """A feed as served; removed posts are counted by rule or policy, not named."""
        removed: dict[str, int] = {}
        for out in feed.page.removed:
            removed[out.verdict.policy] = removed.get(out.verdict.policy, 0) + 1
        return cls(
            request=feed.ask.id,
            feed=feed.ask.feed.name,
            model=feed.model,
            profiled=feed.ask.profiled and feed.ask.viewer is not None,
            items=[ItemOut.of(rank, item, feed) for rank, item in enumerate(feed.page.items, 1)],
            moved=[
                MovedOut(post=moved.post, term=moved.term, places=moved.places)
                for moved in feed.page.terms
            ],
            removed=removed,
            next=feed.ask.id if feed.page.items else None,
        )


class WhyOut(BaseModel):
    """The reasons of a receipt."""

    request: str
    feed: str
    model: str
    at: datetime
    reasons: list[ReasonOut]

    @classmethod
    def of(cls, feed: Feed, post: str | None = None) -> WhyOut:
        """The reasons of a served feed, or those of one of its posts."""
        return cls(
            request=feed.ask.id,
            feed=feed.ask.feed.name,
            model=feed.model,
            at=moment(feed.ask.at),
            reasons=[
                ReasonOut.of(reason, feed)
                for reason in feed.reasons
                if post is None or reason.post == post
            ],
        )


class ReplayOut(BaseModel):
    """Whether a receipt gives its page again, and how many of its claims hold."""

    same_page: bool
    claims: int
    held: int
    failures: list[str]
