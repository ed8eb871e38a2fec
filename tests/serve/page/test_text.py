"""Texts: links lead to the web only, local paths stay local, nothing becomes markup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from ariane.serve.page.text import Piece, outward, paragraphs
from ariane.serve.page.visit import language_of, local


def test_a_text_becomes_paragraphs_of_words_and_links() -> None:
    found = paragraphs("See https://example.org/a, now.\n\nEnd")
    assert found == (
        (
            Piece("See "),
            Piece("example.org/a", "https://example.org/a"),
            Piece(", now."),
        ),
        (Piece("End"),),
    )


@pytest.mark.parametrize(
    "url",
    [
        None,
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "https://",
        "http://[",
        "ftp://a.example",
        "https://a.example\u202e",
    ],
)
def test_only_the_web_is_linked(url: str | None) -> None:
    assert outward(url) is None


@given(st.text())
def test_no_text_is_lost_but_controls_and_empty_lines(text: str) -> None:
    shown = "".join(p.href or p.text for line in paragraphs(text) for p in line)
    kept = [sign for sign in text if sign.isalnum()]
    assert [sign for sign in shown if sign.isalnum()] == kept


@given(st.text())
def test_every_link_is_of_the_web(text: str) -> None:
    for line in paragraphs(f"https://a.example/{text} http://{text}"):
        for piece in line:
            assert piece.href is None or piece.href.startswith(("http://", "https://"))


@pytest.mark.parametrize("path", ["/", "/f/for-you?page=1#r2", "/p/a%2Fb", "/f/x?after=y"])
def test_local_paths_are_kept(path: str) -> None:
    assert local(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "f",
        "//evil.example",
        "/\\evil.example",
        "/a\\b",
        "https://evil.example",
        "/a\r\nSet-Cookie: x",
        "/\tevil",
        " /",
        "/" * 3000,
    ],
)
def test_no_redirect_leaves_the_site(path: str | None) -> None:
    assert local(path) == "/"


@given(st.text(min_size=1))
def test_a_redirect_is_always_a_path_of_this_site(path: str) -> None:
    found = local(path)
    assert found.startswith("/")
    assert not found.startswith(("//", "/\\"))


@pytest.mark.parametrize(
    ("asked", "chosen", "language"),
    [
        ("", None, "en"),
        ("fr", None, "fr"),
        ("de, fr-CA;q=0.8, en;q=0.2", None, "fr"),
        ("en, fr;q=0.9", None, "en"),
        ("fr", "en", "en"),
        ("fr", "xx", "fr"),
        ("fr;q=no", None, "en"),
    ],
)
def test_the_language_is_the_chosen_or_the_browsers(
    asked: str, chosen: str | None, language: str
) -> None:
    assert language_of(Headers({"accept-language": asked}), chosen) == language
