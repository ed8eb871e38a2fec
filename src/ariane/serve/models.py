"""Wire models: posts, accounts, wishes and feeds, as the API takes and gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ariane.serve.values import Id, Language, Line, Strict, Target, Time, milliseconds, moment
from ariane.types import LANGUAGES, Account, FeedSpec, Post, Wish


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

    def account(self, name: str, at: int) -> Account:
        """The account of this name, as it was stated at `at`."""
        hides = self.hides_from_algorithms
        return Account(name, self.name, self.birth_year, self.country, hides, at)


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


class WordsIn(Strict):
    """Wishes in plain words, English or French; `language` is that of a refusal."""

    words: Annotated[Line, Field(min_length=1, examples=["less politics until Sunday"])]
    language: Language = "en"


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

    title: Annotated[dict[Language, Line], Field(default_factory=dict, max_length=20)]
    sources: Annotated[list[Id], Field(default_factory=list, max_length=20)]
    languages: Annotated[list[Language], Field(default_factory=list, max_length=20)]
    wishes: Annotated[list[StandingWish], Field(default_factory=list, max_length=50)]
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


class Done(BaseModel):
    """Whether an act changed anything."""

    done: bool
