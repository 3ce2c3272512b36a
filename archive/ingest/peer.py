"""Who is speaking: mutual TLS 1.3, and the unit that a connection's certificate names (spec/upload.md, section 1)."""

import ssl
from collections.abc import Callable
from functools import lru_cache

from archive.config import ArchiveConfig
from archive.ingest.refusal import RefusedError
from archive.names import UnitName
from base.errors import OperatorError
from evidence.certificate import Certified, Trust
from evidence.errors import EvidenceError

_REMEMBERED = 4_096


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
    """Reads certificates, each once: a station sends thousands of requests with the same one."""

    def __init__(self, trust: Trust, election: str, utc_us: Callable[[], int | None]) -> None:
        self._trust, self._election, self._utc_us = trust, election, utc_us
        self._certified = lru_cache(maxsize=_REMEMBERED)(self._check)

    def unit(self, der: bytes) -> UnitName:
        """The unit whose uplink holds this certificate. Raises RefusedError (403) for anybody else.

        A revoked certificate is refused from the time of its revocation on, and always while the time is unknown.
        """
        try:
            certified = self._certified(der)
        except EvidenceError as error:
            raise RefusedError(403, error.code, str(error)) from error
        subject = certified.subject
        if subject.role != "uplink" or subject.election != self._election:
            raise RefusedError(403, "wrong-role", f"the certificate is no uplink's of the election {self._election}")
        now_us = self._utc_us()
        if certified.revoked_us is not None and (now_us is None or now_us >= certified.revoked_us):
            raise RefusedError(403, "cert-revoked", "the certificate has been revoked")
        assert subject.station is not None
        assert subject.unit is not None
        return UnitName(station=subject.station, unit=subject.unit)

    def _check(self, der: bytes) -> Certified:
        return self._trust.check([der])
