"""The door to a model in this process: any directory, or name in the hub's cache, that the Auto
classes of Transformers load, Grok's included.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Final, TypeAlias
from weakref import finalize

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    StoppingCriteriaList,
    TextIteratorStreamer,
)

import ariane.grok  # noqa: F401 - the Auto classes know Grok from here on
from ariane.llm.door import FailedError, Said
from ariane.llm.fitting import with_schema
from ariane.llm.settings import STREAM_TIMES, LanguageModelSettings
from ariane.types import (
    Message,
    ModelDownError,
    ModelRefusedError,
    ModelSlowError,
)

Tokens: TypeAlias = torch.Tensor

HERE: Final[Mapping[str, bool]] = {"trust_remote_code": False, "local_files_only": True}
"""Nothing of a model is run or fetched: it lies in a directory, or in the hub's cache."""

ENDING_SECONDS = 10.0
"""The longest that the end of the process waits for the next token."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A model with its tokenizer."""

    model: Any
    tokenizer: Any


class LocalDoor:
    """One model, loaded when it is first asked; `say`, `flow` and `doubt` are a `Door`'s.

    Answers are greedy, and wait for each other.
    """

    def __init__(self, settings: LanguageModelSettings) -> None:
        self.name = Path(settings.model).name
        self._settings = settings
        self._turn = Lock()
        self._ending, self._generating = Event(), Lock()
        finalize(self, _end, self._ending, self._generating)
        self._held: _Loaded | None = None

    def say(
        self, messages: Sequence[Message], schema: Mapping[str, Any] | None, limit: int
    ) -> Said:
        """One answer; its schema is in the prompt."""
        asked = messages if schema is None else with_schema(messages, schema)
        with self._alone() as end:
            held = self._loaded()
            tokens = self._tokens(held, asked, limit)
            out = self._generate(held, tokens, limit, lambda: time.monotonic() > end, None)
            if time.monotonic() > end:
                raise self._slow()
            return _said(held, tokens, out, limit)

    def flow(self, messages: Sequence[Message], limit: int) -> Generator[Said]:
        """One answer in pieces; to stop taking them ends it."""
        with self._alone(STREAM_TIMES) as end:
            held = self._loaded()
            tokens = self._tokens(held, messages, limit)
            pieces = TextIteratorStreamer(
                held.tokenizer, skip_prompt=True, skip_special_tokens=True
            )
            stopped, results = Event(), list[Tokens | Exception]()

            def over() -> bool:
                return stopped.is_set() or time.monotonic() > end

            def run() -> None:
                try:
                    results.append(self._generate(held, tokens, limit, over, pieces))
                except Exception as error:  # told by the one who takes the pieces
                    results.append(error)
                    pieces.end()

            thread = Thread(target=run, name="llm", daemon=True)
            thread.start()
            try:
                yield from (Said(piece) for piece in pieces if piece)
            finally:
                stopped.set()
                thread.join()
            if isinstance(results[0], Exception):
                raise results[0]
            if time.monotonic() > end:
                raise self._slow()
            yield replace(_said(held, tokens, results[0], limit), text="")

    def doubt(self) -> None:
        """Nothing: schemas are in the prompt already."""

    @contextmanager
    def _alone(self, times: int = 1) -> Iterator[float]:
        """The model to oneself, until when; slow where the turn does not come in time.

        The time of an answer begins with its turn: those that it waits for take none of it.
        Whatever the model or its tokenizer raises meanwhile is told as the model's failure.
        """
        seconds = self._settings.timeout_seconds
        if not self._turn.acquire(timeout=seconds):
            raise self._slow(cost=0)
        try:
            yield time.monotonic() + seconds * times
        except FailedError:
            raise
        except Exception as error:  # a CPU out of memory is a bare RuntimeError
            down = ModelDownError(
                f"{self.name} fails at this question ({type(error).__name__}); ask for less, or "
                "check the memory of this machine and the model's files."
            )
            raise FailedError(down) from None
        finally:
            self._turn.release()

    def _loaded(self) -> _Loaded:
        if self._held is None:
            place = self._settings.model
            try:
                tokenizer = AutoTokenizer.from_pretrained(place, **HERE)
                model = AutoModelForCausalLM.from_pretrained(
                    place, dtype="auto", use_safetensors=True, **HERE
                )
                model = model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
            except Exception as error:  # whatever stands in a directory that others wrote
                raise FailedError(ModelDownError(_missing(place, error))) from None
            self._held = _Loaded(model, tokenizer)
        return self._held

    def _tokens(self, held: _Loaded, messages: Sequence[Message], limit: int) -> Tokens:
        """The conversation as tokens, (1, length), with room for the answer."""
        turns = [{"role": one.role, "content": one.text} for one in messages]
        try:
            made = held.tokenizer.apply_chat_template(
                turns, add_generation_prompt=True, return_tensors="pt", return_dict=True
            )
        except Exception:  # a template is a program of the model's
            refused = ModelRefusedError(
                f"{self.name} has no chat template that takes these messages; "
                "choose a model that was tuned to converse."
            )
            raise FailedError(refused) from None
        tokens: Tokens = made["input_ids"].to(held.model.device)
        room = getattr(held.model.config, "max_position_embeddings", None)
        if room and tokens.shape[1] + limit > room:
            refused = ModelRefusedError(
                f"{tokens.shape[1]:,} tokens of question and {limit:,} of answer are more than the "
                f"{room:,} that {self.name} takes; ask for less."
            )
            raise FailedError(refused)
        return tokens

    def _generate(
        self,
        held: _Loaded,
        tokens: Tokens,
        limit: int,
        over: Callable[[], bool],
        streamer: object,
    ) -> Tokens:
        """What the model goes on with, (length,), until it ends, or the limit or `over` does."""

        def stop(so_far: Tokens, _: object, **__: object) -> Tokens:
            ends = over() or self._ending.is_set()
            return torch.full((so_far.shape[0],), ends, device=so_far.device)

        with self._generating, torch.inference_mode():
            whole = held.model.generate(
                tokens,
                attention_mask=torch.ones_like(tokens),
                max_new_tokens=limit,
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                stopping_criteria=StoppingCriteriaList([stop]),
                streamer=streamer,
            )
            out: Tokens = whole[0, tokens.shape[1] :]
        if self._ending.is_set():
            raise self._slow()  # at once: nothing more may be asked of torch or of a tokenizer
        return out

    def _slow(self, cost: int | None = None) -> FailedError:
        slow = ModelSlowError(
            f"{self.name} did not answer within {self._settings.timeout_seconds:g} seconds; "
            "raise [llm] timeout_seconds, or ask for less."
        )
        return FailedError(slow, cost, cost)


def _missing(place: str, error: Exception) -> str:
    if isinstance(error, OSError) and not Path(place).exists():
        return (
            f"the model {place} is no directory below {Path.cwd()}, nor in the hub's cache; write "
            "the whole path into [llm] model, or fetch it with `hf download`."
        )
    return (
        f"the model {place} cannot be loaded ({type(error).__name__}: {error}); check [llm] model "
        "and the memory of this machine."
    )


def _end(ending: Event, generating: Lock) -> None:
    """At the process's end: let no thread be in torch then, which would abort the process."""
    ending.set()
    generating.acquire(timeout=ENDING_SECONDS)


def _said(held: _Loaded, tokens: Tokens, out: Tokens, limit: int) -> Said:
    """An answer of these tokens; it is cut where the limit came before an end."""
    ends = held.model.generation_config.eos_token_id
    ended = len(out) > 0 and int(out[-1]) in ([ends] if isinstance(ends, int) else ends or [])
    text = held.tokenizer.decode(out, skip_special_tokens=True)
    return Said(text, not ended and len(out) >= limit, tokens.shape[1], len(out))
