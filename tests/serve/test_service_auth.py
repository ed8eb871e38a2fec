"""Service auth: only a fresh token for this server and method names a user."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.serve.signers import (
    METHOD,
    SERVICE,
    Directory,
    base64url,
    directory,
    document,
    service_token,
)

from ariane.serve.identity import Identities, UnknownIdentity
from ariane.serve.problems import Refusal
from ariane.serve.service_auth import Seen, verify

ALICE = "did:plc:" + "a" * 24
BOB = "did:plc:" + "b" * 24
KEY = ec.generate_private_key(ec.SECP256K1())
P256 = ec.generate_private_key(ec.SECP256R1())


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def plc() -> Iterator[Directory]:
    with directory() as state:
        state.put(ALICE, KEY)
        state.put(BOB, P256)
        yield state


def asked(plc: Directory, token: str, *, seen: Seen | None = None) -> str:
    return verify(token, METHOD, SERVICE, Identities(plc.url, private=True), seen or Seen())


def refused(plc: Directory, token: str) -> str:
    with pytest.raises(Refusal) as caught:
        asked(plc, token)
    assert caught.value.status == 401
    return caught.value.name


@pytest.mark.parametrize(("did", "key"), [(ALICE, KEY), (BOB, P256)], ids=["ES256K", "ES256"])
def test_a_good_token_names_its_issuer(
    plc: Directory, did: str, key: ec.EllipticCurvePrivateKey
) -> None:
    assert asked(plc, service_token(key, did)) == did
    assert asked(plc, service_token(key, did, aud=f"{SERVICE}#bsky_fg")) == did


def test_a_forged_token_is_refused(plc: Directory) -> None:
    other = ec.generate_private_key(ec.SECP256K1())
    assert refused(plc, service_token(other, ALICE)) == "BadJwtSignature"
    token = service_token(KEY, ALICE)
    head, _, tail = token.split(".")
    claims = {"iss": BOB, "aud": SERVICE, "exp": time.time() + 60, "lxm": METHOD}
    changed = f"{head}.{base64url(json.dumps(claims).encode())}.{tail}"
    assert refused(plc, changed) == "BadJwtSignature"


def test_a_high_s_signature_is_refused(plc: Directory) -> None:
    for did, key in ((ALICE, KEY), (BOB, P256)):
        assert refused(plc, service_token(key, did, high=True)) == "BadJwtSignature"


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"exp": 1}, "JwtExpired"),
        ({"exp": 2**40}, "BadJwt"),
        ({"exp": None}, "BadJwt"),
        ({"exp": "soon"}, "BadJwt"),
        ({"exp": float("nan")}, "JwtExpired"),
        ({"iat": 2**40}, "BadJwt"),
        ({"iss": None}, "BadJwt"),
        ({"iss": 7}, "BadJwt"),
        ({"aud": "did:web:elsewhere.example.org"}, "BadJwtAudience"),
        ({"aud": [SERVICE]}, "BadJwtAudience"),
        ({"aud": None}, "BadJwtAudience"),
        ({"lxm": "app.bsky.feed.describeFeedGenerator"}, "BadJwtLexiconMethod"),
        ({"lxm": None}, "BadJwtLexiconMethod"),
        ({"header": {"alg": "none"}}, "BadJwt"),
        ({"header": {"alg": "HS256"}}, "BadJwt"),
        ({"header": {"alg": "ES256"}}, "BadJwtSignature"),
        ({"header": {"typ": "at+jwt"}}, "BadJwt"),
    ],
)
def test_claims_that_do_not_fit_are_refused(
    plc: Directory, claims: dict[str, object], name: str
) -> None:
    assert refused(plc, service_token(KEY, ALICE, **claims)) == name  # type: ignore[arg-type]


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "..", "e30.e30.", "é.é.é", "x" * 9000])
def test_what_is_no_token_is_refused(plc: Directory, token: str) -> None:
    assert refused(plc, token) == "BadJwt"


def test_a_token_is_good_once(plc: Directory) -> None:
    seen = Seen()
    token = service_token(KEY, ALICE)
    assert asked(plc, token, seen=seen) == ALICE
    with pytest.raises(Refusal) as caught:
        asked(plc, token, seen=seen)
    assert caught.value.name == "JwtReplayed"
    assert asked(plc, service_token(KEY, ALICE), seen=seen) == ALICE


def test_used_tokens_are_forgotten_when_they_expire() -> None:
    clock = Clock()
    seen = Seen(clock)
    assert not seen.again("a.b.c", 1010.0)
    assert seen.again("a.b.other", 1010.0)  # the same claims under another signature
    clock.now = 1020.0
    assert not seen.again("d.e.f", 1030.0)
    assert not seen.again("a.b.c", 1030.0)


def test_a_document_is_fetched_once_and_again_after_a_rotation(plc: Directory) -> None:
    clock = Clock()
    identities = Identities(plc.url, private=True, clock=clock)
    for _ in range(3):
        assert verify(service_token(KEY, ALICE), METHOD, SERVICE, identities, Seen()) == ALICE
    assert plc.asked == [f"/{ALICE}"]
    rotated = ec.generate_private_key(ec.SECP256K1())
    plc.put(ALICE, rotated)
    token = service_token(rotated, ALICE)
    with pytest.raises(Refusal):  # too soon to ask again for a key that did not fit
        verify(token, METHOD, SERVICE, identities, Seen())
    clock.now += 31
    assert verify(token, METHOD, SERVICE, identities, Seen()) == ALICE
    assert len(plc.asked) == 2


def test_a_failure_is_remembered_for_a_while(plc: Directory) -> None:
    clock = Clock()
    identities = Identities(plc.url, private=True, clock=clock)
    nobody = "did:plc:" + "c" * 24
    for _ in range(3):
        with pytest.raises(UnknownIdentity, match=nobody):
            identities.key(nobody)
    assert len(plc.asked) == 1
    plc.put(nobody, KEY)
    clock.now += 31
    assert identities.key(nobody).public_numbers() == KEY.public_key().public_numbers()


def test_an_unreachable_host_is_refused_in_a_sentence() -> None:
    identities = Identities("http://127.0.0.1:9", private=True)
    token = service_token(KEY, ALICE)
    with pytest.raises(Refusal, match=f"signing key of {ALICE} cannot be had"):
        verify(token, METHOD, SERVICE, identities, Seen())


def test_a_did_web_is_resolved_from_its_host(plc: Directory) -> None:
    did = f"did:web:localhost%3A{plc.url.rpartition(':')[2]}"
    plc.answers["/.well-known/did.json"] = json.dumps(document(did, KEY)).encode()
    assert asked(plc, service_token(KEY, did)) == did


def test_private_hosts_are_not_asked_unless_allowed(plc: Directory) -> None:
    with pytest.raises(UnknownIdentity, match="cannot be had"):
        Identities(plc.url, private=False).key(ALICE)
    assert plc.asked == []


@pytest.mark.parametrize(
    "did",
    [
        "did:plc:short",
        "did:plc:" + "A" * 24,
        "did:key:zQ3sh",
        "did:web:example.org:user",
        "did:web:example.org%2Fpath",
        "did:web:example.org%3A8443",
        "did:web:user%40example.org",
        "alice.example.org",
        "",
    ],
)
def test_what_is_no_did_is_never_asked_for(did: str) -> None:
    with pytest.raises(ValueError, match=r"did:"):
        Identities("https://plc.example.org", private=False).address(did)


def test_addresses_of_documents() -> None:
    identities = Identities("https://plc.example.org/", private=False)
    assert identities.address(ALICE) == f"https://plc.example.org/{ALICE}"
    expected = "https://example.org/.well-known/did.json"
    assert identities.address("did:web:example.org") == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"[" * 60_000,
        b"\xff",
        b'{"id": "did:plc:other"}',
        json.dumps({"id": ALICE}).encode(),
        json.dumps({"id": ALICE, "verificationMethod": [7, {"id": "#atproto"}]}).encode(),
        json.dumps(
            {
                "id": ALICE,
                "verificationMethod": [
                    {"id": "#atproto", "type": "Multikey", "publicKeyMultibase": "z0"}
                ],
            }
        ).encode(),
        b" " * 70_000,
    ],
)
def test_a_document_without_the_key_is_refused(plc: Directory, body: bytes) -> None:
    plc.answers[f"/{ALICE}"] = body
    with pytest.raises(UnknownIdentity, match="cannot be had"):
        Identities(plc.url, private=True).key(ALICE)
