"""Attacks on single lines: their bytes, header, content and signature."""

import json
from collections.abc import Callable

from evidence import base64url
from evidence.codes import Code
from evidence.lines import Event
from tests.vectors import day, world
from tests.vectors.case import Case, Layer, pack, short_of
from tests.vectors.good_forms import padded
from tests.vectors.record import Edit, Record, flipped, replaced

_PLACE = 4
"""The line of ``day.quiet()`` and an event: the event is line 4."""


def _closed(record: Record) -> Record:
    record.close()
    return record


def _bent(name: str, wrong: str, code: Code, **bend: Edit) -> Case:
    """An ordinary day whose writer bent one event line; the chain goes on over the bent bytes."""
    record = day.quiet()
    record.event("opened", **bend)
    return Case(name=name, layer=Layer.LINE, codes=(code,), files=pack(_closed(record)), wrong=wrong)


def _altered(name: str, wrong: str, code: Code, edit: Edit) -> Case:
    """An ordinary day in whose copy somebody altered an event line."""
    record = day.quiet()
    record.event("opened")
    record.close()
    record.lines[_PLACE] = edit(record.lines[_PLACE])
    return Case(name=name, layer=Layer.LINE, codes=(code,), files=pack(record), wrong=wrong)


def _header(name: str, header: str, wrong: str) -> Callable[[], Case]:
    """A line, correctly signed, whose header is ``header`` with KID filled in."""

    def make() -> Case:
        def bend(head: bytes) -> bytes:
            return header.replace("KID", json.loads(head)["kid"]).encode()

        return _bent(name, wrong, Code.HEADER_REFUSED, header=bend)

    return make


def _payload(name: str, edit: Edit, wrong: str) -> Callable[[], Case]:
    """A line, correctly signed, whose payload breaks the format."""
    return lambda: _bent(name, wrong, Code.PAYLOAD_MALFORMED, edit=edit)


def _written(name: str, edit: Edit, wrong: str) -> Callable[[], Case]:
    """A line whose bytes are altered in the copy."""
    return lambda: _altered(name, wrong, Code.LINE_MALFORMED, edit)


def _with(member: bytes) -> Edit:
    return lambda payload: payload[:-1] + b"," + member + b"}"


def _dot(part: int, edit: Edit) -> Edit:
    """Edits one of the three base64url parts of a line."""

    def apply(line: bytes) -> bytes:
        parts = line.split(b".")
        parts[part] = edit(parts[part])
        return b".".join(parts)

    return apply


def _spare_bit(part: bytes) -> bytes:
    """Sets an unused bit in the last character; 86 characters carry 64 bytes and four spare bits."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return part[:-1] + bytes([alphabet[alphabet.index(part[-1]) | 1]])


def later_version() -> Case:
    edit = replaced(b'"unbroken-1"', b'"unbroken-2"')
    wrong = "A line says typ unbroken-2; what it means is for a later verifier."
    return _bent("later-version", wrong, Code.VERSION_UNKNOWN, header=edit)


def line_too_long() -> Case:
    wrong = "A line has 65,538 bytes with its LF, two more than allowed; it is correctly signed."
    return _bent("line-too-long", wrong, Code.LINE_TOO_LONG, edit=padded(65_538))


def line_changed() -> Case:
    def edit(line: bytes) -> bytes:
        header, payload, signature = line.split(b".")
        changed = replaced(b'"opened"', b'"closed"')(base64url.decode(payload))
        return b".".join((header, base64url.encode(changed).encode(), signature))

    return _altered("line-changed", "In the copy, the event opened was changed to closed.", Code.SIGNATURE_WRONG, edit)


def signature_changed() -> Case:
    def edit(signature: bytes) -> bytes:
        return base64url.encode(flipped(40)(base64url.decode(signature))).encode()

    wrong = "In the copy, one bit of a signature was changed."
    return _altered("signature-changed", wrong, Code.SIGNATURE_WRONG, _dot(2, edit))


def signature_of_zeros() -> Case:
    wrong = "A signature is 64 bytes of zero, which careless checkers accept for any message."
    edit = _dot(2, lambda _: base64url.encode(bytes(64)).encode())
    return _altered("signature-of-zeros", wrong, Code.SIGNATURE_WRONG, edit)


def signature_in_der() -> Case:
    def edit(signature: bytes) -> bytes:
        raw = base64url.decode(signature)
        numbers = [_der_integer(raw[:32]), _der_integer(raw[32:])]
        body = b"".join(numbers)
        return base64url.encode(bytes([0x30, len(body)]) + body).encode()

    wrong = "A signature is written in DER instead of r and s."
    return _altered("signature-in-der", wrong, Code.SIGNATURE_WRONG, _dot(2, edit))


def signature_cut() -> Case:
    wrong = "A line in the middle of the file lost its last two characters: its signature has 63 bytes."
    return _altered("signature-cut", wrong, Code.SIGNATURE_WRONG, lambda line: line[:-2])


def malleated() -> Case:
    record = day.ordinary()
    header, payload, signature = record.lines[-1].split(b".")
    raw = base64url.decode(signature)
    other = (world.ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    record.lines[-1] = b".".join((header, payload, base64url.encode(raw[:32] + other).encode()))
    return Case(
        name="signature-other-half",
        title="The last line's signature has its other valid form, n minus s; ES256 allows both",
        layer=Layer.NONE,
        codes=(),
        files=pack(record),
    )


def member_of_wrong_type() -> Case:
    record = day.quiet()
    record.line(Event(event="opened"), edit=replaced(b'"event":"opened"', b'"event":7'))
    return Case(
        name="member-of-wrong-type",
        layer=Layer.LINE,
        codes=(Code.PAYLOAD_MALFORMED,),
        files=pack(_closed(record)),
        wrong="The name of an event is a number.",
    )


def segment_line_changed() -> Case:
    record = day.ordinary()
    place = next(at for at in range(len(record.lines) - 1, 0, -1) if b'"segment"' in _payload_of(record, at))
    header, payload, signature = record.lines[place].split(b".")
    changed = replaced(b'"LIVE"', b'"TEST"')(base64url.decode(payload))
    record.lines[place] = b".".join((header, base64url.encode(changed).encode(), signature))
    return Case(
        name="segment-line-changed",
        layer=Layer.LINE,
        codes=(Code.SIGNATURE_WRONG,),
        files=pack(record),
        wrong="In the copy, a segment line's mode was changed.",
        cameras={"cam1": short_of(2_000, covered_ms=2_000)},
    )


def _payload_of(record: Record, at: int) -> bytes:
    return base64url.decode(record.lines[at].split(b".")[1])


def _der_integer(number: bytes) -> bytes:
    body = number.lstrip(b"\0")
    body = (b"\0" if body[0] & 0x80 else b"") + body
    return bytes([2, len(body)]) + body


_JWK = '"jwk":{"crv":"P-256","kty":"EC","x":"AA","y":"AA"}'

CASES: tuple[Callable[[], Case], ...] = (
    _header("header-with-jwk", f'{{"alg":"ES256",{_JWK},"kid":"KID","typ":"unbroken-1"}}', "A header brings a key."),
    _header(
        "header-with-jku",
        '{"alg":"ES256","jku":"https://keys.example/1","kid":"KID","typ":"unbroken-1"}',
        "A header names a place to fetch a key from.",
    ),
    _header(
        "header-with-x5u",
        '{"alg":"ES256","kid":"KID","typ":"unbroken-1","x5u":"https://keys.example/1"}',
        "A header names a place to fetch a certificate from.",
    ),
    _header(
        "header-with-crit",
        '{"alg":"ES256","crit":["exp"],"exp":0,"kid":"KID","typ":"unbroken-1"}',
        "A header demands an extension.",
    ),
    _header(
        "header-alg-none", '{"alg":"none","kid":"KID","typ":"unbroken-1"}', "A header says that nothing is signed."
    ),
    _header("header-alg-other", '{"alg":"HS256","kid":"KID","typ":"unbroken-1"}', "A header names another algorithm."),
    _header("header-typ-other", '{"alg":"ES256","kid":"KID","typ":"JWT"}', "A header is of another kind of token."),
    _header("header-without-kid", '{"alg":"ES256","typ":"unbroken-1"}', "A header names no key."),
    _header("header-reordered", '{"typ":"unbroken-1","kid":"KID","alg":"ES256"}', "A header's members are reordered."),
    later_version,
    _payload("payload-float", _with(b'"x":1.5'), "A payload holds a fraction."),
    _payload("payload-exponent", _with(b'"x":1e3'), "A payload holds an exponent."),
    _payload("payload-big-integer", _with(b'"x":9007199254740992'), "A payload holds 2 to the power of 53."),
    _payload("payload-nan", _with(b'"x":NaN'), "A payload holds NaN."),
    _payload("payload-duplicate-name", _with(b'"event":"closed"'), "A payload names two events."),
    _payload("payload-too-deep", _with(b'"x":[[[[[[[[]]]]]]]]'), "A payload nests nine deep."),
    _payload("payload-very-deep", _with(b'"x":' + b"[" * 4_000 + b"]" * 4_000), "A payload nests 4,001 deep."),
    _payload("payload-not-utf-8", _with(b'"x":"\xff\xfe"'), "A payload is not UTF-8."),
    _payload("payload-not-an-object", lambda payload: b"[" + payload + b"]", "A payload is an array."),
    _payload("payload-cut", lambda payload: payload[:-1], "A payload ends too early."),
    _payload(
        "payload-error-without-time",
        replaced(b'"utc_us":1812254403100000', b'"utc_us":null'),
        "A line knows the error of a clock that is unset.",
    ),
    _payload("payload-without-member", replaced(b',"event":"opened"', b""), "An event has no name."),
    member_of_wrong_type,
    _written("line-cut", lambda line: line[: line.rindex(b".")], "In the copy, a line lost its signature."),
    _written("line-not-ascii", lambda line: line[:30] + b"\xc3\xa9" + line[32:], "In the copy, a line is not ASCII."),
    _written("line-padded", lambda line: line + b"==", "In the copy, a line's base64url is padded."),
    _written("line-with-cr", lambda line: line + b"\r", "In the copy, a line ends with CR and LF."),
    _written("line-spare-bit", _dot(2, _spare_bit), "In the copy, an unused bit of base64url is set."),
    line_too_long,
    line_changed,
    segment_line_changed,
    signature_changed,
    signature_cut,
    signature_of_zeros,
    signature_in_der,
    malleated,
)
