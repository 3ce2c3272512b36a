"""Misused certificates, roots and revocation lists."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from evidence.certificate import Trust, subject_uri
from evidence.codes import Code
from evidence.errors import EvidenceError
from tests.fakes.station import Station, authority, private_key

BEGIN = datetime(2026, 4, 1, tzinfo=UTC)
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ROOT_KEY, MIDDLE_KEY, UNIT_KEY = private_key("a root"), private_key("a middle"), private_key("a unit")


def certificate(
    uri: str, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, issuer: str, *, ca: bool, serial: int
) -> x509.Certificate:
    usage = x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False)
    return (
        x509.CertificateBuilder()
        .subject_name(name(uri))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(BEGIN)
        .not_valid_after(BEGIN + timedelta(days=400))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(by, hashes.SHA256())
    )


def revocations(issuer: str, by: ec.EllipticCurvePrivateKey, *serials: int, at: datetime = NOON) -> bytes:
    builder = x509.CertificateRevocationListBuilder().issuer_name(name(issuer)).last_update(at)
    builder = builder.next_update(at + timedelta(days=1))
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(by, hashes.SHA256()).public_bytes(Encoding.PEM)


def name(uri: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, uri[-64:])])


def pem(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(Encoding.PEM)


def der(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(Encoding.DER)


ROOT, MIDDLE, UNIT = (
    subject_uri("az-2026", "root"),
    subject_uri("az-2026", "authority"),
    subject_uri("az-2026", "unit", "57-002", "u1"),
)
A_ROOT = certificate(ROOT, ROOT_KEY, ROOT_KEY, ROOT, ca=True, serial=1)
A_MIDDLE = certificate(MIDDLE, MIDDLE_KEY, ROOT_KEY, ROOT, ca=True, serial=2)
A_UNIT = certificate(UNIT, UNIT_KEY, MIDDLE_KEY, MIDDLE, ca=False, serial=3)
CHAIN = (der(A_UNIT), der(A_MIDDLE))


def test_a_unit_is_revoked_by_the_list_of_its_own_issuer() -> None:
    trust = Trust.from_pem(pem(A_ROOT), revocations(MIDDLE, MIDDLE_KEY, 3))
    assert trust.check(CHAIN).revoked_us == int(NOON.timestamp()) * 10**6


@pytest.mark.parametrize("by", [ROOT_KEY, UNIT_KEY], ids=["root", "unit"])
def test_a_list_in_the_issuers_name_that_another_key_signed_revokes_nobody(by: ec.EllipticCurvePrivateKey) -> None:
    assert Trust.from_pem(pem(A_ROOT), revocations(MIDDLE, by, 3)).check(CHAIN).revoked_us is None


def test_a_revoked_issuer_revokes_whom_it_issued() -> None:
    assert Trust.from_pem(pem(A_ROOT), revocations(ROOT, ROOT_KEY, 2)).check(CHAIN).revoked_us is not None


def test_every_list_of_a_file_counts_and_the_earliest_revocation_decides() -> None:
    both = revocations(ROOT, ROOT_KEY, 9) + revocations(MIDDLE, MIDDLE_KEY, 3)
    earlier = revocations(MIDDLE, MIDDLE_KEY, 3, at=NOON - timedelta(hours=5))
    assert Trust.from_pem(pem(A_ROOT) + both).check(CHAIN).revoked_us == int(NOON.timestamp()) * 10**6
    revoked_us = Trust.from_pem(pem(A_ROOT) + both + earlier).check(CHAIN).revoked_us
    assert revoked_us == int(NOON.timestamp()) * 10**6 - 5 * 3600 * 10**6


def test_a_unit_among_the_trusted_certificates_vouches_for_nobody() -> None:
    with pytest.raises(EvidenceError) as refused:
        Trust.from_pem(pem(A_UNIT)).check((der(A_UNIT),))
    assert refused.value.code is Code.CERT_UNTRUSTED


def test_a_root_that_serves_two_elections_under_one_name_and_key_counts_for_each_with_its_own_certificate() -> None:
    other = certificate(subject_uri("az-2024", "root"), ROOT_KEY, ROOT_KEY, ROOT, ca=True, serial=7)
    same_name = (
        x509.CertificateBuilder(extensions=list(other.extensions))
        .subject_name(name(ROOT))
        .issuer_name(name(ROOT))
        .public_key(ROOT_KEY.public_key())
        .serial_number(8)
        .not_valid_before(BEGIN)
        .not_valid_after(BEGIN + timedelta(days=400))
        .sign(ROOT_KEY, hashes.SHA256())
    )
    assert Trust.from_pem(pem(same_name), pem(A_ROOT)).check(CHAIN).subject.station == "57-002"
    assert Trust.from_pem(pem(same_name) + pem(A_ROOT)).check(CHAIN).subject.station == "57-002"
    with pytest.raises(EvidenceError) as refused:
        Trust.from_pem(pem(same_name)).check(CHAIN)
    assert refused.value.code is Code.CERT_WRONG_ELECTION


def test_an_old_root_of_the_same_election_does_not_vouch_for_units_of_the_new_one() -> None:
    station = Station(authority())
    old = authority(seed="last time")
    with pytest.raises(EvidenceError) as refused:
        Trust.from_pem(old.root_pem).check(station.certs)
    assert refused.value.code is Code.CERT_UNTRUSTED
    assert Trust.from_pem(old.root_pem + station.authority.root_pem).check(station.certs).subject.unit == "u1"
