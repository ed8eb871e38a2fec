"""Tokens: who is asking, signed with a secret that never leaves the home."""

from __future__ import annotations

import os
import secrets
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import jwt

from ariane.types import ArianeError, CallError

KEY_FILE = "serve.secret"
ALGORITHM = "HS256"
AUDIENCE = "ariane"
COOKIE_AUDIENCE = "ariane-reader"
DAYS = 30
DAY = 86_400
LONGEST_ID = 512

Role: TypeAlias = Literal["viewer", "operator", "nobody"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request: a viewer by id, the operator, or nobody in particular."""

    role: Role = "nobody"
    viewer: str | None = None

    def may_see(self, viewer: str) -> bool:
        """Whether this caller may read and change what is held about a viewer."""
        return self.role == "operator" or self.viewer == viewer


OPERATOR = Caller("operator")
NOBODY = Caller()


class BadToken(Exception):
    """A token that is not valid here, in one sentence."""


class Tokens:
    """Issues and verifies tokens (HS256, RFC 7519); one secret signs them all."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def issue(self, caller: Caller, seconds: float, audience: str = AUDIENCE) -> str:
        """A token that names the caller for so many seconds."""
        now = int(time.time())
        claims = {"role": caller.role, "aud": audience, "iat": now, "exp": now + int(seconds)}
        if caller.viewer is not None:
            claims["sub"] = caller.viewer
        return jwt.encode(claims, self._secret, ALGORITHM)

    def verify(self, token: str, audience: str = AUDIENCE) -> Caller:
        """The caller that a token names; BadToken where it is none of ours."""
        claims = self._claims(token, audience)
        match claims["role"], claims.get("sub"):
            case "operator", _:
                return OPERATOR
            case "viewer", str() as viewer:
                return Caller("viewer", viewer)
        raise BadToken("The token names neither a viewer nor the operator; ask for a new one.")

    def seconds_left(self, token: str, audience: str = AUDIENCE) -> int:
        """For how long a token is still good; BadToken where it is none of ours."""
        return int(self._claims(token, audience)["exp"] - time.time())

    def _claims(self, token: str, audience: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=audience,
                options={"require": ["exp", "aud", "role"]},
            )
        except jwt.ExpiredSignatureError:
            raise BadToken("The token has expired; ask the operator for a new one.") from None
        except jwt.PyJWTError:
            raise BadToken("The token is not one of this server's; ask the operator.") from None
        return claims


def open_tokens(home: Path) -> Tokens:
    """The tokens of a home; its secret is made on first use, readable by its owner only."""
    path = home / KEY_FILE
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ArianeError(f"{path} can be read by others; run `chmod 600 {path}`.")
        secret = path.read_bytes().strip()
    except OSError as error:
        raise ArianeError(f"{path} cannot be used ({error.strerror}); check its rights.") from None
    if len(secret) < 32:
        raise ArianeError(f"{path} holds no secret; delete it, and every token ends with it.")
    return Tokens(secret)


def _make(path: Path) -> None:
    """Write a new secret in one step, so that two servers that start together share one."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return
    finally:
        draft.unlink()


def viewer_caller(viewer: str) -> Caller:
    """A viewer as a caller; CallError where the id cannot be one."""
    if not 0 < len(viewer) <= LONGEST_ID:
        raise CallError(f"A viewer's id has 1 to {LONGEST_ID} characters, not {len(viewer)}.")
    return Caller("viewer", viewer)


def issue(home: Path, viewer: str | None, days: int = DAYS) -> str:
    """A token of this home that names a viewer, or its operator where none is given."""
    caller = OPERATOR if viewer is None else viewer_caller(viewer)
    return open_tokens(home).issue(caller, days * DAY)
