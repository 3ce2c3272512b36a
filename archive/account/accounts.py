"""Accounts that are kept, so that to ask again costs what has come since."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

from archive.account.account import answer_of
from archive.account.judging import Judging, Published, judge
from archive.finding import FindingRow, Oddity
from archive.index.reading import IndexReader
from archive.index.rows import BranchRow
from archive.names import UnitName
from evidence.certificate import Trust
from evidence.day.answer import Record

MOST = 1_024
"""A day of two cameras takes about 1 MB, one that came thinned all the time 24 MB."""
_REST = 10
"""Who must be read anew from the beginning again and again, as a unit whose branches overtake each other may, is so at
most in a tenth of the time."""
_ANSWER_REST = 30
"""An answer is made anew at most so many times later as it takes: milliseconds for most days, a second for the end of
one that came thinned, which has a span for every few seconds."""


@dataclass(slots=True)
class _Kept:
    lock: Lock = field(default_factory=Lock)
    judging: Judging | None = None
    found: tuple[FindingRow, ...] = ()
    record: Record | None = None
    changed: bool = False
    """Whether the answer is older than what was read."""
    not_before: float = 0
    answer_not_before: float = 0


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
        self.most, self._seconds = most, seconds
        self._kept: OrderedDict[UnitName, _Kept] = OrderedDict()
        self._lock = Lock()

    def of(self, name: UnitName) -> Record | None:
        """The unit's record as the index has it now, or had a moment ago: None where it knows nothing of it.

        Raises OSError.
        """
        with self._taken(name) as kept:
            self._read(name, kept)
            self._answer(kept)
            record = kept.record
        if record is None:
            with self._lock:
                self._kept.pop(name, None)  # who asks for names that nobody has takes no place from others
        return record

    def read_ahead(self, name: UnitName) -> None:
        """Take in what has come of a unit, without an answer: done for all now and then, nobody waits for a whole day
        to be read. Raises OSError.
        """
        with self._taken(name) as kept:
            self._read(name, kept)

    def station(self, station: str) -> tuple[Record, ...]:
        """The records of all units that the station ever had, by name. Raises OSError."""
        names = [row.name for row in self._reader.units() if row.name.station == station]
        records = [self.of(name) for name in names]
        return tuple(record for record in records if record is not None)

    @contextmanager
    def _taken(self, name: UnitName) -> Iterator[_Kept]:
        with self._lock:
            kept = self._kept.setdefault(name, _Kept())
            self._kept.move_to_end(name)
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)
        with kept.lock:
            try:
                yield kept
            except BaseException:
                kept.judging = kept.record = None  # it may have taken in one half of what came
                raise

    def _read(self, name: UnitName, kept: _Kept) -> None:
        branches = self._reader.branches(name)
        if not branches:
            kept.judging = kept.record = None
            return
        found = tuple(row for row in self._reader.findings(name.station) if row.name == name)
        judging = self._judged(name, branches, kept, found)
        if judging is None:
            return
        kept.changed |= found != kept.found
        kept.judging, kept.found = judging, found

    def _answer(self, kept: _Kept) -> None:
        now = self._seconds()
        if kept.judging is None:
            return
        if kept.record is None or (kept.changed and now >= kept.answer_not_before):
            kept.record, kept.changed = answer_of(kept.judging, kept.found), False
            done = self._seconds()
            kept.answer_not_before = done + _ANSWER_REST * (done - now)

    def _judged(
        self, name: UnitName, branches: Sequence[BranchRow], kept: _Kept, found: tuple[FindingRow, ...]
    ) -> Judging | None:
        """What was kept, grown, or begun anew; None where it is too early for that."""
        judging = kept.judging
        if judging is not None and _lost(found) == _lost(kept.found) and judging.follows(branches):
            kept.changed |= judging.grow(branches)
            if judging.stands():
                return judging
        kept.judging = None
        now = self._seconds()
        if kept.record is not None and now < kept.not_before:
            return None
        judging = judge(self._reader, name, branches, publications=self._publications, trust=self._trust)
        done = self._seconds()
        kept.not_before = done + _REST * (done - now)
        kept.changed = True
        return judging


def _lost(found: tuple[FindingRow, ...]) -> int:
    return sum(row.count for row in found if row.code is Oddity.LOST_BY_ARCHIVE)
