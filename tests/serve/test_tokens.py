"""Tokens name who they were issued for, and no one who makes one up."""

from __future__ import annotations

import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ariane.serve import issue
from ariane.serve.tokens import (
    COOKIE_AUDIENCE,
    KEY_FILE,
    OPERATOR,
    BadToken,
    Caller,
    Tokens,
    open_tokens,
)
from ariane.types import ArianeError, CallError

TOKENS = Tokens(b"s" * 64)


@given(st.text(min_size=1, max_size=50, alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_token_names_its_viewer(viewer: str) -> None:
    caller = Caller("viewer", viewer)
    assert TOKENS.verify(TOKENS.issue(caller, 60)) == caller


def test_a_token_names_the_operator() -> None:
    assert TOKENS.verify(TOKENS.issue(OPERATOR, 60)) == OPERATOR


def test_an_expired_token_is_refused() -> None:
    with pytest.raises(BadToken, match="expired"):
        TOKENS.verify(TOKENS.issue(OPERATOR, -1))


def test_a_token_of_another_use_is_refused() -> None:
    cookie = TOKENS.issue(Caller("viewer", "v"), 60, COOKIE_AUDIENCE)
    assert TOKENS.verify(cookie, COOKIE_AUDIENCE).viewer == "v"
    with pytest.raises(BadToken):
        TOKENS.verify(cookie)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"role": "operator"},
        {"role": "operator", "aud": "ariane"},
        {"role": "root", "aud": "ariane", "exp": 2**32},
        {"role": "viewer", "aud": "ariane", "exp": 2**32},
        {"role": "viewer", "aud": "ariane", "exp": 2**32, "sub": 7},
    ],
)
def test_claims_that_say_too_little_are_refused(claims: dict[str, object]) -> None:
    with pytest.raises(BadToken):
        TOKENS.verify(jwt.encode(claims, b"s" * 64, "HS256"))


def test_other_secrets_and_algorithms_are_refused() -> None:
    claims = {"role": "operator", "aud": "ariane", "exp": time.time() + 60}
    for secret, algorithm in ((b"t" * 64, "HS256"), (b"s" * 64, "HS512"), (None, "none")):
        forged = jwt.encode(claims, secret, algorithm)
        with pytest.raises(BadToken):
            TOKENS.verify(forged)
    for garbage in ("", "a.b.c", "é"):
        with pytest.raises(BadToken):
            TOKENS.verify(garbage)


def test_the_secret_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    token = issue(tmp_path, "v1")
    path = tmp_path / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert open_tokens(tmp_path).verify(token) == Caller("viewer", "v1")
    assert open_tokens(tmp_path).verify(issue(tmp_path, None)) == OPERATOR
    assert [item.name for item in tmp_path.iterdir()] == [KEY_FILE]


def test_servers_that_start_together_share_a_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: issue(tmp_path, "v1"), range(32)))
    held = open_tokens(tmp_path)
    assert {held.verify(token).viewer for token in tokens} == {"v1"}
    assert [item.name for item in tmp_path.iterdir()] == [KEY_FILE]


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    issue(tmp_path, None)
    (tmp_path / KEY_FILE).chmod(0o644)
    with pytest.raises(ArianeError, match="chmod 600"):
        open_tokens(tmp_path)


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    path = tmp_path / KEY_FILE
    path.touch(0o600)
    with pytest.raises(ArianeError, match="holds no secret"):
        open_tokens(tmp_path)


def test_a_home_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArianeError, match="absent"):
        open_tokens(tmp_path / "absent")


@pytest.mark.parametrize("viewer", ["", "v" * 513])
def test_an_id_that_cannot_be_is_refused(tmp_path: Path, viewer: str) -> None:
    with pytest.raises(CallError, match="1 to 512"):
        issue(tmp_path, viewer)
