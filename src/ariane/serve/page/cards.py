"""Cards: a post as the page shows it, with its author, marks, reason and what the reader did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ariane.engine import Engine
from ariane.serve.page.done import Done
from ariane.serve.page.guarded import Guarded, avoided, guarded
from ariane.serve.page.text import CONTROLS, Piece, outward, paragraphs
from ariane.serve.page.words import aspect, say
from ariane.serve.service import now
from ariane.sight import as_seen
from ariane.types import (
    ActionKind,
    Ask,
    Decision,
    Feed,
    Media,
    Post,
    Ranked,
    Reason,
    Verdict,
    Viewer,
)
from ariane.why.causes import SENSITIVE, SURE
from ariane.why.sentences import sentence, shortened
from ariane.why.words import PATTERNS

HANDLE: Final = 30
"""Characters of an id that are shown as a handle."""

QUOTED: Final = 180
"""Characters that are shown of a post which another one answers."""

MEDIA_POLICY: Final = "minors"
"""The policy whose warning is about media that no classifier has seen, not about the text."""


@dataclass(frozen=True, slots=True)
class Face:
    """An account as it is named."""

    id: str
    name: str
    handle: str


@dataclass(frozen=True, slots=True)
class Quote:
    """A post that another one answers: who, and its first words; withheld ones have no words."""

    post: str
    face: Face | None
    text: str


@dataclass(frozen=True, slots=True)
class About:
    """What a wish for more or less of this post can be about: a target, and its name."""

    target: str
    name: str


@dataclass(frozen=True, slots=True)
class Card:
    """A post to show; `request` and `rank` are of the page that it stands on."""

    post: Post
    face: Face
    lines: tuple[tuple[Piece, ...], ...]
    done: Mapping[ActionKind, str]
    to: str
    rank: int = 0
    request: str | None = None
    by: Face | None = None
    answers: Quote | None = None
    replies: int = 0
    warning: str | None = None
    veiled: str | None = None
    marks: tuple[str, ...] = ()
    gist: str | None = None
    reason: str | None = None
    about: tuple[About, ...] = ()

    @property
    def link(self) -> str | None:
        """Where the post was published, if that is on the web."""
        return outward(self.post.url)

    @property
    def gone(self) -> ActionKind | None:
        """What the reader did that takes the post out of sight."""
        kinds = (ActionKind.NOT_INTERESTED, ActionKind.MUTE, ActionKind.BLOCK)
        return next((kind for kind in kinds if kind in self.done), None)

    @property
    def pictures(self) -> tuple[Media, ...]:
        """Media that have a place of their own; links stand in the text."""
        return tuple(media for media in self.post.media if media.kind != "link")


class Faces:
    """Names of accounts, each asked for once."""

    def __init__(self, engine: Engine) -> None:
        self._store, self._known = engine.store, dict[str, Face]()

    def of(self, account: str) -> Face:
        """An account by its name; one without a name by its id."""
        if account not in self._known:
            held = self._store.account(account)
            name = (held.name if held else None) or account
            handle = account if len(account) <= HANDLE else f"{account[: HANDLE - 1]}…"
            self._known[account] = Face(
                account, shortened(CONTROLS.sub("", name), 60), CONTROLS.sub("", handle)
            )
        return self._known[account]


def named(faces: Faces, target: str, language: str) -> str:
    """What a wish or a taste is about, as it is called."""
    kind, _, name = target.partition(":")
    if kind == "author":
        return faces.of(name).name
    if kind == "word":
        return PATTERNS[language]["quote"].format(text=name)
    return aspect(language, name)


class Dealer:
    """Makes the cards of one page for one reader."""

    def __init__(self, engine: Engine, language: str, done: Done, beside: Guarded) -> None:
        self.faces = Faces(engine)
        self._language, self._done, self._beside = language, done, beside

    def card(
        self,
        item: Ranked,
        to: str,
        *,
        rank: int = 0,
        request: str | None = None,
        replies: int = 0,
        reason: Reason | None = None,
        feed: Feed | None = None,
    ) -> Card:
        """The card of a post that the guard let pass; a repost shows what was reposted."""
        outer = item.candidate.post
        original = self._beside.shown.get(outer.repost_of or "")
        shown = original or item
        post, verdicts = shown.candidate.post, (*item.verdicts, *shown.verdicts)
        warnings = self._said(verdicts, Decision.INTERSTITIAL, media=False)
        veils = self._said(verdicts, Decision.INTERSTITIAL, media=True)
        return Card(
            post=post,
            face=self.faces.of(post.author),
            lines=paragraphs(post.text),
            done=self._done.to(post.id, post.author),
            to=to,
            rank=rank,
            request=request,
            by=self.faces.of(outer.author) if outer.repost_of else None,
            answers=self._answers(post),
            replies=replies,
            warning=warnings[0] if warnings else None,
            veiled=veils[0] if veils and post.media else None,
            marks=self._said(verdicts, Decision.LABEL, media=False),
            gist=gist(reason, self._language) if reason else None,
            reason=sentence(reason, feed, self._language) if reason and feed else None,
            about=about(shown, self._language),
        )

    def _answers(self, post: Post) -> Quote | None:
        if post.reply_to is None:
            return None
        parent = self._beside.shown.get(post.reply_to)
        if parent is None or _covered(parent):
            return Quote(post.reply_to, None, "")
        return Quote(
            post.reply_to,
            self.faces.of(parent.candidate.post.author),
            shortened(CONTROLS.sub("", parent.candidate.post.text), QUOTED),
        )

    def _said(
        self, verdicts: Iterable[Verdict], decision: Decision, *, media: bool
    ) -> tuple[str, ...]:
        said = (
            verdict.statement.get(self._language) or verdict.statement.get("en", "")
            for verdict in verdicts
            if verdict.decision is decision
            and (verdict.policy.partition("@")[0] == MEDIA_POLICY) is media
        )
        return tuple(dict.fromkeys(text for text in said if text))


def dealt(engine: Engine, feed: Feed, done: Done, language: str, to: str) -> list[Card]:
    """The cards of a served feed; `to` is the address that shows this page again."""
    posts = [item.candidate.post for item in feed.page.items]
    beside = beside_posts(engine, feed.ask, feed.viewer, posts)
    counts = engine.store.replies([post.repost_of or post.id for post in posts], feed.ask.at)
    reasons = {reason.post: reason for reason in feed.reasons}
    told = as_seen(engine, feed, now())
    dealer = Dealer(engine, language, done, beside)
    return [
        dealer.card(
            item,
            f"{to}#r{rank}",
            rank=rank,
            request=feed.ask.id,
            replies=len(counts.get(item.candidate.post.repost_of or item.candidate.post.id, ())),
            reason=reasons.get(item.candidate.post.id),
            feed=told,
        )
        for rank, item in enumerate(feed.page.items, start=1)
        if not lost(item, beside)
    ]


def beside_posts(engine: Engine, ask: Ask, viewer: Viewer, posts: Iterable[Post]) -> Guarded:
    """What posts repost and answer, and what the reposted ones answer, as a viewer may see it."""
    named = [name for post in posts for name in (post.reply_to, post.repost_of) if name]
    beside = guarded(engine, ask, viewer, named)
    parents = [name for item in beside.shown.values() if (name := item.candidate.post.reply_to)]
    if not parents:
        return beside
    more = guarded(engine, ask, viewer, parents)
    return Guarded({**more.shown, **beside.shown}, {**more.withheld, **beside.withheld})


def about(item: Ranked, language: str) -> tuple[About, ...]:
    """What the reader may wish more or less of; never what would say something about a person."""
    reading, found = item.candidate.reading, []
    if reading is not None:
        topic, share = reading.topics[0] if reading.topics else ("", 0.0)
        if topic and share >= SURE:
            found.append(About(f"topic:{topic}", aspect(language, topic)))
        if reading.tone and reading.tone != "neutral":
            found.append(About(f"tone:{reading.tone}", aspect(language, reading.tone)))
        if reading.claim:
            found.append(About(f"claim:{reading.claim}", aspect(language, reading.claim)))
    return tuple(found)


def gist(reason: Reason, language: str) -> str:
    """A reason in a few words."""
    kind, _, name = reason.cause.partition(":")
    names = [aspect(language, part) for part in name.split("+") if part not in SENSITIVE]
    if kind in ("topic", "tone", "format", "topic+tone") and names:
        return say(language, "gist.aspect", name=", ".join(names))
    if kind == "entity":
        return say(language, "gist.aspect", name=name)
    if kind == "wish":
        return say(language, "gist.wish")
    known = ("author", "follow", "fresh", "exploration", "history", "action")
    return say(language, f"gist.{kind}" if kind in known else "gist.everyone")


def _covered(item: Ranked) -> bool:
    return any(verdict.decision is Decision.INTERSTITIAL for verdict in item.verdicts)


def lost(item: Ranked, beside: Guarded) -> bool:
    """Whether this is a bare repost of what may not be shown, or is no longer there."""
    post = item.candidate.post
    if post.repost_of is None or post.repost_of in beside.shown:
        return False
    verdict = beside.withheld.get(post.repost_of)
    return not post.text.strip() or (verdict is not None and avoided(verdict))
