"""Gaps, events and findings of all stations as one list, each with an address that stays.

A gap is one entry, however many pieces tell it: pieces of one camera and cause that follow each other, as a verifier
merges them. Its address is the line that told it first: unit, branch, ``seq``. Every branch's lines are listed, also
those behind an equivocation, which an account attributes to nobody. Times come from the lines that tell of them, so
they may be a little less certain than the account's, which knows all lines.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import merge
from itertools import islice
from threading import Lock

from archive.finding import FindingRow
from archive.index.latest import UnitLatest
from archive.index.reading import IndexReader
from archive.index.rows import Statement
from archive.names import UnitName
from evidence.day.answer import Bounds, Moment
from evidence.lines import Event, Facts, Gap, Stamp, Start
from evidence.utc import Utc

MOST = 10_000
"""Entries of one unit; the oldest of more are not listed any more. No honest day has a tenth of it."""
QUIET = frozenset({"bitrate", "stopped"})
"""Events that nobody looks for: how the disk's room is used, and what a gap's cause says as well."""
NO_BRANCH = -1
"""Of a finding: no line of a ledger tells it."""


class Kind(StrEnum):
    """What an entry is."""

    GAP = "gap"
    EVENT = "event"
    FINDING = "finding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One gap, event or finding. ``branch`` and ``seq`` name the first line that tells it.

    Of a finding, ``branch`` is ``NO_BRANCH`` and ``seq`` a number that follows from what it is about. ``name`` is None
    for a finding that is no unit's. ``what`` is a cause, an event or a code. ``end`` and ``duration_ms`` are None where
    it has none; ``ongoing`` says that nothing has followed it yet. ``heard_us`` is when the archive learned of it
    first.
    """

    name: UnitName | None
    branch: int
    seq: int
    kind: Kind
    what: str
    camera: str | None
    start: Moment | None
    end: Moment | None
    duration_ms: Bounds | None
    ongoing: bool
    facts: tuple[tuple[str, str], ...]
    heard_us: int | None


@dataclass(slots=True, kw_only=True)
class _Entry:
    name: UnitName
    branch: int
    seq: int
    last_seq: int
    kind: Kind
    what: str
    camera: str | None
    start: tuple[str, int]
    end: tuple[str, int] | None
    facts: Facts
    heard_us: int | None
    at_us: int = 0
    """When it began, for the order."""


@dataclass(slots=True)
class _Unit:
    utc: Utc = field(default_factory=Utc)
    boot_id: dict[int, str] = field(default_factory=dict)
    """The boot that each branch is in."""
    entries: dict[tuple[int, int], _Entry] = field(default_factory=dict)
    gaps: dict[tuple[int, str], _Entry] = field(default_factory=dict)
    """The newest of each branch and camera."""
    newest: dict[str, int] = field(default_factory=dict)
    """Of each camera, its newest video among the last lines."""
    branch: int = 0
    closed: bool = False


class Incidents:
    """The list, from what ``News`` brings. Any thread may call. Memory: about 1 KiB for each entry."""

    def __init__(self, reader: IndexReader) -> None:
        self._reader = reader
        self._units: dict[UnitName, _Unit] = {}
        self._findings: list[Incident] = []
        self._order: list[_Entry] | None = None
        self._lock = Lock()

    def take(self, news: Iterable[UnitLatest], findings: Sequence[FindingRow]) -> None:
        """What is new of some units, and all that the archive has found. Raises OSError."""
        with self._lock:
            for latest in news:
                unit = self._units.setdefault(latest.name, _Unit())
                for statement in latest.statements:
                    self._tell(latest.name, unit, statement)
                unit.branch, unit.closed = latest.branch, latest.closed
                unit.newest = {}
                for each in latest.cameras:
                    unit.newest[each.camera] = max(each.seq, unit.newest.get(each.camera, -1))
            self._findings = _of_findings(findings)

    def page(self, station: str | None, skip: int, most: int) -> tuple[list[Incident], int]:
        """At most ``most`` entries of a station, or of all, behind the first ``skip``, the newest first; and how many
        there are.
        """
        with self._lock:
            found = [
                each for each in self._findings if station in (None, None if each.name is None else each.name.station)
            ]
            entries = self._sorted() if station is None else _ordered(self._of_station(station))
            both: tuple[Iterable[_Entry | Incident], ...] = entries, found
            newest = merge(*both, key=lambda each: -_when(each))
            listed = [
                each if isinstance(each, Incident) else self._incident(each)
                for each in islice(newest, skip, skip + most)
            ]
            return listed, len(found) + len(entries)

    def of(self, name: UnitName, branch: int, seq: int) -> Incident | None:
        """The entry with this address."""
        with self._lock:
            if branch == NO_BRANCH:
                return next((each for each in self._findings if (each.name, each.seq) == (name, seq)), None)
            unit = self._units.get(name)
            entry = None if unit is None else unit.entries.get((branch, seq))
            return None if entry is None else self._incident(entry)

    def _tell(self, name: UnitName, unit: _Unit, statement: Statement) -> None:
        body, stamp = statement.line.body, statement.line.stamp
        if isinstance(body, Start):
            self._ended(name, unit, statement)
            unit.boot_id[statement.branch] = statement.boot_id
        unit.utc.observe(statement.boot_id, stamp)
        if isinstance(body, Gap):
            self._tell_gap(name, unit, statement, body)
        elif isinstance(body, Event) and body.event not in QUIET:
            self._add(
                unit,
                _Entry(
                    name=name,
                    branch=statement.branch,
                    seq=statement.seq,
                    last_seq=statement.seq,
                    kind=Kind.EVENT,
                    what=body.event,
                    camera=body.camera,
                    start=(statement.boot_id, stamp.boot_ns),
                    end=None,
                    facts=body.data,
                    heard_us=statement.heard_us,
                ),
            )

    def _ended(self, name: UnitName, unit: _Unit, statement: Statement) -> None:
        """A session begins: the line before is the last of the boot before, and says best when that ended."""
        boot_id = unit.boot_id.get(statement.branch)
        if boot_id is None or boot_id == statement.boot_id:
            return
        for line in self._reader.places(name, statement.branch, statement.seq - 1, statement.seq):
            if line.error_us is not None:
                stamp = Stamp(boot_ns=line.boot_ns, utc_us=line.utc_us, error_us=line.error_us)
                unit.utc.observe(boot_id, stamp)

    def _tell_gap(self, name: UnitName, unit: _Unit, statement: Statement, gap: Gap) -> None:
        boot_id = statement.boot_id
        start, end = (gap.from_boot or boot_id, gap.from_ns), (boot_id, gap.to_ns)
        before = unit.gaps.get((statement.branch, gap.camera))
        inside = start[0] == boot_id
        follows = before is not None and inside and (before.end, before.what) == (start, gap.cause.value)
        if before is not None and follows and before.start[0] == boot_id:
            before.end, before.last_seq = end, statement.seq
            return
        entry = _Entry(
            name=name,
            branch=statement.branch,
            seq=statement.seq,
            last_seq=statement.seq,
            kind=Kind.GAP,
            what=gap.cause.value,
            camera=gap.camera,
            start=start,
            end=end,
            facts=gap.evidence,
            heard_us=statement.heard_us,
        )
        unit.gaps[statement.branch, gap.camera] = entry
        self._add(unit, entry)

    def _add(self, unit: _Unit, entry: _Entry) -> None:
        begun = unit.utc.at(*entry.start)
        entry.at_us = (entry.heard_us or 0) if begun is None else (begun[0] + begun[1]) // 2
        unit.entries[entry.branch, entry.seq] = entry
        if len(unit.entries) > MOST:
            del unit.entries[next(iter(unit.entries))]
        self._order = None

    def _sorted(self) -> list[_Entry]:
        if self._order is None:
            self._order = _ordered(entry for unit in self._units.values() for entry in unit.entries.values())
        return self._order

    def _of_station(self, station: str) -> list[_Entry]:
        return [
            entry for name, unit in self._units.items() if name.station == station for entry in unit.entries.values()
        ]

    def _incident(self, entry: _Entry) -> Incident:
        unit = self._units[entry.name]
        start = _moment(unit.utc, entry.start)
        end = None if entry.end is None else _moment(unit.utc, entry.end)
        ongoing = (
            entry.kind is Kind.GAP
            and not unit.closed
            and entry.branch == unit.branch
            and unit.gaps.get((entry.branch, entry.camera or "")) is entry
            and entry.last_seq > unit.newest.get(entry.camera or "", -1)
        )
        return Incident(
            name=entry.name,
            branch=entry.branch,
            seq=entry.seq,
            kind=entry.kind,
            what=entry.what,
            camera=entry.camera,
            start=start,
            end=end,
            duration_ms=None if end is None else _lasted(start, end),
            ongoing=ongoing,
            facts=tuple((key, "" if fact is None else str(fact)) for key, fact in entry.facts.items()),
            heard_us=entry.heard_us,
        )


def _of_findings(rows: Sequence[FindingRow]) -> list[Incident]:
    found: list[Incident] = []
    for row in rows:
        facts = {"detail": row.detail, "count": str(row.count), "line": "" if row.seq is None else str(row.seq)}
        found.append(
            Incident(
                name=row.name,
                branch=NO_BRANCH,
                seq=int.from_bytes(hashlib.sha256(row.subject.encode()).digest()[:6]),
                kind=Kind.FINDING,
                what=row.code.value,
                camera=None,
                start=None,
                end=None,
                duration_ms=None,
                ongoing=False,
                facts=tuple(facts.items()),
                heard_us=row.first_us,
            )
        )
    return sorted(found, key=lambda each: each.heard_us or 0, reverse=True)


def _ordered(entries: Iterable[_Entry]) -> list[_Entry]:
    return sorted(entries, key=lambda each: (each.at_us, each.name, each.branch, each.seq), reverse=True)


def _when(each: _Entry | Incident) -> int:
    return each.at_us if isinstance(each, _Entry) else each.heard_us or 0


def _moment(utc: Utc, at: tuple[str, int]) -> Moment:
    return Moment(boot_id=at[0], boot_ns=at[1], utc_us=utc.at(*at))


def _lasted(start: Moment, end: Moment) -> Bounds:
    """Milliseconds, rounded outwards (spec/verify.md, section 3)."""
    if start.boot_id == end.boot_id:
        exact_ns = end.boot_ns - start.boot_ns
        return exact_ns // 1_000_000, -(-exact_ns // 1_000_000)
    least_ns = end.boot_ns
    if start.utc_us is None or end.utc_us is None:
        return least_ns // 1_000_000, None
    least = max(least_ns, (end.utc_us[0] - start.utc_us[1]) * 1_000)
    most = max(least_ns, (end.utc_us[1] - start.utc_us[0]) * 1_000)
    return least // 1_000_000, -(-most // 1_000_000)
