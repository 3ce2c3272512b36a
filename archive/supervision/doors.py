"""Who may come in: an operator, by the certificate of the connection, with one of three rights.

Each right holds those before it. Revocation lists count as they are in their files now, for open connections too.
"""

import hashlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from aiohttp import web

from archive.config import ArchiveConfig
from archive.supervisionconfig import SupervisionConfig
from archive.trust import Trusted
from base.errors import OperatorError
from evidence.certificate import BEGINNING_US, END_US
from evidence.errors import EvidenceError

# Before aiohttp 3.14 keys were strings.
_OPERATOR = web.RequestKey("operator", object) if hasattr(web, "RequestKey") else "operator"
LOOPBACK = "loopback"
"""The name of whoever came without a certificate, where the configuration lets him."""


class Right(IntEnum):
    """What an operator may do."""

    WATCH = 1
    OPERATE = 2
    """Answer for cases, open and close tickets."""
    ADMINISTER = 3
    """Read the access log."""

    @classmethod
    def named(cls, name: str) -> "Right":
        """``watch``, ``operate`` or ``administer``."""
        return cls[name.upper()]

    @property
    def word(self) -> str:
        """As certificates and the log write it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Who asks. ``certificate`` is its SHA-256 in hexadecimal, nothing where there is none."""

    name: str
    right: Right
    certificate: str = ""

    def may(self, right: Right) -> bool:
        """Whether he has it."""
        return self.right >= right


class NotAdmitted(web.HTTPForbidden):
    """Nobody whom this centre knows, or who may do what he asks."""


class Doors:
    """Judges each request. Any thread may ask."""

    def __init__(
        self, trust: Trusted, election: str, utc_us: Callable[[], int | None], loopback: Right | None = None
    ) -> None:
        """``loopback`` is the right of whoever has no certificate, which only a port of this machine's lets in."""
        self._trust, self._election, self._utc_us, self._loopback = trust, election, utc_us, loopback

    def admit(self, certificate: bytes | None) -> Operator:
        """Who holds this certificate (DER). Raises NotAdmitted with the reason."""
        if certificate is None:
            if self._loopback is None:
                raise NotAdmitted(text="a certificate is needed\n")
            return Operator(name=LOOPBACK, right=self._loopback)
        try:
            certified = self._trust.now().check([certificate])
        except EvidenceError as error:
            raise NotAdmitted(text=f"{error}\n") from error
        subject, now_us = certified.subject, self._utc_us()
        if subject.election != self._election:
            raise NotAdmitted(text="the certificate is of another election\n")
        if subject.role != "operator" or subject.right is None or subject.operator is None:
            raise NotAdmitted(text="the certificate is no operator's\n")
        if certified.revoked_us is not None and (now_us is None or now_us >= certified.revoked_us):
            raise NotAdmitted(text="the certificate has been revoked\n")
        limited = certified.from_us > BEGINNING_US or certified.to_us < END_US
        if limited and (now_us is None or not certified.from_us <= now_us <= certified.to_us):
            raise NotAdmitted(text="the certificate is not valid now\n")
        return Operator(
            name=subject.operator, right=Right.named(subject.right), certificate=hashlib.sha256(certificate).hexdigest()
        )


def operator_of(request: web.Request) -> Operator:
    """Whom the door has let in with this request."""
    found = request.get(_OPERATOR)
    assert isinstance(found, Operator)
    return found


def let_in(request: web.Request, operator: Operator) -> None:
    """Remember with the request who asks."""
    request[_OPERATOR] = operator


def require(request: web.Request, right: Right) -> Operator:
    """The operator, who has ``right``. Raises NotAdmitted."""
    operator = operator_of(request)
    if not operator.may(right):
        raise NotAdmitted(text=f"this needs the right to {right.word}\n")
    return operator


def require_same_origin(request: web.Request) -> None:
    """Refuses what another site's page has the browser send. Raises NotAdmitted, or HTTPMethodNotAllowed for no POST.

    Every browser sends Origin with a POST; a program that sends none is asked to.
    """
    if request.method != "POST":
        raise web.HTTPMethodNotAllowed(request.method, ["POST"])
    if request.headers.get("Origin") != f"{request.scheme}://{request.host}":
        raise NotAdmitted(text="this came from a page of another site\n")


def certificate_of(request: web.Request) -> bytes | None:
    """The client's certificate (DER); None on a connection without TLS."""
    transport = request.transport
    tls = None if transport is None else transport.get_extra_info("ssl_object")
    found = tls.getpeercert(binary_form=True) if isinstance(tls, ssl.SSLObject) else None
    return found if isinstance(found, bytes) else None


def door_context(config: ArchiveConfig, supervision: SupervisionConfig) -> ssl.SSLContext:
    """TLS 1.3; whoever has no certificate of the election gets no further. Raises OperatorError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_verify_locations(cafile=config.trust)
        context.load_cert_chain(supervision.certificate, supervision.key)
    except (OSError, ssl.SSLError) as error:
        raise OperatorError(
            f"The supervision centre's certificate or key cannot be used: {error}.",
            hint="Ask the election authority for a key and certificate with the names of its host.",
        ) from error
    return context
