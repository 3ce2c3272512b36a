"""Compact JWS with one algorithm, one header form and strict JSON (spec/ledger.md, section 2)."""

import json
import re
from dataclasses import dataclass
from functools import lru_cache

from evidence import base64url
from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.keys import Signer, thumbprint

LINE_TYP = "unbroken-1"
MAX_BYTES = 65_536
"""Of a line with its LF."""
MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 8

_SHAPE = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_HEADER = re.compile(rb'\{"alg":"ES256","kid":"([A-Za-z0-9_-]{43})","typ":"([a-z0-9-]{1,32})"\}')
_VERSIONED = re.compile(r"(.*-)([0-9]+)")


@dataclass(frozen=True, slots=True)
class Token:
    """A JWS that has the right form. Nothing is known of its signature yet."""

    kid: str
    signed: bytes
    """The signing input: header, dot, payload."""
    signature: bytes
    payload: bytes


def seal(payload: bytes, signer: Signer, typ: str = LINE_TYP) -> bytes:
    """``payload`` signed, as one line without LF."""
    header = f'{{"alg":"ES256","kid":"{thumbprint(signer.public_point)}","typ":"{typ}"}}'
    signed = f"{base64url.encode(header.encode())}.{base64url.encode(payload)}".encode()
    return signed + b"." + base64url.encode(signer.sign(signed)).encode()


def unseal(text: bytes, typ: str = LINE_TYP) -> Token:
    """Take a line (without LF) apart. Raises EvidenceError where the form is not exactly that of ``seal``."""
    if len(text) >= MAX_BYTES:
        raise EvidenceError(Code.LINE_TOO_LONG, f"the line has {len(text)} bytes; at most {MAX_BYTES} are allowed")
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise EvidenceError(Code.LINE_MALFORMED, "the line is not three parts of base64url with dots between")
    try:
        fixed = _read_header(shape[1])
        payload, signature = base64url.decode_alphabet(shape[2]), base64url.decode_alphabet(shape[3])
    except ValueError as error:
        raise EvidenceError(Code.LINE_MALFORMED, f"the line is {error}") from error
    if fixed is None:
        raise EvidenceError(Code.HEADER_REFUSED, "the header is not the one that the format fixes")
    kid, found_typ = fixed
    if found_typ != typ:
        raise _wrong_typ(found_typ, typ)
    return Token(kid, text[: shape.end(2)], signature, payload)


def parse(payload: bytes) -> dict[str, object]:
    """Strict JSON: one object, UTF-8, integers only, no name twice, nesting bounded. Raises EvidenceError."""
    try:
        if payload.count(b"[") + payload.count(b"{") > MAX_DEPTH and _depth(payload) > MAX_DEPTH:
            raise ValueError(f"nested deeper than {MAX_DEPTH}")
        value = _DECODER.decode(payload.decode("utf-8"))
        if b"\\u" in payload:  # only an escape can bring half a surrogate pair, which is no text
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise EvidenceError(Code.PAYLOAD_MALFORMED, f"the content is not strict JSON: {error}") from error
    if not isinstance(value, dict):
        raise EvidenceError(Code.PAYLOAD_MALFORMED, "the content is not a JSON object")
    return value


def compose(members: dict[str, object]) -> bytes:
    """``members`` as compact JSON in UTF-8, the form in which this project writes payloads."""
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


@lru_cache(maxsize=8)  # all lines of a session have the same header
def _read_header(text: bytes) -> tuple[str, str] | None:
    """Kid and typ of the one form of header, None for any other. Raises ValueError where it is not base64url."""
    fixed = _HEADER.fullmatch(base64url.decode(text))
    return None if fixed is None else (fixed[1].decode(), fixed[2].decode())


def _wrong_typ(found: str, wanted: str) -> EvidenceError:
    ours, theirs = _VERSIONED.fullmatch(wanted), _VERSIONED.fullmatch(found)
    if ours and theirs and ours[1] == theirs[1]:
        return EvidenceError(Code.VERSION_UNKNOWN, f"version {theirs[2]} of the format; this verifier knows {ours[2]}")
    return EvidenceError(Code.HEADER_REFUSED, f"the header says {found}, not {wanted}")


def _depth(payload: bytes) -> int:
    """How deep brackets nest outside strings."""
    deepest = depth = 0
    in_string = escaped = False
    for byte in payload:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _integer(text: str) -> int:
    if len(text) > 17 or abs(value := int(text)) > MAX_INTEGER:
        raise ValueError("an integer is out of range")
    return value


def _refuse_number(text: str) -> object:
    raise ValueError(f"{text[:20]} is not an integer")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name occurs twice")
    return members


_DECODER = json.JSONDecoder(
    parse_int=_integer, parse_float=_refuse_number, parse_constant=_refuse_number, object_pairs_hook=_unique
)
