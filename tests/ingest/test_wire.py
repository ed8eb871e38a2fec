"""The wire format: every event goes through it unchanged, and nothing else does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ingest.events import LIKE, NOW, POST, events

from ariane.ingest.settings import IngestSettings
from ariane.ingest.wire import event, line
from ariane.types import Action, ActionKind, ArianeError, CallError, Event, Post

LABEL = {"type": "label", "subject": "p", "value": "spam", "source": "s", "at": LIKE["at"]}


@given(events)
def test_an_event_goes_through_its_line_unchanged(one: Event) -> None:
    through_json = json.loads(json.dumps(line(one)))
    assert event(through_json, at=NOW) == one


@given(
    st.dictionaries(
        st.sampled_from(["type", "id", "viewer", "text", "at", "kind", "media", "rev", "x"]),
        st.sampled_from(["post", "action", "like", "2026-05-01T11:05:00Z"])
        | st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
    )
)
def test_whatever_comes_is_an_event_or_one_sentence(values: dict[str, Any]) -> None:
    try:
        event(values, at=NOW)
    except CallError as error:
        assert str(error).endswith(".")
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (LIKE | {"type": "vote"}, "type 'vote' is unknown"),
        ({"viewer": "v1"}, "type None is unknown"),
        (LIKE | {"kind": "love"}, "action kind 'love' is unknown"),
        (LIKE | {"colour": "red"}, "action key 'colour' is unknown"),
        (LIKE | {"viewer": None}, "action viewer is None"),
        (LIKE | {"viewer": ""}, "action viewer is empty"),
        (LIKE | {"viewer": 7}, "action viewer is 7"),
        (LIKE | {"viewer": "v" * 513}, "has 513 characters; at most 512"),
        (LIKE | {"viewer": "a\x00b"}, "control character U+0000"),
        (LIKE | {"viewer": "a\ud800"}, "control character U+D800"),
        (LIKE | {"post": None}, "action like names no post"),
        (LIKE | {"kind": "mute"}, "action mute names no account"),
        (LIKE | {"kind": "report", "post": None}, "action report names no post"),
        (LIKE | {"seconds": float("nan")}, "action seconds is nan"),
        (LIKE | {"seconds": float("inf")}, "action seconds is inf"),
        (LIKE | {"seconds": -1}, "action seconds is -1"),
        (LIKE | {"seconds": True}, "action seconds is True"),
        (LIKE | {"at": 1_777_636_800_000}, "action at 1777636800000 is no ISO 8601 time"),
        (LIKE | {"at": "2026-05-01"}, "action at '2026-05-01' is no ISO 8601 time"),
        (LIKE | {"at": "2026-05-01T12:00:00"}, "with a zone"),
        (LIKE | {"at": "2026-02-30T12:00:00Z"}, "is no date that exists"),
        (LIKE | {"at": "2026-05-02T12:00:01Z"}, "more than 24 hours in the future"),
        (POST | {"text": "a" * 1_000_000}, "post text has 1,000,000 characters; at most 100,000"),
        (POST | {"text": "a\x00b"}, "post text holds U+0000"),
        (POST | {"text": "a\udcff"}, "post text holds U+DCFF"),
        (POST | {"text": "oh a" + "\u0315\u0300" * 16}, "more than 30 marks on one letter"),
        (POST | {"text": "a" + "\u0f73" * 31}, "more than 30 marks on one letter"),
        (POST | {"text": None}, "post text is None"),
        (POST | {"rev": -1}, "post rev is -1"),
        (POST | {"rev": 1.5}, "post rev is 1.5"),
        (POST | {"rev": 2**63}, "post rev is 9223372036854775808"),
        (POST | {"lang": "français"}, "post lang 'français' is no language tag"),
        (POST | {"url": "javascript:alert(1)"}, "is no http or https address"),
        (POST | {"url": "https://[::1"}, "is no http or https address"),
        (POST | {"media": "a.png"}, "post media is 'a.png'; give a list"),
        (POST | {"media": ["a.png"]}, "post media holds 'a.png'"),
        (POST | {"media": [{"kind": "image"}]}, "media key url is missing"),
        (POST | {"media": [{"url": "https://a.example", "size": 1}]}, "media key 'size'"),
        (POST | {"media": [{"url": "https://a.example", "kind": "pdf"}]}, "media kind 'pdf'"),
        (POST | {"media": [{"url": "https://a.example", "width": 0}]}, "media width is 0"),
        (POST | {"media": [{"url": "https://a.example"}] * 33}, "has 33 items; at most 32"),
        ({"type": "account", "id": "a", "birth_year": 1492}, "birth_year is 1492"),
        ({"type": "account", "id": "a", "country": "fr"}, "country 'fr' is no country code"),
        ({"type": "account", "id": "a", "hides_from_algorithms": 1}, "give true or false"),
        ({"type": "delete", "what": "wish", "id": "w", "at": LIKE["at"]}, "what 'wish'"),
        (
            {"type": "delete", "what": "action", "id": "a", "at": LIKE["at"]},
            "delete action names no viewer; add",
        ),
        (
            {"type": "delete", "what": "post", "id": "p", "at": LIKE["at"], "viewer": "v"},
            "delete post has a viewer; only an action's",
        ),
        (
            {"type": "label", "subject": "p", "value": "x", "source": "s", "at": LIKE["at"]}
            | {"confidence": 1.1},
            "label confidence is 1.1; give a number from 0 to 1.",
        ),
        ({"type": "label", "subject": "p"}, "label key value is missing"),
        (LABEL | {"source": "ariane/guard@1"}, "label source 'ariane/guard@1' begins with ariane/"),
        (LABEL | {"source": "ariane/x", "negates": True}, "label source 'ariane/x' begins with"),
        (LIKE | {"at": "0001-01-01T00:00:00+14:00"}, "is no date that exists"),
        (POST | {"rev": 10**5000}, "a number too long to print"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_named_in_one_sentence(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(CallError) as caught:
        event(wrong, at=NOW)
    assert named in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "written",
    [
        "2026-05-01T13:00:00+02:00",
        "2026-05-01 11:00:00Z",
        "2026-05-01t11:00:00z",
        "2026-05-01T11:00Z",
        "2026-05-01T11:00:00,000Z",
        "2026-05-01T11:00:00.000000999Z",
        "2026-05-01T06:00:00-0500",
    ],
)
def test_a_time_in_any_zone_is_the_same_time(written: str) -> None:
    one = event(POST | {"at": written}, at=NOW)
    assert isinstance(one, Post)
    assert one.at == NOW - 3_600_000


def test_an_action_without_id_gets_the_same_one_however_it_is_written() -> None:
    first = event(LIKE, at=NOW)
    again = event(
        dict(reversed(LIKE.items())) | {"at": "2026-05-01T13:05:00.000+02:00", "request": None},
        at=NOW,
    )
    assert first == again
    assert isinstance(first, Action)
    assert event(LIKE | {"post": "p2"}, at=NOW) != first
    assert event(LIKE | {"id": "mine"}, at=NOW) == Action(
        "mine", "v1", ActionKind.LIKE, first.at, "p1"
    )


def test_an_account_can_be_reported_and_a_follow_can_name_the_post_it_was_done_from() -> None:
    reported = event(LIKE | {"kind": "report", "post": None, "account": "a1"}, at=NOW)
    followed = event(LIKE | {"kind": "follow", "account": "a1"}, at=NOW)
    assert isinstance(reported, Action)
    assert isinstance(followed, Action)
    assert (reported.post, reported.account) == (None, "a1")
    assert (followed.post, followed.account) == ("p1", "a1")


def test_a_language_tag_becomes_its_code_or_is_not_known() -> None:
    codes = [event(POST | {"lang": tag}, at=NOW) for tag in ("fr-CA", "PT_BR", "zh-Hant", "gsw")]
    assert [one.lang for one in codes if isinstance(one, Post)] == ["fr", "pt", "zh", None]


def test_the_limits_are_settings() -> None:
    strict = IngestSettings(text_characters=3, id_characters=2, future_hours=0.5, media_items=0)
    with pytest.raises(CallError, match="at most 3"):
        event(POST, settings=strict, at=NOW)
    with pytest.raises(CallError, match=r"more than 0\.5 hours"):
        event(LIKE | {"at": "2026-05-01T12:31:00Z"}, settings=strict, at=NOW)
    assert event(LIKE | {"at": "2026-05-01T12:29:00Z"}, settings=strict, at=NOW)


def test_without_a_present_given_this_machines_clock_is_the_present() -> None:
    assert event(POST)
    with pytest.raises(ArianeError, match="in the future"):
        event(POST | {"at": "9999-12-31T23:59:59Z"})
