"""Policies as documents: each Markdown file says what it covers, to people, and does what it says.

A document begins with TOML between two lines of `+++`; the rest is prose under one heading a
language. `docs/guard.md` explains every key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from ariane.types import HOUSE, ArianeError, Candidate, Decision, Rule, Verdict, Viewer

CLASSIFIED: Final = "classified"
"""The label that says: the text of this post's current revision went through the classifier."""

MEDIA_CLASSIFIED: Final = "media-classified"
"""The label that says: a classifier has seen the post's media."""

UNREAD: Final = "unread"
UNCLASSIFIED: Final = "unclassified"
UNSEEN_MEDIA: Final = "unseen-media"
"""What a policy can act on besides labels: what is *not* known of a post."""

LANGUAGES: Final = {"en": "English", "fr": "Français"}
"""Languages of every statement and policy, with the heading of their prose."""

SEVERITY: Final = {decision: place for place, decision in enumerate(Decision)}

DID: Final[Mapping[Decision, Mapping[str, str]]] = {
    Decision.LABEL: {
        "en": "This post carries a notice.",
        "fr": "Cette publication porte un avertissement.",
    },
    Decision.DEMOTE: {
        "en": "This post is placed lower in this feed.",
        "fr": "Cette publication est placée plus bas dans ce fil.",
    },
    Decision.INTERSTITIAL: {
        "en": "This post is shown behind a warning.",
        "fr": "Cette publication est montrée derrière un avertissement.",
    },
    Decision.DROP: {
        "en": "This post is not shown in this feed.",
        "fr": "Cette publication n'est pas montrée dans ce fil.",
    },
}

CLOSING: Final = {
    "en": "{how} Policy: {title} ({policy}). You can contest this with the operator of this feed.",
    "fr": "{how} Règle : {title} ({policy}). Vous pouvez contester cette décision auprès de "
    "l'opérateur de ce fil.",
}

HOW: Final = {
    "automatic": {
        "en": "It was decided automatically, without a person.",
        "fr": "La décision est automatique, sans intervention humaine.",
    },
    "label": {
        "en": "It was decided automatically, from a label given by {source}.",
        "fr": "La décision est automatique, d'après une étiquette donnée par {source}.",
    },
}

_DOCUMENT = re.compile(r"\A\+\+\+\n(?P<front>.*?)\n\+\+\+\n(?P<prose>.*)\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """What the operator chooses of the guard; the policies themselves are documents."""

    blur_unseen_media: bool = True
    """Whether images, video and sound that no classifier has seen are shown behind a warning;
    minors never get them."""


@dataclass(frozen=True, slots=True)
class Act:
    """What is done where any of the labels stands with at least this confidence."""

    labels: tuple[str, ...]
    adults: Decision
    minors: Decision
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Policy:
    """One document; `category` and `ground` are values of the DSA's statements of reasons."""

    id: str
    version: str
    category: str
    ground: str
    title: Mapping[str, str]
    statement: Mapping[str, str]
    acts: tuple[Act, ...]
    prose: Mapping[str, str]

    @property
    def name(self) -> str:
        """As verdicts name it."""
        return f"{self.id}@{self.version}"


class PolicyRule:
    """A policy at work: the most severe of its acts that this viewer and candidate call for."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._acts: dict[str, tuple[Act, ...]] = {}
        for act in policy.acts:
            for label in act.labels:
                self._acts[label] = (*self._acts.get(label, ()), act)
        self._on_unknown = bool(self._acts.keys() & {UNREAD, UNCLASSIFIED, UNSEEN_MEDIA})
        self._verdict = lru_cache(maxsize=1024)(self._state)

    def __call__(self, viewer: Viewer, candidate: Candidate) -> Verdict | None:
        """The verdict with its statement, or None where the policy has nothing to say."""
        decided, by = Decision.ALLOW, ""
        for value, confidence, source in self._marks(candidate):
            for act in self._acts[value]:
                decision = act.minors if viewer.minor else act.adults
                if confidence >= act.confidence and SEVERITY[decision] > SEVERITY[decided]:
                    decided, by = decision, source
        return None if decided is Decision.ALLOW else self._verdict(decided, by)

    def _marks(self, candidate: Candidate) -> list[tuple[str, float, str]]:
        """What the policy acts on: (value, confidence, source). On every request's path: plain."""
        marks = []
        for label in candidate.labels:
            if label.value in self._acts:
                marks.append((label.value, label.confidence, label.source))
        if self._on_unknown:
            marks += [(name, 1.0, HOUSE) for name in unknowns(candidate) if name in self._acts]
        return marks

    def _state(self, decision: Decision, source: str) -> Verdict:
        policy, how = self.policy, HOW["automatic" if source.startswith(HOUSE) else "label"]
        statement = {}
        for language in LANGUAGES:
            closing = CLOSING[language].format(
                how=how[language].format(source=source),
                title=policy.title[language],
                policy=policy.name,
            )
            parts = (DID[decision][language], policy.statement[language], closing)
            statement[language] = " ".join(parts)
        return Verdict(decision, policy.name, statement)


def unknowns(candidate: Candidate) -> list[str]:
    """What is not known of a post: whether it was read, classified, and its media seen."""
    post, reading, found = candidate.post, candidate.reading, []
    if reading is None or reading.rev != post.rev:
        found.append(UNREAD)
    elif not _house(candidate, CLASSIFIED):
        found.append(UNCLASSIFIED)
    shown = post.media and any(media.kind != "link" for media in post.media)
    if shown and not _house(candidate, MEDIA_CLASSIFIED):
        found.append(UNSEEN_MEDIA)
    return found


def _house(candidate: Candidate, value: str) -> bool:
    """Whether one of this installation's classifiers gave the post itself this label."""
    for label in candidate.labels:  # on every request's path: a generator costs twice as much
        if (
            label.value == value
            and label.subject == candidate.post.id
            and label.source.startswith(HOUSE)
        ):
            return True
    return False


def policy_rules(
    policies: Sequence[Policy], settings: GuardSettings | None = None
) -> tuple[Rule, ...]:
    """One rule a policy, the minors' among them, in the order of the policies' ids."""
    settings = settings or GuardSettings()
    if not settings.blur_unseen_media:
        policies = [_unblurred(policy) for policy in policies]
    return tuple(PolicyRule(policy) for policy in policies)


def load_policies() -> tuple[Policy, ...]:
    """The policies that come with the package, by id."""
    folder = files(__package__).joinpath("policies")
    documents = [entry for entry in folder.iterdir() if entry.name.endswith(".md")]
    return tuple(sorted(map(read_policy, documents), key=lambda policy: policy.id))


def read_policy(document: Traversable) -> Policy:
    """One document; raises ArianeError where a key or a language is missing or wrong."""
    parts = _DOCUMENT.match(document.read_text(encoding="utf-8"))
    if not parts:
        raise ArianeError(f"{document.name} does not begin with TOML between two lines of +++.")
    try:
        table: dict[str, Any] = tomllib.loads(parts["front"])
        _check_keys(table, Policy, {"prose"})
        for act in table.get("acts", ()):
            _check_keys(act, Act, set())
        policy = TypeAdapter(Policy).validate_python({**table, "prose": _prose(parts["prose"])})
    except (tomllib.TOMLDecodeError, ValidationError, ValueError) as error:
        raise ArianeError(f"{document.name} is no policy: {error}") from error
    for name, texts in (("title", policy.title), ("statement", policy.statement)):
        _check_languages(document.name, name, texts)
    _check_languages(document.name, "prose", policy.prose)
    return policy


def _prose(text: str) -> dict[str, str]:
    """Sections by language, from the headings `## English` and `## Français`."""
    found = {}
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        for language, name in LANGUAGES.items():
            if heading.strip() == name:
                found[language] = body.strip()
    return found


def _check_keys(table: Mapping[str, Any], kind: type, apart: set[str]) -> None:
    known = {field.name for field in fields(kind)} - apart
    if unknown := set(table) - known:
        raise ValueError(f"{sorted(unknown)} are no keys; there are {sorted(known)}.")


def _check_languages(document: str, name: str, texts: Mapping[str, str]) -> None:
    if missing := [language for language in LANGUAGES if not texts.get(language)]:
        raise ArianeError(f"{document} has no {name} in {', '.join(missing)}: write it.")


def _unblurred(policy: Policy) -> Policy:
    acts = tuple(
        replace(act, adults=Decision.ALLOW) if act.labels == (UNSEEN_MEDIA,) else act
        for act in policy.acts
    )
    return replace(policy, acts=acts)
