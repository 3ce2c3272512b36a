"""Certificates: what an election root vouches for, and what looks like it."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given
from hypothesis import strategies as st

from evidence.certificate import Subject, Trust
from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.profile import read_profile
from tests.fakes.station import NOON_US, authority, private_key

ROOT = authority()
TRUST = Trust.from_pem(ROOT.root_pem)
UNIT = ROOT.certify_unit(private_key("unit").public_key(), "57-002", "u1").public_bytes(Encoding.DER)
PROFILE = ROOT.sign_profile(
    title="x", mode="LIVE", from_us=NOON_US, to_us=NOON_US + 1, margin_s=0, time_zone="Etc/UTC", witnesses=0
)


def code_of(trust: Trust, *chain: bytes) -> Code:
    with pytest.raises(EvidenceError) as caught:
        trust.check(chain)
    return caught.value.code


def made(
    uri: str = "urn:unbroken:az-2026:unit:57-002:u1",
    curve: ec.EllipticCurve | None = None,
) -> bytes:
    """A certificate that the authority's root key signs, with whatever in it."""
    key = ec.generate_private_key(curve or ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(ROOT.root.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
    )
    if uri:
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(each) for each in uri.split()]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(private_key("authority-root"), hashes.SHA256()).public_bytes(Encoding.DER)


def test_a_unit_of_the_election_is_vouched_for() -> None:
    certified = TRUST.check([UNIT])
    assert certified.subject == Subject(election="az-2026", role="unit", station="57-002", unit="u1")
    assert certified.revoked_us is None
    assert certified.from_us < NOON_US < certified.to_us


def test_a_certificate_of_another_root_is_untrusted_even_under_the_same_name() -> None:
    impostor = authority(seed="impostor")
    der = impostor.certify_unit(private_key("unit").public_key(), "57-002", "u1").public_bytes(Encoding.DER)
    assert code_of(TRUST, der) is Code.CERT_UNTRUSTED


def test_a_unit_cannot_issue_certificates() -> None:
    key = private_key("unit")
    stolen = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.load_der_x509_certificate(UNIT).subject)
        .public_key(private_key("other").public_key())
        .serial_number(9)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier("urn:unbroken:az-2026:unit:57-009:u9")]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    assert code_of(TRUST, stolen, UNIT) is Code.CERT_UNTRUSTED


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://example.org",
        "urn:unbroken:az-2026:unit:57-002",
        "urn:unbroken:az-2026:unit:57-002:u1 urn:unbroken:az-2026:authority",
        "urn:unbroken:az-2026:unit:57-002:u1:x",
        "urn:unbroken::unit:57-002:u1",
        "urn:unbroken:az-2026:Unit:57-002:u1",
    ],
)
def test_a_certificate_that_names_nobody_of_ours_is_refused(uri: str) -> None:
    assert code_of(TRUST, made(uri=uri)) is Code.CERT_UNTRUSTED


def test_a_certificate_for_another_election_under_this_root_is_refused() -> None:
    assert code_of(TRUST, made(uri="urn:unbroken:az-2027:unit:57-002:u1")) is Code.CERT_WRONG_ELECTION


def test_a_key_on_another_curve_is_refused() -> None:
    assert code_of(TRUST, made(curve=ec.SECP384R1())) is Code.CERT_UNTRUSTED


@given(st.binary(max_size=300))
def test_any_other_bytes_are_refused_and_nothing_else_is_raised(data: bytes) -> None:
    assert code_of(TRUST, data) is Code.CERT_UNTRUSTED


@given(st.integers(0, len(UNIT) - 1), st.integers(1, 255))
@example(15, 3)  # a serial number that is not positive, of which the library only warns
@example(38, 5)  # a country name of another length, of which it only warns, too
def test_a_certificate_with_a_changed_signed_byte_is_never_vouched_for(place: int, change: int) -> None:
    bent = bytearray(UNIT)
    bent[place] ^= change
    try:
        certified = TRUST.check([bytes(bent)])
    except EvidenceError as error:
        assert error.code is Code.CERT_UNTRUSTED  # noqa: PT017  either outcome is allowed, this is what must hold in it
    else:
        # The bits around the signature can be written in more than one way; what is signed cannot.
        signed = x509.load_der_x509_certificate(UNIT).tbs_certificate_bytes
        assert x509.load_der_x509_certificate(bytes(bent)).tbs_certificate_bytes == signed
        assert certified == TRUST.check([UNIT])


def test_a_revocation_says_when_and_only_from_the_root_itself() -> None:
    cert = x509.load_der_x509_certificate(UNIT)
    at = datetime(2026, 5, 1, tzinfo=UTC)
    revoked = Trust.from_pem(ROOT.root_pem, ROOT.revoke(cert, at)).check([UNIT]).revoked_us
    assert revoked == int(at.timestamp()) * 10**6
    forged = authority(seed="impostor").revoke(cert, at - timedelta(days=1))
    assert Trust.from_pem(ROOT.root_pem, forged).check([UNIT]).revoked_us is None


def test_a_pem_file_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="neither"):
        Trust.from_pem(b"hello")


def test_a_profile_is_signed_by_the_elections_authority() -> None:
    assert read_profile(PROFILE, TRUST).mode == "LIVE"
    for bent in (PROFILE[:-8] + "AAAAAAAA", PROFILE.replace(".", "", 1), "", PROFILE + "A", "\xff"):
        with pytest.raises(EvidenceError) as caught:
            read_profile(bent, TRUST)
        assert caught.value.code is Code.PROFILE_REFUSED
    with pytest.raises(EvidenceError):
        read_profile(PROFILE, Trust.from_pem(authority(seed="impostor").root_pem))


@given(st.integers(0, len(PROFILE) - 1), st.characters(codec="ascii"))
def test_a_changed_profile_is_refused(place: int, character: str) -> None:
    bent = PROFILE[:place] + character + PROFILE[place + 1 :]
    if bent == PROFILE:
        return
    with pytest.raises(EvidenceError):
        read_profile(bent, TRUST)


def test_an_uplink_key_is_named_for_its_unit_and_is_no_units_key() -> None:
    der = ROOT.certify_uplink(private_key("uplink").public_key(), "57-002", "u1").public_bytes(Encoding.DER)
    assert TRUST.check([der]).subject == Subject(election="az-2026", role="uplink", station="57-002", unit="u1")


def test_an_archive_is_named_with_the_names_at_which_it_is_reached() -> None:
    names = ["archive.example", "127.0.0.1", "::1"]
    certificate = ROOT.certify_archive(private_key("archive").public_key(), names)
    subject = TRUST.check([certificate.public_bytes(Encoding.DER)]).subject
    assert subject == Subject(election="az-2026", role="archive", station=None, unit=None)
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert found.get_values_for_type(x509.DNSName) == ["archive.example"]
    assert [str(each) for each in found.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


@pytest.mark.parametrize("uri", ["urn:unbroken:az-2026:uplink", "urn:unbroken:az-2026:archive:57-002:u1"])
def test_an_uplink_names_its_unit_and_an_archive_none(uri: str) -> None:
    assert code_of(TRUST, made(uri)) is Code.CERT_UNTRUSTED


def test_a_revocation_list_without_its_end_is_refused() -> None:
    unit = x509.load_der_x509_certificate(UNIT)
    whole = ROOT.revoke(unit, datetime(2027, 5, 1, tzinfo=UTC))
    Trust.from_pem(whole)
    with pytest.raises(ValueError, match="no end"):
        Trust.from_pem(whole[:-30])
    with pytest.raises(ValueError, match="no end"):
        Trust.from_pem(whole + whole[:100])


def test_an_operator_is_named_with_what_he_may_do() -> None:
    for right in ("watch", "operate", "administer"):
        cert = ROOT.certify_operator(private_key("operator").public_key(), "desk-1", right)
        subject = TRUST.check([cert.public_bytes(Encoding.DER)]).subject
        assert (subject.role, subject.right, subject.operator) == ("operator", right, "desk-1")
        assert (subject.station, subject.unit) == (None, None)
    with pytest.raises(ValueError, match="watch, operate or administer"):
        ROOT.certify_operator(private_key("operator").public_key(), "desk-1", "own")
