"""Who is speaking: mutual TLS 1.3, and the unit that a connection's certificate names (spec/upload.md, section 1)."""

import hashlib
import ssl
from collections.abc import Callable
from functools import lru_cache

from archive.config import ArchiveConfig
from archive.finding import Finding, FindingCode, Oddity
from archive.ingest.refusal import RefusedError
from archive.names import UnitName
from archive.trust import Trusted
from base.errors import OperatorError
from evidence.certificate import Certified, Subject, Trust
from evidence.codes import Code
from evidence.errors import EvidenceError

_REMEMBERED = 4_096


class StrangerError(RefusedError):
    """A certificate of the election's chain that is not to be spoken with (403). ``finding`` is what to keep of it."""

    def __init__(self, code: FindingCode, message: str, finding: Finding) -> None:
        super().__init__(403, code.value, message)
        self.finding = finding


def server_context(config: ArchiveConfig) -> ssl.SSLContext:
    """TLS 1.3 only; a client without a certificate of the election gets no further. Raises OperatorError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_verify_locations(cafile=config.trust)
        context.load_cert_chain(config.certificate, config.key)
    except (OSError, ssl.SSLError) as error:
        raise OperatorError(
            f"The archive's certificate or key cannot be used: {error}.",
            hint="Ask the election authority for the archive's keys and certificates.",
        ) from error
    return context


class Peers:
    """Reads certificates, each once for each state of the revocation lists: a station sends thousands of requests."""

    def __init__(self, trust: Trusted, election: str, utc_us: Callable[[], int | None]) -> None:
        self._trust, self._election, self.utc_us = trust, election, utc_us
        # By the trust itself as well: with a new revocation list, every certificate is looked at anew.
        self._certified = lru_cache(maxsize=_REMEMBERED)(_check)

    def unit(self, der: bytes) -> UnitName:
        """The unit whose uplink holds this certificate. Raises StrangerError (403) for anybody else.

        A revoked certificate is refused from the time of its revocation on, and always while the time is unknown.
        """
        try:
            certified = self._certified(self._trust.now(), der)
        except EvidenceError as error:
            raise self._stranger(error.code, str(error), der, None) from error
        subject = certified.subject
        if subject.election != self._election:
            raise self._stranger(
                Oddity.WRONG_ELECTION, f"the certificate is of election {subject.election}", der, subject
            )
        if subject.role != "uplink":
            raise self._stranger(
                Oddity.WRONG_ROLE, f"the certificate is no uplink's, but a {subject.role}'s", der, subject
            )
        now_us = self.utc_us()
        if certified.revoked_us is not None and (now_us is None or now_us >= certified.revoked_us):
            raise self._stranger(Code.CERT_REVOKED, "the uplink's certificate has been revoked", der, subject)
        assert subject.station is not None
        assert subject.unit is not None
        return UnitName(station=subject.station, unit=subject.unit)

    def _stranger(self, code: FindingCode, message: str, der: bytes, subject: Subject | None) -> StrangerError:
        digest = digest_of(der)
        finding = Finding(
            name=None if subject is None else self._named(subject),
            subject=f"{code}:{digest}",
            code=code,
            detail=f"{message}; certificate {digest}",
            utc_us=self.utc_us(),
        )
        return StrangerError(code, message, finding)

    def _named(self, subject: Subject) -> UnitName | None:
        """Under whom it is shown: a certificate of another election says nothing of a unit of this one."""
        if subject.election != self._election or subject.station is None or subject.unit is None:
            return None
        return UnitName(station=subject.station, unit=subject.unit)


def digest_of(der: bytes) -> str:
    """How a certificate is named in findings and notes: by its SHA-256."""
    return hashlib.sha256(der).hexdigest()


def _check(trust: Trust, der: bytes) -> Certified:
    return trust.check([der])
