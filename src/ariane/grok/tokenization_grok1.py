"""Grok-1's tokenizer: the published SentencePiece model as a fast tokenizer of the same numbers.

It is byte-pair encoding over the whole text: spaces are written "▁", one is put before the text,
nothing else is changed; symbols that were given by hand (digits, line ends, `<|separator|>`) are
cut out first, the longest first; what is in no piece becomes bytes. Sources: the file itself and
google/sentencepiece `bpe_model.cc`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import generate_merges

from ariane.grok.errors import CheckpointError

FILE = "tokenizer.model"
SPACE = "▁"
ADDRESS = "https://github.com/xai-org/grok-1"

BPE_MODEL = 2
NORMAL, UNKNOWN, CONTROL, GIVEN = 1, 2, 3, 4
"""SentencePiece's numbers of a model and of kinds of pieces."""

OPTIONS = {
    "trainer_spec.model_type": BPE_MODEL,
    "trainer_spec.byte_fallback": True,
    "trainer_spec.treat_whitespace_as_suffix": False,
    "normalizer_spec.precompiled_charsmap": b"",
    "normalizer_spec.add_dummy_prefix": True,
    "normalizer_spec.remove_extra_whitespaces": False,
    "normalizer_spec.escape_whitespaces": True,
}
"""What the published file says, and what `build` relies on."""


def find_file(folder: Path) -> Path:
    """The model beside the weights, or beside their `ckpt-0`; raises `CheckpointError`."""
    for place in (folder, folder.resolve().parent):
        if (place / FILE).is_file():
            return place / FILE
    raise CheckpointError(f"{folder / FILE} is missing: download it from {ADDRESS}.")


def read_model(path: Path) -> Any:
    """The file's content, checked; raises `CheckpointError`."""
    model = sentencepiece_model_pb2.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise CheckpointError(f"{path} is no SentencePiece model: download it again.") from error
    for name, wanted in OPTIONS.items():
        part, _, option = name.partition(".")
        found = getattr(getattr(model, part), option)
        if found != wanted:
            raise CheckpointError(
                f"{path} has {option} {found!r}, and Grok-1's {wanted!r}: download the file "
                f"of {ADDRESS}."
            )
    return model


def build(model: Any) -> Tokenizer:
    """A tokenizer of the tokenizers library from SentencePiece's pieces."""
    pieces = [piece.piece for piece in model.pieces]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    merged = {p.piece: n for n, p in enumerate(model.pieces) if p.type == NORMAL}
    # A given symbol alone is a word of its own, which no merge makes: it is looked up whole.
    tokenizer = Tokenizer(
        BPE(
            vocab=vocabulary,
            merges=generate_merges(merged, None),
            unk_token=model.trainer_spec.unk_piece,
            fuse_unk=True,
            byte_fallback=True,
            ignore_merges=True,
        )
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend(SPACE), normalizers.Replace(" ", SPACE)]
    )
    given = [p.piece for p in model.pieces if p.type == GIVEN and " " not in p.piece]
    if given:
        longest = sorted(given, key=len, reverse=True)
        symbols = Regex("|".join(re.escape(symbol) for symbol in longest))
        tokenizer.pre_tokenizer = pre_tokenizers.Split(symbols, behavior="isolated")
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace(SPACE, " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return tokenizer


def read_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """The tokenizer of Grok-1's published directory; raises `CheckpointError`.

    It adds no token, and has no chat template: Grok-1 was not trained on chats.
    """
    model = read_model(find_file(folder))
    names = model.trainer_spec
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=build(model),
        bos_token=names.bos_piece,
        eos_token=names.eos_piece,
        pad_token=names.pad_piece,
        unk_token=names.unk_piece,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = None
    return tokenizer
