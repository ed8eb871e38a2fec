from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ariane.store.codec import from_json, to_json
from ariane.types import (
    Account,
    Action,
    ArianeError,
    Ask,
    FeedSpec,
    Label,
    Moved,
    Post,
    Reason,
    Term,
    Verdict,
    Wish,
)

BY_LANGUAGE = st.dictionaries(st.sampled_from(["en", "fr"]), st.text())
SPECS = st.builds(FeedSpec, title=BY_LANGUAGE)
NOUNS = {
    **{
        noun.__name__: st.from_type(noun)
        for noun in (Account, Action, Label, Moved, Post, Reason, Term, Wish)
    },
    "Ask": st.builds(Ask, feed=SPECS),
    "FeedSpec": SPECS,
    "Verdict": st.builds(Verdict, statement=BY_LANGUAGE),
}


@pytest.mark.parametrize("noun", NOUNS)
@given(st.data())
@settings(max_examples=30)
def test_every_noun_survives_json(noun: str, data: st.DataObject) -> None:
    value = data.draw(NOUNS[noun])
    again = from_json(type(value), json.loads(json.dumps(to_json(value))))
    assert repr(again) == repr(value)


def test_a_missing_key_takes_its_default() -> None:
    assert from_json(Wish, {"id": "w", "target": "word:x", "direction": 1}).strength == 0.5


def test_what_is_no_noun_is_named() -> None:
    with pytest.raises(ArianeError, match="is no Wish"):
        from_json(Wish, {"id": "w", "wrong": 1})
    with pytest.raises(ArianeError, match="is no Post"):
        from_json(Post, ["a"])


def test_numpy_numbers_become_plain_ones_exactly() -> None:
    assert to_json((np.float32(0.1), np.int64(3))) == [float(np.float32(0.1)), 3]


def test_sets_become_sorted_lists() -> None:
    assert to_json(frozenset({"b", "a"})) == ["a", "b"]
