"""A model and its tokenizer from a directory, and a conversation with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import torch
from transformers import DynamicCache
from transformers.generation.streamers import TextStreamer
from transformers.models.auto.tokenization_auto import AutoTokenizer

from ariane.grok.kernels_grok2 import prepare
from ariane.grok.layout_packed import packing_of
from ariane.grok.loading_grok2 import read_config
from ariane.grok.modeling_grok2 import Grok2ForCausalLM
from ariane.grok.tokenization_grok2 import SEPARATOR, Grok2Tokenizer

Place: TypeAlias = Callable[..., Grok2ForCausalLM]
"""Loads a directory, with the options of `from_pretrained`."""


def anywhere(folder: Path, **options: Any) -> Grok2ForCausalLM:
    """All GPUs, one after another; the processor where there is none."""
    if torch.cuda.is_available():
        options["device_map"] = "auto"
    model: Grok2ForCausalLM = Grok2ForCausalLM.from_pretrained(folder, **options)
    return model


def check_device(device: str) -> None:
    """Raise ValueError where PyTorch cannot compute on a device."""
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"{device} cannot compute here: leave the option out, and the processor does."
        ) from error


def load(
    folder: Path, dtype: str = "auto", place: Place = anywhere
) -> tuple[Grok2ForCausalLM, Any]:
    """The model of a directory, plain or packed, ready to generate, and its tokenizer.

    Tokens are drawn from the model's own distribution unless a call says otherwise. Raises
    `CheckpointError` where the directory is no whole Grok-2.
    """
    packing_of(read_config(folder))  # refuses what Transformers would trip over
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    if tokenizer.chat_template and not isinstance(tokenizer, Grok2Tokenizer):
        # A written directory names a plain class, by which a message could end its turn.
        tokenizer = Grok2Tokenizer.from_pretrained(folder)
    model = place(folder, dtype=dtype).eval()
    prepare(model)
    settings = model.generation_config
    settings.do_sample, settings.temperature, settings.top_k, settings.top_p = True, 1.0, 0, 1.0
    settings.pad_token_id = tokenizer.pad_token_id
    return model, tokenizer


class Said(TextStreamer):
    """Gives a reply to a function, word by word."""

    def __init__(self, tokenizer: Any, tell: Callable[[str], None]) -> None:
        super().__init__(tokenizer, skip_prompt=True, skip_special_tokens=True)
        self.tell = tell

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """Text that no later token can change."""
        self.tell(text)


def readable(text: str) -> str:
    """A text with "?" for each half of a character, which no tokenizer reads.

    Python gives such for bytes of a command line or of its input that are no UTF-8.
    """
    return text.encode(errors="replace").decode()


class FullError(ValueError):
    """A turn that does not fit into the model's positions beside what was said."""


class LongError(ValueError):
    """A turn that does not fit into the model's positions by itself."""


class Conversation:
    """Turns with a model, whose keys and values are kept: a turn costs only its own tokens.

    What the model generated stays as its own tokens; everything else is written by the chat
    template, turn by turn.
    """

    def __init__(self, model: Grok2ForCausalLM, tokenizer: Any, system: str = "") -> None:
        if not tokenizer.chat_template:
            raise ValueError(
                "This model has no chat template, so it was not trained on chats: serve it, and "
                "ask /v1/completions to go on with a text."
            )
        self.model, self.tokenizer = model, tokenizer
        self.first = [{"role": "system", "content": readable(system)}] if system else []
        self.begin()

    def begin(self) -> None:
        """Forget every turn."""
        self.ids: list[int] = []
        self.waiting = self.first
        self.cache = DynamicCache(config=self.model.config)

    def ask(self, text: str, tell: Callable[[str], None] = lambda text: None, **how: Any) -> str:
        """The reply to one turn, told word by word; `how` goes to `generate`.

        Stopped by an exception, the conversation is as it was before. Raises `FullError` or
        `LongError` where the turn does not fit into the model's positions.
        """
        prompt = self._turn(text)
        limit = self.model.config.max_position_embeddings
        self._check_fits(text, len(prompt), limit)
        ids = torch.tensor([prompt], device=self.model.device)
        most = min(how.pop("max_new_tokens", limit), limit - len(prompt))
        try:
            made = self.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                past_key_values=self.cache,
                streamer=Said(self.tokenizer, tell),
                max_new_tokens=most,
                **how,
            )
        except BaseException:
            # Its layers may have seen different numbers of tokens: the next turn reads all again.
            self.cache = DynamicCache(config=self.model.config)
            raise
        self.ids, self.waiting = made[0].tolist(), []
        reply: str = self.tokenizer.decode(self.ids[len(prompt) :], skip_special_tokens=True)
        return reply.strip()

    def _check_fits(self, text: str, tokens: int, limit: int) -> None:
        if tokens < limit:
            return
        alone = len(self._written(self.first, text))
        if alone >= limit:
            raise LongError(
                f"This turn is too long: it has {alone} tokens and the model reads {limit}. "
                "Shorten it."
            )
        raise FullError(
            f"The conversation has {tokens} tokens and the model reads {limit}: begin a new one."
        )

    def _written(self, before: list[dict[str, str]], text: str) -> list[int]:
        """The tokens of a turn, and of what is written before it."""
        turn = [*before, {"role": "user", "content": readable(text)}]
        made = self.tokenizer.apply_chat_template(turn, add_generation_prompt=True)
        ids: list[int] = made["input_ids"]
        return ids

    def _turn(self, text: str) -> list[int]:
        """All tokens up to where the model goes on."""
        new = self._written(self.waiting, text)
        if not self.ids:
            return new
        end = self.tokenizer.convert_tokens_to_ids(SEPARATOR)
        before = self.ids if self.ids[-1] == end else [*self.ids, end]
        between: list[int] = self.tokenizer("\n\n")["input_ids"]
        return [*before, *between, *new]
