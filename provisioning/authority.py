"""An election authority: its root, the key that signs profiles, certificates for units (spec/ledger.md, 7)."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from evidence.certificate import subject_uri
from evidence.keys import SoftwareSigner
from evidence.members import NAME
from evidence.profile import Profile, write_profile
from evidence.terms import Terms, terms_members

Signed_co = TypeVar("Signed_co", covariant=True)


class _Builder(Protocol[Signed_co]):
    def sign(
        self,
        private_key: ec.EllipticCurvePrivateKey,
        algorithm: hashes.SHA256,
        *,
        ecdsa_deterministic: bool | None = None,
    ) -> Signed_co: ...


class Authority:
    """Root and authority key of one election, in memory.

    It knows what it has revoked while it lives. ``deterministic`` signs as RFC 6979 and numbers certificates from 1,
    for test vectors.
    """

    def __init__(
        self,
        election: str,
        *,
        root_key: ec.EllipticCurvePrivateKey,
        authority_key: ec.EllipticCurvePrivateKey,
        valid_from: datetime,
        valid_to: datetime,
        deterministic: bool = False,
    ) -> None:
        self.election = election
        self._root_key = root_key
        self._deterministic = deterministic
        self._serial = 0
        self._revoked: dict[int, datetime] = {}
        self._lists = 0
        self._from, self._to = valid_from, valid_to
        self._signer = SoftwareSigner(authority_key, deterministic=deterministic)
        self.root = self._certificate(root_key.public_key(), "root", issuing=True)
        self._authority_cert = self._certificate(authority_key.public_key(), "authority")

    @classmethod
    def generate(cls, election: str) -> "Authority":
        """A fresh authority for trying things out: its certificates have neither beginning nor end.

        So a computer whose clock nobody vouches for can still verify what it recorded.
        """
        curve = ec.SECP256R1()
        return cls(
            election,
            root_key=ec.generate_private_key(curve),
            authority_key=ec.generate_private_key(curve),
            valid_from=datetime(1970, 1, 1, tzinfo=UTC),
            valid_to=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        )

    @property
    def root_pem(self) -> bytes:
        """The root certificate, for ``--trust``."""
        return self.root.public_bytes(Encoding.PEM)

    def certify_unit(
        self,
        key: ec.EllipticCurvePublicKey,
        station: str,
        unit: str,
        *,
        valid_from: datetime | None = None,
        valid_to: datetime | None = None,
    ) -> x509.Certificate:
        """A certificate that says: this key is this unit of this station."""
        return self._certificate(key, "unit", station, unit, valid_from=valid_from, valid_to=valid_to)

    def certify_receipts(
        self, key: ec.EllipticCurvePublicKey, *, valid_from: datetime | None = None, valid_to: datetime | None = None
    ) -> x509.Certificate:
        """A certificate that says: with this key the archive acknowledges. Keep its validity short."""
        return self._certificate(key, "receipt", valid_from=valid_from, valid_to=valid_to)

    def certify_uplink(
        self,
        key: ec.EllipticCurvePublicKey,
        station: str,
        unit: str,
        *,
        valid_from: datetime | None = None,
        valid_to: datetime | None = None,
    ) -> x509.Certificate:
        """A certificate that says: with this key the unit opens connections to the archive. It signs nothing."""
        return self._certificate(key, "uplink", station, unit, valid_from=valid_from, valid_to=valid_to)

    def certify_archive(
        self,
        key: ec.EllipticCurvePublicKey,
        names: Sequence[str],
        *,
        valid_from: datetime | None = None,
        valid_to: datetime | None = None,
    ) -> x509.Certificate:
        """A certificate that says: the archive is reached at ``names``, each a DNS name or an address."""
        return self._certificate(key, "archive", reached_at=names, valid_from=valid_from, valid_to=valid_to)

    def certify_operator(
        self,
        key: ec.EllipticCurvePublicKey,
        name: str,
        right: str,
        *,
        valid_from: datetime | None = None,
        valid_to: datetime | None = None,
    ) -> x509.Certificate:
        """A certificate that says: with this key ``name`` enters the supervision centre, to watch, operate or
        administer. Raises ValueError for another right, or a name that is none (spec/ledger.md, section 3).
        """
        if right not in ("watch", "operate", "administer"):
            raise ValueError("an operator's right is watch, operate or administer")
        return self._certificate(key, "operator", right, NAME(name), valid_from=valid_from, valid_to=valid_to)

    def sign_profile(self, **members: object) -> str:
        """A signed profile of this election; ``members`` are those of ``evidence.profile.Profile``."""
        return self.sign_profile_with(Terms(), **members)

    def sign_profile_with(self, terms: Terms, **members: object) -> str:
        """The same with ``terms``. Raises ValueError where these make no sense."""
        more = terms_members(terms)
        certs = (self._authority_cert.public_bytes(Encoding.DER),)
        return write_profile(Profile(election=self.election, certs=certs, **members), self._signer, more)  # type: ignore[arg-type]

    def revoke(self, cert: x509.Certificate, at: datetime) -> bytes:
        """A revocation list in PEM: ``cert``, revoked ``at``, and all that were revoked before. Lists are numbered from
        1 (RFC 5280, 5.2.3); each is dated by the latest revocation in it.
        """
        self._lists += 1
        self._revoked[cert.serial_number] = min(at, self._revoked.get(cert.serial_number, at))
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.root.subject)
        builder = builder.last_update(max(self._revoked.values())).next_update(self._to)
        builder = builder.add_extension(x509.CRLNumber(self._lists), critical=False)
        for serial, since in self._revoked.items():
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since).build()
            builder = builder.add_revoked_certificate(entry)
        return self._sign(builder).public_bytes(Encoding.PEM)

    def _sign(self, builder: "_Builder[Signed_co]") -> "Signed_co":
        # The option came with cryptography 44; Debian 13 has 43, and only test vectors need it.
        if self._deterministic:
            return builder.sign(self._root_key, hashes.SHA256(), ecdsa_deterministic=True)
        return builder.sign(self._root_key, hashes.SHA256())

    def _certificate(
        self,
        key: ec.EllipticCurvePublicKey,
        role: str,
        first: str = "",
        second: str = "",
        *,
        issuing: bool = False,
        reached_at: Sequence[str] = (),
        valid_from: datetime | None = None,
        valid_to: datetime | None = None,
    ) -> x509.Certificate:
        self._serial += 1
        uri = subject_uri(self.election, role, first, second)
        names = [x509.UniformResourceIdentifier(uri), *(_reached_at(name) for name in reached_at)]
        issuer = self.root.subject if role != "root" else _name(uri)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(uri))
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(self._serial if self._deterministic else x509.random_serial_number())
            .not_valid_before(valid_from or self._from)
            .not_valid_after(valid_to or self._to)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=issuing, path_length=0 if issuing else None), critical=True)
            .add_extension(_usage(issuing), critical=True)
        )
        return self._sign(builder)


def _name(uri: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, uri.removeprefix("urn:unbroken:")[:64])])


def _reached_at(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(issuing: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issuing,
        key_cert_sign=issuing,
        crl_sign=issuing,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
