"""One encoder and one reader for all tests of the room: loading takes seconds."""

from __future__ import annotations

import pytest

from ariane.read.encoder import SentenceEncoder
from ariane.read.reader import EncoderReader


@pytest.fixture(scope="session")
def encoder() -> SentenceEncoder:
    return SentenceEncoder()


@pytest.fixture(scope="session")
def reader(encoder: SentenceEncoder) -> EncoderReader:
    return EncoderReader(encoder)
