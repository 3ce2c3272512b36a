"""The lines of a branch as the index tells them: ready to be judged again, without their signatures.

The archive has verified each of them when it came (docs/design/archive.md), and its index holds what they say. Only the
stamps of ``segment`` lines are not all there: where the clock was not synchronised the index has boot time alone. Their
state is that of the line before, since a recorder writes a ``clock`` line before the state changes.
"""

from archive.index.rows import Statement
from archive.index.told import ToldLine
from evidence.certificate import Certified, Trust
from evidence.errors import EvidenceError
from evidence.lines import Line, Recovered, Stamp, Start
from evidence.verify.keyring import Opened, Session
from evidence.words import Mode

_OF_NOBODY = Recovered(
    camera="", run=0, index=0, mode=Mode.UNARMED, sha256="", size=1, from_ns=0, to_ns=1, frames=1, session=""
)


class Replay:
    """One branch, line by line. ``compared`` where the unit has several: lines then carry what tells them apart."""

    def __init__(self, trust: Trust, *, compared: bool) -> None:
        self._trust, self._compared = trust, compared
        self._prev = ""
        self._session: Session | None = None
        self._sessions = 0
        self._stamp = Stamp(boot_ns=0, utc_us=None, error_us=None)

    def statement(self, row: ToldLine, statement: Statement) -> Opened:
        """The next line, which names no media."""
        line = statement.line
        certified: Certified | None = None
        if isinstance(line.body, Start):
            start = line.body
            self._session = Session(kid=statement.session, point=start.session, number=self._sessions, start=start)
            self._sessions += 1
            if self._trust.roots:
                try:
                    certified = self._trust.check(start.certs)
                except EvidenceError:  # whom the archive trusted then; dates cannot be judged
                    certified = None
        return self._opened(row, line, certified)

    def segment(self, row: ToldLine) -> Opened:
        """The next line, a ``segment`` or ``recovered`` one.

        What is in none of the index's tables is a ``recovered`` line of a session that nobody enrolled.
        """
        body = row.segment or _OF_NOBODY
        return self._opened(row, Line(seq=row.seq, prev=self._prev, stamp=self._stamped(row), body=body))

    def _opened(self, row: ToldLine, line: Line, certified: Certified | None = None) -> Opened:
        if self._session is None:
            raise OSError("the index has lines before any start: unbroken archive check --rebuild makes a new one")
        self._prev, self._stamp = row.sha256, line.stamp
        # Only ever compared with itself: equal where the payload is, apart from members that nobody knows.
        payload = repr(line).encode() if self._compared else b""
        return Opened(row.sha256, line, payload, self._session, certified=certified)

    def _stamped(self, row: ToldLine) -> Stamp:
        if row.error_us is not None:
            return Stamp(boot_ns=row.boot_ns, utc_us=row.utc_us, error_us=row.error_us)
        before = self._stamp
        if before.utc_us is None:
            return Stamp(boot_ns=row.boot_ns, utc_us=None, error_us=None)
        utc_us = before.utc_us + (row.boot_ns - before.boot_ns) // 1_000
        return Stamp(boot_ns=row.boot_ns, utc_us=utc_us, error_us=None)
