"""PINs as they are kept: salted and slow to guess (scrypt, RFC 7914)."""

import hashlib
import hmac
import re
import secrets

_COST, _BLOCK, _LANES = 2**14, 8, 1
_FORM = re.compile(r"scrypt:([0-9a-f]{32}):([0-9a-f]{64})")
PIN_FORM = re.compile(r"[0-9]{4,12}")


def hash_pin(pin: str, salt: bytes | None = None) -> str:
    """``pin`` as text for a configuration. Raises ValueError where it is not 4 to 12 digits."""
    if not PIN_FORM.fullmatch(pin):
        raise ValueError("a PIN has 4 to 12 digits")
    salt = secrets.token_bytes(16) if salt is None else salt
    return f"scrypt:{salt.hex()}:{_derive(pin, salt).hex()}"


def pin_matches(pin: str, kept: str) -> bool:
    """Whether ``pin`` is the one that ``kept`` was made of. Raises ValueError where ``kept`` is not ``hash_pin``'s."""
    form = _FORM.fullmatch(kept)
    if form is None:
        raise ValueError("not a kept PIN")
    if not PIN_FORM.fullmatch(pin):
        return False
    return hmac.compare_digest(_derive(pin, bytes.fromhex(form[1])), bytes.fromhex(form[2]))


def _derive(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=_COST, r=_BLOCK, p=_LANES, maxmem=64 << 20, dklen=32)
