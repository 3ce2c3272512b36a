"""Accounts that are kept, so that to ask again costs what has come since."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

from archive.account.account import answer_of
from archive.account.judging import Judging, Published, judge
from archive.finding import FindingRow, Oddity
from archive.index.reading import IndexReader
from archive.names import UnitName
from evidence.certificate import Trust
from evidence.day.answer import Record

MOST = 64
"""A unit's day of two cameras takes about 6 MB."""
_REST = 10
"""Who must be read anew from the beginning again and again, as a unit that was rolled back may, is so at most in a
tenth of the time."""


@dataclass(slots=True)
class _Kept:
    lock: Lock = field(default_factory=Lock)
    judging: Judging | None = None
    found: tuple[FindingRow, ...] = ()
    record: Record | None = None
    not_before: float = 0


class Accounts:
    """The accounts of the units that were asked for last, ``most`` of them. Any thread may ask.

    What was public, and is not any more or was lost, is noticed by the archive's finding of it, or where an account is
    begun anew.
    """

    def __init__(
        self,
        reader: IndexReader,
        publications: Published | None,
        *,
        trust: Trust | None = None,
        most: int = MOST,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        """``publications`` and ``trust`` as for ``account``; ``seconds`` is a clock that only runs forward."""
        self._reader, self._publications, self._trust = reader, publications, trust or Trust()
        self._most, self._seconds = most, seconds
        self._kept: OrderedDict[UnitName, _Kept] = OrderedDict()
        self._lock = Lock()

    def of(self, name: UnitName) -> Record | None:
        """The unit's record as the index has it now; None where it knows nothing of it. Raises OSError."""
        with self._lock:
            kept = self._kept.setdefault(name, _Kept())
            self._kept.move_to_end(name)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        with kept.lock:
            try:
                self._renew(name, kept)
            except BaseException:
                kept.judging = kept.record = None  # it may have taken in one half of what came
                raise
            record = kept.record
        if record is None:
            with self._lock:
                self._kept.pop(name, None)  # who asks for names that nobody has takes no place from others
        return record

    def station(self, station: str) -> tuple[Record, ...]:
        """The records of all units that the station ever had, by name. Raises OSError."""
        names = [row.name for row in self._reader.units() if row.name.station == station]
        records = [self.of(name) for name in names]
        return tuple(record for record in records if record is not None)

    def _renew(self, name: UnitName, kept: _Kept) -> None:
        branches = self._reader.branches(name)
        if not branches:
            kept.judging = kept.record = None
            return
        found = tuple(row for row in self._reader.findings(name.station) if row.name == name)
        changed = found != kept.found
        judging = kept.judging
        lost = _lost(found) != _lost(kept.found)
        if judging is not None and not lost and judging.follows(branches):
            changed |= judging.grow(branches)
            if not judging.stands():
                judging = None
        else:
            judging = None
        if judging is None:
            now = self._seconds()
            if kept.record is not None and now < kept.not_before:
                kept.judging = None
                return
            judging = judge(self._reader, name, branches, publications=self._publications, trust=self._trust)
            done = self._seconds()
            kept.not_before = done + _REST * (done - now)
            changed = True
        kept.judging, kept.found = judging, found
        if changed or kept.record is None:
            kept.record = answer_of(judging, found)


def _lost(found: tuple[FindingRow, ...]) -> int:
    return sum(row.count for row in found if row.code is Oddity.LOST_BY_ARCHIVE)
