"""What whoever shows the archive asks of its index: nothing is written, and any number of processes may ask.

Site, publisher and supervision read here. All that they say of a station comes from these rows, which say what the
ledgers say (docs/design/archive.md).
"""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Row, Select, bindparam, func, select
from sqlalchemy.exc import SQLAlchemyError

from archive.finding import FindingRow
from archive.index.engine import database_url, open_following, words
from archive.index.findings import select_findings
from archive.index.rows import MOST_SEGMENTS, BranchRow, HeldSegment, LineRow, ReceiptRow, StampRow, Statement, UnitRow
from archive.index.schema import branches, lines, receipts, runs, segments, statements, units
from archive.names import UnitName
from base.errors import OperatorError
from evidence.lines import Recovered, Segment, read_payload
from evidence.receipt import Acknowledged
from evidence.words import Mode

_start = statements.alias("start_line")
_run = statements.alias("run_line")
_OF_SESSION = (_start.c.unit_id == segments.c.unit_id) & (_start.c.session == segments.c.session)
_OF_RUN = (
    (_run.c.unit_id == segments.c.unit_id)
    & (_run.c.session == segments.c.session)
    & (_run.c.kind == "run")
    & (_run.c.camera == segments.c.camera)
    & (_run.c.run == segments.c.run)
)
_HELD = (
    select(
        segments,
        units.c.station,
        units.c.unit,
        runs.c.init_sha256,
        # A session may have lied about one run, and a branch may repeat a line: the first counts.
        select(func.min(_run.c.seq)).where(_OF_RUN).scalar_subquery().label("run_seq"),
        select(func.min(_start.c.seq))
        .where(_OF_SESSION, _start.c.kind == "start")
        .scalar_subquery()
        .label("start_seq"),
    )
    .select_from(
        segments.join(units, units.c.id == segments.c.unit_id).outerjoin(
            runs,
            (runs.c.unit_id == segments.c.unit_id)
            & (runs.c.session == segments.c.session)
            & (runs.c.camera == segments.c.camera)
            & (runs.c.run == segments.c.run),
        )
    )
    .where(units.c.election == bindparam("of_election"))
)
_UNIT = select(units.c.id).where(
    units.c.election == bindparam("of_election"),
    units.c.station == bindparam("of_station"),
    units.c.unit == bindparam("of_name"),
)
# Made once, since making a statement costs more than executing it: these stand behind every proof that is asked for.
_BRANCHES = (
    select(branches)
    .join(units, units.c.id == branches.c.unit_id)
    .where(
        units.c.election == bindparam("of_election"),
        units.c.station == bindparam("of_station"),
        units.c.unit == bindparam("of_name"),
    )
    .order_by(branches.c.number)
)
_PLACES = (
    select(lines)
    .where(
        lines.c.unit_id == bindparam("of_unit"),
        lines.c.branch == bindparam("of_branch"),
        lines.c.seq >= bindparam("from_seq"),
        lines.c.seq < bindparam("to_seq"),
    )
    .order_by(lines.c.seq)
)
_ARRIVALS = (
    _HELD.where(segments.c.stored, segments.c.arrival > bindparam("after"))
    .order_by(segments.c.arrival)
    .limit(bindparam("most"))
)


class IndexReader:
    """The index, read only. Every method sees one committed state; any thread may call. OSError where it fails."""

    def __init__(self, url: str, election: str) -> None:
        """Raises OperatorError where there is no index yet."""
        self._election = election
        self._engine = open_following(database_url(url))
        try:
            with self._engine.connect() as connection:
                connection.execute(select(units.c.changed).limit(1)).all()
        except SQLAlchemyError as error:
            self.close()
            raise OperatorError(
                f"The index cannot be read: {words(error)}.",
                hint="The archive makes it: start unbroken archive ingest first.",
            ) from error

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    def units(self) -> list[UnitRow]:
        """Every unit that the index knows, by station and unit."""
        return sorted(self.changed(-1), key=lambda row: row.name)

    def changed(self, after: int) -> list[UnitRow]:
        """The units that a commit behind ``after`` concerned, the latest last."""
        rows = select(units).where(units.c.election == self._election, units.c.changed > after)
        return [
            UnitRow(
                name=UnitName(station=row.station, unit=row.unit),
                state=row.state,
                heard_us=row.heard_us,
                changed=row.changed,
            )
            for row in self._rows(rows.order_by(units.c.changed, units.c.id))
        ]

    def arrivals(self, after: int, most: int) -> list[HeldSegment]:
        """The first ``most`` media that were stored behind the number ``after``, in the order in which they came."""
        return self._held(_ARRIVALS, {"after": after, "most": most})

    def last_arrival(self) -> int:
        """The number of what came last; 0 where nothing has."""
        with self._reading() as connection:
            return int(connection.scalar(select(func.max(segments.c.arrival))) or 0)

    def arrived(self, numbers: Collection[int]) -> dict[int, tuple[UnitName, int, int]]:
        """Unit, branch and ``seq`` of what came with these numbers and is still here."""
        query = select(segments.c.arrival, segments.c.branch, segments.c.seq, units.c.station, units.c.unit)
        query = query.join(units, units.c.id == segments.c.unit_id).where(segments.c.arrival.in_(sorted(numbers)))
        return {
            row.arrival: (UnitName(station=row.station, unit=row.unit), row.branch, row.seq)
            for row in self._rows(query)
        }

    def segments(
        self,
        name: UnitName,
        *,
        camera: str | None = None,
        boot_id: str | None = None,
        from_ns: int | None = None,
        to_ns: int | None = None,
    ) -> list[HeldSegment]:
        """What the unit's lines name, of one camera and boot or of all, that shares time with ``[from_ns, to_ns)``; by
        branch and ``seq``, the first ``MOST_SEGMENTS``.
        """
        query = _HELD.where(segments.c.unit_id == self._id(name))
        if camera is not None:
            query = query.where(segments.c.camera == camera)
        if boot_id is not None:
            query = query.where(segments.c.boot_id == boot_id)
        if from_ns is not None:
            query = query.where(segments.c.to_ns > from_ns)
        if to_ns is not None:
            query = query.where(segments.c.from_ns < to_ns)
        return self._held(query.order_by(segments.c.branch, segments.c.seq).limit(MOST_SEGMENTS), {})

    def segment(self, name: UnitName, branch: int, seq: int) -> HeldSegment | None:
        """The segment that a branch's own line names; None where it names none."""
        query = _HELD.where(segments.c.unit_id == self._id(name), segments.c.branch == branch, segments.c.seq == seq)
        return next(iter(self._held(query, {})), None)

    def segments_after(self, name: UnitName, branch: int, seq: int, most: int | None = None) -> list[HeldSegment]:
        """What a branch's own lines behind ``seq`` name, in order; the first ``most``."""
        query = _HELD.where(segments.c.unit_id == self._id(name), segments.c.branch == branch, segments.c.seq > seq)
        return self._held(query.order_by(segments.c.seq).limit(most), {})

    def newest(self, name: UnitName, most: int) -> list[HeldSegment]:
        """The newest of the branch that the unit is on, the newest first."""
        current = max(self.branches(name), key=lambda row: row.used, default=None)
        if current is None:
            return []
        query = _HELD.where(segments.c.unit_id == self._id(name), segments.c.branch == current.number)
        return self._held(query.order_by(segments.c.seq.desc()).limit(most), {})

    def lacking(self, name: UnitName) -> int:
        """How many armed segments the unit's lines name that are still to come."""
        query = select(func.count()).where(segments.c.unit_id == self._id(name), segments.c.wanted)
        with self._reading() as connection:
            return int(connection.scalar(query) or 0)

    def statements(self, name: UnitName, kinds: Collection[str] = ()) -> list[Statement]:
        """The unit's lines of these kinds, or of all that name no media to be delivered, by branch and ``seq``."""
        query = select(statements).where(statements.c.unit_id == self._id(name))
        if kinds:
            query = query.where(statements.c.kind.in_(sorted(kinds)))
        return [_statement(row) for row in self._rows(query.order_by(statements.c.branch, statements.c.seq))]

    def statement(self, name: UnitName, branch: int, seq: int) -> Statement | None:
        """A branch's own line at ``seq``, if it names no media to be delivered."""
        query = select(statements).where(
            statements.c.unit_id == self._id(name), statements.c.branch == branch, statements.c.seq == seq
        )
        return next((_statement(row) for row in self._rows(query)), None)

    def statements_of(self, kinds: Collection[str], after: int = -1) -> list[tuple[UnitName, Statement]]:
        """Lines of these kinds of every unit that a commit behind ``after`` concerned, by unit, branch and ``seq``."""
        query = (
            select(statements, units.c.station, units.c.unit)
            .select_from(statements.join(units, units.c.id == statements.c.unit_id))
            .where(units.c.election == self._election, units.c.changed > after, statements.c.kind.in_(sorted(kinds)))
            .order_by(units.c.station, units.c.unit, statements.c.branch, statements.c.seq)
        )
        return [(UnitName(station=row.station, unit=row.unit), _statement(row)) for row in self._rows(query)]

    def stamps(self, name: UnitName, branch: int | None = None, after: int = -1) -> list[StampRow]:
        """What the unit's lines say of UTC, of all branches or of one behind a ``seq``; by branch and ``seq``."""
        unit = self._id(name)
        query = select(lines.c.branch, lines.c.seq, lines.c.boot_ns, lines.c.utc_us, lines.c.error_us).where(
            lines.c.unit_id == unit, lines.c.error_us.is_not(None), lines.c.seq > after
        )
        if branch is not None:
            query = query.where(lines.c.branch == branch)
        boots = self._boots(name)
        return [
            StampRow(
                branch=row.branch,
                seq=row.seq,
                boot_id=boots.at(row.branch, row.seq),
                boot_ns=row.boot_ns,
                utc_us=row.utc_us,
                error_us=row.error_us,
            )
            for row in self._rows(query.order_by(lines.c.branch, lines.c.seq))
        ]

    def branches(self, name: UnitName) -> list[BranchRow]:
        """The unit's branches, by number."""
        asked = {"of_election": self._election, "of_station": name.station, "of_name": name.unit}
        return [
            BranchRow(
                number=row.number,
                parent=row.parent,
                from_seq=row.from_seq,
                head_seq=row.head_seq,
                head_sha256=row.head_sha256,
                size_bytes=row.size_bytes,
                closed=row.closed,
                used=row.used,
            )
            for row in self._rows(_BRANCHES, asked)
        ]

    def places(self, name: UnitName, branch: int, from_seq: int, to_seq: int) -> list[LineRow]:
        """Where the lines from one ``seq`` to before another lie in a branch's file, which holds its parents' too."""
        unit, known = self._id(name), {row.number: row for row in self.branches(name)}
        found: list[LineRow] = []
        row = known.get(branch)
        while row is not None and from_seq < to_seq:
            asked = {
                "of_unit": unit,
                "of_branch": row.number,
                "from_seq": max(from_seq, row.from_seq),
                "to_seq": to_seq,
            }
            found = [_line(each) for each in self._rows(_PLACES, asked)] + found
            to_seq = min(to_seq, row.from_seq)
            row = None if row.parent is None else known.get(row.parent)
        return found

    def receipts(self, name: UnitName) -> list[ReceiptRow]:
        """The unit's receipts, and where each lies in the journal, in the order in which they were given."""
        query = select(receipts).where(receipts.c.unit_id == self._id(name)).order_by(receipts.c.offset)
        return [
            ReceiptRow(
                name=name,
                kind=Acknowledged(row.kind),
                subject=row.subject,
                offset=row.offset,
                size_bytes=row.size_bytes,
            )
            for row in self._rows(query)
        ]

    def findings(self, station: str | None = None) -> list[FindingRow]:
        """What the archive has found, of all or of one station."""
        with self._reading() as connection:
            return select_findings(connection, self._election, station)

    def _held(self, query: "Select[tuple[object, ...]]", asked: Mapping[str, object]) -> list[HeldSegment]:
        return [_segment(row) for row in self._rows(query, {"of_election": self._election, **asked})]

    def _boots(self, name: UnitName) -> "_Boots":
        query = select(statements.c.branch, statements.c.seq, statements.c.boot_id).where(
            statements.c.unit_id == self._id(name), statements.c.kind == "start"
        )
        starts = self._rows(query.order_by(statements.c.branch, statements.c.seq))
        return _Boots(self.branches(name), starts)

    def _id(self, name: UnitName) -> int:
        """The unit's number, or 0, which none has. Asked anew each time: a rebuilt index gives others."""
        asked = {"of_election": self._election, "of_station": name.station, "of_name": name.unit}
        rows = self._rows(_UNIT, asked)
        return int(rows[0].id) if rows else 0

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise OSError(f"the index cannot be read: {words(error)}") from error

    def _rows(
        self, query: "Select[tuple[object, ...]]", asked: Mapping[str, object] | None = None
    ) -> "Sequence[Row[tuple[object, ...]]]":
        with self._reading() as connection:
            return connection.execute(query, asked).all()


class _Boots:
    """The kernel boot of each line: that of the last ``start`` up to it, on its branch or before the branch began."""

    def __init__(self, known: Sequence[BranchRow], starts: "Sequence[Row[tuple[object, ...]]]") -> None:
        self._branches = {row.number: row for row in known}
        self._starts: dict[int, tuple[list[int], list[str]]] = {}
        for row in starts:
            seqs, boots = self._starts.setdefault(row.branch, ([], []))
            seqs.append(row.seq)
            boots.append(row.boot_id)

    def at(self, branch: int, seq: int) -> str:
        row = self._branches.get(branch)
        while row is not None:
            seqs, boots = self._starts.get(row.number, ([], []))
            place = bisect_right(seqs, seq)
            if place:
                return boots[place - 1]
            seq = min(seq, row.from_seq - 1)
            row = None if row.parent is None else self._branches.get(row.parent)
        raise OSError("the index has lines before any start: unbroken archive check --rebuild makes a new one")


def _segment(row: "Row[tuple[object, ...]]") -> HeldSegment:
    members = {
        "camera": row.camera,
        "run": row.run,
        "index": row.number,
        "mode": Mode(row.mode),
        "sha256": row.sha256,
        "size": row.size_bytes,
        "from_ns": row.from_ns,
        "to_ns": row.to_ns,
        "frames": row.frames,
        "holes": (row.dropped_frames, row.max_hole_ms),
    }
    return HeldSegment(
        name=UnitName(station=row.station, unit=row.unit),
        branch=row.branch,
        seq=row.seq,
        session=row.session,
        boot_id=row.boot_id,
        segment=Recovered(session=row.session, **members) if row.recovered else Segment(**members),
        stored=row.stored,
        wanted=row.wanted,
        pruned=row.pruned,
        stored_us=row.stored_us,
        arrival=row.arrival,
        init_sha256=row.init_sha256,
        run_seq=row.run_seq,
        start_seq=row.start_seq,
    )


def _statement(row: "Row[tuple[object, ...]]") -> Statement:
    return Statement(
        branch=row.branch,
        seq=row.seq,
        session=row.session,
        boot_id=row.boot_id,
        heard_us=row.heard_us,
        line=read_payload(row.payload.encode()),
    )


def _line(row: "Row[tuple[object, ...]]") -> LineRow:
    return LineRow(
        seq=row.seq,
        sha256=row.sha256,
        offset=row.offset,
        size_bytes=row.size_bytes,
        boot_ns=row.boot_ns,
        start=row.start,
        utc_us=row.utc_us,
        error_us=row.error_us,
    )
