from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from ariane.read.encoder import LONGEST, SentenceEncoder


@settings(max_examples=30)
@given(st.lists(st.text(max_size=80), max_size=5))
def test_any_text_gives_a_unit_vector(encoder: SentenceEncoder, texts: list[str]) -> None:
    vectors = encoder.encode(texts)
    assert vectors.shape == (len(texts), encoder.width)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_empty_texts_share_one_vector_that_no_sentence_is_near(encoder: SentenceEncoder) -> None:
    empty = encoder.encode(["", "  ", "\n"])
    assert np.allclose(empty[0], empty[1], atol=1e-6)
    assert np.allclose(empty[0], empty[2], atol=1e-6)
    sentences = encoder.encode(["The bus is late again.", "J'ai planté trois courgettes."])
    assert (sentences @ empty[0] < 0.5).all()


def test_a_translation_is_nearer_than_another_subject(encoder: SentenceEncoder) -> None:
    english, french, other = encoder.encode(
        ["The train was cancelled again", "Le train est encore annulé", "A recipe for lentil soup"]
    )
    assert english @ french > english @ other + 0.3


@settings(max_examples=20)
@given(st.lists(st.text("abc de fghé !?", max_size=200), min_size=1, max_size=40))
def test_a_vector_depends_on_its_batch_by_rounding_only(
    encoder: SentenceEncoder, texts: list[str]
) -> None:
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert np.abs(together - alone).max() < 1e-5


def test_alone_a_text_always_gives_the_same_bits(encoder: SentenceEncoder) -> None:
    text = "The same sentence, twice."
    assert np.array_equal(encoder.encode([text]), encoder.encode([text]))


def test_a_million_characters_are_read_as_their_beginning(encoder: SentenceEncoder) -> None:
    text = "All work and no play. " * 50_000
    long, short = encoder.encode([text]), encoder.encode([text[:LONGEST]])
    assert np.array_equal(long, short)


def test_broken_characters_are_read(encoder: SentenceEncoder) -> None:
    assert np.isfinite(encoder.encode(["\ud800 half a surrogate \udfff"])).all()


def test_the_processes_threads_are_put_back(encoder: SentenceEncoder) -> None:
    def threads() -> list[int]:
        return [library["num_threads"] for library in threadpool_info()]

    before = threads()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(encoder.encode, [["a text"] * 8] * 8))
    assert threads() == before
