"""A language model over any door: asked within the budget, checked, and asked once again."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import count, islice
from typing import Any

from ariane.llm.door import Door, FailedError, Said
from ariane.llm.fitting import UnfitError, again, fit, whole_characters, without_thoughts
from ariane.llm.ledger import Ledger, Spent
from ariane.types import (
    BudgetError,
    Message,
    ModelGarbageError,
)

TURN_TOKENS = 16
"""What a chat template may add around a message."""

RULE_TOKENS = 128
"""What a schema in the prompt is introduced with."""

LEAVING = 8
"""Pieces without words after which an answer that was left is read no further."""

FIRST_WAIT = 0.5
LONGEST_WAIT = 8.0
"""Seconds until a failed question is asked again, doubled each time, where the server says none."""


class AskedModel:
    """A `LanguageModel`: `answer` and `stream` are its protocol's."""

    def __init__(self, door: Door, ledger: Ledger, retries: int) -> None:
        self.name = door.name
        self._door, self._ledger, self._retries = door, ledger, retries

    def answer(
        self,
        messages: Sequence[Message],
        schema: Mapping[str, Any] | None = None,
        *,
        limit: int = 1024,
    ) -> str:
        """The answer, as `LanguageModel.answer` says."""
        messages = _sound(messages)
        said = self._say(messages, schema, limit)
        if schema is None:
            return self._whole(said, limit)
        try:
            return fit(said.text, schema)
        except UnfitError as unfit:
            if said.cut:
                raise self._cut(limit) from None
            return self._repaired(messages, schema, limit, said, unfit)

    def stream(self, messages: Sequence[Message], *, limit: int = 1024) -> Iterator[str]:
        """The answer in pieces, as `LanguageModel.stream` says."""
        messages = _sound(messages)
        said = Said("")
        for tried in count():
            booked, told = self._ledger.reserve(_most(messages, None), limit), ""
            try:
                with closing(self._door.flow(messages, limit)) as pieces:
                    try:
                        for said in pieces:
                            told += said.text
                            if said.text:
                                yield whole_characters(said.text)
                    except GeneratorExit:  # who asked has heard enough
                        said = _left(pieces, said)
                        self._ledger.settle(booked, said.tokens_in, said.tokens_out)
                        raise
                break
            except FailedError as failed:
                self._failed(booked, failed, tried, told)
        self._ledger.settle(booked, said.tokens_in, said.tokens_out)
        if said.cut:
            raise self._cut(limit)
        if not told.strip():
            raise self._empty()

    def _repaired(
        self,
        messages: Sequence[Message],
        schema: Mapping[str, Any],
        limit: int,
        said: Said,
        unfit: UnfitError,
    ) -> str:
        if not unfit.found:
            self._door.doubt()
        try:
            said = self._say(again(messages, said.text, unfit), schema, limit)
            return fit(said.text, schema)
        except (UnfitError, BudgetError) as error:
            rule = error.rule if isinstance(error, UnfitError) else unfit.rule
            raise ModelGarbageError(
                f"{self.name} gave no answer that fits its schema, asked twice (broken: {rule}); "
                "take a model that follows schemas, or a server that holds it to them."
            ) from None

    def _say(
        self, messages: Sequence[Message], schema: Mapping[str, Any] | None, limit: int
    ) -> Said:
        for tried in count():
            booked = self._ledger.reserve(_most(messages, schema), limit)
            try:
                said = self._door.say(messages, schema, limit)
                break
            except FailedError as failed:
                self._failed(booked, failed, tried)
        self._ledger.settle(booked, said.tokens_in, said.tokens_out)
        return said

    def _failed(self, booked: Spent, failed: FailedError, tried: int, told: str = "") -> None:
        """Settle an attempt, and wait until the next; its error where there is none."""
        self._ledger.settle(booked, failed.tokens_in, failed.tokens_out)
        if told or failed.wait is None or tried >= self._retries:
            raise failed.error from None
        own = min(FIRST_WAIT * 2**tried, LONGEST_WAIT) * random.uniform(0.75, 1.0)
        time.sleep(failed.wait or own)

    def _whole(self, said: Said, limit: int) -> str:
        if said.cut:
            raise self._cut(limit)
        text = whole_characters(without_thoughts(said.text)).strip()
        if not text:
            raise self._empty()
        return text

    def _cut(self, limit: int) -> ModelGarbageError:
        return ModelGarbageError(
            f"the answer of {self.name} was cut at its limit of {limit:,} tokens; "
            "ask for less, or give a higher limit."
        )

    def _empty(self) -> ModelGarbageError:
        return ModelGarbageError(f"{self.name} gave an empty answer; ask again, or another model.")


def _left(pieces: Iterator[Said], said: Said) -> Said:
    """The last that is known of an answer that is left: read on until it says more, or ends soon.

    Where its last word was heard, its usage comes next; nothing else tells what its thoughts cost.
    """
    try:
        for piece in islice(pieces, LEAVING):
            said = piece
            if said.text.strip():
                break
    except FailedError as failed:
        return Said("", tokens_in=failed.tokens_in, tokens_out=failed.tokens_out)
    return said


def _sound(messages: Sequence[Message]) -> list[Message]:
    return [replace(one, text=whole_characters(one.text)) for one in messages]


def _most(messages: Sequence[Message], schema: Mapping[str, Any] | None) -> int:
    """The most tokens that messages can be: no vocabulary needs more than one for a byte."""
    rule = "" if schema is None else json.dumps(schema, ensure_ascii=False)
    texts = [one.text for one in messages]
    size = sum(len(text.encode("utf-8")) for text in [*texts, rule])
    return size + TURN_TOKENS * (len(texts) + 1) + (RULE_TOKENS if rule else 0)
