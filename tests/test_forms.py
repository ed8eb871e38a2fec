"""Forms: which singulars and plurals are one word, and which are honestly not told to be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ariane.forms import ENDINGS, EXCEPTIONS, LEAST, folded, formed
from ariane.targets import matched
from ariane.types import Candidate, Post

SAME = """
election elections, vote votes, cat cats, boy boys, photo photos, hero heroes, shoe shoes
story stories, movie movies, party parties, tax taxes, box boxes, class classes, gas gases
church churches, wish wishes, house houses, niche niches, press press, bus buses, virus viruses
man men, woman women, child children, election ELECTIONS, climate denial CLIMATE DENIALS
élection élections, élu élus, marché marchés, économie économies, bœuf bœufs, classe classes
journal journaux, cheval chevaux, réseau réseaux, jeu jeux, bijou bijoux, travail travaux
œil yeux, taxe taxes, prix prix, droit de l'homme droits de l’homme, festival festivals
"""
"""Pairs of which each matches the other, as a wish and in a post."""

APART = """
new news, our ours, corp corps, aid aids, flu flux, meme même, memes mêmes, us use, the these
mai mais, moi mois, foi fois, cour cours, pari Paris, pay pays, Dan dans, ver vers, her hers
elect election, vote voter, run running, big bigger, mouse mice, wolf wolves, crisis crises
national nationale, acteur actrice, nouveau nouvelle, voter votons, bal bail, noyau noyaux
"""
"""Pairs of which neither matches the other: other words, and inflections that are not told."""


def pairs(text: str) -> list[tuple[str, str]]:
    """Each entry in two halves, of as many words."""
    found = []
    for entry in text.replace("\n", ",").split(","):
        words = entry.split()
        if words:
            half = len(words) // 2 if "droit" not in words else 3
            found.append((" ".join(words[:half]), " ".join(words[half:])))
    return found


def matches(wished: str, text: str) -> bool:
    post = Post("p", "ann", f"On dit : « {text} », they say.", 0)
    return matched(f"word:{wished}", Candidate(post)) > 0


@pytest.mark.parametrize(("one", "other"), pairs(SAME))
def test_these_are_one_word(one: str, other: str) -> None:
    assert matches(one, other)
    assert matches(other, one)
    assert matches(one, one)


@pytest.mark.parametrize(("one", "other"), pairs(APART))
def test_these_are_two_words(one: str, other: str) -> None:
    assert not matches(one, other)
    assert not matches(other, one)
    assert matches(one, one)
    assert matches(other, other)


def test_accents_count_where_the_wish_has_them() -> None:
    for text in ("ecologie", "Écologie", "ECOLOGIE", "e\u0301cologie"):
        assert matches("ecologie", text)
    assert matches("écologie", "ÉCOLOGIE")
    assert matches("écologie", "e\u0301cologie")
    assert not matches("écologie", "ecologie")
    assert not matches("thé", "the")
    assert not matches("marché", "marche")
    assert matches("marche", "marché")  # what is typed without accents may mean either


def test_a_part_of_a_word_is_no_form_of_it() -> None:
    for wished, text in (("elect", "elections"), ("cat", "cathedral"), ("art", "party")):
        assert not matches(wished, text)


@pytest.mark.parametrize(
    "text", ["気候変動", "ガス", "기후", "климат", "خبز", "हिन्दी", "c++", "9 s"]
)
def test_other_scripts_and_signs_are_only_folded(text: str) -> None:
    for accents in (True, False):
        assert formed(text, accents) == folded(text)


def test_the_tables_hold_what_they_say() -> None:
    for plural, form in EXCEPTIONS.items():
        assert formed(plural, True) == formed(form, True) == form or plural == form
    for number, (ending, _) in enumerate(ENDINGS):
        assert not any(ending.endswith(before) for before, _ in ENDINGS[:number])


@given(st.text(), st.booleans())
def test_every_text_has_one_form_and_no_word_less(text: str, accents: bool) -> None:
    once = formed(text, accents)
    assert once == formed(text, accents)
    assert len(once.split()) == len(folded(text).split())


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1))
def test_a_short_word_stays_as_it_is_and_a_long_one_keeps_its_beginning(word: str) -> None:
    form = formed(word, True)
    assert form == word or len(form) >= LEAST or word in EXCEPTIONS
    assert form[:LEAST] == word[: len(form)][:LEAST] or word in EXCEPTIONS
