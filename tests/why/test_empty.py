"""Empty pages say why, in both languages, from what the receipt and the store know."""

from __future__ import annotations

from dataclasses import replace
from string import Formatter

import pytest

from ariane.guard import rules
from ariane.types import (
    FOLLOWING,
    Ask,
    Candidate,
    Counts,
    Decision,
    Feed,
    FeedSpec,
    Page,
    Post,
    Removed,
    Verdict,
    Viewer,
)
from ariane.why.empty import why_empty
from ariane.why.words import EMPTY, REMOVED

HELD = Counts(posts=9, unread=4, accounts=0, viewers=0, actions=0, served=0)
UNREAD = replace(HELD, unread=9)
POST = Candidate(Post("p", "a", "t", 0))
MINORS = Verdict(Decision.DROP, "minors@1", {"en": "x"})


def feed(*removed: Verdict, spec: FeedSpec | None = None, after: str | None = None) -> Feed:
    ask = Ask("r", "zoe", 9, feed=spec or FeedSpec(), after=after)
    return Feed(ask, Viewer("zoe"), Page((), removed=tuple(Removed(POST, one) for one in removed)))


@pytest.mark.parametrize(
    ("page", "counts", "english", "french"),
    [
        (feed(), replace(HELD, posts=0), "no posts yet", "pas encore de publications"),
        (feed(spec=FOLLOWING), HELD, "zoe follows nobody", "zoe ne suit personne"),
        (feed(rules.SEEN, rules.SEEN), HELD, "(2) have been seen", "(2) ont déjà été vues"),
        (feed(MINORS), UNREAD, "minors get only posts that were read", "les mineurs"),
        (
            feed(rules.SEEN, rules.MUTED, rules.MUTED, MINORS),
            HELD,
            "(4) were left out: 2 by muted accounts, 1 seen already, 1 by the policy minors@1.",
            "2 de comptes masqués, 1 vues déjà, 1 selon la règle minors@1.",
        ),
        (feed(after="q"), HELD, "the end of this feed", "la fin de ce fil"),
        (feed(spec=FeedSpec("sci", languages=("fr",))), HELD, "the feed sci", "le fil sci"),
        (feed(), UNREAD, "`ariane read`", "`ariane read`"),
        (feed(), HELD, "posts held (9) was found", "gardées (9) n’a été trouvée"),
    ],
)
def test_an_empty_page_says_why(page: Feed, counts: Counts, english: str, french: str) -> None:
    assert english in why_empty(page, counts, "en")
    assert french in why_empty(page, counts, "fr-CA")


def test_without_a_profile_nobody_is_said_to_follow_nobody() -> None:
    page = feed(spec=FOLLOWING)
    plain = replace(page, ask=replace(page.ask, profiled=False))
    anyone = replace(page, viewer=Viewer(None))
    for one in (plain, anyone):
        assert "not read without a profile" in why_empty(one, HELD, "en")


def test_every_rule_and_every_sentence_has_words_in_both_languages() -> None:
    verdicts = [value for value in vars(rules).values() if isinstance(value, Verdict)]
    assert {one.policy.partition("@")[0] for one in verdicts} | {"policy"} == set(REMOVED["en"])
    for words in (EMPTY, REMOVED):
        assert words["en"].keys() == words["fr"].keys()
        for name, text in words["en"].items():
            fields = [
                {f for _, f, _, _ in Formatter().parse(t) if f} for t in (text, words["fr"][name])
            ]
            assert fields[0] == fields[1]
