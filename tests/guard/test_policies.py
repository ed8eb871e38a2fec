from __future__ import annotations

from pathlib import Path

import pytest
from tests.guard.things import checked, label, reading

from ariane.guard.policies import (
    LANGUAGES,
    MEDIA_CLASSIFIED,
    GuardSettings,
    load_policies,
    policy_rules,
    read_policy,
    unknowns,
)
from ariane.types import ArianeError, Candidate, Decision, Label, Media, Post, Verdict, Viewer

POLICIES = load_policies()
RULES = policy_rules(POLICIES)
ADULT, MINOR = Viewer("v"), Viewer("v", minor=True)

DOCUMENT = """+++
id = "test"
version = "3"
category = "STATEMENT_CATEGORY_OTHER_VIOLATION_TC"
ground = "DECISION_GROUND_INCOMPATIBLE_CONTENT"
[title]
en = "Test"
fr = "Essai"
[statement]
en = "Why."
fr = "Pourquoi."
[[acts]]
labels = ["x"]
adults = "label"
minors = "drop"
+++
## English
This.
## Français
Cela.
"""

# The 16 values of the schema of July 2025 of the DSA's transparency database.
CATEGORIES = {
    f"STATEMENT_CATEGORY_{name}"
    for name in [
        "ANIMAL_WELFARE",
        "CONSUMER_INFORMATION",
        "CYBER_VIOLENCE",
        "CYBER_VIOLENCE_AGAINST_WOMEN",
        "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS",
        "ILLEGAL_OR_HARMFUL_SPEECH",
        "INTELLECTUAL_PROPERTY_INFRINGEMENTS",
        "NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
        "NOT_SPECIFIED_NOTICE",
        "OTHER_VIOLATION_TC",
        "PROTECTION_OF_MINORS",
        "RISK_FOR_PUBLIC_SECURITY",
        "SCAMS_AND_FRAUD",
        "SELF_HARM",
        "UNSAFE_AND_PROHIBITED_PRODUCTS",
        "VIOLENCE",
    ]
}


def decided(viewer: Viewer, candidate: Candidate) -> Decision:
    """The most severe decision of all policies."""
    verdicts = [rule(viewer, candidate) for rule in RULES]
    decisions = [verdict.decision for verdict in verdicts if verdict]
    return max(decisions, key=list(Decision).index, default=Decision.ALLOW)


def only(viewer: Viewer, candidate: Candidate) -> Verdict:
    verdicts = [verdict for rule in RULES if (verdict := rule(viewer, candidate))]
    assert len(verdicts) == 1
    return verdicts[0]


def test_the_policies_are_there_and_speak_both_languages() -> None:
    assert [policy.id for policy in POLICIES] == [
        "adult",
        "harassment",
        "minors",
        "moderators",
        "self-harm",
        "spam",
    ]
    for policy in POLICIES:
        assert policy.category in CATEGORIES
        assert policy.ground.startswith("DECISION_GROUND_")
        for texts in (policy.title, policy.statement, policy.prose):
            assert set(texts) == set(LANGUAGES)
        for word, language in (("Covered", "en"), ("Ce qui est visé", "fr")):
            assert word in policy.prose[language]
        assert "Not covered" in policy.prose["en"]
        assert "n'est pas visé" in policy.prose["fr"]


def test_no_act_is_milder_for_minors() -> None:
    order = list(Decision)
    for policy in POLICIES:
        for act in policy.acts:
            assert order.index(act.minors) >= order.index(act.adults)


@pytest.mark.parametrize(
    ("value", "confidence", "adults", "minors"),
    [
        ("spam", 0.98, Decision.DROP, Decision.DROP),
        ("spam", 0.90, Decision.DEMOTE, Decision.DROP),
        ("spam", 0.50, Decision.ALLOW, Decision.ALLOW),
        ("harassment", 0.99, Decision.INTERSTITIAL, Decision.DROP),
        ("harassment", 0.90, Decision.DEMOTE, Decision.DROP),
        ("harassment", 0.65, Decision.ALLOW, Decision.DROP),
        ("self-harm", 0.90, Decision.INTERSTITIAL, Decision.DROP),
        ("self-harm", 0.45, Decision.ALLOW, Decision.DROP),
        ("sexual", 0.95, Decision.INTERSTITIAL, Decision.DROP),
        ("porn", 1.0, Decision.INTERSTITIAL, Decision.DROP),
        ("nudity", 1.0, Decision.LABEL, Decision.DROP),
        ("graphic-media", 1.0, Decision.INTERSTITIAL, Decision.DROP),
        ("!hide", 1.0, Decision.DROP, Decision.DROP),
        ("!warn", 1.0, Decision.INTERSTITIAL, Decision.DROP),
        ("threat", 1.0, Decision.DROP, Decision.DROP),
        ("unheard-of", 1.0, Decision.ALLOW, Decision.ALLOW),
    ],
)
def test_labels_lead_to_decisions(
    value: str, confidence: float, adults: Decision, minors: Decision
) -> None:
    candidate = checked("p", "ann", label("p", value, confidence))
    assert decided(ADULT, candidate) is adults
    assert decided(MINOR, candidate) is minors


def test_a_label_on_the_author_counts() -> None:
    assert decided(ADULT, checked("p", "ann", label("ann", "!hide"))) is Decision.DROP


def test_a_statement_says_what_why_how_and_how_to_contest() -> None:
    own = only(ADULT, checked("p", "ann", label("p", "spam", 0.99)))
    assert own.policy == "spam@1"
    assert own.statement["en"].startswith("This post is not shown in this feed. Its text looks")
    assert "automatically, without a person" in own.statement["en"]
    assert "contest" in own.statement["en"]
    assert "n'est pas montrée" in own.statement["fr"]
    assert "contester" in own.statement["fr"]
    foreign = only(ADULT, checked("p", "ann", Label("p", "!warn", "did:plc:{mod}", 0)))
    assert "a label given by did:plc:{mod}" in foreign.statement["en"]
    assert "une étiquette donnée par did:plc:{mod}" in foreign.statement["fr"]


def test_self_harm_comes_with_help_lines() -> None:
    verdict = only(ADULT, checked("p", "ann", label("p", "self-harm", 0.95)))
    assert verdict.decision is Decision.INTERSTITIAL
    assert "988" in verdict.statement["en"]
    assert "3114" in verdict.statement["fr"]


def test_the_source_that_is_named_is_that_of_the_deciding_label() -> None:
    weak, strong = label("p", "spam", 0.9), Label("p", "scam", "labels.example", 0)
    assert "labels.example" in only(ADULT, checked("p", "ann", weak, strong)).statement["en"]


@pytest.mark.parametrize(
    ("candidate", "unknown"),
    [
        (checked(), []),
        (Candidate(Post("p", "a", "t", 0)), ["unread"]),
        (Candidate(Post("p", "a", "t", 0, rev=2), reading("p", 1)), ["unread"]),
        (Candidate(Post("p", "a", "t", 0), reading("p")), ["unclassified"]),
        (
            Candidate(
                Post("p", "a", "t", 0), reading("p"), (Label("p", "classified", "mallory", 0),)
            ),
            ["unclassified"],
        ),
        (
            Candidate(Post("p", "a", "t", 0), reading("p"), (label("a", "classified"),)),
            ["unclassified"],
        ),
        (checked("p", "a", media=(Media("u"),)), ["unseen-media"]),
        (checked("p", "a", label("p", MEDIA_CLASSIFIED), media=(Media("u"),)), []),
        (checked("p", "a", media=(Media("u", "link"),)), []),
    ],
)
def test_what_is_not_known_of_a_post(candidate: Candidate, unknown: list[str]) -> None:
    assert unknowns(candidate) == unknown
    assert decided(MINOR, candidate) is (Decision.DROP if unknown else Decision.ALLOW)


def test_unseen_media_are_blurred_for_adults_unless_the_operator_says_no() -> None:
    image = checked("p", "a", media=(Media("u"),))
    verdict = only(ADULT, image)
    assert verdict.decision is Decision.INTERSTITIAL
    assert "Policy: What has not been checked yet (minors@1)" in verdict.statement["en"]
    assert "Règle : Ce qui n'a pas encore été vérifié (minors@1)" in verdict.statement["fr"]
    clear = policy_rules(POLICIES, GuardSettings(blur_unseen_media=False))
    assert [rule(ADULT, image) for rule in clear] == [None] * len(clear)
    assert any(rule(MINOR, image) for rule in clear)


def test_a_document_is_read_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "test.md"
    path.write_text(DOCUMENT, encoding="utf-8")
    policy = read_policy(path)
    assert policy.name == "test@3"
    assert policy.prose == {"en": "This.", "fr": "Cela."}
    assert policy.acts[0].minors is Decision.DROP


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("+++\nid", "id", "does not begin with TOML"),
        ('id = "test"', "id = ", "is no policy"),
        ('id = "test"\n', "", "is no policy"),
        ('ground = "', 'grounds = "', "grounds"),
        ('adults = "label"', 'adults = "banish"', "banish"),
        ('labels = ["x"]', 'label = "x"', "label"),
        ('fr = "Pourquoi."', "", "no statement in fr"),
        ("## Français", "## Deutsch", "no prose in fr"),
    ],
)
def test_a_wrong_document_is_refused_by_name(tmp_path: Path, was: str, now: str, said: str) -> None:
    path = tmp_path / "wrong.md"
    path.write_text(DOCUMENT.replace(was, now, 1), encoding="utf-8")
    with pytest.raises(ArianeError, match=said) as raised:
        read_policy(path)
    assert "wrong.md" in str(raised.value)
