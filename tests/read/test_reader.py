from __future__ import annotations

import numpy as np
import pytest

from ariane.read.reader import EncoderReader
from ariane.types import Media, Post


def test_readings_come_in_the_posts_order_and_name_their_revision(reader: EncoderReader) -> None:
    posts = [Post(f"p{n}", "a", text, 0, rev=n + 1) for n, text in enumerate(["Soup", "", "Vélo"])]
    readings = reader.read(posts)
    assert [(one.post, one.rev) for one in readings] == [("p0", 1), ("p1", 2), ("p2", 3)]
    assert {one.by for one in readings} == {reader.name}


def test_the_name_covers_encoder_and_heads(reader: EncoderReader) -> None:
    encoder, _, heads = reader.name.partition("+")
    assert encoder == "use@0.2.1"
    assert heads.startswith("aspects@")


def test_no_posts_give_no_readings(reader: EncoderReader) -> None:
    assert reader.read([]) == []


def test_a_post_without_words_is_read_as_saying_nothing(reader: EncoderReader) -> None:
    reading = reader.read([Post("p", "a", " \n ", 0, media=(Media("https://x.example/a.png"),))])[0]
    assert (reading.topics, reading.tone, reading.intent, reading.format) == ((), "", "", "")
    assert reading.language is None
    assert np.isclose(np.linalg.norm(reading.vector), 1.0)


def test_alternative_texts_are_read_with_the_post(reader: EncoderReader) -> None:
    media = (Media("https://x.example/a.png", alt="A goalkeeper saves a penalty in the final"),)
    reading = reader.read([Post("p", "a", "Look!", 0, media=media)])[0]
    assert reading.topics[0][0] == "sport"
    post = Post("p", "a", " x ", 0, media=(*media, Media("https://x.example/b.png")))
    assert post.words == "x\nA goalkeeper saves a penalty in the final"


@pytest.mark.parametrize(
    ("lang", "known"), [("fr-CA", "fr"), ("EN", "en"), ("und", None), ("", None), (None, None)]
)
def test_the_declared_language_holds_where_the_text_is_too_short(
    reader: EncoderReader, lang: str | None, known: str | None
) -> None:
    assert reader.read([Post("p", "a", "ok", 0, lang=lang)])[0].language == known


def test_the_text_is_believed_before_the_declaration(reader: EncoderReader) -> None:
    post = Post("p", "a", "Il pleut depuis trois jours sur toute la vallée.", 0, lang="en")
    assert reader.read([post])[0].language == "fr"


def test_a_million_characters_are_read(reader: EncoderReader) -> None:
    assert (
        reader.read([Post("p", "a", "I have planted tomatoes. " * 40_000, 0)])[0].language == "en"
    )
