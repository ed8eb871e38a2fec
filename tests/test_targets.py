"""Targets of wishes: the kinds there are; how far posts match them is held by tests/steer."""

from __future__ import annotations

import pytest

from ariane.targets import check_target
from ariane.types import CallError


@pytest.mark.parametrize("target", ["topic:science", "word:a b", "author:did:plc:x"])
def test_targets_that_are_known_pass(target: str) -> None:
    check_target(target)


@pytest.mark.parametrize("target", ["science", "colour:red", "topic:", "word:  ", ""])
def test_other_targets_are_refused_with_the_kinds_there_are(target: str) -> None:
    with pytest.raises(CallError, match="topic, tone, intent"):
        check_target(target)
