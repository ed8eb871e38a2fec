"""Wire models: what the API takes and gives, as OpenAPI describes it.

Times are ISO 8601 with a zone, as on the wire of events.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from ariane.steer.apply import MATCHES, check_target
from ariane.types import (
    PREDICTED,
    Account,
    CallError,
    Feed,
    FeedSpec,
    Post,
    Ranked,
    Reason,
    Wish,
)
from ariane.why.sentences import sentence

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
LANGUAGES = ("en", "fr")
LAST_YEAR = 9998
EARLIEST = (datetime(1, 1, 1, tzinfo=UTC) - EPOCH) // MILLISECOND
LATEST = (datetime(9999, 12, 31, tzinfo=UTC) - EPOCH) // MILLISECOND


def moment(milliseconds: int) -> datetime:
    """A time of the store as one of the wire; what no calendar holds is its first or last day."""
    return EPOCH + min(max(milliseconds, EARLIEST), LATEST) * MILLISECOND


def milliseconds(at: datetime) -> int:
    """A time of the wire as one of the store."""
    return (at - EPOCH) // MILLISECOND


def _storable(at: datetime) -> datetime:
    if not EPOCH.year <= at.year <= LAST_YEAR:
        raise ValueError(f"a time lies in the years {EPOCH.year} to {LAST_YEAR}")
    return at


def _no_control(text: str) -> str:
    if any(ord(sign) < 32 or 0xD800 <= ord(sign) <= 0xDFFF for sign in text):
        raise ValueError("control characters and lone surrogates are not taken")
    return text


Time = Annotated[AwareDatetime, AfterValidator(_storable)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=512), AfterValidator(_no_control)]
Line = Annotated[str, StringConstraints(max_length=500), AfterValidator(_no_control)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
FeedName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


def _target(text: str) -> str:
    try:
        check_target(text)
    except CallError as error:
        raise ValueError(str(error)) from None
    return text


Target = Annotated[
    str,
    StringConstraints(max_length=200),
    AfterValidator(_no_control),
    AfterValidator(_target),
    Field(json_schema_extra={"pattern": rf"^({'|'.join(MATCHES)}):[a-z]"}),
]


class Strict(BaseModel):
    """A body that is taken: an unknown key is a mistake, not something to pass over."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


# ---------------------------------------------------------------------------------------------
# Posts, accounts, wishes, feeds: in and out
# ---------------------------------------------------------------------------------------------


class MediaOut(BaseModel):
    """Something shown with a post."""

    url: str
    kind: str
    alt: str | None
    mime: str | None
    width: int | None
    height: int | None


class PostOut(BaseModel):
    """A post, in the format in which it is taken in."""

    type: Literal["post"] = "post"
    id: str
    author: str
    text: str
    at: datetime
    rev: int
    lang: str | None
    url: str | None
    media: list[MediaOut]
    reply_to: str | None
    root: str | None
    repost_of: str | None
    source: str

    @classmethod
    def of(cls, post: Post) -> PostOut:
        """A post of the store."""
        return cls(
            id=post.id,
            author=post.author,
            text=post.text,
            at=moment(post.at),
            rev=post.rev,
            lang=post.lang,
            url=post.url,
            media=[
                MediaOut(
                    url=item.url,
                    kind=item.kind,
                    alt=item.alt,
                    mime=item.mime,
                    width=item.width,
                    height=item.height,
                )
                for item in post.media
            ],
            reply_to=post.reply_to,
            root=post.root,
            repost_of=post.repost_of,
            source=post.source,
        )


class AccountIn(Strict):
    """What an account is said to be."""

    name: Line | None = None
    birth_year: Annotated[int, Field(ge=1900, le=2100)] | None = None
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    hides_from_algorithms: bool = False

    def account(self, name: str) -> Account:
        """The account of this name."""
        return Account(name, self.name, self.birth_year, self.country, self.hides_from_algorithms)


class AccountOut(AccountIn):
    """An account; as it is held, so that old values pass too."""

    model_config = ConfigDict(extra="ignore")

    id: str
    name: str | None
    birth_year: int | None
    country: str | None

    @classmethod
    def of(cls, account: Account) -> AccountOut:
        """An account of the store."""
        return cls(
            id=account.id,
            name=account.name,
            birth_year=account.birth_year,
            country=account.country,
            hides_from_algorithms=account.hides_from_algorithms,
        )


class WishIn(Strict):
    """More (+1) or less (−1) of a target; strength 1 with −1 means none of it at all."""

    target: Target
    direction: Literal[-1, 1]
    strength: Annotated[float, Field(gt=0, le=1)] = 0.5
    until: Time | None = None
    said: Line = ""

    def wish(self, name: str) -> Wish:
        """The wish of this id."""
        until = None if self.until is None else milliseconds(self.until)
        return Wish(name, self.target, self.direction, self.strength, until, self.said)


class WishOut(BaseModel):
    """A wish in force."""

    id: str
    target: str
    direction: Literal[-1, 1]
    strength: float
    until: datetime | None
    said: str

    @classmethod
    def of(cls, wish: Wish) -> WishOut:
        """A wish of the store."""
        return cls(
            id=wish.id,
            target=wish.target,
            direction=wish.direction,
            strength=wish.strength,
            until=None if wish.until is None else moment(wish.until),
            said=wish.said,
        )


class StandingWish(WishIn):
    """A wish that a feed's operator has for everyone."""

    id: Id


class FeedSpecIn(Strict):
    """Where a feed's posts come from; empty lists mean everything there is."""

    title: Annotated[dict[Language, Line], Field(max_length=20)] = {}
    sources: Annotated[list[Id], Field(max_length=20)] = []
    languages: Annotated[list[Language], Field(max_length=20)] = []
    wishes: Annotated[list[StandingWish], Field(max_length=50)] = []
    order: Literal["ranked", "latest"] = "ranked"
    max_age_hours: Annotated[float, Field(gt=0, le=1e6)] | None = None

    def spec(self, name: str) -> FeedSpec:
        """The specification of this name; without a title, the name is its title."""
        return FeedSpec(
            name,
            self.title or dict.fromkeys(LANGUAGES, name),
            tuple(self.sources),
            tuple(self.languages),
            tuple(wish.wish(wish.id) for wish in self.wishes),
            self.order,
            self.max_age_hours,
        )


class FeedSpecOut(BaseModel):
    """A feed: its parameters are public."""

    name: str
    title: dict[str, str]
    sources: list[str]
    languages: list[str]
    wishes: list[WishOut]
    order: Literal["ranked", "latest"]
    max_age_hours: float | None

    @classmethod
    def of(cls, spec: FeedSpec) -> FeedSpecOut:
        """A feed of the engine."""
        return cls(
            name=spec.name,
            title=dict(spec.title),
            sources=list(spec.sources),
            languages=list(spec.languages),
            wishes=[WishOut.of(wish) for wish in spec.wishes],
            order=spec.order,
            max_age_hours=spec.max_age_hours,
        )


# ---------------------------------------------------------------------------------------------
# A page and its reasons
# ---------------------------------------------------------------------------------------------


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


# ---------------------------------------------------------------------------------------------
# Acts and states
# ---------------------------------------------------------------------------------------------


class RejectedOut(BaseModel):
    """A line of a batch that was not taken in, and why."""

    line: int
    sentence: str


class TakenOut(BaseModel):
    """What a batch did: events new to the store, events it held, lines set aside."""

    taken: int
    same: int
    rejected: list[RejectedOut]


class Done(BaseModel):
    """Whether an act changed anything."""

    done: bool


class TokenIn(Strict):
    """Whom a token is to name, and for how many days; no viewer means the operator."""

    viewer: Id | None
    days: Annotated[int, Field(ge=1, le=366)] = 30


class TokenOut(BaseModel):
    """A token, to be sent as `Authorization: Bearer TOKEN`."""

    token: str


class ConsentIn(Strict):
    """An anonymous reader's consent to a cookie by which their feed remembers them."""

    consent: Literal[True]


class ReaderOut(BaseModel):
    """The id under which an anonymous reader is remembered."""

    viewer: str


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """The store and the engine answer; `model` is the ranker that would rank now."""

    status: Literal["ok"] = "ok"
    model: str
    posts: int
    unread: int


class EngineOut(BaseModel):
    """The engine that is being served from now on."""

    model: str
