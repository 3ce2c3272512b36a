"""TLS to the archive: names and chain as always, dates against the newest proven time.

OpenSSL judges dates by the wall clock, which a unit may not have, and Python offers no other time to judge them by. So
its look at dates is switched off by flag, and inside the handshake, before anything of ours is sent, the certificate is
judged by the rules of evidence.certificate: issued by a trusted root itself, for this election and role, not revoked,
and with dates that hold. Whatever raises there ends the handshake.
"""

import ssl
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from appliance.uplink.proven import ProvenTime, refusal
from evidence.certificate import Trust

X509_V_FLAG_NO_CHECK_TIME = 0x200000
"""Of OpenSSL's x509_vfy.h; the module ssl has no name for it, and passes it on."""


def archive_context(
    *, trust: Trust, certificate: Path, key: Path, election: str, proven: Callable[[], ProvenTime]
) -> ssl.SSLContext:
    """For connections to the archive of ``election``, as the unit whose uplink key is ``key``.

    Raises OSError (of which ssl.SSLError is one) or ValueError where key, certificate or roots cannot be used.
    """
    if not trust.roots:
        raise ValueError("there is no election root")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cadata=b"".join(root.public_bytes(Encoding.DER) for root in trust.roots))
    context.load_cert_chain(certificate, key)
    context.verify_flags |= X509_V_FLAG_NO_CHECK_TIME

    class Judged(ssl.SSLObject):
        """A connection whose handshake ends with our own look at the archive's certificate."""

        def do_handshake(self) -> None:
            super().do_handshake()
            _judge(self.getpeercert(binary_form=True), trust, election, proven())

    context.sslobject_class = Judged
    return context


def _judge(der: bytes | None, trust: Trust, election: str, time: ProvenTime) -> None:
    """Raises ssl.SSLCertVerificationError unless this is the archive's certificate and its dates hold."""
    try:
        if der is None:
            raise ValueError("it shows no certificate")
        certified = trust.check([der])
        if (certified.subject.role, certified.subject.election) != ("archive", election):
            raise ValueError(f"its certificate names no archive of {election}")
        reason = refusal(certified, time)
        if reason is not None:
            raise ValueError(reason)
    except ValueError as error:
        raise ssl.SSLCertVerificationError(f"the archive is refused: {error}") from error
