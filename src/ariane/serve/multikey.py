"""Multikeys: public keys as DID documents and did:key write them.

base58btc after "z", then a multicodec varint, then the compressed point.
Sources: https://www.w3.org/TR/cid-1.0/#multikey, https://atproto.com/specs/cryptography.
"""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import ec

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
LONGEST = 128
"""Characters; a compressed key takes 49, and decoding costs the square of the length."""

CURVES: Mapping[bytes, ec.EllipticCurve] = {
    b"\xe7\x01": ec.SECP256K1(),
    b"\x80\x24": ec.SECP256R1(),
}
"""Multicodec prefixes: secp256k1-pub (0xe7) and p256-pub (0x1200)."""

ORDERS: Mapping[str, int] = {
    "secp256k1": 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141,
    "secp256r1": 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551,
}
"""The order of each curve's group (SEC 2, section 2.4)."""

ALGORITHMS: Mapping[str, str] = {"secp256k1": "ES256K", "secp256r1": "ES256"}
"""The JWS algorithm of each curve."""


def base58(text: str) -> bytes:
    """Decode base58btc; ValueError where a character is none of its alphabet."""
    number = 0
    for sign in text:
        number = number * 58 + ALPHABET.index(sign)
    zeros = len(text) - len(text.lstrip(ALPHABET[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def public_key(multikey: str) -> ec.EllipticCurvePublicKey:
    """The key that a multikey or a did:key says; ValueError where it is none of the two curves."""
    text = multikey.removeprefix("did:key:")
    if not text.startswith("z") or len(text) > LONGEST:
        raise ValueError("a multikey begins with z and has at most 128 characters")
    raw = base58(text[1:])
    curve = CURVES.get(raw[:2])
    if curve is None or len(raw) != 35:
        raise ValueError("the key is no compressed secp256k1 or P-256 key")
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, raw[2:])


def is_low(signature: bytes, key: ec.EllipticCurvePublicKey) -> bool:
    """Whether a raw signature (r ‖ s, 64 bytes) has the lower of its two possible s.

    The higher one is refused (https://atproto.com/specs/cryptography): else anyone could make a
    second valid signature from the first.
    """
    s = int.from_bytes(signature[32:], "big")
    return len(signature) == 64 and 0 < s <= ORDERS[key.curve.name] // 2
