"""Certificates: whose key this is, and whether an election root says so (spec/ledger.md, section 7; RFC 5280)."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID

from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.keys import thumbprint

_URI = re.compile(
    r"urn:unbroken:([A-Za-z0-9-]{1,32}):"
    r"(root|authority|receipt|archive|(?:unit|uplink):([A-Za-z0-9-]{1,32}):([A-Za-z0-9-]{1,32})|"
    r"operator:(watch|operate|administer):([A-Za-z0-9-]{1,32}))"
)
MAX_DER_BYTES = 4_096
_CRL_BEGIN = b"-----BEGIN X509 CRL-----"
_CRL = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)
_EPOCH_FIELDS = (1970, 1, 1)
BEGINNING_US = 0
END_US = 253_402_300_799_000_000
"""Validity from 1970-01-01T00:00:00Z to 9999-12-31T23:59:59Z has neither beginning nor end (RFC 5280, 4.1.2.5)."""
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What ``cryptography`` raises for DER that is no certificate of ours; not all of it is a ValueError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom a certificate names. ``role`` is root, authority, receipt, archive, unit, uplink or operator.

    ``station`` and ``unit`` belong to units and uplinks only, ``right`` (watch, operate or administer) and ``operator``
    (a name) to operators only.
    """

    election: str
    role: str
    station: str | None
    unit: str | None
    right: str | None = None
    operator: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """A key that an election root vouches for. Times are microseconds since 1970 UTC; both ends are valid.

    The validity is that of the narrowest interval of the whole chain, the root left out. ``revoked_us`` is when a
    revocation list says that one of the chain was revoked.
    """

    subject: Subject
    point: bytes
    from_us: int
    to_us: int
    revoked_us: int | None

    @property
    def kid(self) -> str:
        """The thumbprint of the certified key."""
        return thumbprint(self.point)


class Trust:
    """The election roots that a reader trusts, with revocation lists. Empty trusts nobody."""

    def __init__(
        self, roots: Sequence[x509.Certificate] = (), lists: Sequence[x509.CertificateRevocationList] = ()
    ) -> None:
        self.roots = tuple(roots)
        self._lists = tuple(lists)

    @classmethod
    def from_pem(cls, *pem: bytes) -> "Trust":
        """Roots and revocation lists from PEM files, in any order. Raises ValueError where one holds neither."""
        roots: list[x509.Certificate] = []
        lists: list[x509.CertificateRevocationList] = []
        for text in pem:
            found = False
            try:
                if b"-----BEGIN CERTIFICATE-----" in text:
                    roots += [_whole(root) for root in x509.load_pem_x509_certificates(text)]
                    found = True
                if _CRL_BEGIN in text:
                    whole = _CRL.findall(text)
                    if len(whole) != text.count(_CRL_BEGIN):  # one that was cut off would revoke nobody
                        raise ValueError("a revocation list has no end")
                    lists += [_whole_list(x509.load_pem_x509_crl(each)) for each in whole]
                    found = True
            except _UNREADABLE as error:
                raise ValueError(f"cannot be read: {error}") from error
            if not found:
                raise ValueError("holds neither a certificate nor a revocation list in PEM")
        return cls(roots, lists)

    def check(self, chain: Sequence[bytes]) -> Certified:
        """What a chain of DER certificates (subject first, root left out) vouches for, dates aside.

        Raises EvidenceError with ``cert-untrusted``. Where no root is trusted at all, the chain is checked in itself
        and taken at its word; the caller reports ``no-trust``.
        """
        certs = [_load(der) for der in chain]
        for cert, issuer in pairwise(certs):
            _require_issued(cert, issuer)
        issuers = certs[1:]
        if self.roots:
            roots = [root for root in self.roots if _issued(certs[-1], root)]
            if not roots:
                raise EvidenceError(Code.CERT_UNTRUSTED, "the certificate does not lead to a trusted root")
            election = read_subject(certs[0]).election
            roots = [root for root in roots if read_subject(root).election == election]
            if not roots:
                raise EvidenceError(Code.CERT_WRONG_ELECTION, "the certificate and its root are of two elections")
            issuers = [*issuers, roots[0]]
        revoked = [at for cert, issuer in zip(certs, issuers, strict=False) for at in self._revoked_us(cert, issuer)]
        return Certified(
            subject=read_subject(certs[0]),
            point=_point(certs[0]),
            from_us=max(_microseconds(cert.not_valid_before_utc) for cert in certs),
            to_us=min(_microseconds(cert.not_valid_after_utc) for cert in certs),
            revoked_us=min(revoked, default=None),
        )

    def _revoked_us(self, cert: x509.Certificate, issuer: x509.Certificate) -> list[int]:
        """When the lists of its issuer say that ``cert`` was revoked."""
        return [
            _microseconds(entry.revocation_date_utc)
            for revocations in self._lists
            if (entry := revocations.get_revoked_certificate_by_serial_number(cert.serial_number)) is not None
            and revocations.issuer == cert.issuer
            and _signed(revocations, issuer)
        ]


def read_subject(cert: x509.Certificate) -> Subject:
    """Whom a certificate names. Raises EvidenceError with ``cert-untrusted`` where it names nobody of ours."""
    try:
        names = cert.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except (x509.ExtensionNotFound, ValueError) as error:
        raise EvidenceError(Code.CERT_UNTRUSTED, "the certificate has no subject alternative name") from error
    assert isinstance(names, x509.SubjectAlternativeName)
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    match = _URI.fullmatch(uris[0]) if len(uris) == 1 else None
    if match is None:
        raise EvidenceError(
            Code.CERT_UNTRUSTED,
            "the certificate names no unit, uplink, operator, archive, authority, receipt key or root of an election",
        )
    return Subject(
        election=match[1],
        role=match[2].split(":")[0],
        station=match[3],
        unit=match[4],
        right=match[5],
        operator=match[6],
    )


def subject_uri(election: str, role: str, first: str = "", second: str = "") -> str:
    """The URI of the subject alternative name (spec/ledger.md, section 7): of a unit or uplink with its station and
    unit, of an operator with right and name.
    """
    return f"urn:unbroken:{election}:{role}" + (f":{first}:{second}" if role in ("unit", "uplink", "operator") else "")


def _load(der: bytes) -> x509.Certificate:
    if len(der) > MAX_DER_BYTES:
        raise EvidenceError(Code.CERT_UNTRUSTED, "a certificate is too long")
    try:
        # The library warns of what it may refuse one day. The verdict must not wait for that: it is judged here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cert = _whole(x509.load_der_x509_certificate(der))
            serial = cert.serial_number
        _point(cert)
    except _UNREADABLE as error:
        raise EvidenceError(Code.CERT_UNTRUSTED, f"a certificate cannot be read: {error}") from error
    if serial <= 0:  # RFC 5280, section 4.1.2.2
        raise EvidenceError(Code.CERT_UNTRUSTED, "a certificate's serial number is not positive")
    return cert


def _whole(cert: x509.Certificate) -> x509.Certificate:
    """``cert`` with all that is asked of it later parsed already, so that a hostile one is refused here."""
    _ = (cert.extensions, cert.issuer, cert.subject, cert.not_valid_before_utc, cert.not_valid_after_utc)
    return cert


def _whole_list(revocations: x509.CertificateRevocationList) -> x509.CertificateRevocationList:
    _ = (revocations.issuer, [entry.revocation_date_utc for entry in revocations])
    return revocations


def _point(cert: x509.Certificate) -> bytes:
    key = cert.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise EvidenceError(Code.CERT_UNTRUSTED, "a certificate is for a key that is not on P-256")
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _issued(cert: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        cert.verify_directly_issued_by(issuer)
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound, UnsupportedAlgorithm):
        return False
    return constraints.ca and usage.key_cert_sign


def _signed(revocations: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    key = issuer.public_key()
    try:
        return isinstance(key, ec.EllipticCurvePublicKey) and revocations.is_signature_valid(key)
    except _UNREADABLE:
        return False


def _require_issued(cert: x509.Certificate, issuer: x509.Certificate) -> None:
    if not _issued(cert, issuer):
        raise EvidenceError(Code.CERT_UNTRUSTED, "a certificate is not issued by the next one of its chain")


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(*_EPOCH_FIELDS, tzinfo=moment.tzinfo)) // timedelta(microseconds=1)
