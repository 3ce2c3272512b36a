"""Whom the archive trusts now: roots as they were at its start, revocation lists as they are in their files.

``now`` is asked for each request, so a list counts for open connections as well, and nothing needs a restart or a
signal. It costs a look at the files; they are read only where they have changed. A list never replaces a better one:
one that cannot be read, that its root has not signed, or that is older, is told once and passed over.
"""

import logging
import re
import threading
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from archive.config import ArchiveConfig
from base.errors import OperatorError
from evidence.certificate import Trust

List = x509.CertificateRevocationList
Lists = tuple[List, ...]
_CRL = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)
_ASK = "Ask the election authority for root and revocation list."
_log = logging.getLogger("archive")


class Trusted:
    """Any thread may call it."""

    def __init__(self, trust: Path, revoked: Path | None) -> None:
        """Raises OperatorError where a file cannot be read, or a list is not its root's."""
        self._paths = [trust] if revoked is None else [trust, revoked]
        self._lock = threading.Lock()
        self._seen = self._look()
        try:
            self._roots = Trust.from_pem(trust.read_bytes()).roots
            self._lists = self._newer({}, self._read())
        except (OSError, ValueError) as error:
            raise OperatorError(f"{', '.join(map(str, self._paths))}: {error}.", hint=_ASK) from error
        self._trust = self._trust_now()

    def now(self) -> Trust:
        """The same object until a better list comes."""
        with self._lock:
            seen = self._look()
            if seen != self._seen:
                # What is written while it is read changes the file once more, and is read once more.
                self._seen = seen
                self._take()
            return self._trust

    def _take(self) -> None:
        try:
            lists = self._newer(self._lists, self._read())
        except (OSError, ValueError) as error:
            _log.error("revocation lists cannot be used; those from before stay", extra={"fields": _fields(error)})
            return
        if lists == self._lists:
            return
        before, now = _revoked(self._lists), _revoked(lists)
        self._lists = lists
        self._trust = self._trust_now()
        fields = {"revoked": len(now), "new": len(now - before), "revoked no more": len(before - now)}
        _log.warning("revocation lists have changed", extra={"fields": fields})

    def _trust_now(self) -> Trust:
        return Trust(self._roots, [each for lists in self._lists.values() for each in lists])

    def _read(self) -> Lists:
        lists: Lists = ()
        for path in self._paths:
            text = path.read_bytes()
            Trust.from_pem(text)  # what it refuses is damaged
            lists += tuple(x509.load_pem_x509_crl(each) for each in _CRL.findall(text))
        return lists

    def _newer(self, known: Mapping[bytes, Lists], read: Lists) -> dict[bytes, Lists]:
        """The lists of each issuer: all that were read. Raises ValueError where one is not its issuer's, or where what
        was read is older than what is known.
        """
        lists = dict.fromkeys(known, Lists())
        for each in read:
            issuer = each.issuer.public_bytes()
            roots = [root for root in self._roots if root.subject == each.issuer]
            if roots and not any(_signed(each, root) for root in roots):
                raise ValueError(f"a revocation list is not signed by its root ({each.issuer.rfc4514_string()})")
            lists[issuer] = (*lists.get(issuer, ()), each)
        for issuer, before in known.items():
            newest = max(before, key=_age)
            if not lists[issuer]:
                raise ValueError(f"the revocation list in force is gone ({_told(newest)})")
            brought = max(lists[issuer], key=_age)
            if _age(brought) < _age(newest):
                raise ValueError(f"a revocation list is older than the one in force: {_told(brought)}, {_told(newest)}")
        return lists

    def _look(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(map(_state, self._paths))


def read_trust(config: ArchiveConfig) -> Trusted:
    """As the configuration names it. Raises OperatorError."""
    return Trusted(config.trust, config.revoked)


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _revoked(lists: Mapping[bytes, Lists]) -> set[tuple[bytes, int]]:
    """The issuer and serial number of each certificate that is named."""
    return {(issuer, entry.serial_number) for issuer, some in lists.items() for each in some for entry in each}


def _age(revocations: List) -> tuple[int, float]:
    """Its CRL number (RFC 5280, 5.2.3), -1 where it has none, and when it was issued."""
    try:
        number = revocations.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        number = -1
    return number, revocations.last_update_utc.timestamp()


def _told(revocations: List) -> str:
    number, _ = _age(revocations)
    return f"number {number if number >= 0 else 'none'} of {revocations.last_update_utc:%Y-%m-%dT%H:%M:%SZ}"


def _signed(revocations: List, root: x509.Certificate) -> bool:
    key = root.public_key()
    try:
        return isinstance(key, ec.EllipticCurvePublicKey) and revocations.is_signature_valid(key)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _fields(error: Exception) -> dict[str, str]:
    return {"error": str(error)}
