"""Grok-1's tokenizer beside SentencePiece itself, on a model of the published file's options."""

from __future__ import annotations

import io
import os
import random
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from transformers import AutoTokenizer

from ariane.__main__ import main
from ariane.grok import CheckpointError, conversion_grok1
from ariane.grok.tokenization_grok1 import build, read_model, read_tokenizer

TEXT = (Path(__file__).parents[2] / "docs" / "grok.md").read_text(encoding="utf-8")
PUBLISHED = Path(os.environ.get("ARIANE_DATA", "nowhere")) / "grok-1" / "tokenizer.model"
OPTIONS: dict[str, Any] = {
    "model_type": "bpe",
    "vocab_size": 900,
    "byte_fallback": True,
    "split_digits": True,
    "allow_whitespace_only_pieces": True,
    "normalization_rule_name": "identity",
    "remove_extra_whitespaces": False,
    "user_defined_symbols": [*"0123456789", "\n", "\n\n", "\t", "  ", "<|separator|>"],
    "minloglevel": 2,
    **{f"{name}_id": number for number, name in enumerate(("pad", "bos", "eos", "unk"))},
    **{f"{name}_piece": f"[{name.upper()}]" for name in ("pad", "bos", "eos", "unk")},
}


def trained(folder: Path, **changes: Any) -> Path:
    """A directory with a `tokenizer.model` in it."""
    made = io.BytesIO()
    lines = iter(TEXT.splitlines())
    SentencePieceTrainer.train(sentence_iterator=lines, model_writer=made, **{**OPTIONS, **changes})
    folder.mkdir(exist_ok=True)
    (folder / "tokenizer.model").write_bytes(made.getvalue())
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("words"))


@pytest.fixture(scope="module")
def both(folder: Path) -> tuple[Any, Any]:
    file = folder / "tokenizer.model"
    return SentencePieceProcessor(model_file=str(file)), build(read_model(file))


TEXTS = st.lists(
    st.sampled_from([*OPTIONS["user_defined_symbols"], " ", "Grok", "le tokens", "aaa", "é東😀"])
    | st.text(max_size=4),
    max_size=12,
).map("".join)


@given(TEXTS)
def test_the_numbers_are_sentencepieces_and_so_is_the_text(both: Any, text: str) -> None:
    theirs, ours = both
    # A lone NUL ends SentencePiece's text; a word for a control token is that token to us alone.
    if "\0" in text or "[" in text:
        return
    numbers = theirs.encode(text)
    assert ours.encode(text).ids == numbers
    assert ours.decode(numbers, skip_special_tokens=False) == theirs.decode(numbers)


@pytest.mark.skipif(not PUBLISHED.is_file(), reason="ARIANE_DATA has no grok-1/tokenizer.model")
def test_the_published_file() -> None:
    theirs = SentencePieceProcessor(model_file=str(PUBLISHED))
    ours = build(read_model(PUBLISHED))
    draw, words = random.Random(0), TEXT.split(" ")
    for _ in range(2000):
        some = partial(draw.choices, k=draw.randint(1, 12))
        text = draw.choice(
            [
                " ".join(some(words)),
                "".join(some(["<|separator|>", "\n", "\n\n", " ", "\t", "12", "aaa", "é東😀"])),
                "".join(map(chr, some([*range(1, 0x5B), *range(0x5C, 0xD800)]))),
            ]
        )
        assert ours.encode(text).ids == theirs.encode(text)
        assert ours.decode(theirs.encode(text)) == theirs.decode(theirs.encode(text))


def test_auto_tokenizer_reads_what_convert_wrote(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "grok-1", tmp_path / "merged"
    with zipfile.ZipFile(Path(__file__).parent / "fixtures" / "grok1.zip") as archive:
        archive.extractall(source / "ckpt-0")
    made = partial(conversion_grok1.write_merged, head_dim=4)  # of the fixture
    monkeypatch.setattr(conversion_grok1, "write_merged", made)
    call = ["grok", "convert", str(source), str(target)]
    assert main(call) == 1  # nothing is written before the tokenizer is found
    assert not target.exists()
    (source / "tokenizer.model").write_bytes((folder / "tokenizer.model").read_bytes())
    assert main(call) == 0
    found = AutoTokenizer.from_pretrained(target)
    theirs = SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    text = " Grok  12\n<|separator|>é"
    assert found.encode(text) == theirs.encode(text)
    assert found.decode(theirs.encode(text)) == text
    assert (found.pad_token_id, found.bos_token_id, found.eos_token_id) == (0, 1, 2)
    assert found.chat_template is None
    assert main(["grok", "inspect", str(target)]) == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model_type": "unigram"}, "has model_type 1, and Grok-1's 2"),
        ({"byte_fallback": False}, "has byte_fallback False"),
        ({"normalization_rule_name": "nmt_nfkc"}, "has precompiled_charsmap"),
        ({"remove_extra_whitespaces": True}, "has remove_extra_whitespaces True"),
    ],
)
def test_a_model_of_other_options_is_refused(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(CheckpointError, match=said):
        read_tokenizer(trained(tmp_path, **changes))


def test_no_model_and_no_sentencepiece_model(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"tokenizer.model is missing: download it from"):
        read_tokenizer(tmp_path)
    (tmp_path / "tokenizer.model").write_bytes(b"\xff\xff")
    with pytest.raises(CheckpointError, match="is no SentencePiece model"):
        read_tokenizer(tmp_path)
