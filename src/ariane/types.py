"""The nouns of Ariane and the protocols between its rooms: frozen values, no I/O, no torch.

Times (`at`, `until`) are milliseconds since the Unix epoch, UTC. Ids are opaque strings.
A language is an ISO 639-1 code ("fr"), or None when it is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Literal, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float32]


# ---------------------------------------------------------------------------------------------
# Errors
# ---------------------------------------------------------------------------------------------


class ArianeError(Exception):
    """Work that failed: one sentence that names the wrong value and the remedy (exit status 1)."""


class CallError(ArianeError):
    """A call that was wrong: a bad setting, option or address (exit status 2, HTTP 4xx)."""


class NotFoundError(CallError):
    """A name that the store does not hold (HTTP 404)."""


class WithdrawnError(ArianeError):
    """A receipt whose evidence was erased, edited or deleted, so that it cannot be replayed."""


class LanguageModelError(ArianeError):
    """A language model gave no answer that can be used."""


class ModelDownError(LanguageModelError):
    """It cannot be reached, broke off, or went on failing after the retries."""


class ModelSlowError(LanguageModelError):
    """It did not answer in time."""


class ModelRefusedError(LanguageModelError):
    """It declined: the key, the model's name, the question, or what the question is about."""


class ModelGarbageError(LanguageModelError):
    """Its answer is empty, cut at the limit, too large, or unfit, also when asked again."""


class BudgetError(LanguageModelError):
    """The day's tokens or money do not reach for this question; nothing was asked."""


# ---------------------------------------------------------------------------------------------
# What comes in
# ---------------------------------------------------------------------------------------------


class ActionKind(StrEnum):
    """What a viewer can do: the one list that heads, values, metrics and the page iterate over.

    Each member carries its `sign` (+1 liked, −1 disliked, 0 neither), its default `value` in the
    score, and whether the ranker `predicted` a probability for it.
    """

    sign: int
    value_by_default: float
    predicted: bool

    def __new__(cls, name: str, sign: int, value: float, predicted: bool) -> Self:
        """Give a member its sign, value and head."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.sign, member.value_by_default, member.predicted = sign, value, predicted
        return member

    IMPRESSION = ("impression", 0, 0.0, False)
    DWELL = ("dwell", 1, 0.1, True)
    CLICK = ("click", 1, 0.3, True)
    LIKE = ("like", 1, 1.0, True)
    REPLY = ("reply", 1, 2.0, True)
    REPOST = ("repost", 1, 2.0, True)
    QUOTE = ("quote", 1, 2.0, True)
    BOOKMARK = ("bookmark", 1, 2.0, True)
    SHARE = ("share", 1, 2.0, True)
    FOLLOW = ("follow", 1, 4.0, True)
    PROFILE = ("profile", 1, 0.3, True)
    WORTH_MY_TIME = ("worth_my_time", 1, 4.0, True)
    NOT_INTERESTED = ("not_interested", -1, -2.0, True)
    MUTE = ("mute", -1, -8.0, True)
    BLOCK = ("block", -1, -8.0, True)
    REPORT = ("report", -1, -20.0, True)


PREDICTED: tuple[ActionKind, ...] = tuple(kind for kind in ActionKind if kind.predicted)
"""The kinds that the ranker predicts, in the order of its heads."""


@dataclass(frozen=True, slots=True)
class Media:
    """Something shown with a post: where it is, and what is known of it without fetching it."""

    url: str
    kind: Literal["image", "video", "audio", "link"] = "image"
    alt: str | None = None
    mime: str | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """Something published; among posts of one id the highest `rev` wins."""

    id: str
    author: str
    text: str
    at: int
    rev: int = 1
    lang: str | None = None
    url: str | None = None
    media: tuple[Media, ...] = ()
    reply_to: str | None = None
    root: str | None = None
    repost_of: str | None = None
    source: str = ""

    @property
    def words(self) -> str:
        """All that it says: its text, then the alternative text of each medium."""
        parts = (self.text, *(media.alt or "" for media in self.media))
        return "\n".join(part.strip() for part in parts if part.strip())

    @property
    def since(self) -> int:
        """From when labels on this revision stand: later for a later one, whose word is the last.

        Revisions from 100,000,000,000 on are times (milliseconds, 1973), smaller ones are counted.
        """
        return max(self.at, self.rev) if self.rev >= _FIRST_TIME else self.at + self.rev - 1


_FIRST_TIME: Final = 100_000_000_000


@dataclass(frozen=True, slots=True)
class Account:
    """Who publishes or views; `hides_from_algorithms` asks not to be recommended to strangers.

    `at` is when this was stated, where that is known; a store keeps it of no account.
    """

    id: str
    name: str | None = None
    birth_year: int | None = None
    country: str | None = None
    hides_from_algorithms: bool = False
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """What a viewer did to a post or to an account; `seconds` is dwell, `request` the Ask's id."""

    id: str
    viewer: str
    kind: ActionKind
    at: int
    post: str | None = None
    account: str | None = None
    seconds: float | None = None
    request: str | None = None


HOUSE: Final = "ariane/"
"""How the source of every label begins that this installation's own classifiers wrote."""


HARMS: Final = ("spam", "harassment", "self-harm", "sexual")
"""The values of labels that this installation draws from readings."""


@dataclass(frozen=True, slots=True)
class Label:
    """A claim about a post or an account, kept beside it (the AT Protocol's label shape).

    A label with `negates` takes back the same source's earlier label of the same value.
    """

    subject: str
    value: str
    source: str
    at: int
    confidence: float = 1.0
    until: int | None = None
    negates: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """A post, account or action that is gone, also when its create arrives later.

    An action's id is its viewer's own, so that its delete names the `viewer` too.
    """

    what: Literal["post", "account", "action"]
    id: str
    at: int
    viewer: str | None = None


Event: TypeAlias = Post | Account | Action | Label | Delete


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a source has been taken in; saved in the same transaction as its events."""

    source: str
    value: str


@dataclass(frozen=True, slots=True)
class Written:
    """What one write did: events that changed the store, and events that it already held."""

    new: int = 0
    same: int = 0


# ---------------------------------------------------------------------------------------------
# What is understood
# ---------------------------------------------------------------------------------------------


LANGUAGES: Final = ("en", "fr")
"""Languages that people are spoken to in."""

CLAIMS: Final = ("reported", "alleged", "rumour", "correction")
"""Footings of what is said to have happened: a source is named; someone is accused of it; it goes
round without a source; it sets right what went round."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What reader `by` (name and version) understood of revision `rev` of a post.

    `vector` is float32 of the encoder's width and unit length. `topics` are (name, probability),
    most probable first. `tone`, `intent` and `format` are names, "" where the reader is not sure.
    A language model also tells `entities` (people, places, works… as they are written), `claim`
    (on what footing something is said to have happened: one of CLAIMS, or ""), `gist` (a line of
    what it says) and `labels` (what a policy may act on); its `depth` is 1. Of several readings of
    a revision the deepest is in force, then the newest.
    """

    post: str
    rev: int
    vector: Vector
    topics: tuple[tuple[str, float], ...]
    tone: str
    intent: str
    format: str
    language: str | None
    by: str
    entities: tuple[str, ...] = ()
    claim: str = ""
    gist: str = ""
    labels: tuple[str, ...] = ()
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """A steering instruction: more (+1) or less (−1) of a target, in the viewer's words too.

    `target` is "KIND:NAME" with KIND one of topic, tone, intent, format, claim, language, author,
    word.
    `strength` lies in (0, 1]; 1 with direction −1 means none of it at all.
    """

    id: str
    target: str
    direction: Literal[-1, 1]
    strength: float = 0.5
    until: int | None = None
    said: str = ""


# ---------------------------------------------------------------------------------------------
# A request
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FeedSpec:
    """One named feed: where its posts come from, and what its operator wishes for everyone.

    Empty `sources` means all that the engine has; empty `languages` means every language.
    """

    name: str = "for-you"
    title: Mapping[str, str] = field(default_factory=lambda: {"en": "For You", "fr": "Pour vous"})
    sources: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    wishes: tuple[Wish, ...] = ()
    order: Literal["ranked", "latest"] = "ranked"
    max_age_hours: float | None = None


FOR_YOU = FeedSpec()
FOLLOWING = FeedSpec(
    name="following",
    title={"en": "Following", "fr": "Abonnements"},
    sources=("following",),
    order="latest",
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request for one page of one feed; `after` is the id of the request before it."""

    id: str
    viewer: str | None
    at: int
    feed: FeedSpec = FOR_YOU
    size: int = 20
    after: str | None = None
    surface: str = "home"
    language: str = "en"
    profiled: bool = True


RECENT: Final = "recent"
"""The name of the ranker that needs no model: newer posts stand higher, whoever asks."""

HISTORY_BLOCK: Final = 64
"""Actions that a ranker encodes together, and by which a history's window slides."""


def window_start(actions: int, window: int) -> int:
    """The first of so many actions inside a window of the last ones.

    A multiple of HISTORY_BLOCK, so that it seldom moves; a window of less than a block slides by
    one.
    """
    beyond, step = max(0, actions - window), HISTORY_BLOCK if window >= HISTORY_BLOCK else 1
    return -(-beyond // step) * step


@dataclass(frozen=True, slots=True)
class Past:
    """One action of a viewer's history, with the post it was done to as far as it is still held."""

    action: Action
    post: Post | None = None
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class Viewer:
    """One who asks: all that is personal in a request.

    `history` is oldest first. `seen` holds posts not to show again; it is a rule's input, never
    the ranker's.
    """

    id: str | None
    history: tuple[Past, ...] = ()
    follows: frozenset[str] = frozenset()
    mutes: frozenset[str] = frozenset()
    blocks: frozenset[str] = frozenset()
    wishes: tuple[Wish, ...] = ()
    seen: frozenset[str] = frozenset()
    minor: bool = False

    def without(self, actions: frozenset[str]) -> Viewer:
        """The same viewer had these actions (by id) never reached the ranker."""
        kept = tuple(past for past in self.history if past.action.id not in actions)
        return replace(self, history=kept)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A post that could be shown; `labels` are those on the post and on its author."""

    post: Post
    reading: Reading | None = None
    labels: tuple[Label, ...] = ()
    sources: tuple[str, ...] = ()


class Decision(StrEnum):
    """What a rule or a policy decides, mildest first."""

    ALLOW = "allow"
    LABEL = "label"
    DEMOTE = "demote"
    INTERSTITIAL = "interstitial"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision, the rule or policy ("id@version") behind it, and its statement by language.

    `statement` is empty for the viewer's own rules (seen, own, muted, blocked), which are counted
    per request and never stored.
    """

    decision: Decision
    policy: str
    statement: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Term:
    """One named part of a score: a predicted kind's value × probability, or wish, demote, …"""

    name: str
    amount: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its forecast (probabilities in the order of PREDICTED) and its score.

    `score` is the sum of `terms`; `verdicts` are those that let it pass, with a mark or a cost.
    `model` names the ranker (the rung of the ladder) that forecast; `compose` puts it on the page.
    """

    candidate: Candidate
    forecast: tuple[float, ...]
    score: float
    terms: tuple[Term, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    model: str = ""


@dataclass(frozen=True, slots=True)
class Removed:
    """A candidate that a rule or a policy took out, and the verdict that did it."""

    candidate: Candidate
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Moved:
    """The places that a named term gave (+) or cost (−) a post of the page, or one that left it."""

    post: str
    term: str
    places: int


@dataclass(frozen=True, slots=True)
class Page:
    """One arranged page: the items shown, every ranked candidate best first, and what was removed.

    `model` names the ranker (the rung of the ladder) that gave the scores.
    """

    items: tuple[Ranked, ...]
    ranked: tuple[Ranked, ...] = ()
    removed: tuple[Removed, ...] = ()
    terms: tuple[Moved, ...] = ()
    model: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """A replayable claim: `post` stands at `rank` (1-based), and without `evidence` at another.

    `cause` is "KIND:NAME" (topic, author, tone, format, action, follow, wish, popular, fresh…);
    `evidence` are action ids (wish ids for a wish). `rank_without` is None where no counterfactual
    was run, and one more than the number of candidates where the post would not be there at all.
    """

    post: str
    stage: Literal["retrieve", "rank", "guard", "compose"]
    cause: str
    evidence: tuple[str, ...]
    rank: int
    rank_without: int | None


@dataclass(frozen=True, slots=True)
class Feed:
    """A page as served: the receipt that every claim replays from.

    `recipe` holds, as JSON values, the settings that arranged it (values, mix, policies).
    """

    ask: Ask
    viewer: Viewer
    page: Page
    reasons: tuple[Reason, ...] = ()
    model: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)

    @property
    def by_time(self) -> bool:
        """Whether no model ranked it: a feed in order of time, or no trained ranker answered."""
        return self.ask.feed.order == "latest" or self.model == RECENT


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """What ranker `model` expects of each candidate.

    `probabilities` is float32 (candidates, len(PREDICTED)); `seconds` float32 (candidates,), the
    expected dwell.
    """

    model: str
    probabilities: NDArray[np.float32]
    seconds: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Value:
    """How a forecast becomes a score: what each kind is worth, and the named terms after it."""

    kinds: Mapping[ActionKind, float]
    terms: tuple[TermRule, ...] = ()


@dataclass(frozen=True, slots=True)
class VectorRow:
    """One reading as the vector indexes take it in; `sequence` grows with every write.

    `language` is the one that was read in the post, else the one that it states.
    """

    sequence: int
    post: str
    author: str
    at: int
    vector: Vector
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a store holds."""

    posts: int
    unread: int
    accounts: int
    viewers: int
    actions: int
    served: int


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation with a language model."""

    role: Literal["system", "user", "assistant"]
    text: str


# ---------------------------------------------------------------------------------------------
# Protocols
# ---------------------------------------------------------------------------------------------

Rule: TypeAlias = Callable[[Viewer, Candidate], Verdict | None]
TermRule: TypeAlias = Callable[[Ask, Viewer, Candidate], Term | None]
Classify: TypeAlias = Callable[[Post, Reading], tuple[Label, ...]]


class Store(Protocol):
    """Memory: every method is one transaction, and what it has returned survives a crash."""

    def write(self, events: Sequence[Event], cursor: Cursor | None = None) -> Written:
        """Take events in, idempotently and in any order, with the source's cursor."""

    def cursor(self, source: str) -> str | None:
        """How far the source was taken in."""

    def posts(self, ids: Sequence[str]) -> dict[str, Post]:
        """The live posts among these ids."""

    def account(self, account: str) -> Account | None:
        """One account."""

    def unread(self, reader: str, limit: int) -> list[Post]:
        """Live posts whose current revision this reader has not read, newest first."""

    def write_readings(self, readings: Sequence[Reading], labels: Sequence[Label]) -> None:
        """Keep readings with the labels that were drawn from them.

        Of a source "NAME@VERSION" they replace what other versions said of the same subjects.
        """

    def readings(self, ids: Sequence[str], by: str | None = None) -> dict[str, Reading]:
        """The reading in force of each of these posts that has one, or that by this reader."""

    def candidates(self, ids: Sequence[str], at: int) -> dict[str, Candidate]:
        """These posts as they stood: published by `at` and live, with reading and labels in force.

        An author who hides from algorithms carries the label "hides-from-algorithms".
        """

    def recent(
        self,
        at: int,
        limit: int,
        *,
        since: int | None = None,
        authors: Sequence[str] | None = None,
        languages: Sequence[str] = (),
    ) -> list[str]:
        """Ids of live posts published in (since, at], newest first, by these authors if given."""

    def published(self, author: str, at: int, limit: int, after: str = "") -> list[tuple[int, str]]:
        """Times and ids of an author's live posts published by `at`, newest first, ties by id.

        Of those published at `at` itself only the ids that come after `after` are given, so that
        the last of one page begins the next.
        """

    def replies(self, ids: Sequence[str], at: int) -> dict[str, list[str]]:
        """Ids of the live replies to these posts published by `at`, oldest first."""

    def vectors(self, after: int, limit: int) -> list[VectorRow]:
        """Readings written after this sequence number, for the vector indexes to follow."""

    def viewer(self, ask: Ask) -> Viewer:
        """The one who asks, as of `ask.at`; not profiled, only mutes, blocks and minor are read."""

    def wishes(self, viewer: str, at: int) -> tuple[Wish, ...]:
        """A viewer's wishes in force."""

    def write_wish(self, viewer: str, wish: Wish) -> None:
        """Keep a wish; the same id again replaces it."""

    def delete_wish(self, viewer: str, wish: str) -> bool:
        """Forget a wish; False where there was none."""

    def record_served(self, feed: Feed) -> None:
        """Keep the receipt of a feed, and every policy's verdict in it."""

    def receipt(self, request: str) -> Feed:
        """A feed as it was served, viewer and candidates as they were then.

        Raises NotFoundError, or WithdrawnError where evidence was erased, edited or deleted.
        """

    def served_to(self, request: str) -> str | None:
        """Whom a request was served to, None for nobody; raises as `receipt` where it is gone.

        It answers also where posts or actions of the receipt are gone, until it is erased itself.
        """

    def did(self, viewer: str, action: str) -> bool:
        """Whether this action of this viewer's is held."""

    def standing(self, viewer: str, kind: ActionKind, account: str) -> list[str]:
        """Ids of the actions by which a viewer follows, mutes or blocks an account.

        They stand until they are undone, also where the history at hand does not hold them.
        """

    def actions(self, until: int | None = None) -> Iterator[Action]:
        """Every action up to and including `until`, in order of time."""

    def write_feed(self, spec: FeedSpec) -> None:
        """Keep a feed's specification; the same name again replaces it."""

    def delete_feed(self, name: str) -> bool:
        """Forget a feed's specification; False where there was none."""

    def feeds(self) -> dict[str, FeedSpec]:
        """The feeds that were written, by name."""

    def promote(self, part: str, checkpoint: str) -> None:
        """Make a checkpoint the live one of its part ("ranker", "retriever", "reader")."""

    def promoted(self, part: str) -> str | None:
        """The live checkpoint of a part."""

    def export(self, viewer: str) -> dict[str, Any]:
        """All that the store holds about a person, as JSON values."""

    def erase(self, viewer: str) -> bool:
        """Destroy a person's key and rows; False where nothing was held."""

    def forget(
        self, *, actions: int | None, receipts: int | None, anonymous: int | None = None
    ) -> int:
        """Delete actions and receipts older than these times, for good; how many. None keeps.

        `anonymous` is the time for receipts without a viewer, where it is later than `receipts`.
        """

    def retain(self, now: int) -> int:
        """Forget what the store's settings keep no longer at `now`; how many rows."""

    def people(self) -> list[str]:
        """Ids of accounts, and of viewers who did or wished anything, in order."""

    def counts(self) -> Counts:
        """How much the store holds."""

    def close(self) -> None:
        """Let go of files and connections."""


class Source(Protocol):
    """One way to find posts for a viewer."""

    name: str

    def find(self, ask: Ask, viewer: Viewer) -> list[str]:
        """Ids of posts, best first."""


class Encoder(Protocol):
    """Text to vectors, the same meaning in any language near the same vector."""

    name: str
    width: int

    def encode(self, texts: Sequence[str]) -> Vector:
        """Unit vectors, float32 (texts, width)."""


class Reader(Protocol):
    """Posts to readings."""

    name: str

    def read(self, posts: Sequence[Post]) -> list[Reading]:
        """One reading a post, in the same order."""


class Ranker(Protocol):
    """Predicts what the viewer would do with each candidate."""

    name: str

    def forecast(self, ask: Ask, viewer: Viewer, candidates: Sequence[Candidate]) -> Forecast:
        """One row a candidate; its score depends on no other candidate and on no order."""


class LanguageModel(Protocol):
    """Any model that answers messages; threads may share one.

    `name` is what readings and receipts call it ("grok-4"). `limit` is in tokens of the answer.
    """

    name: str

    def answer(
        self,
        messages: Sequence[Message],
        schema: Mapping[str, Any] | None = None,
        *,
        limit: int = 1024,
    ) -> str:
        """The answer; one JSON value that fits the JSON schema where one is given.

        Raises ModelDownError, ModelSlowError, ModelRefusedError, ModelGarbageError, and
        BudgetError before anything was asked.
        """

    def stream(self, messages: Sequence[Message], *, limit: int = 1024) -> Iterator[str]:
        """The answer in pieces, as they come; raises as `answer` does, maybe after some of them."""
