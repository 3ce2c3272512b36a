"""P-256 keys: thumbprints, signing and checking (RFC 7517, RFC 7638, RFC 7518 section 3.4)."""

import hashlib
from typing import Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence.base64url import decode, encode

POINT_BYTES = 65
SIGNATURE_BYTES = 64


class Signer(Protocol):
    """A P-256 private key, wherever it lives: in memory, in a TPM, behind PKCS#11."""

    @property
    def public_point(self) -> bytes:
        """The public key as an uncompressed SEC 1 point, 65 bytes."""

    def sign(self, message: bytes) -> bytes:
        """ES256 over ``message``: 64 bytes, r then s."""


class SoftwareSigner:
    """A private key in memory. ``deterministic`` signs as RFC 6979, for test vectors."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, *, deterministic: bool = False) -> None:
        if not isinstance(key.curve, ec.SECP256R1):
            raise ValueError("the key must be on P-256")
        self._key = key
        self._algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=deterministic)
        self._point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @classmethod
    def generate(cls) -> Self:
        """A fresh key from the system's random source."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @property
    def public_point(self) -> bytes:
        return self._point

    def sign(self, message: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(message, self._algorithm))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class PublicKey:
    """A P-256 public key that checks signatures."""

    def __init__(self, point: bytes) -> None:
        """``point`` is an uncompressed SEC 1 point. Raises ValueError if it is not on the curve."""
        if len(point) != POINT_BYTES or point[0] != 4:
            raise ValueError("not an uncompressed P-256 point")
        self._key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        self.point = point
        self.kid = thumbprint(point)

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether ``signature`` (64 bytes, r then s) is this key's ES256 over ``message``."""
        if len(signature) != SIGNATURE_BYTES:
            return False
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        try:
            self._key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


def to_jwk(point: bytes) -> dict[str, str]:
    """The public JWK of an uncompressed point (RFC 7518, section 6.2.1)."""
    return {"crv": "P-256", "kty": "EC", "x": encode(point[1:33]), "y": encode(point[33:])}


def from_jwk(jwk: dict[str, object]) -> bytes:
    """The point of a JWK that holds exactly crv, kty, x and y. Raises ValueError."""
    x, y = jwk.get("x"), jwk.get("y")
    if set(jwk) != {"crv", "kty", "x", "y"} or jwk["crv"] != "P-256" or jwk["kty"] != "EC":
        raise ValueError("not a public P-256 JWK")
    if not isinstance(x, str) or not isinstance(y, str):
        raise ValueError("x and y must be text")
    left, right = decode(x.encode()), decode(y.encode())
    if len(left) != 32 or len(right) != 32:
        raise ValueError("x and y must be 32 bytes each")
    return b"\x04" + left + right


def thumbprint(point: bytes) -> str:
    """RFC 7638 thumbprint of a public point: SHA-256 in base64url, 43 characters."""
    text = f'{{"crv":"P-256","kty":"EC","x":"{encode(point[1:33])}","y":"{encode(point[33:])}"}}'
    return encode(hashlib.sha256(text.encode()).digest())
