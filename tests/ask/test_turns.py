"""Follow-up questions: understood from the asker's own earlier ones, and from nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ask.conftest import NOW, asked, cited
from tests.ask.models import Writer
from tests.ask.test_ask import good

from ariane.ask import Question
from ariane.ask.meant import Meant
from ariane.ask.turns import DAY, TURNS, Sought, Span, sought, spoken
from ariane.engine import Engine

TRAM = "What do people say about the tram?"
LE_TRAM = "Que dit-on du tram ?"


def after(*texts: str, post: str | None = None) -> Sought:
    return sought(Question(texts[-1], NOW, post=post, earlier=texts[:-1]))


@pytest.mark.parametrize(
    ("texts", "theme", "beside"),
    [
        ((TRAM, "why?"), "tram", ""),
        ((TRAM, "Tell me more"), "tram", ""),
        ((TRAM, "And in French?"), "tram", ""),
        ((TRAM, "what about the school?"), "school", "tram"),
        ((TRAM, "when does it close?"), "close tram", ""),
        ((TRAM, "is it true?"), "tram", ""),
        ((TRAM, "what about the school?", "why?"), "school", "tram"),
        ((TRAM, "and the school?", "and the court?"), "court", "school"),
        ((TRAM, "Is it true that the court closes?"), "true court closes", ""),
        ((TRAM, "Who found the racing pigeons?"), "found racing pigeons", ""),
        ((TRAM, "what did I miss?"), "", ""),
        ((LE_TRAM, "et hier ?"), "tram", ""),
        ((LE_TRAM, "Pourquoi ?"), "tram", ""),
        ((LE_TRAM, "et en anglais ?"), "tram", ""),
        ((LE_TRAM, "et l’école ?"), "école", "tram"),
        ((LE_TRAM, "quand ferme-t-il ?"), "ferme-t-il tram", ""),
        ((LE_TRAM, "Y a-t-il un concert bientôt ?"), "concert bientôt", ""),
        ((LE_TRAM, "Où est le tribunal ?"), "tribunal", ""),
        ((LE_TRAM, "C’est vrai ?"), "tram", ""),
        (("why?",), "", ""),
        (("and the school?",), "school", ""),
    ],
    ids=lambda value: " / ".join(value) if isinstance(value, tuple) else None,
)
def test_what_a_question_is_about_after_others(
    texts: tuple[str, ...], theme: str, beside: str
) -> None:
    found = after(*texts)
    assert (found.theme, found.beside) == (theme, beside)


@pytest.mark.parametrize(
    ("text", "kind", "theme"),
    [
        ("what’s new in Lyon?", Meant.FEED, "Lyon"),
        ("Quoi de neuf à Lyon ?", Meant.FEED, "Lyon"),
        ("what’s new in town?", Meant.FEED, "town"),
        ("Quoi de neuf en ville ?", Meant.FEED, "ville"),
        ("rien de neuf en ville ?", Meant.FEED, "ville"),
        ("quoi de neuf en France ?", Meant.FEED, "France"),
        ("anything new at school?", Meant.FEED, "school"),
        ("du nouveau à l’école ?", Meant.FEED, "école"),
        ("Alors, du nouveau ?", Meant.FEED, ""),
        ("what is the market for new houses?", Meant.POSTS, "market houses"),
        ("Le prix du neuf sur le marché ?", Meant.POSTS, "prix marché"),
        ("what happened this morning?", Meant.FEED, ""),
        ("what happened last night?", Meant.FEED, ""),
        ("what happened tonight with the tram?", Meant.FEED, "tram"),
        ("what happened over the weekend?", Meant.FEED, ""),
        ("what happened during the night?", Meant.FEED, ""),
        ("what happened in the last few hours?", Meant.FEED, ""),
        ("what happened since yesterday?", Meant.FEED, ""),
        ("what happened while I slept?", Meant.FEED, ""),
        ("what did I miss on the night market?", Meant.FEED, "night market"),
        ("what happened to the cat last night?", Meant.POSTS, "cat last night"),
        ("que s’est-il passé ce matin ?", Meant.FEED, ""),
        ("que s’est-il passé hier soir ?", Meant.FEED, ""),
        ("que s’est-il passé la nuit dernière ?", Meant.FEED, ""),
        ("que s’est-il passé ce week-end ?", Meant.FEED, ""),
        ("que s’est-il passé dans la nuit ?", Meant.FEED, ""),
        ("que s’est-il passé ces dernières heures ?", Meant.FEED, ""),
        ("que s’est-il passé depuis hier ?", Meant.FEED, ""),
        ("Que s’est-il passé pendant mon absence ?", Meant.FEED, ""),
        ("qu’ai-je raté sur la Nuit des musées ?", Meant.FEED, "Nuit musées"),
        ("news?", Meant.FEED, ""),
        ("today’s news", Meant.FEED, ""),
        ("latest news?", Meant.FEED, ""),
        ("what’s the news of the day?", Meant.FEED, ""),
        ("the news about the tram?", Meant.POSTS, "tram"),
        ("quelles nouvelles ?", Meant.FEED, ""),
        ("les nouvelles d’hier", Meant.FEED, ""),
        ("les dernières nouvelles ?", Meant.FEED, ""),
        ("quelles sont les nouvelles du jour ?", Meant.FEED, ""),
        ("les nouvelles du quartier ?", Meant.POSTS, "quartier"),
    ],
)
def test_a_time_is_not_what_a_feed_is_asked_about(text: str, kind: Meant, theme: str) -> None:
    found = after(text)
    assert (found.after, found.theme) == (kind, theme)


def test_what_is_after_carries_over_as_far_as_it_fits() -> None:
    assert after("what did I miss on energy?", "and sport?").after is Meant.FEED
    assert after("what did I miss on energy?", "who won the election?").after is Meant.POSTS
    assert after("c’est confirmé ?", "pourquoi ?", post="p").after is Meant.CONFIRMED
    assert after("c’est confirmé ?", "et l’école ?", post="p").after is Meant.POSTS
    assert after(TRAM, "why do I see this?", post="p").after is Meant.WHY


def test_a_wish_is_only_made_of_the_newest_words() -> None:
    assert after("less politics", "and the tram?").wishes == ()
    assert after("less politics", "why?") == replace(after("why?"))
    assert after(TRAM, "moins de politique").after is Meant.WISH
    assert after(TRAM, "moins de politique", "et hier ?").theme == "tram"


def test_a_time_is_kept_until_another_is_named() -> None:
    midnight = NOW // DAY * DAY
    yesterday = after(TRAM, "and yesterday?").span
    assert yesterday == after("Que dit-on du tram ?", "Et hier ?", "Pourquoi ?").span
    assert yesterday is not None
    assert [at in yesterday for at in (midnight, midnight - 1, midnight - DAY)] == [
        False,
        True,
        True,
    ]
    assert midnight - DAY - 1 not in yesterday
    assert after("what happened yesterday?", "and today?").span == Span(NOW - DAY, NOW)
    assert after("what happened yesterday?", TRAM).span is None


@given(st.lists(st.text(max_size=60), max_size=6), st.text(max_size=60))
def test_only_the_last_turns_count(earlier: list[str], text: str) -> None:
    question = Question(text, NOW, earlier=tuple(earlier))
    assert sought(question) == sought(replace(question, earlier=tuple(earlier[-TURNS:])))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("And in French, please?", "fr"),
        ("en anglais s’il vous plaît", "en"),
        ("et en français ?", "fr"),
        ("what is said in French schools?", None),
        ("why?", None),
    ],
)
def test_a_language_may_be_all_that_is_named(text: str, language: str | None) -> None:
    assert spoken(text) == language


def test_a_follow_up_finds_what_the_question_before_it_was_about(place: Engine) -> None:
    for text in ("why?", "and in French?"):
        assert set(cited(asked(place, text, earlier=(TRAM,)))) == {"tram", "late"}
    assert cited(asked(place, "and the wolf?", earlier=(TRAM,)))[0] == "wolf"
    assert cited(asked(place, "et la soupe ?", earlier=(LE_TRAM,)))[0] == "soup"
    assert "tram" not in cited(asked(place, "why?"))[:1]


def test_what_was_asked_before_brings_nearer_and_lets_nothing_in(place: Engine) -> None:
    alone = cited(asked(place, "what about the market hall?"))
    after_tram = cited(asked(place, "what about the market hall?", earlier=(TRAM,)))
    assert set(after_tram) <= set(alone)
    morning = "what about this morning?"
    assert cited(asked(place, morning, earlier=(TRAM,)))[0] == "late"


def test_a_time_bounds_what_is_found(place: Engine) -> None:
    lately = asked(place, "what was said about the tram yesterday?", at=NOW + DAY)
    assert set(cited(lately)) == {"tram", "late"}
    later = {"at": NOW + 3 * DAY}
    told = asked(place, "and yesterday?", earlier=(TRAM,), **later)
    assert (cited(told), len(told.lines)) == ([], 1)
    assert "of that time" in told.lines[0].text
    assert set(cited(asked(place, "why?", earlier=(TRAM,), **later))) == {"tram", "late"}


def test_a_model_is_shown_earlier_questions_where_they_say_something(place: Engine) -> None:
    writer = Writer(good)
    asked(place, "how many stops?", writer, earlier=("a", "b", "less politics", TRAM))
    asked(place, "why?", writer, earlier=("a", "b", "less politics", TRAM))
    assert [one["earlier"] for one in writer.seen] == [[], ["b", "less politics", TRAM]]
