from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ariane.read.language import TO_ISO_639_1, language


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The council voted to move the budget debate to January.", "en"),
        ("Le conseil a voté le report du débat budgétaire.", "fr"),
        ("Der Stadtrat hat die Debatte auf Januar verschoben.", "de"),
        ("El ayuntamiento aplazó el debate hasta enero.", "es"),
        ("市议会投票决定将预算辩论推迟到一月。", "zh"),
        ("予算の議論は一月に延期されました。", "ja"),
        ("صوّت المجلس على تأجيل النقاش إلى يناير", "ar"),
    ],
)
def test_the_language_of_a_sentence_is_named(text: str, code: str) -> None:
    assert language(text) == code


@pytest.mark.parametrize(
    "text", ["", "ok", "12345 67890 !!!", "😀😀😀", "https://example.org/le/la"]
)
def test_too_few_letters_say_no_language(text: str) -> None:
    assert language(text) is None


def test_links_mentions_and_tags_do_not_count() -> None:
    assert (
        language("Je reviens du marché https://www.thebest.example/of/the/town @the_best") == "fr"
    )


@given(st.text(max_size=300))
def test_any_text_gives_a_two_letter_code_or_none(text: str) -> None:
    code = language(text)
    assert code is None or (len(code) == 2 and code.isascii() and code.islower())


def test_codes_that_are_mapped_are_iso_639_1() -> None:
    assert all(len(code) == 2 for code in TO_ISO_639_1.values())
