"""Candidates → verdicts: what may be shown to this viewer, and how; decided by rules alone."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from ariane.types import Candidate, Decision, Ranked, Removed, Rule, Term, Verdict, Viewer

__all__ = ["DEMOTION", "guard"]

T = TypeVar("T", Candidate, Ranked)

DEMOTION: Final = 1.0
"""What a DEMOTE verdict takes from a score: as much as a certain like gives by default."""

FAILED: Final = Verdict(
    Decision.DROP,
    "failed-check@1",
    {
        "en": "This post is not shown in this feed. A safety check failed on it, and what cannot "
        "be checked is withheld. It was decided automatically. You can contest this with the "
        "operator of this feed.",
        "fr": "Cette publication n'est pas montrée dans ce fil. Un contrôle de sécurité a échoué "
        "sur elle, et ce qui ne peut être contrôlé est retenu. La décision est automatique. Vous "
        "pouvez la contester auprès de l'opérateur de ce fil.",
    },
)

_log = logging.getLogger(__name__)


def guard(rules: Sequence[Rule], viewer: Viewer, items: list[T]) -> tuple[list[T], list[Removed]]:
    """What passes every rule, and what was removed with the verdict that did it.

    The first DROP ends an item's way. On a Ranked, milder verdicts are kept and a DEMOTE costs its
    score a named term, after which the order is restored (score, then post id); a Candidate has
    no score yet, so that only a DROP has an effect on it. A rule that raises withholds the item.
    """
    kept: list[T] = []
    removed: list[Removed] = []
    demoted = False
    for item in items:
        candidate = _candidate(item)
        verdicts = _judge(rules, viewer, candidate)
        if verdicts and verdicts[-1].decision is Decision.DROP:
            removed.append(Removed(candidate, verdicts[-1]))
        elif verdicts and isinstance(item, Ranked):
            kept.append(_marked(item, verdicts))
            demoted = demoted or any(v.decision is Decision.DEMOTE for v in verdicts)
        else:
            kept.append(item)
    if demoted:
        kept.sort(key=_place)
    return kept, removed


def _judge(rules: Iterable[Rule], viewer: Viewer, candidate: Candidate) -> list[Verdict]:
    """The verdicts on a candidate in the rules' order, up to and with the first DROP."""
    verdicts = []
    for rule in rules:
        try:
            verdict = rule(viewer, candidate)
        except Exception:
            _log.exception("a rule failed on post %s, which is withheld", candidate.post.id)
            verdict = FAILED
        if verdict is None or verdict.decision is Decision.ALLOW:
            continue
        verdicts.append(verdict)
        if verdict.decision is Decision.DROP:
            break
    return verdicts


def _marked(item: Ranked, verdicts: list[Verdict]) -> Ranked:
    """The item with its verdicts, and a term for each DEMOTE among them."""
    costs = tuple(
        Term("demote", -DEMOTION) for verdict in verdicts if verdict.decision is Decision.DEMOTE
    )
    return replace(
        item,
        score=item.score - DEMOTION * len(costs),
        terms=item.terms + costs,
        verdicts=item.verdicts + tuple(verdicts),
    )


def _candidate(item: Candidate | Ranked) -> Candidate:
    return item.candidate if isinstance(item, Ranked) else item


def _place(item: Candidate | Ranked) -> tuple[float, str]:
    """Where an item stands: best score first, ties by post id."""
    return -item.score if isinstance(item, Ranked) else 0.0, _candidate(item).post.id
