"""JSON in what a model said: cut out, checked against its schema, asked for again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from jsonschema import Draft202012Validator, SchemaError
from jsonschema.exceptions import best_match

from ariane.types import CallError, Message

STARTS = 64
"""How many brackets of a text are tried as the beginning of JSON."""

FAULT_CHARACTERS = 400
"""How much of a fault the model is told."""

SHOWN_CHARACTERS = 4_000
"""How much of a wrong answer the model is shown."""

BRACKET = re.compile(r"[\[{]")


class UnfitError(Exception):
    """No part of a text fits the schema; `fault` quotes the text, so that only the model hears it.

    `rule` is the schema's keyword that was broken, and `found` whether there was JSON at all.
    """

    def __init__(self, fault: str, rule: str, found: bool) -> None:
        super().__init__(rule)
        self.fault, self.rule, self.found = fault[:FAULT_CHARACTERS], rule, found


def fit(text: str, schema: Mapping[str, Any]) -> str:
    """The one JSON value in a text that fits the schema, written anew.

    Fences, prose and a model's thoughts around it are cut. Raises UnfitError where there is none,
    or where two differ: an answer that quotes another is not told from it. CallError is for a
    schema that is none.
    """
    check, fits, faults = _validator(schema), set[str](), list[UnfitError]()
    for value in values(text):
        try:
            error = best_match(check.iter_errors(value))
            if error is None:
                fits.add(written(value))
            else:
                faults.append(UnfitError(error.message, str(error.validator), found=True))
        except RecursionError:
            faults.append(UnfitError("It is nested too deeply.", "depth", found=True))
    if len(fits) == 1:
        return fits.pop()
    if fits:
        raise UnfitError("It holds more than one answer.", "one answer", found=True)
    raise faults[0] if faults else UnfitError("There is no JSON in it.", "JSON", found=False)


def values(text: str) -> Iterator[Any]:
    """The text's value if it is JSON, else each object and array that stands in no other one."""
    text = without_thoughts(text)
    try:
        yield _finite(_DECODER.decode(text.strip()))
        return
    except (ValueError, RecursionError):
        at = 0
    for _ in range(STARTS):
        start = BRACKET.search(text, at)
        if not start:
            return
        try:
            value, at = _DECODER.raw_decode(text, start.start())
            yield _finite(value)
        except (ValueError, RecursionError):
            at = max(at, start.end())


def written(value: object) -> str:
    """A JSON value as text that any store takes: no half characters."""
    return whole_characters(json.dumps(value, ensure_ascii=False, sort_keys=True))


def whole_characters(text: str) -> str:
    """A text with a question mark for each half of a character (a lone surrogate)."""
    return text.encode("utf-8", "replace").decode("utf-8")


def without_thoughts(text: str) -> str:
    """A text without the thoughts that some models write before their answer.

    Where they begin is not looked for: many a chat template writes `<think>` into the prompt. No
    answer has their end by a post: what models are shown has no such marks (ariane.material).
    """
    return text.rpartition("</think>")[2]


def with_schema(messages: Sequence[Message], schema: Mapping[str, Any]) -> list[Message]:
    """The same messages, the last of the user's ending with the schema."""
    rule = (
        "Answer with one JSON value alone, without any other text. It must fit this JSON schema:\n"
        + json.dumps(schema, ensure_ascii=False)
    )
    *before, last = messages or [Message("user", "")]
    if last.role != "user":
        return [*before, last, Message("user", rule)]
    return [*before, replace(last, text=f"{last.text}\n\n{rule}")]


def again(messages: Sequence[Message], text: str, unfit: UnfitError) -> list[Message]:
    """The same messages, the wrong answer, and what is wrong with it."""
    return [
        *messages,
        Message("assistant", text[:SHOWN_CHARACTERS]),
        Message("user", f"That is not what was asked for: {unfit.fault} Answer again, right."),
    ]


def _validator(schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 - jsonschema brings no types
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise CallError(f"the schema of an answer is no JSON schema: {error.message}.") from None
    return Draft202012Validator(schema)


def _finite(value: object) -> object:
    json.dumps(value, allow_nan=False)  # 1e999 is read as infinity, which is no JSON
    return value


def _no_json(constant: str) -> NoReturn:
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_constant=_no_json)
