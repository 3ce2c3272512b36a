"""The archive's word: receipts, signed with a key that the election root has certified (spec/receipt.md)."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from archive.names import UnitName
from archive.trust import Trusted
from base.errors import OperatorError
from evidence.errors import EvidenceError
from evidence.keys import Signer, SoftwareSigner, thumbprint
from evidence.receipt import Acknowledged, Receipt, write_receipt


class Acknowledger:
    """Signs receipts. It gives none while the time is unknown or outside of the certificate's validity."""

    def __init__(
        self,
        *,
        election: str,
        archive: str,
        signer: Signer,
        certs: Sequence[bytes],
        trust: Trusted,
        utc_us: Callable[[], int | None],
    ) -> None:
        """Raises OperatorError for a certificate that is not that key's, or no receipt key's of the election."""
        try:
            certified = trust.now().check(certs)
        except EvidenceError as error:
            raise OperatorError(f"The receipt key's certificate is refused: {error}.", hint=_ASK) from error
        subject = certified.subject
        if (subject.role, subject.election) != ("receipt", election) or certified.kid != thumbprint(
            signer.public_point
        ):
            raise OperatorError("The receipt key's certificate is not for this key and election.", hint=_ASK)
        self._election, self._archive = election, archive
        self._signer, self._certs = signer, tuple(certs)
        self._trusted = trust
        self._trust, self._certified = trust.now(), certified
        self.utc_us = utc_us

    def logged(self, name: UnitName, seq: int, sha256: str) -> str | None:
        """A receipt for every line up to ``seq``; None where there can be none now."""
        return self._sign(Acknowledged.LOGGED, name, seq=seq, sha256=sha256)

    def stored(self, name: UnitName, media: Sequence[str]) -> str | None:
        """A receipt for ``media``, in ascending order, each once; None where there can be none now."""
        return self._sign(Acknowledged.STORED, name, media=media)

    def _sign(
        self,
        kind: Acknowledged,
        name: UnitName,
        *,
        seq: int | None = None,
        sha256: str | None = None,
        media: Sequence[str] = (),
    ) -> str | None:
        trust = self._trusted.now()
        if trust is not self._trust:
            # It is the same chain to the same roots; a new list may have revoked it.
            self._trust, self._certified = trust, trust.check(self._certs)
        utc_us, valid = self.utc_us(), self._certified
        if utc_us is None or not valid.from_us <= utc_us <= valid.to_us:
            return None
        if valid.revoked_us is not None and utc_us >= valid.revoked_us:
            return None
        receipt = Receipt(
            kind=kind,
            election=self._election,
            station=name.station,
            unit=name.unit,
            archive=self._archive,
            utc_us=utc_us,
            certs=self._certs,
            seq=seq,
            sha256=sha256,
            media=tuple(media),
        )
        return write_receipt(receipt, self._signer)


def logged_subject(seq: int, sha256: str) -> str:
    """What a *logged* receipt speaks of, as the index names it."""
    return f"{seq}:{sha256}"


def stored_subject(media: Sequence[str]) -> str:
    """What a *stored* receipt speaks of, as the index names it."""
    return hashlib.sha256(" ".join(media).encode()).hexdigest()


def load_signer(path: Path) -> SoftwareSigner:
    """A P-256 key from a PEM file without passphrase. Raises OperatorError."""
    try:
        key = load_pem_private_key(path.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("it is not a key on P-256")
        return SoftwareSigner(key)
    except (OSError, ValueError, TypeError) as error:
        raise OperatorError(f"{path} cannot be used as a key: {error}.", hint=_ASK) from error


def load_certificates(path: Path) -> list[bytes]:
    """The certificates of a PEM file, as DER, in its order. Raises OperatorError."""
    try:
        return [cert.public_bytes(Encoding.DER) for cert in x509.load_pem_x509_certificates(path.read_bytes())]
    except (OSError, ValueError) as error:
        raise OperatorError(f"{path} holds no certificate in PEM: {error}.", hint=_ASK) from error


_ASK = "Ask the election authority for the archive's keys and certificates."
