"""Whom the archive trusts now: roots as they were at its start, revocation lists as they are in their files.

``now`` is asked for each request, so a list counts for open connections as well, and nothing needs a restart or a
signal. It costs a look at the files; they are read only where they have changed. A list never replaces a better one:
one that cannot be read, that its root has not signed, or that is older, is told once and passed over. What was in force
before a restart is remembered in the data folder.
"""

import logging
import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from archive.config import ArchiveConfig
from base.durable import Disk
from base.errors import OperatorError
from evidence.certificate import Trust

List = x509.CertificateRevocationList
Lists = tuple[List, ...]
_BEGIN = b"-----BEGIN X509 CRL-----"
_CRL = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)
REMEMBERED = "revocations.pem"
"""In the data folder: the lists that were in force last."""
_ASK = "Ask the election authority for root and revocation list."
_log = logging.getLogger("archive")


class _WorseError(ValueError):
    """The lists in force are better than what was read."""


class Trusted:
    """Any thread may call it."""

    def __init__(
        self, trust: Path, revoked: Path | None, *, remembered: Path | None = None, disk: Disk | None = None
    ) -> None:
        """``remembered`` is where lists outlive the process that found them; who has a ``disk`` writes it.

        Raises OperatorError where a file cannot be read, or a list is not its root's.
        """
        self._paths = [trust] if revoked is None else [trust, revoked]
        self._remembered, self._disk = remembered, disk
        self._lock = threading.Lock()
        self._seen = self._look()
        try:
            self._roots = Trust.from_pem(trust.read_bytes()).roots
            read = self._read(self._paths)
            before = self._before()
            self._lists = self._newer({}, read)
            try:
                self._lists = self._newer(before, read)
            except _WorseError as error:
                _log.error("revocation lists from before this start stay in force", extra={"fields": _fields(error)})
                self._lists |= before
        except (OSError, ValueError) as error:
            raise OperatorError(f"{', '.join(map(str, self._paths))}: {error}.", hint=_ASK) from error
        self._trust = self._trust_now()
        if self._lists != before:
            self._remember()

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
            lists = self._newer(self._lists, self._read(self._paths))
        except (OSError, ValueError) as error:
            _log.error("revocation lists cannot be used; those from before stay", extra={"fields": _fields(error)})
            return
        if lists == self._lists:
            return
        before, now = _revoked(self._lists), _revoked(lists)
        self._lists = lists
        self._trust = self._trust_now()
        self._remember()
        fields = {"revoked": len(now), "new": len(now - before), "revoked no more": len(before - now)}
        _log.warning("revocation lists have changed", extra={"fields": fields})

    def _trust_now(self) -> Trust:
        return Trust(self._roots, [each for lists in self._lists.values() for each in lists])

    def _before(self) -> dict[bytes, Lists]:
        """What an earlier process had in force."""
        if self._remembered is None or not self._remembered.exists():
            return {}
        try:
            return self._newer({}, self._read([self._remembered]))
        except (OSError, ValueError) as error:
            fields = {"path": str(self._remembered), **_fields(error)}
            _log.error("nobody knows which revocation lists were in force before", extra={"fields": fields})
            return {}

    def _remember(self) -> None:
        """Durable on return, or told: what is in force is so in any case."""
        if self._remembered is None or self._disk is None:
            return
        lists = [each for some in self._lists.values() for each in some]
        try:
            self._disk.put(self._remembered, b"".join(each.public_bytes(Encoding.PEM) for each in lists))
        except OSError as error:
            _log.error("a restart will not know the revocation lists in force", extra={"fields": _fields(error)})

    def _read(self, paths: Sequence[Path]) -> Lists:
        lists: Lists = ()
        for path in paths:
            text = path.read_bytes()
            Trust.from_pem(text)  # what it refuses is damaged
            whole = _CRL.findall(text)
            if len(whole) != text.count(_BEGIN):
                raise ValueError(f"{path} cannot be read: a revocation list has no end")
            lists += tuple(map(x509.load_pem_x509_crl, whole))
        return lists

    def _newer(self, known: Mapping[bytes, Lists], read: Lists) -> dict[bytes, Lists]:
        """The lists of each issuer: all that were read.

        Raises ValueError where one is not its issuer's, and _WorseError where it is older than what is known.
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
                raise _WorseError(f"the revocation list in force is gone ({_told(newest)})")
            brought = max(lists[issuer], key=_age)
            if _age(brought) < _age(newest):
                both = f"{_told(brought)}, {_told(newest)}"
                raise _WorseError(f"a revocation list is older than the one in force: {both}")
        return lists

    def _look(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(map(_state, self._paths))


def read_trust(config: ArchiveConfig, disk: Disk | None = None) -> Trusted:
    """As the configuration names it; with ``disk`` for whoever has the data folder for itself. Raises OperatorError."""
    return Trusted(config.trust, config.revoked, remembered=config.data / REMEMBERED, disk=disk)


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
