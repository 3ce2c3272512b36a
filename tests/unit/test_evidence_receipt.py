"""Receipts: what is read is what was written, and whatever is not the archive's word is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from evidence import jws
from evidence.certificate import Trust
from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.keys import SoftwareSigner
from evidence.receipt import MAX_BYTES, MAX_MEDIA, RECEIPT_TYP, Acknowledged, Receipt, read_receipt, write_receipt
from provisioning.authority import Authority

DAY = datetime(2027, 3, 1, tzinfo=UTC)
NOON_US = int(DAY.timestamp() * 1_000_000) + 43_200_000_000
MEDIA = tuple(sorted(f"{number:064x}" for number in range(3)))

AUTHORITY = Authority.generate("e-1")
TRUST = Trust.from_pem(AUTHORITY.root_pem)
KEY = ec.generate_private_key(ec.SECP256R1())
SIGNER = SoftwareSigner(KEY)
CERT = AUTHORITY.certify_receipts(KEY.public_key(), valid_from=DAY, valid_to=DAY + timedelta(days=1))
CERTS = (CERT.public_bytes(Encoding.DER),)

STORED = Receipt(
    kind=Acknowledged.STORED,
    election="e-1",
    station="57-002",
    unit="u-1",
    archive="centre",
    utc_us=NOON_US,
    certs=CERTS,
    media=MEDIA,
)
LOGGED = replace(STORED, kind=Acknowledged.LOGGED, media=(), seq=41, sha256="A" * 43)


def _refused(text: str, trust: Trust = TRUST) -> str:
    with pytest.raises(EvidenceError) as refusal:
        read_receipt(text, trust)
    assert refusal.value.code is Code.RECEIPT_REFUSED
    return str(refusal.value)


@pytest.mark.parametrize("receipt", [STORED, LOGGED])
def test_what_is_read_is_what_was_written(receipt: Receipt) -> None:
    text = write_receipt(receipt, SIGNER)
    assert read_receipt(text, TRUST) == receipt
    assert read_receipt(text + "\n", TRUST) == receipt


def test_the_most_media_fit() -> None:
    media = tuple(sorted(f"{number:064x}" for number in range(MAX_MEDIA)))
    text = write_receipt(replace(STORED, media=media, certs=CERTS), SIGNER)
    assert len(text) <= MAX_BYTES
    assert read_receipt(text, TRUST).media == media


@pytest.mark.parametrize(
    "bad",
    [
        replace(STORED, seq=1),
        replace(STORED, media=()),
        replace(LOGGED, media=MEDIA),
        replace(LOGGED, sha256=None),
        replace(STORED, media=MEDIA[::-1]),
        replace(STORED, media=(MEDIA[0], MEDIA[0])),
    ],
)
def test_one_with_the_members_of_the_other_kind_or_media_out_of_order_is_none(bad: Receipt) -> None:
    with pytest.raises(ValueError, match=r"receipt|media"):
        write_receipt(bad, SIGNER)


def test_a_key_that_is_no_receipt_key_of_the_election_signs_nothing() -> None:
    unit = AUTHORITY.certify_unit(KEY.public_key(), "57-002", "u-1").public_bytes(Encoding.DER)
    assert "not a receipt key" in _refused(write_receipt(replace(STORED, certs=(unit,)), SIGNER))
    assert "not a receipt key" in _refused(write_receipt(replace(STORED, election="e-2"), SIGNER))
    other = Authority.generate("e-1")
    foreign = other.certify_receipts(KEY.public_key()).public_bytes(Encoding.DER)
    assert "trusted root" in _refused(write_receipt(replace(STORED, certs=(foreign,)), SIGNER))


def test_a_certificate_does_not_lend_itself_to_another_key() -> None:
    thief = SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))
    assert "signature does not check" in _refused(write_receipt(STORED, thief))


@pytest.mark.parametrize("hours", [-1, 25])
def test_the_time_that_it_names_lies_within_the_validity_of_its_key(hours: int) -> None:
    utc_us = int((DAY + timedelta(hours=hours)).timestamp() * 1_000_000)
    assert "not valid at the time" in _refused(write_receipt(replace(STORED, utc_us=utc_us), SIGNER))


def test_after_a_revocation_nothing_counts_and_before_it_everything_does() -> None:
    revoked = AUTHORITY.revoke(CERT, DAY + timedelta(hours=12))
    trust = Trust.from_pem(AUTHORITY.root_pem, revoked)
    assert "revoked" in _refused(write_receipt(STORED, SIGNER), trust)
    before = replace(STORED, utc_us=NOON_US - 1)
    assert read_receipt(write_receipt(before, SIGNER), trust) == before


def test_neither_a_ledger_line_nor_a_profile_passes_for_one() -> None:
    token = write_receipt(STORED, SIGNER)
    payload = jws.unseal(token.encode(), RECEIPT_TYP).payload
    for typ in ("unbroken-1", "unbroken-profile-1", "unbroken-receipt-2"):
        _refused(jws.seal(payload, SIGNER, typ).decode())


@given(st.data())
def test_no_byte_of_it_can_be_changed(data: st.DataObject) -> None:
    text = bytearray(write_receipt(STORED, SIGNER).encode())
    at = data.draw(st.integers(0, len(text) - 1))
    text[at] ^= data.draw(st.integers(1, 127))
    if text[at] not in b"\n":
        _refused(text.decode("latin-1"))


@given(st.text(max_size=300) | st.just("e." * 50_000))
def test_rubbish_is_refused(text: str) -> None:
    _refused(text)
