"""Certificates that do not vouch for the record: of another election, station or unit, or at another time."""

from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509

from evidence import base64url, jws
from evidence.codes import Code
from evidence.profile import PROFILE_TYP
from tests.vectors import day, world
from tests.vectors.case import Case, Layer, pack
from tests.vectors.record import Record

_START = world.MIDNIGHT + timedelta(hours=4)


def _case(name: str, record: Record, wrong: str, code: Code, **others: bytes) -> Case:
    """An ordinary day with the record's certificates; ``others`` are further files by stem, such as root and crl."""
    day.finish(day.armed(record))
    files = pack(record) | {f"{stem}.pem": pem for stem, pem in others.items()}
    crl = ("crl.pem",) if "crl" in others else ()
    return Case(name=name, layer=Layer.CERTIFICATE, codes=(code,), files=files, wrong=wrong, crl=crl)


def _certified(
    *,
    station: str = world.STATION,
    unit: str = world.UNIT,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
) -> tuple[Record, x509.Certificate]:
    """The sample unit with a certificate that says something else."""
    record = Record()
    cert = record.authority.certify_unit(record.device_key, station, unit, valid_from=valid_from, valid_to=valid_to)
    record.certs = [world.der(cert)]
    return record, cert


def untrusted_root() -> Case:
    wrong = "The unit's certificate is of another election, whose root is not trusted."
    record = Record(by=world.authority("other-2027"))
    return _case("certificate-of-another-election", record, wrong, Code.CERT_UNTRUSTED, root=world.authority().root_pem)


def impostor_root() -> Case:
    wrong = "An impostor's root of the same name issued the unit's certificate."
    record = Record(by=world.authority(seed="impostor"))
    return _case("certificate-of-an-impostor", record, wrong, Code.CERT_UNTRUSTED, root=world.authority().root_pem)


def wrong_election() -> Case:
    other = world.authority("other-2027")
    record = Record()
    record.certs = [world.der(other.certify_unit(record.device_key, record.station, record.unit))]
    wrong = "Both elections are trusted, but the certificate is for another one than the record says."
    day.finish(day.armed(record))
    return Case(
        name="certificate-names-another-election",
        layer=Layer.CERTIFICATE,
        codes=(Code.CERT_WRONG_ELECTION,),
        files={**pack(record), "other-root.pem": other.root_pem},
        trust=("other-root.pem", "root.pem"),
        wrong=wrong,
    )


def wrong_station() -> Case:
    record, _ = _certified(station=world.OTHER_STATION)
    wrong = "The certificate is for another station than the record says."
    return _case("certificate-of-another-station", record, wrong, Code.CERT_WRONG_STATION)


def wrong_unit() -> Case:
    record, _ = _certified(unit=world.OTHER_UNIT)
    wrong = "The certificate is for another unit than the record says."
    return _case("certificate-of-another-unit", record, wrong, Code.CERT_WRONG_UNIT)


def issued_by_a_unit() -> Case:
    record = Record()
    thief = Record(station=world.OTHER_STATION, unit=world.OTHER_UNIT, by=record.authority)
    forger = world.authority()
    uri = f"urn:unbroken:{world.ELECTION}:unit:{world.STATION}:{world.UNIT}"
    issuer = x509.load_der_x509_certificate(thief.certs[0])
    forged = (
        x509.CertificateBuilder()
        .subject_name(forger.root.subject)
        .issuer_name(issuer.subject)
        .public_key(record.device_key)
        .serial_number(99)
        .not_valid_before(world.VALID_FROM)
        .not_valid_after(world.VALID_FROM + timedelta(days=400))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=False)
        .sign(world.device_key(thief.station, thief.unit), world.SHA256, ecdsa_deterministic=True)
    )
    record.certs = [world.der(forged), thief.certs[0]]
    wrong = "Another unit's certificate was used as if it were an issuer's."
    return _case("certificate-issued-by-a-unit", record, wrong, Code.CERT_UNTRUSTED)


def not_a_certificate() -> Case:
    record = Record()
    record.certs = [b"no certificate here"]
    return _case("certificate-unreadable", record, "The certificate is a line of text.", Code.CERT_UNTRUSTED)


def expired() -> Case:
    record, _ = _certified(valid_to=_START - timedelta(seconds=1))
    wrong = "The certificate had ended a second before the session began."
    return _case("certificate-expired", record, wrong, Code.CERT_EXPIRED)


def not_yet_valid() -> Case:
    record, _ = _certified(valid_from=_START + timedelta(seconds=1))
    wrong = "The certificate begins a second after the session."
    return _case("certificate-not-yet-valid", record, wrong, Code.CERT_NOT_YET_VALID)


def end_undecided() -> Case:
    record, _ = _certified(valid_to=_START)
    wrong = "The certificate ends in the very second of the session's start, whose time is known to 4 ms only."
    return _case("certificate-end-undecided", record, wrong, Code.CERT_TIME_UNKNOWN)


def revoked() -> Case:
    record, cert = _certified()
    crl = record.authority.revoke(cert, world.MIDNIGHT)
    wrong = "The certificate was revoked four hours before the session began."
    return _case("certificate-revoked", record, wrong, Code.CERT_REVOKED, crl=crl)


def revoked_in_session() -> Case:
    record, cert = _certified()
    crl = record.authority.revoke(cert, world.MIDNIGHT + timedelta(hours=4, seconds=2))
    wrong = "The certificate is revoked two seconds after the session began, and the session goes on."
    return _case("certificate-revoked-in-session", record, wrong, Code.CERT_REVOKED, crl=crl)


def profile_signer_revoked() -> Case:
    record = Record()
    certs = jws.parse(jws.unseal(world.sign_profile(record.authority).encode(), PROFILE_TYP).payload)["certs"]
    assert isinstance(certs, list)
    crl = record.authority.revoke(x509.load_der_x509_certificate(base64url.decode(certs[0].encode())), world.MIDNIGHT)
    wrong = "The key that signed the profile was revoked four hours before the unit took the profile in."
    case = _case("profile-signer-revoked", record, wrong, Code.PROFILE_REFUSED, crl=crl)
    return replace(case, layer=Layer.MODE)


def no_trust() -> Case:
    record = day.ordinary()
    files = pack(record)
    del files["root.pem"]
    return Case(
        name="no-trust",
        layer=Layer.CERTIFICATE,
        codes=(Code.NO_TRUST,),
        files=files,
        trust=(),
        wrong="No root is given, so nobody vouches for the unit's key.",
    )


CASES = (
    untrusted_root,
    impostor_root,
    wrong_election,
    wrong_station,
    wrong_unit,
    issued_by_a_unit,
    not_a_certificate,
    expired,
    not_yet_valid,
    end_undecided,
    revoked,
    revoked_in_session,
    profile_signer_revoked,
    no_trust,
)
