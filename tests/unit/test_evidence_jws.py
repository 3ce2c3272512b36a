"""Lines and their members: one form is accepted, and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence import base64url, jws
from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.keys import PublicKey, from_jwk, thumbprint, to_jwk
from evidence.lines import Line, Segment, Stamp, read_payload, write_line
from evidence.members import facts, integer, natural
from evidence.words import Mode
from tests.fakes.station import signer

SIGNER = signer("jws")
KID = thumbprint(SIGNER.public_point)
BODY = Segment(
    camera="cam-0",
    run=0,
    index=1,
    mode=Mode.LIVE,
    sha256="0" * 64,
    size=5,
    from_ns=10,
    to_ns=20,
    frames=3,
)
LINE = Line(seq=1, prev="A" * 43, stamp=Stamp(boot_ns=5, utc_us=None, error_us=None), body=BODY)


def code_of(text: bytes) -> Code:
    with pytest.raises(EvidenceError) as caught:
        jws.unseal(text)
    return caught.value.code


def with_header(header: str) -> bytes:
    signed = f"{base64url.encode(header.encode())}.{base64url.encode(b'{}')}".encode()
    return signed + b"." + base64url.encode(SIGNER.sign(signed)).encode()


def test_what_is_sealed_is_unsealed_and_verifies() -> None:
    text = write_line(LINE, SIGNER)
    token = jws.unseal(text)
    assert token.kid == KID
    assert PublicKey(SIGNER.public_point).verifies(token.signed, token.signature)
    assert read_payload(token.payload) == LINE


@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"none","kid":"KID","typ":"unbroken-1"}',
        '{"alg":"HS256","kid":"KID","typ":"unbroken-1"}',
        '{"alg":"ES256","kid":"KID","typ":"unbroken-1","jwk":{}}',
        '{"alg":"ES256","jku":"https://x.example","kid":"KID","typ":"unbroken-1"}',
        '{"alg":"ES256","kid":"KID","typ":"unbroken-1","x5u":"https://x.example"}',
        '{"alg":"ES256","crit":["exp"],"kid":"KID","typ":"unbroken-1"}',
        '{"alg":"ES256", "kid":"KID","typ":"unbroken-1"}',
        '{"kid":"KID","alg":"ES256","typ":"unbroken-1"}',
        '{"alg":"ES256","kid":"short","typ":"unbroken-1"}',
        '{"alg":"ES256","kid":"KID","typ":"JWT"}',
        '{"alg":"ES256","kid":"KID","typ":"unbroken-profile-1"}',
        "",
        "[]",
    ],
)
def test_any_other_header_is_refused(header: str) -> None:
    found = code_of(with_header(header.replace("KID", KID)))
    assert found in (Code.HEADER_REFUSED, Code.LINE_MALFORMED)
    assert found is Code.HEADER_REFUSED or header == ""


def test_a_later_version_is_named_as_such() -> None:
    header = f'{{"alg":"ES256","kid":"{KID}","typ":"unbroken-2"}}'
    assert code_of(with_header(header)) is Code.VERSION_UNKNOWN


def test_a_line_of_65536_bytes_with_its_lf_is_the_longest() -> None:
    assert code_of(b"a" * 65_536) is Code.LINE_TOO_LONG
    assert code_of(b"a" * 65_535) is Code.LINE_MALFORMED


@given(st.binary(max_size=200))
def test_base64url_has_one_text_for_each_value(data: bytes) -> None:
    text = base64url.encode(data)
    assert base64url.decode(text.encode()) == data


@given(st.text(alphabet="ABCDabcd0189-_=+/ .\n", max_size=12))
def test_base64url_that_encode_would_not_write_is_refused(text: str) -> None:
    try:
        value = base64url.decode(text.encode())
    except ValueError:
        return
    assert base64url.encode(value) == text


@pytest.mark.parametrize(
    "payload",
    [
        b"1",
        b"[]",
        b"null",
        b"",
        b"{",
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":9007199254740992}',
        b'{"a":-9007199254740992}',
        b'{"a":1' + b"0" * 5_000 + b"}",
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":01}',
        b'{"a":"\xff"}',
        b'{"a":"\x00"}',
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":1} x',
        b'{"a":' + b"[" * 8 + b"]" * 8 + b"}",
        b'{"a":' + b'{"a":[' * 4 + b"]}" * 4 + b"}",
        b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b"[" * 60_000,
    ],
)
def test_json_that_is_not_strict_is_refused(payload: bytes) -> None:
    with pytest.raises(EvidenceError) as caught:
        jws.parse(payload)
    assert caught.value.code is Code.PAYLOAD_MALFORMED


def test_the_largest_integers_and_the_deepest_nesting_are_taken() -> None:
    deepest = b'{"a":' + b"[" * 7 + b"]" * 7 + b"}"
    assert jws.parse(deepest)
    assert jws.parse(b'{"a":9007199254740991,"b":-9007199254740991,"c":"[[[[[[[[[[{{{{{{{{{{"}')


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("seq", -1),
        ("seq", True),
        ("seq", "1"),
        ("seq", None),
        ("prev", "A" * 42),
        ("prev", 5),
        ("kind", "Segment"),
        ("kind", None),
        ("boot_ns", -1),
        ("error_us", 5),
        ("camera", "-x"),
        ("camera", "a" * 33),
        ("camera", "a\n"),
        ("mode", "live"),
        ("sha256", "0" * 63),
        ("sha256", "A" * 64),
        ("size", 0),
        ("from_ns", 20),
        ("to_ns", 10 + 61 * 10**9),
        ("frames", 0),
        ("holes", [-1, 3]),
        ("holes", [1, "3"]),
    ],
)
def test_a_member_that_breaks_the_format_is_refused(member: str, value: object) -> None:
    members = json.loads(jws.unseal(write_line(LINE, SIGNER)).payload)
    with pytest.raises(EvidenceError) as caught:
        read_payload(json.dumps(members | {member: value}).encode())
    assert caught.value.code is Code.PAYLOAD_MALFORMED


@pytest.mark.parametrize("member", ["seq", "prev", "kind", "boot_ns", "utc_us", "error_us", "camera", "sha256"])
def test_a_member_that_must_be_there_is_missed(member: str) -> None:
    members = json.loads(jws.unseal(write_line(LINE, SIGNER)).payload)
    del members[member]
    with pytest.raises(EvidenceError):
        read_payload(json.dumps(members).encode())


def test_members_of_a_later_version_are_ignored() -> None:
    members = json.loads(jws.unseal(write_line(LINE, SIGNER)).payload)
    assert read_payload(json.dumps(members | {"later": [{"x": None}]}).encode()) == LINE


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5))
def test_integers_are_integers_and_nothing_that_looks_like_one(value: object) -> None:
    for check in (integer, natural):
        try:
            taken = check(value)
        except ValueError:
            assert type(value) is not int or value < 0
        else:
            assert type(taken) is int


def test_facts_are_flat() -> None:
    assert facts({"a": 1, "b": "x", "c": None}) == {"a": 1, "b": "x", "c": None}
    wrong: list[object] = [[], {"a": []}, {"a": True}, {"a": 1.5}, {str(n): n for n in range(33)}]
    for value in wrong:
        with pytest.raises(ValueError, match=r"is not|holds"):
            facts(value)


def test_a_signature_of_zeros_or_of_another_length_never_verifies() -> None:
    key = PublicKey(SIGNER.public_point)
    good = SIGNER.sign(b"x")
    assert key.verifies(b"x", good)
    for wrong in (bytes(64), b"", good[:-1], good + b"\0", b"\xff" * 64, good[32:] + good[:32]):
        assert not key.verifies(b"x", wrong)


def test_a_jwk_holds_a_point_and_nothing_else() -> None:
    jwk: dict[str, object] = dict(to_jwk(SIGNER.public_point))
    assert from_jwk(jwk) == SIGNER.public_point
    for change in ({"d": "AA"}, {"crv": "P-384"}, {"x": 5}, {"y": "AA"}, {"kty": "RSA"}):
        with pytest.raises(ValueError, match=r"JWK|must be"):
            from_jwk(jwk | change)


def test_a_key_that_is_not_on_the_curve_is_refused() -> None:
    with pytest.raises(ValueError, match=r".+"):
        PublicKey(b"\x04" + bytes(63) + b"\x01")
    with pytest.raises(ValueError, match="uncompressed"):
        PublicKey(b"\x02" + bytes(32))
