"""The profile that says when media become public, as it stands in its file."""

import logging
from dataclasses import dataclass
from pathlib import Path

from base.errors import OperatorError
from evidence.certificate import Trust
from evidence.terms import Terms, read_terms

MOST_BYTES = 65_536
_log = logging.getLogger("archive")


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """Terms and the digest of the profile that has them."""

    terms: Terms
    digest: str


class ProfileFile:
    """``now`` is asked again and again and costs a look at the file; it is read where it has changed.

    A file that is gone, cannot be read or is refused changes nothing: what was in force stays, and the log says why.
    """

    def __init__(self, path: Path, trust: Path, election: str) -> None:
        """Raises OperatorError where there is no profile to begin with: nothing is published by guessing."""
        self._path, self._election = path, election
        try:
            self._trust = Trust.from_pem(trust.read_bytes())
            self._seen = self._look()
            self._in_force = self._read()
        except (OSError, ValueError) as error:
            raise OperatorError(
                f"{path}: the profile for publishing cannot be used: {error}.",
                hint="Ask the election authority for the signed profile.",
            ) from error

    def now(self) -> InForce:
        """What is in force; the same object until the file holds another profile."""
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            try:
                read = self._read()
            except (OSError, ValueError) as error:
                fields = {"path": str(self._path), "error": str(error)}
                _log.error("the profile cannot be used; the one before stays", extra={"fields": fields})
            else:
                if read.digest != self._in_force.digest:
                    _log.warning("another profile is in force", extra={"fields": {"digest": read.digest}})
                    self._in_force = read
        return self._in_force

    def _look(self) -> tuple[int, int, int] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_size, stat.st_mtime_ns

    def _read(self) -> InForce:
        with self._path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES} bytes")
        profile, terms, digest = read_terms(data.decode("ascii").strip(), self._trust)
        if profile.election != self._election:
            raise ValueError("it is another election's")
        return InForce(terms=terms, digest=digest)
