"""Grok-2's tokenizer: byte-pair encoding by rank, from `tokenizer.tok.json`, as a fast tokenizer.

The file lists `regular_tokens` and `special_tokens`, each a number (`token`) and its `bytes`; a
regular token's number is its rank too. Source: SGLang's `tiktoken_tokenizer.py`, which reads the
published file into tiktoken; ours gives the same numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers.models.auto.tokenization_auto import AutoTokenizer
from transformers.tokenization_utils_tokenizers import TokenizersBackend

from ariane.grok.configuration_grok2 import Grok2Config
from ariane.grok.errors import CheckpointError

VOCAB_FILE = "tokenizer.tok.json"

WORD_SPLITS = {
    "V1": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}
"""How text is cut before pairs are merged, by the file's `word_split`; V1 cuts digits singly."""

PAD, SEPARATOR, EOS = "<|pad|>", "<|separator|>", "<|eos|>"
"""Numbers 0, 1 and 2 of the published file; a turn ends with the separator, a document with eos."""

CHAT_TEMPLATE = (
    "{%- set names = {'user': 'Human: ', 'system': 'System: ', 'assistant': 'Assistant: '} -%}"
    "{%- for message in messages -%}"
    "{%- if message['role'] not in names -%}"
    "{{ raise_exception('Grok-2 knows the roles user, system and assistant, not '"
    " + message['role'] + '.') }}"
    "{%- endif -%}"
    "{%- set said = message['content'] -%}"
    "{{- names[message['role']]"
    " + (said if message['role'] == 'assistant' else said.strip()) + '<|separator|>\n\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- 'Assistant:' -}}{%- endif -%}"
)
"""The turns as SGLang writes them; a role that the model never saw is refused."""


def byte_letters() -> dict[int, str]:
    """One printable letter for each byte, as GPT-2 wrote byte tokens as text.

    Source: Radford et al. 2019, and the `ByteLevel` parts of the tokenizers library.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = {byte: chr(byte) for byte in printable}
    others = (byte for byte in range(256) if byte not in letters)
    return letters | {byte: chr(256 + place) for place, byte in enumerate(others)}


LETTERS = byte_letters()


def spell(token: bytes) -> str:
    """A token's bytes as letters."""
    return "".join(LETTERS[byte] for byte in token)


def ranked_merges(ranks: Mapping[bytes, int]) -> list[tuple[str, str]]:
    """Every pair of tokens that makes a token, by the rank of what it makes.

    All splits of a token are merges, as in tiktoken, which looks only at what two parts make.
    """
    merges = []
    for token in sorted(ranks, key=ranks.__getitem__):
        splits = ((token[:at], token[at:]) for at in range(1, len(token)))
        known = [(ranks[a], ranks[b], a, b) for a, b in splits if a in ranks and b in ranks]
        merges += [(spell(a), spell(b)) for _, _, a, b in sorted(known)]
    return merges


def read_vocabulary(path: Path) -> dict[str, Any]:
    """The content of `tokenizer.tok.json`, checked; raises `CheckpointError`."""
    try:
        content = json.loads(path.read_bytes())
        regular = {bytes(item["bytes"]): int(item["token"]) for item in content["regular_tokens"]}
        special = {
            bytes(item["bytes"]).decode(): int(item["token"]) for item in content["special_tokens"]
        }
        split = content.get("pat_str") or WORD_SPLITS[content["word_split"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{path} is not a whole tokenizer.tok.json ({type(error).__name__}: {error}): "
            "download it again."
        ) from error
    numbers = [*regular.values(), *special.values()]
    listed = len(content["regular_tokens"]) + len(content["special_tokens"])
    if len(set(numbers)) != listed:
        raise CheckpointError(f"{path} gives a token or a number twice: download it again.")
    missing = [byte for byte in range(256) if bytes([byte]) not in regular]
    if missing:
        raise CheckpointError(f"{path} has no token for byte {missing[0]}: download it again.")
    return {"regular": regular, "special": special, "split": split}


def build_tokenizer(path: Path) -> Tokenizer:
    """A tokenizer of the tokenizers library from `tokenizer.tok.json`."""
    content = read_vocabulary(path)
    regular: dict[bytes, int] = content["regular"]
    special: dict[str, int] = content["special"]
    vocabulary = {spell(token): number for token, number in regular.items()}
    for text, number in special.items():
        if text in vocabulary:
            raise CheckpointError(f"{path} has {text} as a regular and as a special token.")
        vocabulary[text] = number
    # A word that is a token is that token, whatever its pairs would make (as in tiktoken).
    model = BPE(vocab=vocabulary, merges=ranked_merges(regular), ignore_merges=True)
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(content["split"]), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    in_order = sorted(special, key=special.__getitem__)
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in in_order])
    return tokenizer


class Grok2Tokenizer(TokenizersBackend):
    """Grok-2's fast tokenizer, from `tokenizer.tok.json` or a saved `tokenizer.json`.

    It adds no token to a text. `eos_token` is the end of a turn; the model's configuration names
    both ends.
    """

    vocab_files_names = {"vocab_file": VOCAB_FILE, "tokenizer_file": "tokenizer.json"}
    model_input_names = ["input_ids", "attention_mask"]
    padding_side = "left"

    @classmethod
    def convert_to_native_format(
        cls, trust_remote_code: bool = False, **kwargs: Any
    ) -> dict[str, Any]:
        """The arguments of the constructor from the files that were found."""
        published = kwargs.pop("vocab_file", None)
        if kwargs.get("tokenizer_file") is None:
            if published is None:
                raise CheckpointError(
                    f"{kwargs.get('name_or_path') or 'the directory'} has no {VOCAB_FILE} and no "
                    f"tokenizer.json: download {VOCAB_FILE} beside the weights."
                )
            kwargs["tokenizer_object"] = build_tokenizer(Path(published))
        defaults = {
            "eos_token": SEPARATOR,
            "pad_token": PAD,
            "chat_template": CHAT_TEMPLATE,
            "clean_up_tokenization_spaces": False,
        }
        for name, value in defaults.items():
            if kwargs.get(name) is None:
                kwargs[name] = value
        return kwargs

    def apply_chat_template(self, conversation: Any, *args: Any, **kwargs: Any) -> Any:
        """As Transformers' own, but a special token in a message is mere text: it ends no turn.

        Written out as text (`tokenize=False`), and with a mask of the assistant's tokens, messages
        stay as they are.
        """
        if not kwargs.get("return_assistant_tokens_mask") and kwargs.get("tokenize", True):
            kwargs.setdefault("sanitize_control_tokens", True)
        return super().apply_chat_template(conversation, *args, **kwargs)


def register() -> None:
    """Make `AutoTokenizer` find this one by Grok-2's configuration."""
    AutoTokenizer.register(Grok2Config, Grok2Tokenizer, exist_ok=True)


__all__ = ["Grok2Tokenizer"]
