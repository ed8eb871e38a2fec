"""Made-up vocabularies in the form of `tokenizer.tok.json`."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from ariane.grok.tokenization_grok2 import EOS, PAD, SEPARATOR, VOCAB_FILE

SPECIAL = [PAD, SEPARATOR, EOS]


def write_tokenizer(path: Path, tokens: list[bytes], **changes: Any) -> Path:
    """A `tokenizer.tok.json` of the three special tokens, then these, ranked as they stand."""
    content = {
        "word_split": "V1",
        "vocab_size": len(SPECIAL) + len(tokens),
        "special_tokens": [{"token": n, "bytes": list(t.encode())} for n, t in enumerate(SPECIAL)],
        "regular_tokens": [
            {"token": n, "bytes": list(t)} for n, t in enumerate(tokens, len(SPECIAL))
        ],
    }
    path.mkdir(exist_ok=True)
    (path / VOCAB_FILE).write_text(json.dumps(content | changes), encoding="utf-8")
    return path


def random_tokens(seed: int, count: int, alphabet: str = "ab c\n'1é") -> list[bytes]:
    """All bytes, then random merges of what there is, as byte-pair encoding would make them."""
    draw = random.Random(seed)
    tokens = [bytes([byte]) for byte in range(256)]
    usable = sorted({bytes([byte]) for byte in alphabet.encode()})
    while len(tokens) < 256 + count:
        made = draw.choice(usable) + draw.choice(usable)
        if made not in tokens and len(made) < 12:
            tokens.append(made)
            usable.append(made)
    return tokens


TOKENS = random_tokens(0, 400)
