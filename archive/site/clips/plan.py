"""Which segments a clip holds, and which lines and receipts go with each: from the index, before a byte is read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from archive.index.rows import MOST_SEGMENTS, BranchRow, HeldSegment, LineRow, Statement
from archive.names import UnitName
from archive.site.clips.asked import Asked
from archive.site.clips.dates import Dates
from archive.site.lists.choose import choose
from archive.site.lists.times import Stamps, Times
from cmaf.clip import MAX_PROOF_BYTES
from evidence.clip import MAX_TEXTS
from evidence.jws import MAX_BYTES
from evidence.lines import Config, Event, Recovered, Start

_ROOM_BYTES = MAX_PROOF_BYTES - 4 * MAX_BYTES
"""For lines between two segments: start lines, ``run`` line and receipts have the rest."""
_ROOM_LINES = MAX_TEXTS - 32
_KINDS = ("start", "run", "config", "event")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A segment of a part: the lines of its proof, in order, its own last."""

    row: HeldSegment
    lines: tuple[LineRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One film: segments of one run. ``opening`` are the lines that are told once. ``complete`` says that every
    segment that the record names between its first and last is in it, ``arrival`` that its dates are those of arrival.
    """

    branch: int
    opening: tuple[LineRow, ...]
    segments: tuple[Planned, ...]
    from_us: int
    to_us: int
    arrival: bool
    complete: bool


class Rows(Stamps, Protocol):
    """What is asked of the index; OSError where it fails."""

    def segments(
        self,
        name: UnitName,
        *,
        camera: str | None = None,
        boot_id: str | None = None,
        from_ns: int | None = None,
        to_ns: int | None = None,
    ) -> list[HeldSegment]:
        """What lines name that shares time with the interval."""

    def statements(self, name: UnitName, kinds: Sequence[str] = ()) -> list[Statement]:
        """The unit's lines of these kinds."""

    def places(self, name: UnitName, branch: int, from_seq: int, to_seq: int) -> list[LineRow]:
        """Where lines lie in the branch's file."""


class Public(Protocol):
    """What is asked of the publications; OSError where their database fails."""

    def published(self, name: UnitName, branch: int, from_seq: int, to_seq: int) -> set[int]:
        """Which lines from one ``seq`` to before another have public media."""


class Planner:
    """One thread calls it."""

    def __init__(self, rows: Rows, public: Public) -> None:
        self._rows, self._public = rows, public
        self._times = Times(rows)

    def plan(self, asked: Asked) -> list[Part]:
        """The films of the range, in order of time; none where nothing of it is public. Raises OSError."""
        times = self._times.of(asked.name)
        if times is None:
            return []
        statements = self._rows.statements(asked.name, _KINDS)
        dates = Dates(times, statements)
        rows: list[HeldSegment] = []
        for boot_id, from_ns, to_ns in dates.windows(asked.from_us, asked.to_us):
            if len(rows) >= MOST_SEGMENTS:
                break
            rows += self._rows.segments(asked.name, camera=asked.camera, boot_id=boot_id, from_ns=from_ns, to_ns=to_ns)
        shown = choose(self._only_public(asked.name, rows), times.way, times.utc)
        ways = _Ways(self._rows.branches(asked.name))
        named = {(row.boot_id, row.session, row.segment.run, row.segment.index) for row in rows}
        parts = [
            self._part(part, lines, dates, ways, statements, named)
            for group in _by_run(row for found in shown.values() for row in found)
            for part, lines in self._cut(group)
        ]
        return sorted(parts, key=lambda part: part.from_us)

    def _only_public(self, name: UnitName, rows: Sequence[HeldSegment]) -> list[HeldSegment]:
        seqs: dict[int, list[int]] = {}
        for row in rows:
            seqs.setdefault(row.branch, []).append(row.seq)
        public = {
            (branch, seq)
            for branch, some in seqs.items()
            for seq in self._public.published(name, branch, min(some), max(some) + 1)
        }
        return [row for row in rows if (row.branch, row.seq) in public]

    def _cut(self, group: Sequence[HeldSegment]) -> Iterable[tuple[list[HeldSegment], list[LineRow]]]:
        """A run's segments, parted where more lines stand between two of them than a proof box can hold."""
        places = self._rows.places(group[0].name, group[0].branch, group[0].seq, group[-1].seq + 1)
        part: list[HeldSegment] = []
        lines: list[LineRow] = []
        at = 0
        for row in group:
            between: list[LineRow] = []
            while at < len(places) and places[at].seq <= row.seq:
                between.append(places[at])
                at += 1
            size = sum(line.size_bytes + 1 for line in between)
            if part and (size > _ROOM_BYTES or len(between) > _ROOM_LINES):
                yield part, lines
                part, lines, between = [], [], between[-1:]
            part.append(row)
            lines += between
        yield part, lines

    def _part(
        self,
        rows: Sequence[HeldSegment],
        lines: Sequence[LineRow],
        dates: Dates,
        ways: "_Ways",
        statements: Sequence[Statement],
        named: set[tuple[str, str, int, int]],
    ) -> Part:
        first, last = rows[0], rows[-1]
        told = [each for each in statements if ways.holds(first.branch, each.branch, each.seq)]
        who = self._places(first, _who_signed(first, told))
        planned: list[Planned] = []
        at = 0
        for row in rows:
            begin = at
            while at < len(lines) and lines[at].seq <= row.seq:
                at += 1
            planned.append(Planned(row=row, lines=(*who, *lines[begin:at])))
        session, run = first.session, first.segment.run
        indexes = range(first.segment.index, last.segment.index + 1)
        return Part(
            branch=first.branch,
            opening=tuple(self._places(first, _armed(first, told))),
            segments=tuple(planned),
            from_us=dates.at(first.boot_id, first.segment.from_ns),
            to_us=dates.at(last.boot_id, last.segment.to_ns),
            arrival=dates.is_arrival(first.boot_id),
            complete=sum((first.boot_id, session, run, index) in named for index in indexes) == len(rows),
        )

    def _places(self, row: HeldSegment, seqs: Iterable[int]) -> list[LineRow]:
        return [place for seq in sorted(set(seqs)) for place in self._rows.places(row.name, row.branch, seq, seq + 1)]


class _Ways:
    """Of which branches each one holds lines, and below which ``seq``."""

    def __init__(self, branches: Iterable[BranchRow]) -> None:
        self._rows = {row.number: row for row in branches}

    def holds(self, branch: int, other: int, seq: int) -> bool:
        """Whether a line that ``other`` brought stands in the file of ``branch``."""
        below = seq + 1
        row = self._rows.get(branch)
        while row is not None:
            if row.number == other:
                return seq < below
            below = min(below, row.from_seq)
            row = None if row.parent is None else self._rows.get(row.parent)
        return False


def _by_run(rows: Iterable[HeldSegment]) -> list[list[HeldSegment]]:
    """Neighbours of one run, on one branch, that its session named itself, or another one found."""
    groups: list[list[HeldSegment]] = []
    before: object = None
    for row in rows:
        key = (row.branch, row.boot_id, row.session, row.segment.run, isinstance(row.segment, Recovered))
        if key != before or row.seq < groups[-1][-1].seq:
            groups.append([])
        groups[-1].append(row)
        before = key
    return groups


def _who_signed(row: HeldSegment, told: Sequence[Statement]) -> list[int]:
    """The lines that say by whom ``row``'s line is signed, and of which run it is."""
    found = [seq for seq in (row.start_seq, row.run_seq) if seq is not None]
    if isinstance(row.segment, Recovered):
        starts = [each.seq for each in told if each.seq < row.seq and isinstance(each.line.body, Start)]
        found += starts[-1:]
    return found


def _armed(row: HeldSegment, told: Sequence[Statement]) -> list[int]:
    """The newest profile and ``armed`` event before ``row``, and the ``start`` of the session of each."""
    before = [each for each in told if each.seq < row.seq]
    profile = [each for each in before if isinstance(each.line.body, Config) and each.line.body.what == "profile"]
    armed = [each for each in before if isinstance(each.line.body, Event) and each.line.body.event == "armed"]
    newest = [*profile[-1:], *armed[-1:]]
    sessions = {each.session for each in newest}
    starts = [each.seq for each in told if isinstance(each.line.body, Start) and each.session in sessions]
    return [*starts, *(each.seq for each in newest)]
