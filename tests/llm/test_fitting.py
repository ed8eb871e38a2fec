"""JSON in what a model said: found wherever it stands, and never taken where it does not fit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ariane.llm.fitting import STARTS, UnfitError, again, fit, values, with_schema, without_thoughts
from ariane.types import CallError, Message

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "gist": {"type": "string"},
        "topics": {"type": "array", "items": {"type": "string"}},
        "sure": {"type": "number"},
    },
    "required": ["gist", "topics"],
    "additionalProperties": False,
}
ANSWERS = st.fixed_dictionaries(
    {"gist": st.text(), "topics": st.lists(st.text(), max_size=3)},
    optional={"sure": st.floats(allow_nan=False, allow_infinity=False)},
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PROSE = st.text().filter(lambda text: not set(text) & set("[{"))
ANYTHING = st.text(st.sampled_from('{}[]",:\\ \n`0aé\ud800-.eE') | st.characters())


@given(ANSWERS, PROSE, PROSE, st.booleans())
def test_an_answer_is_found_in_prose_and_fences(
    answer: Any, before: str, after: str, indent: bool
) -> None:
    said = json.dumps(answer, ensure_ascii=indent, indent=2 if indent else None)
    found = json.loads(fit(f"{before}```json\n{said}\n```{after}", SCHEMA))
    assert found == answer


@given(ANYTHING | JSON.map(json.dumps))
def test_what_is_given_back_fits_whatever_was_said(text: str) -> None:
    try:
        found = fit(text, SCHEMA)
    except UnfitError:
        return
    assert Draft202012Validator(SCHEMA).is_valid(json.loads(found))
    assert found.encode("utf-8")


@given(ANSWERS, st.data())
def test_an_answer_that_is_cut_is_none(answer: Any, data: st.DataObject) -> None:
    said = json.dumps(answer)
    with pytest.raises(UnfitError):
        fit(said[: data.draw(st.integers(0, len(said) - 1))], SCHEMA)


@given(JSON)
def test_any_json_text_is_its_own_value(value: Any) -> None:
    if "Infinity" in json.dumps(value):
        return
    assert list(values(f" {json.dumps(value)}\n")) == [value]


@given(ANSWERS, ANSWERS)
def test_two_answers_are_none_unless_they_are_the_same(one: Any, other: Any) -> None:
    text = f"First {json.dumps(one)}, then {json.dumps(other)}"
    if json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True):
        assert json.loads(fit(text, SCHEMA)) == one
        return
    with pytest.raises(UnfitError) as error:
        fit(text, SCHEMA)
    assert error.value.rule == "one answer"


@pytest.mark.parametrize(
    ("said", "rule", "found"),
    [
        ("", "JSON", False),
        ("It is about sport.", "JSON", False),
        ('{"gist": "a"}', "required", True),
        ('{"gist": "a", "topics": [1]}', "type", True),
        ('{"gist": "a", "topics": [], "more": 1}', "additionalProperties", True),
        ('{"gist": "a", "topics": [], "sure": NaN}', "type", True),
        ('{"gist": "a", "topics": [], "sure": 1e999}', "type", True),
        ("[" * 100_000, "JSON", False),
        ('{"a":' * 100_000, "JSON", False),
        ("7", "type", True),
    ],
)
def test_what_does_not_fit_is_told(said: str, rule: str, found: bool) -> None:
    with pytest.raises(UnfitError) as error:
        fit(said, SCHEMA)
    if "NaN" not in said and "1e999" not in said:
        assert (error.value.rule, error.value.found) == (rule, found)


@pytest.mark.parametrize("depth", [300, 900, 2_000, 60_000])
@pytest.mark.parametrize("around", ["INNER", 'It is {"gist": "a", "topics": INNER}.'])
def test_no_depth_breaks_it(around: str, depth: int) -> None:
    for inner in ("[" * depth, "[" * depth + "]" * depth, '{"gist":' * depth + "1" + "}" * depth):
        with pytest.raises(UnfitError):
            fit(around.replace("INNER", inner), SCHEMA)


def test_thoughts_are_no_answer() -> None:
    thought, answer = 'Maybe {"gist": "x", "topics": []}?</think>', '{"gist": "y", "topics": []}'
    for said in (f"<think>{thought}{answer}", f"{thought}\n{answer}"):  # begun in the prompt
        assert json.loads(fit(said, SCHEMA))["gist"] == "y"
        assert without_thoughts(said).strip() == answer


def test_only_so_many_brackets_are_tried() -> None:
    answer = '{"gist": "a", "topics": []}'
    assert fit("[ " * (STARTS - 1) + answer, SCHEMA)
    with pytest.raises(UnfitError):
        fit("[ " * STARTS + answer, SCHEMA)


def test_half_a_character_becomes_a_question_mark() -> None:
    assert json.loads(fit('{"gist": "\\ud83d!", "topics": []}', SCHEMA))["gist"] == "?!"


def test_a_schema_that_is_none_is_a_wrong_call() -> None:
    with pytest.raises(CallError, match="no JSON schema"):
        fit("{}", {"type": "wish"})


def test_a_schema_ends_the_last_turn_of_the_user() -> None:
    turns = [Message("system", "Be brief."), Message("user", "Bonjour")]
    asked = with_schema(turns, SCHEMA)
    assert asked[0] == turns[0]
    assert asked[1].text.startswith("Bonjour\n\n")
    assert asked[1].text.endswith(json.dumps(SCHEMA))
    assert [one.role for one in with_schema([Message("assistant", "Oui?")], SCHEMA)] == [
        "assistant",
        "user",
    ]
    assert [one.role for one in with_schema([], SCHEMA)] == ["user"]


def test_a_repair_is_bounded() -> None:
    unfit = UnfitError("x" * 10_000, "type", found=True)
    turns = again([Message("user", "Bonjour")], "y" * 100_000, unfit)
    assert [one.role for one in turns] == ["user", "assistant", "user"]
    assert sum(len(one.text) for one in turns) < 5_000
