"""Multikeys say the keys that they were made from, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from tests.serve.signers import encode58, multikey

from ariane.serve.multikey import ALPHABET, ORDERS, base58, is_low, public_key


@given(st.binary(max_size=64))
def test_base58_gives_back_what_was_encoded(data: bytes) -> None:
    assert base58(encode58(data)) == data


def test_base58_of_a_published_vector() -> None:
    # https://datatracker.ietf.org/doc/html/draft-msporny-base58-03#section-5
    assert base58("2NEpo7TZRRrLZSi2U") == b"Hello World!"
    assert base58("11233QC4") == bytes.fromhex("0000287fb4cd")


@pytest.mark.parametrize("curve", [ec.SECP256K1(), ec.SECP256R1()], ids=lambda curve: curve.name)
def test_a_multikey_gives_its_key(curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    found = public_key(multikey(key))
    assert found.public_numbers() == key.public_key().public_numbers()
    assert public_key(f"did:key:{multikey(key)}") == found


@pytest.mark.parametrize(
    ("did", "curve"),
    [
        ("did:key:zDnaembgSGUhZULN2Caob4HLJPaxBh92N7rtH21TErzqf8HQo", "secp256r1"),
        ("did:key:zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc", "secp256k1"),
    ],
)
def test_the_examples_of_the_specification(did: str, curve: str) -> None:
    # https://atproto.com/specs/cryptography
    assert public_key(did).curve.name == curve


@pytest.mark.parametrize(
    "text",
    [
        "",
        "z",
        "zz0",
        "zO0Il",
        "mQ3sh",
        "did:key:",
        "z" + encode58(b"\xed\x01" + bytes(32)),  # Ed25519
        "z" + encode58(b"\xe7\x01\x02" + b"\xff" * 32),  # not on the curve
        "z" + encode58(b"\xe7\x01" + bytes(65)),
        "z" + ALPHABET[5] * 10_000,
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        public_key(text)


@pytest.mark.parametrize("curve", [ec.SECP256K1(), ec.SECP256R1()], ids=lambda curve: curve.name)
def test_only_the_lower_half_is_low(curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve).public_key()
    half = ORDERS[curve.name] // 2
    signed = [(bytes(32) + s.to_bytes(32, "big")) for s in (0, 1, half, half + 1)]
    assert [is_low(signature, key) for signature in signed] == [False, True, True, False]
    assert not is_low(signed[1][1:], key)
