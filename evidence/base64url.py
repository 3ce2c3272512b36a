"""Strict base64url without padding (RFC 4648 section 5, RFC 7515 section 2): one text for each value."""

import base64
import binascii
import re

_ALPHABET = re.compile(rb"[A-Za-z0-9_-]*")
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_ZERO_BITS = {2: frozenset(b"AQgw"), 3: frozenset(b"AEIMQUYcgkosw048")}
"""The last characters whose unused bits are zero, by length modulo 4."""


def encode(data: bytes) -> str:
    """``data`` as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: bytes) -> bytes:
    """The bytes that ``text`` stands for. Raises ValueError for anything that ``encode`` would not have written."""
    if not _ALPHABET.fullmatch(text):
        raise ValueError("not base64url")
    return decode_alphabet(text)


def decode_alphabet(text: bytes) -> bytes:
    """As ``decode``, for a text that is known to hold letters, digits, hyphens and underscores only."""
    rest = len(text) % 4
    if rest == 1:
        raise ValueError("not base64url")
    if rest and text[-1] not in _ZERO_BITS[rest]:
        raise ValueError("unused bits of base64url are not zero")
    return binascii.a2b_base64(text.translate(_TO_STANDARD) + b"=" * (-len(text) % 4))
